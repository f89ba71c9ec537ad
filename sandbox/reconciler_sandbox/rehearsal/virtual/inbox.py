"""Who is told of releases, in memory: a server that takes one message a release and lets a newer one take its place."""

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, unquote

import httpx
import orjson

INBOX = "http://inbox.simulated"
HOOK = "/hook"


@dataclass(slots=True)
class MemoryInbox:
    """Messages by the handle under which they were told."""

    told: dict[str, dict[str, Any]] = field(default_factory=dict)
    requests: int = 0

    def answer(self, request: httpx.Request, body: bytes) -> httpx.Response:
        """One message: a new one is given a place, one that is put in a place that is not there is gone."""
        self.requests += 1
        document = orjson.loads(body)
        place = unquote(request.url.path).removeprefix(HOOK).strip("/") or document["handle"] or f"m{self.requests}"
        if request.method == "PUT" and place not in self.told:
            return httpx.Response(404, request=request)
        self.told[place] = document["message"]
        return httpx.Response(201, headers={"Location": f"{HOOK}/{quote(place)}"}, request=request)
