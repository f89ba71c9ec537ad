"""A place where messages arrive, a message to tell, and a notifier that only notes."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from reconciler.releases.announce.notice import NoticeCommit, NoticeEvidence, ReleaseMessage
from reconciler.web.listener import Route, listening

SAYS = ("location", "handle", "nothing")
"""How a server names what was said to it."""


def message(**changes: Any) -> ReleaseMessage:
    """A failed release, as data."""
    told: dict[str, Any] = {
        "environment": "production",
        "source": "shop",
        "namespace": "shop",
        "workload": "web",
        "release": "web-bad",
        "phase": "Restoring",
        "verdict": "failed",
        "headline": "failed",
        "commit": NoticeCommit(sha="c" * 40, author="Ann", subject="web 1.1"),
        "evidence": (NoticeEvidence(metric="success-rate", ended="Failed", failed=2, values=("[0.4]", "[0.5]")),),
    }
    return ReleaseMessage(**{**told, **changes})


@dataclass
class Inbox:
    """A server that keeps one message a place, and names places in one of the ways."""

    says: str = "location"
    url: str = ""
    held: dict[str, Any] = field(default_factory=dict)
    requests: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    refusals: list[web.Response] = field(default_factory=list)

    async def take(self, request: web.Request) -> web.Response:
        body = await request.read()
        self.requests.append((request.method, dict(request.headers), body))
        if self.refusals:
            return self.refusals.pop(0)
        document = json.loads(body)
        place = request.match_info.get("place") or document["handle"] or f"m{len(self.held)}"
        if request.method == "PUT" and place not in self.held:
            return web.Response(status=404)
        self.held[place] = document["message"]
        if self.says == "location":
            return web.Response(status=201, headers={"Location": f"/hook/{place}"})
        return web.json_response({"handle": place} if self.says == "handle" else {})


@asynccontextmanager
async def inbox(says: str = "location") -> AsyncIterator[Inbox]:
    found = Inbox(says)
    routes = [Route("POST", "/hook", found.take), Route("PUT", "/hook/{place:.+}", found.take)]
    async with listening(routes, "127.0.0.1", 0) as url:
        found.url = f"{url}/hook"
        yield found


class NotingNotifier:
    """Keeps what it was told by handle."""

    def __init__(self) -> None:
        self.told: dict[str, ReleaseMessage] = {}

    async def tell(self, message: ReleaseMessage, handle: str) -> str:
        handle = handle if handle in self.told else f"n{len(self.told)}"
        self.told[handle] = message
        return handle
