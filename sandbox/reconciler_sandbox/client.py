"""A small Kubernetes client for the sandbox's own controllers, nodes and mesh: over whatever carries its calls."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any, Literal

import orjson

CALL_TIMEOUT = 30.0
WATCH_SECONDS = 300
PAUSE_SECONDS = 0.2
BUSY = (408, 429)
PATCH_TYPES: Mapping[str, str] = {
    "merge": "application/merge-patch+json",
    "strategic": "application/strategic-merge-patch+json",
    "json": "application/json-patch+json",
    "apply": "application/apply-patch+yaml",
}
FIELD_MANAGER = "sandbox"

Json = dict[str, Any]
PatchStyle = Literal["merge", "strategic", "json", "apply"]


class ApiError(Exception):
    """The server refused a call, or gave no answer (status 503, reason Unreachable)."""

    def __init__(self, status: int, reason: str, message: str) -> None:
        super().__init__(f"{status} {reason}: {message}")
        self.status = status
        self.reason = reason
        self.message = message

    @property
    def is_passing(self) -> bool:
        """Whether the server is away, starting or busy, so that the same call may do later."""
        return self.status >= 500 or self.status in BUSY


@dataclass(frozen=True, slots=True)
class Call:
    """One request: `query` is not yet quoted, header names are in lower case, `body` is encoded."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Answer:
    """One response; a body that is an iterator is a stream (of whole JSON lines if it is a watch) and is closed by who reads it."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | AsyncIterator[bytes] = b""


Caller = Callable[[Call], Awaitable[Answer]]


class ApiClient:
    """Reads, writes and watches objects by path; every refusal is an ApiError."""

    def __init__(self, call: Caller) -> None:
        self._call = call

    async def get(self, path: str) -> Json | None:
        """The object at a path; None if there is none."""
        try:
            return await self.read(path)
        except ApiError as error:
            if error.status == 404:
                return None
            raise

    async def read(self, path: str) -> Json:
        """The object at a path. Raises ApiError if there is none, too."""
        return await self._json(Call("GET", path))

    async def list(self, path: str, **query: str) -> list[Json]:
        """The objects of a collection, each with its kind and apiVersion."""
        return _items(await self._json(Call("GET", path, query)))

    async def create(self, path: str, body: Json) -> Json:
        """Create an object in a collection; what the server made of it."""
        return await self._json(Call("POST", path, {"fieldManager": FIELD_MANAGER}, _content("application/json"), orjson.dumps(body)))

    async def replace(self, path: str, body: Json) -> Json:
        """Replace the object at a path."""
        return await self._json(Call("PUT", path, {"fieldManager": FIELD_MANAGER}, _content("application/json"), orjson.dumps(body)))

    async def patch(self, path: str, body: Any, *, style: PatchStyle = "merge") -> Json:
        """Patch the object at a path; `apply` is forced."""
        query = {"fieldManager": FIELD_MANAGER, **({"force": "true"} if style == "apply" else {})}
        return await self._json(Call("PATCH", path, query, _content(PATCH_TYPES[style]), orjson.dumps(body)))

    async def delete(self, path: str, **options: Any) -> None:
        """Delete the object at a path with DeleteOptions; one that is gone already is a success."""
        body = orjson.dumps({"kind": "DeleteOptions", "apiVersion": "v1", **options}) if options else b""
        try:
            await self._json(Call("DELETE", path, {}, _content("application/json"), body))
        except ApiError as error:
            if error.status != 404:
                raise

    async def watch(self, path: str, **query: str) -> AsyncIterator[tuple[str, Json]]:
        """What is there as ADDED, then every change, for ever; what vanished while nobody watched is DELETED after the next list.

        Raises ApiError only when the collection is refused (4xx) from the beginning: a server that is away or restarts is asked again,
        and one that has just started refuses what it served before for a moment.
        """
        known: dict[str, Json] = {}
        served = False
        while True:
            try:
                listed = await self._json(Call("GET", path, query))
                served = True
                for event in _differences(known, _items(listed)):
                    yield event
                async with aclosing(self._follow(path, query, listed["metadata"]["resourceVersion"], known)) as events:
                    async for event in events:
                        yield event
            except ApiError as error:
                if not served and not error.is_passing:
                    raise
            await asyncio.sleep(PAUSE_SECONDS)

    async def _follow(self, path: str, query: Mapping[str, str], version: str, known: dict[str, Json]) -> AsyncGenerator[tuple[str, Json]]:
        """Watches from a version, one after the other as each times out, until one is cut or the version is too old."""
        while True:
            before = version
            async with aclosing(self._events(path, query, version)) as events:
                async for kind, found in events:
                    version = found["metadata"]["resourceVersion"]
                    if kind == "BOOKMARK":
                        continue
                    _remember(known, kind, found)
                    yield kind, found
            if version == before:
                await asyncio.sleep(PAUSE_SECONDS)

    async def _events(self, path: str, query: Mapping[str, str], version: str) -> AsyncGenerator[tuple[str, Json]]:
        options = {"watch": "true", "resourceVersion": version, "allowWatchBookmarks": "true", "timeoutSeconds": str(WATCH_SECONDS)}
        answer = await self._answer(Call("GET", path, {**query, **options}))
        if isinstance(answer.body, bytes):
            raise _refusal(answer.status, answer.body)
        async with aclosing(_documents(answer.body)) as events:
            async for event in events:
                if event["type"] == "ERROR":
                    raise _status_error(event["object"])
                yield event["type"], event["object"]

    async def _answer(self, call: Call) -> Answer:
        try:
            return await self._call(call)
        except OSError as error:
            raise unreachable(call, error) from error

    async def _json(self, call: Call) -> Json:
        answer = await self._answer(call)
        body = answer.body if isinstance(answer.body, bytes) else b"".join([part async for part in answer.body])
        if answer.status >= 300:
            raise _refusal(answer.status, body)
        return _object(answer.status, body)


async def _documents(lines: AsyncIterator[bytes]) -> AsyncGenerator[Json]:
    """The JSON documents of a stream, which is closed with them."""
    try:
        async for line in lines:
            yield orjson.loads(line)
    except OSError as error:
        raise ApiError(503, "Unreachable", f"the watch was cut: {type(error).__name__}") from error
    finally:
        close = getattr(lines, "aclose", None)
        if close is not None:
            await close()


def _content(media_type: str) -> Mapping[str, str]:
    return {"content-type": media_type}


def _items(listed: Json) -> list[Json]:
    """The items of a list, stamped with what lists leave out."""
    kind, version = str(listed.get("kind", "")).removesuffix("List"), listed.get("apiVersion", "")
    return [{"apiVersion": version, "kind": kind, **item} for item in listed.get("items") or ()]


def _place(manifest: Json) -> str:
    return f"{manifest['metadata'].get('namespace', '')}/{manifest['metadata']['name']}"


def _remember(known: dict[str, Json], kind: str, manifest: Json) -> None:
    if kind == "DELETED":
        known.pop(_place(manifest), None)
        return
    known[_place(manifest)] = manifest


def _differences(known: dict[str, Json], listed: list[Json]) -> list[tuple[str, Json]]:
    """The events between what was known and what is listed now; `known` is brought up to date."""
    now = {_place(manifest): manifest for manifest in listed}
    events = [("DELETED", manifest) for place, manifest in known.items() if place not in now or _uid(now[place]) != _uid(manifest)]
    gone = {_place(manifest) for _, manifest in events}
    for place, manifest in now.items():
        before = None if place in gone else known.get(place)
        if before is None:
            events.append(("ADDED", manifest))
        elif before["metadata"].get("resourceVersion") != manifest["metadata"].get("resourceVersion"):
            events.append(("MODIFIED", manifest))
    known.clear()
    known.update(now)
    return events


def _uid(manifest: Json) -> str:
    return str(manifest["metadata"].get("uid", ""))


def _object(status: int, body: bytes) -> Json:
    try:
        parsed = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise ApiError(status, "NotJson", "the answer is not JSON") from error
    return parsed if isinstance(parsed, dict) else {}


def _refusal(status: int, body: bytes) -> ApiError:
    try:
        return _status_error(orjson.loads(body), status)
    except (orjson.JSONDecodeError, AttributeError):
        return ApiError(status, "", body[:200].decode(errors="replace"))


def _status_error(status: Json, code: int = 500) -> ApiError:
    return ApiError(int(status.get("code") or code), str(status.get("reason", "")), str(status.get("message", "")))


def unreachable(call: Call, error: Exception) -> ApiError:
    """What a caller raises when nothing answered."""
    return ApiError(503, "Unreachable", f"{call.method} {call.path}: no answer ({type(error).__name__})")
