"""A console beside a cluster: over HTTP, or only its pages; and an API server that is away or refuses."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import httpx

from reconciler.app.console.assembly import ConsoleParts, assembled
from reconciler.app.console.door import ConsoleDoor, KeyDoor, OpenDoor
from reconciler.app.console.pages import ConsoleScope
from reconciler.app.console.server import LOCAL, Entrance
from reconciler.kernel.clock import SystemClock
from reconciler.kernel.errors import Transient
from reconciler.kube.client import Client
from reconciler.kube.errors import Forbidden
from reconciler.kube.fence import Fence
from reconciler.kube.transport import Request, Response, Transport
from reconciler.web.listener import listening
from tests.kit.clusters import Api, api
from tests.kit.fleet import fill


class Troubled:
    """A transport that is away for as long as it is told, and refuses some resources."""

    def __init__(self, inner: Transport) -> None:
        self._inner = inner
        self.away = False
        self.refused: Collection[str] = ()
        """Ends of paths, as `/releases`."""
        self.watches_refused = False
        self.cuts: list[_Cut] = []
        """The watches that are open."""
        self.asked: list[str] = []
        self.watched: list[str] = []
        self._meanwhile: dict[str, tuple[Callable[[], Awaitable[None]], bool]] = {}

    def before(self, path: str, meanwhile: Callable[[], Awaitable[None]], *, dry: bool) -> None:
        """Once, before the next write to a path: something else happens. `dry`: before one that only asks."""
        self._meanwhile[path] = meanwhile, dry

    @asynccontextmanager
    async def open(self, request: Request) -> AsyncIterator[Response]:
        watching = request.query.get("watch") == "true"
        (self.watched if watching else self.asked).append(f"{request.method} {request.path}")
        if watching and self.watches_refused:
            raise Forbidden(403, "Forbidden", f"watch of {request.path} is forbidden")
        if self.away:
            raise Transient("https://192.0.2.1:6443: no answer in 5 s")
        if request.path in self._meanwhile and request.method != "GET" and self._meanwhile[request.path][1] == ("dryRun" in request.query):
            await self._meanwhile.pop(request.path)[0]()
        if any(request.path.endswith(end) for end in self.refused):
            raise Forbidden(403, "Forbidden", f"{request.path} is forbidden")
        async with self._inner.open(request) as response:
            if not watching:
                yield response
                return
            self.cuts.append(cut := _Cut(response))
            try:
                yield cut
            finally:
                self.cuts.remove(cut)

    def cut(self, *, gone: bool) -> None:
        """Every open watch ends: quietly, or because its version is no longer kept."""
        for one in self.cuts:
            one.gone = gone
            one.ended.set()


class _Cut:
    """A watch that can be ended from outside."""

    def __init__(self, inner: Response) -> None:
        self.status, self.headers = inner.status, inner.headers
        self.ended = asyncio.Event()
        self.gone = False
        self._inner = inner

    async def read(self) -> bytes:
        return await self._inner.read()

    async def lines(self) -> AsyncIterator[bytes]:
        lines, ended = aiter(self._inner.lines()), asyncio.create_task(self.ended.wait())
        line: asyncio.Future[bytes | None] = asyncio.ensure_future(_next(lines))
        try:
            while True:
                await asyncio.wait([line, ended], return_when=asyncio.FIRST_COMPLETED)
                found = line.result() if line.done() else None
                if found is None:
                    break
                yield found
                line = asyncio.ensure_future(_next(lines))
        finally:
            ended.cancel()
            line.cancel()
        if self.gone:
            yield b'{"type": "ERROR", "object": {"kind": "Status", "code": 410, "reason": "Expired"}}'


async def _next(lines: AsyncIterator[bytes]) -> bytes | None:
    return await anext(lines, None)


class SteppedClock(SystemClock):
    """The machine's time, and steps forward on top of it for who measures spans."""

    def __init__(self) -> None:
        self.passed = 0.0

    def monotonic(self) -> float:
        return super().monotonic() + self.passed


@dataclass(frozen=True)
class Served:
    """A console that answers, and what it stands on."""

    address: str
    cluster: Api
    transport: Troubled
    parts: ConsoleParts
    clock: "SteppedClock"
    key: str = ""
    """What a person opens it with to press verbs."""

    def later(self) -> None:
        """What was read so far is not fresh any more."""
        self.clock.passed += 60.0

    async def ask(self, path: str, **headers: str) -> httpx.Response:
        async with httpx.AsyncClient(trust_env=False) as http:
            return await http.get(self.address + path, headers=headers)


EVERYTHING = ConsoleScope()
Opened = Callable[["Troubled", SteppedClock], ConsoleDoor]
"""Makes the door of a console over its transport and clock."""


@asynccontextmanager
async def serving(
    scope: ConsoleScope = EVERYTHING, *, filled: bool = True, keyed: bool = False, opened: "Opened | None" = None
) -> AsyncIterator[Served]:
    """A console over HTTP beside a cluster with a fleet, or an empty one."""
    async with api() as cluster:
        if filled:
            await fill(cluster, datetime.now(UTC))
        transport = Troubled(cluster.transport)
        clock = SteppedClock()
        client = Client(transport, Fence())
        door = opened(transport, clock) if opened is not None else KeyDoor(client, clock) if keyed else OpenDoor()
        with assembled(client, clock, scope, live=True, entrance=Entrance(LOCAL, door)) as parts:
            async with listening(parts.console.routes(), "127.0.0.1", 0) as address:
                yield Served(address, cluster, transport, parts, clock, door.key if isinstance(door, KeyDoor) else "")
