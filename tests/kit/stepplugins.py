"""Plug-ins of steps: scripted ones for the world, and ones as other people write them, good and broken in each way the contract knows."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from importlib.metadata import EntryPoint
from typing import Any

import httpx

from reconciler.rollouts.plugin import Operation, Reply, StepAnswer, StepCall, StepPhase, Unanswered
from reconciler.stepplugins.registry import GROUP

NAME = "example.com/load"


class NoPlugins:
    """None is installed."""

    async def call(self, call: StepCall) -> Reply:
        return Unanswered(f"no {call.name} here")


NO_PLUGINS = NoPlugins()


class ScriptedPlugins:
    """Answers each call as it is told to, and keeps them all."""

    def __init__(self, *answers: Reply, ends: Reply | None = None) -> None:
        self.calls: list[StepCall] = []
        self.answers = list(answers)
        self.ends = ends or StepAnswer(phase=StepPhase.SUCCESSFUL)
        self.before: Callable[[StepCall], None] = lambda _call: None

    @property
    def said(self) -> list[tuple[str, int]]:
        return [(str(call.operation), call.index) for call in self.calls]

    async def call(self, call: StepCall) -> Reply:
        self.before(call)
        self.calls.append(call)
        if call.operation is not Operation.RUN:
            return self.ends
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


def running(memory: Any = None, message: str = "", seconds: float | None = None) -> StepAnswer:
    again = None if seconds is None else timedelta(seconds=seconds)
    return StepAnswer(phase=StepPhase.RUNNING, message=message, status=memory, again=again)


def done(memory: Any = None, message: str = "") -> StepAnswer:
    return StepAnswer(phase=StepPhase.SUCCESSFUL, message=message, status=memory)


def plugin_step(name: str = NAME, **config: Any) -> dict[str, Any]:
    return {"plugin": {"name": name, "config": config}} if config else {"plugin": {"name": name}}


def point(name: str, value: str) -> EntryPoint:
    """An entry point that leads into this module."""
    return EntryPoint(name, f"tests.kit.stepplugins:{value}", GROUP)


class Load:
    """Starts something, and looks at it again."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http

    async def run(self, call: StepCall) -> StepAnswer:
        call.rollout["spec"] = "spoiled"  # a copy: nothing of the daemon's may change
        if call.status is None:
            return running({"id": call.key}, "started", 12)
        return done(call.status, f"{call.status['id']} is done with {call.config['apiKey']}")

    async def abort(self, call: StepCall) -> StepAnswer:
        return StepAnswer(phase=StepPhase.RUNNING)


class Broken:
    """Answers whatever its configuration says that it shall break."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        pass

    async def run(self, call: StepCall) -> Any:
        by, secret = call.config["by"], call.config.get("token")
        if by == "hangs":
            await never()
        raised = {"exits": SystemExit(3), "cancels": asyncio.CancelledError(), "tells": RuntimeError("x" * 290 + str(secret))}
        if by in raised:
            raise raised[by]
        answers: dict[str, Any] = {
            "dict": {"phase": "Successful"},
            "phase": StepAnswer(phase="Fine"),  # type: ignore[arg-type]
            "message": StepAnswer(phase=StepPhase.RUNNING, message=None),  # type: ignore[arg-type]
            "again": StepAnswer(phase=StepPhase.RUNNING, again=30),  # type: ignore[arg-type]
            "status": StepAnswer(phase=StepPhase.RUNNING, status={"when": object()}),
            "size": StepAnswer(phase=StepPhase.RUNNING, status="x" * 20000),
            "secret": StepAnswer(phase=StepPhase.RUNNING, status={"used": secret}),
            "surrogate": StepAnswer(phase=StepPhase.RUNNING, status={"half": "\ud800"}),
            "keys": StepAnswer(phase=StepPhase.RUNNING, message="line\nline \x1b[31m", status={1: (2, None)}),
        }
        if by not in answers:
            raise RuntimeError(f"no way to break with {call.config}")
        return answers[by]


async def never() -> None:
    await asyncio.Event().wait()


class Demanding:
    """Cannot be made."""

    def __init__(self, http: httpx.AsyncClient, license: str) -> None:
        pass


class Silent:
    """Has no `run`."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        pass


class Blocking:
    """Has an `abort` that waits for nothing."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        pass

    async def run(self, call: StepCall) -> StepAnswer:
        return done()

    def abort(self, call: StepCall) -> StepAnswer:
        return done()


LIMIT = 3
