"""One life of the real daemon's wiring on hands in memory, with its brake: from its start to its end, or to a crash at any moment."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import httpx

from reconciler.app.settings.model import Settings
from reconciler.app.wiring import Assembly, Environment, assemble
from reconciler.git.command import Runners
from reconciler.kernel.identity import Key
from reconciler.kube.client import Client
from reconciler.kube.fence import Fence, Gate
from reconciler.rollouts.plugin import StepAnswer, StepCall, StepPhase
from reconciler.runtime.freeze import Freeze
from reconciler.runtime.journal import Journal
from reconciler_sandbox.client import Caller
from reconciler_sandbox.rehearsal.inprocess import DirectTransport
from reconciler_sandbox.rehearsal.virtual.clock import VirtualClock
from reconciler_sandbox.rehearsal.virtual.faults import FaultyWay, Weather
from reconciler_sandbox.rehearsal.virtual.http import MemoryHttp


@dataclass(frozen=True, slots=True, kw_only=True)
class Footing:
    """What a daemon is given: its settings and its hands."""

    settings: Settings
    call: Caller
    http: MemoryHttp
    runners: Runners
    folder: Path
    seed: int
    journal: Journal


class RehearsedSteps:
    """Plug-ins of steps in a rehearsal: each is done at once, and none is called."""

    async def call(self, call: StepCall) -> StepAnswer:
        return StepAnswer(phase=StepPhase.SUCCESSFUL, message=f"rehearsed: {call.name} is not called")


class Life:
    """One daemon that runs, without lease and endpoints."""

    def __init__(self, footing: Footing, weather: Weather) -> None:
        self.clock = VirtualClock(footing.seed)
        self.leads = True
        """False once another daemon holds the lease: this one may go on looking, and write nothing."""
        self.way = FaultyWay(footing.call, footing.seed)
        self.way.weather = weather
        self._footing = footing
        leading = Gate(lambda: None if self.leads and not self.way.cut else "the lease is lost")
        transport = DirectTransport(self.way.call)
        self._freeze = Freeze(Client(transport, Fence()), footing.settings.namespace)
        self._environment = Environment(
            settings=footing.settings,
            client=Client(transport, Fence(self._freeze.gate("cluster", "all"), leading)),
            clock=self.clock,
            http=httpx.AsyncClient(transport=footing.http, trust_env=False),
            folder=footing.folder,
            git_fence=Fence(self._freeze.gate("git", "all"), leading),
            timers=self.clock,
            runners=footing.runners,
            steps=lambda _hands: RehearsedSteps(),
            journal=footing.journal,
        )
        self.assembly: Assembly = assemble(self._environment)
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to watch and to work."""
        self._task = asyncio.create_task(self._run(), name="daemon")

    @property
    def failure(self) -> BaseException | None:
        """What ended it although nobody stopped it."""
        return self._task.exception() if self._task is not None and self._task.done() and not self._task.cancelled() else None

    @property
    def idle(self) -> bool:
        """True when no key is worked on or waits to be."""
        return self.assembly.engine.queue.idle

    async def end(self) -> None:
        """Die at once: no clean-up code reaches anything any more."""
        self.way.die()
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        await self._environment.http.aclose()

    async def _run(self) -> None:
        await self._freeze.look()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._freeze.run())
            await self._freeze.known.wait()
            group.create_task(self.assembly.run())
            group.create_task(self._poll())

    def hear_of_push(self) -> None:
        """What a webhook does: every source is looked at now."""
        for source in self._footing.settings.sources:
            self.assembly.expect_news(source.name)
            self.assembly.engine.poke(Key("source", "", source.name))

    async def _poll(self) -> None:
        """What the daemon's own schedule does, which counts by the machine's calendar."""
        await self.assembly.engine.ready.wait()
        interval = min((s.interval for s in self._footing.settings.sources), default=timedelta(minutes=1)).total_seconds()
        while True:
            self.hear_of_push()
            await asyncio.sleep(interval * (0.95 + self.clock.random() / 10))
