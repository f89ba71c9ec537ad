"""Requests to any server as they are sent, and the answers as they come: the contract suite sees no client's opinion."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import aiohttp

from reconciler.kube.http import Endpoint

Json = dict[str, Any]
PATIENCE = 60.0
SHOWN = 1500
PATCHES = {
    "merge": "application/merge-patch+json",
    "strategic": "application/strategic-merge-patch+json",
    "json": "application/json-patch+json",
    "apply": "application/apply-patch+yaml",
}
CONFIG_MAPS = "configmaps"


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer."""

    status: int
    text: str
    content_type: str

    @property
    def document(self) -> Json:
        return dict(json.loads(self.text))

    @property
    def metadata(self) -> Json:
        return dict(self.document["metadata"])

    @property
    def version(self) -> str:
        return str(self.metadata["resourceVersion"])

    @property
    def names(self) -> list[str]:
        """The names in a list, in the order of the answer."""
        return [item["metadata"]["name"] for item in self.document["items"]]

    @property
    def refusal(self) -> tuple[int, str, str]:
        """Code, reason and message of a Status."""
        assert self.document["kind"] == "Status" and self.document["status"] == "Failure", self.text[:SHOWN]
        assert self.document["code"] == self.status, self.text[:SHOWN]
        return self.status, self.document.get("reason", ""), self.document["message"]


class Api:
    """One server, one namespace of our own in it. `ours("configmaps")` is the path of a collection there."""

    def __init__(self, session: aiohttp.ClientSession, namespace: str) -> None:
        self.namespace = namespace
        self._session = session

    def ours(self, plural: str, name: str = "", *, group: str = "") -> str:
        """The path of a collection or object in the namespace; `group` is `apps/v1`."""
        root = f"/apis/{group}" if group else "/api/v1"
        return f"{root}/namespaces/{self.namespace}/{plural}" + (f"/{name}" if name else "")

    async def __call__(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        content: str | None = "application/json",
        headers: dict[str, str] | None = None,
        **query: str,
    ) -> Reply:
        """One request; `content=None` sends no Content-Type at all."""
        headers = {**(headers or {}), **({"content-type": content} if content and body is not None else {})}
        payload = None if body is None else BytesIO(body.encode() if isinstance(body, str) else json.dumps(body).encode())
        skip = ["content-type"] if content is None else []
        async with self._session.request(
            method, path, params=query, data=payload, headers=headers, skip_auto_headers=skip, timeout=aiohttp.ClientTimeout(total=PATIENCE)
        ) as answer:
            return Reply(answer.status, await answer.text(), answer.headers.get("content-type", ""))

    async def accepting(self, path: str, accept: str) -> Reply:
        """A GET with this Accept header."""
        async with self._session.get(path, headers={"accept": accept}, timeout=aiohttp.ClientTimeout(total=PATIENCE)) as answer:
            return Reply(answer.status, await answer.text(), answer.headers.get("content-type", ""))

    async def made(self, path: str, body: Any, **query: str) -> Json:
        """What a POST that must succeed made."""
        reply = await self("POST", path, body, **query)
        assert reply.status == 201, reply.text[:SHOWN]
        return reply.document

    async def patch(self, path: str, body: Any, style: str = "merge", **query: str) -> Reply:
        return await self("PATCH", path, body, content=PATCHES[style], **query)

    @asynccontextmanager
    async def watch(self, path: str, **query: str) -> AsyncIterator["Watch"]:
        """An open watch; `events` are read one by one."""
        options = {"watch": "true", "timeoutSeconds": "120", **query}
        async with self._session.get(path, params=options, timeout=aiohttp.ClientTimeout(total=None, sock_read=PATIENCE)) as answer:
            yield Watch(answer)

    async def until(self, path: str, condition: Callable[[Json], Any]) -> Json:
        """The object at a path once a condition holds of it."""
        return (await self._look(path, lambda reply: reply.status == 200 and condition(reply.document))).document

    async def gone(self, path: str) -> None:
        await self._look(path, lambda reply: reply.status == 404)

    async def _look(self, path: str, enough: Callable[[Reply], Any]) -> Reply:
        deadline = asyncio.get_running_loop().time() + PATIENCE
        while True:
            reply = await self("GET", path)
            if enough(reply):
                return reply
            assert asyncio.get_running_loop().time() < deadline, f"{path} stayed so for {PATIENCE:g} s: {reply.text[:SHOWN]}"
            await asyncio.sleep(0.02)


class Watch:
    """The events of one watch."""

    def __init__(self, answer: aiohttp.ClientResponse) -> None:
        self.status = answer.status
        self._answer = answer

    async def next(self) -> tuple[str, Json]:
        async with asyncio.timeout(PATIENCE):
            line = await self._answer.content.readline()
        assert line, "the watch has ended"
        event = json.loads(line)
        return event["type"], event["object"]

    async def names(self, count: int) -> list[tuple[str, str]]:
        """The next events as type and name; bookmarks are left out."""
        found: list[tuple[str, str]] = []
        while len(found) < count:
            kind, manifest = await self.next()
            if kind != "BOOKMARK":
                found.append((kind, manifest["metadata"]["name"]))
        return found

    async def over(self) -> bool:
        """Whether the stream ends by itself within our patience."""
        async with asyncio.timeout(PATIENCE):
            while await self._answer.content.readline():
                pass
        return True


@asynccontextmanager
async def session_of(endpoint: Endpoint) -> AsyncIterator[aiohttp.ClientSession]:
    """Requests with the credentials of an endpoint."""
    authorization = await endpoint.authorization()
    headers = {"Authorization": authorization} if authorization else {}
    connector = aiohttp.TCPConnector(ssl=endpoint.tls if endpoint.tls is not None else True)
    async with aiohttp.ClientSession(endpoint.server, headers=headers, connector=connector, read_bufsize=1 << 22) as session:
        yield session
