"""Daemons that are cut down at one write: in process, at the transport, the push and the forge's REST, before it or after it.

What is cut off is dropped as a whole: from that moment every hand of the daemon hangs, so that no clean-up code writes either.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from aiohttp import web
from reconciler_sandbox.apiserver.server import ApiServer
from reconciler_sandbox.githost.faults import Fault
from reconciler_sandbox.githost.host import GitHost
from reconciler_sandbox.rehearsal.inprocess import DirectTransport

from reconciler.app.polling import Polling
from reconciler.app.settings.model import Settings
from reconciler.app.settings.reading import load_settings
from reconciler.app.telemetry import Telemetry
from reconciler.app.wiring import Assembly, Environment, assemble
from reconciler.kernel.clock import SystemClock
from reconciler.kube.client import Client
from reconciler.kube.fence import Fence, Fenced
from reconciler.kube.transport import Request
from reconciler.runtime.engine import Engine

PUSH = "push"
READS = ("GET", "HEAD")


@dataclass(frozen=True, slots=True)
class Write:
    """One write of a life: what kind it is, and the how-manieth of its kind, from 1."""

    label: str
    number: int

    def __str__(self) -> str:
        return f"{self.label} #{self.number}"


@dataclass(frozen=True, slots=True)
class Cut:
    """Where a life ends: `before` a write nothing was sent; `after` it, it was done but nobody heard of it."""

    write: Write
    after: bool

    def __str__(self) -> str:
        return f"{'after' if self.after else 'before'} {self.write}"


class Fate:
    """Follows the writes of one life, and ends it at the cut."""

    def __init__(self) -> None:
        self.writes: list[Write] = []
        self.killed = asyncio.Event()
        self.buried = asyncio.Event()
        self._cut: Cut | None = None
        self._counts: Counter[str] = Counter()

    def seal(self, cut: Cut | None) -> None:
        """From now on writes are counted afresh, and this is where the life ends."""
        self.writes.clear()
        self._counts.clear()
        self._cut = cut

    def strikes_before(self, label: str) -> bool:
        """A write is about to be sent: whether it must not be."""
        if self.killed.is_set():
            return True
        self._counts[label] += 1
        self.writes.append(Write(label, self._counts[label]))
        return self._strikes(label, after=False)

    def strikes_after(self, label: str) -> bool:
        """A write was done: whether its answer must not arrive."""
        return self.killed.is_set() or self._strikes(label, after=True)

    def _strikes(self, label: str, *, after: bool) -> bool:
        if self._cut == Cut(Write(label, self._counts[label]), after):
            self.killed.set()
        return self.killed.is_set()

    # -- the seams ----------------------------------------------------------------------------------------------------

    async def before_call(self, request: Request) -> None:
        label = label_of(request.method, request.path)
        if label and self.strikes_before(label):
            await forever()

    async def after_call(self, request: Request) -> None:
        label = label_of(request.method, request.path)
        if label and self.strikes_after(label):
            await forever()

    def lost_answer(self) -> Fault:
        """The Git host takes the push, and its answer never arrives."""

        async def effect(_: web.BaseRequest) -> web.StreamResponse | None:
            if self.strikes_after(PUSH):
                await self.buried.wait()
            return None

        return Fault(effect, method="POST", path="*/git-receive-pack", times=None, after=True)


class PushFence(Fence):
    """What is asked before each push, and before each word to the forge, which is followed at the HTTP client."""

    def __init__(self, fate: Fate) -> None:
        super().__init__()
        self._fate = fate

    def check(self, what: str) -> None:
        if what.startswith("push") and self._fate.strikes_before(PUSH):
            raise Fenced(f"{what}: killed")


class CutHttp(httpx.AsyncBaseTransport):
    """The daemon's HTTP client, whose writes to the forge are followed."""

    def __init__(self, fate: Fate, forge: str) -> None:
        self._inner = httpx.AsyncHTTPTransport()
        self._fate = fate
        self._forge = forge

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        label = forge_label(request.method, request.url.path) if self._followed(request) else ""
        if label and self._fate.strikes_before(label):
            await forever()
        response = await self._inner.handle_async_request(request)
        if label and self._fate.strikes_after(label):
            await forever()
        return response

    async def aclose(self) -> None:
        await self._inner.aclose()

    def _followed(self, request: httpx.Request) -> bool:
        return request.method not in READS and str(request.url).startswith(self._forge)


def label_of(method: str, path: str) -> str:
    """The kind of a write to the API, such as `PATCH rollouts/status`; empty for events, which are told at least once."""
    parts = path.strip("/").split("/")
    rest = parts[2:] if parts[0] == "api" else parts[3:]
    rest = rest[2:] if rest[0] == "namespaces" and len(rest) > 2 else rest
    if rest[0] == "events":
        return ""
    return " ".join((method, "/".join([rest[0], *rest[2:]])))


def forge_label(method: str, path: str) -> str:
    """The kind of a write to the forge's REST, such as `POST forge statuses` or `PATCH forge comments`."""
    parts = path.strip("/").split("/")
    return f"{method} forge {'comments' if 'comments' in parts else parts[5]}"


async def forever() -> None:
    """Never return."""
    await asyncio.Event().wait()


@dataclass(frozen=True, slots=True)
class Ground:
    """What daemons live on: an API server in process, a Git host, a settings file and a folder."""

    server: ApiServer
    host: GitHost
    settings_file: Path
    folder: Path

    @property
    def settings(self) -> Settings:
        return load_settings(self.settings_file)


@dataclass(frozen=True, slots=True)
class Life:
    """One daemon that runs."""

    engine: Engine
    fate: Fate
    task: asyncio.Task[None]

    def raise_failure(self) -> None:
        """Raise what ended the daemon although nobody killed it."""
        if self.task.done() and not self.fate.killed.is_set():
            self.task.result()


@asynccontextmanager
async def alive(ground: Ground) -> AsyncIterator[Life]:
    """A daemon without lease and endpoints, which dies with the context at the latest; at once, and without a word."""
    fate = Fate()
    ground.host.faults.clear()
    ground.host.faults.add(fate.lost_answer())
    settings = ground.settings
    transport = DirectTransport(ground.server.call, before=fate.before_call, after=fate.after_call)
    async with httpx.AsyncClient(transport=CutHttp(fate, ground.host.api)) as http:
        environment = Environment(
            settings=settings,
            client=Client(transport, Fence()),
            clock=SystemClock(),
            http=http,
            folder=ground.folder,
            git_fence=PushFence(fate),
        )
        assembly = assemble(environment)
        task = asyncio.create_task(_run(assembly, settings))
        try:
            yield Life(assembly.engine, fate, task)
        finally:
            fate.killed.set()
            task.cancel()
            await asyncio.wait([task])
            fate.buried.set()
            for mirror in assembly.mirrors:
                mirror.close()
            if not task.cancelled():
                task.result()


async def _run(assembly: Assembly, settings: Settings) -> None:
    async with asyncio.TaskGroup() as group:
        group.create_task(assembly.run())
        group.create_task(Polling(settings.sources, assembly.engine, Telemetry(), assembly.expect_news).run())
