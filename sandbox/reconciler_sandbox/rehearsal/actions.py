"""Does what a step of a story says, except expecting: pushes, patches, verbs, behaviours, traffic, faults, the daemon's life."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self, assert_never

from aiohttp import web

from reconciler_sandbox.client import PatchStyle
from reconciler_sandbox.githost import faults
from reconciler_sandbox.githost.faults import Effect, Fault
from reconciler_sandbox.rehearsal.looks import object_path
from reconciler_sandbox.rehearsal.stage import Stage
from reconciler_sandbox.rehearsal.story import (
    BehaviourChange,
    DaemonOrder,
    FaultOrder,
    ObjectPatch,
    Push,
    TrafficChange,
    Verb,
)

STYLES: Mapping[str, PatchStyle] = {"merge": "merge", "json": "json", "strategic": "strategic"}
Deed = Push | ObjectPatch | Verb | BehaviourChange | TrafficChange | FaultOrder | DaemonOrder


@dataclass(frozen=True, slots=True)
class Done:
    """What came of a deed. `claims` are expectations that the deed itself brings: (what, expected, observed, held)."""

    text: str = ""
    claims: tuple[tuple[str, str, str, bool], ...] = ()


@dataclass(slots=True)
class Hands:
    """Carries deeds out; faults with a duration are undone by tasks that end with the context."""

    stage: Stage
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def carry_out(self, deed: Deed) -> Done:
        """Do it now."""
        match deed:
            case Push():
                return Done(await self.stage.people.push(deed))
            case ObjectPatch():
                return await self._patch(deed)
            case Verb():
                return await self._press(deed)
            case BehaviourChange():
                self.stage.behaviours.update(deed.images)
                return Done()
            case TrafficChange():
                await self.stage.users.change(deed.flows)
                return Done()
            case FaultOrder():
                self._disturb(deed)
                return Done()
            case DaemonOrder():
                return await self._order(deed.order)
            case _:
                assert_never(deed)

    async def _patch(self, deed: ObjectPatch) -> Done:
        await self.stage.api.patch(object_path(deed.target), deed.body, style=STYLES[deed.style])
        return Done()

    async def _press(self, deed: Verb) -> Done:
        ran = await self.stage.command(deed.words)
        said = " ".join(ran.output.split())[:200]
        claim = ("$ " + " ".join(deed.words), "exit code 0", f"exit code {ran.code}" + (f": {said}" if said else ""), ran.code == 0)
        return Done(claims=(claim,))

    def _disturb(self, order: FaultOrder) -> None:
        gone = asyncio.Event()
        fault = Fault(_lasting(effect_of(order), gone), order.method, _path(order), order.times, order.after)
        self.stage.faults(order.target).add(fault)
        if order.lasting is not None:
            task = asyncio.create_task(_set_after(order.lasting, gone))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _order(self, order: str) -> Done:
        daemon = self.stage.daemon
        if order == "stop":
            took = await daemon.stop()
            seen = f"gone after {took:.1f} s" if took is not None else "had to be killed"
            return Done(claims=(("the daemon ends on SIGTERM", "gone within 5 s", seen, took is not None),))
        if order in ("kill", "restart"):
            await daemon.kill()
        if order == "kill":
            return Done()
        await daemon.start()
        seen = await daemon.ready()
        return Done(claims=(("the daemon is ready", "/readyz answers 200", seen, seen == "ready"),))


def effect_of(order: FaultOrder) -> Effect:
    """What the fault does to one request."""
    if order.cut:
        return faults.cut()
    if order.delay:
        return faults.delay(order.delay)
    return faults.answer(order.status, "a fault of the story\n")


def _lasting(effect: Effect, gone: asyncio.Event) -> Effect:
    """The effect until `gone` is set, then none."""

    async def until_gone(request: web.BaseRequest) -> web.StreamResponse | None:
        return None if gone.is_set() else await effect(request)

    return until_gone


def _path(order: FaultOrder) -> str:
    """Forge and git share a host: what the story says of one must not reach the other."""
    if order.path != "*":
        return order.path
    return {"forge": "/api/*", "git": "*.git/*"}.get(order.target, "*")


async def _set_after(seconds: float, event: asyncio.Event) -> None:
    await asyncio.sleep(seconds)
    event.set()
