"""A console beside a cluster: over HTTP, or only its pages; and an API server that is away or refuses."""

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
        self.asked: list[str] = []
        self._meanwhile: dict[str, tuple[Callable[[], Awaitable[None]], bool]] = {}

    def before(self, path: str, meanwhile: Callable[[], Awaitable[None]], *, dry: bool) -> None:
        """Once, before the next write to a path: something else happens. `dry`: before one that only asks."""
        self._meanwhile[path] = meanwhile, dry

    @asynccontextmanager
    async def open(self, request: Request) -> AsyncIterator[Response]:
        self.asked.append(f"{request.method} {request.path}")
        if self.away:
            raise Transient("https://192.0.2.1:6443: no answer in 5 s")
        if request.path in self._meanwhile and request.method != "GET" and self._meanwhile[request.path][1] == ("dryRun" in request.query):
            await self._meanwhile.pop(request.path)[0]()
        if any(request.path.endswith(end) for end in self.refused):
            raise Forbidden(403, "Forbidden", f"{request.path} is forbidden")
        async with self._inner.open(request) as response:
            yield response


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
