"""One plug-in of other people, held to the contract: whatever it does, its call is answered, in time, without secrets.

What it is given is a copy, what it answers is looked at before it is believed, and what it raises is an error of its step.
"""

import asyncio
import inspect
import json
from collections.abc import Awaitable, Callable
from copy import deepcopy
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx

from reconciler.kernel.redaction import Redactor, suspects, texts
from reconciler.kernel.text import shortened
from reconciler.rollouts.plugin import Reply, StepAnswer, StepCall, StepPhase, Unanswered
from reconciler.runtime.installed import Installed, words

LONGEST_CALL = 20.0
"""Seconds. The rollout stands still during a call, an abort of it too: what takes longer says Running and is asked again."""
LARGEST_STATUS, LONGEST_MESSAGE = 16 << 10, 1000


class HeldPlugin:
    """A plug-in that was made, and why it cannot be asked if it could not."""

    def __init__(self, found: Installed, http: httpx.AsyncClient, longest: float = LONGEST_CALL) -> None:
        self._made, self._reason = _made(found, http)
        self._longest = longest

    async def call(self, call: StepCall) -> Reply:
        """Its answer; an error of the step where it raises or takes too long."""
        if self._reason:
            return Unanswered(f"the plug-in {self._reason}")
        method = getattr(self._made, call.operation.lower(), None)
        if method is None:
            return StepAnswer(phase=StepPhase.SUCCESSFUL, message="the plug-in has nothing to do then")
        redactor = Redactor(suspects(call.config))
        answer = await self._answer(method, call)
        if isinstance(answer, BaseException):
            return StepAnswer(phase=StepPhase.ERROR, message=_told(f"{type(answer).__name__}: {answer}", redactor))
        broken = _broken(answer, redactor)
        if broken:
            return Unanswered(f"the plug-in broke its contract: {broken}")
        known: StepAnswer = answer
        # As JSON has it: what else a dictionary may hold would be another thing once it is read again.
        return replace(known, message=_told(known.message, redactor), status=json.loads(json.dumps(known.status)))

    async def _answer(self, method: Callable[[StepCall], Awaitable[Any]], call: StepCall) -> Any:
        """What it answers, or what it raises: whatever other people's code does, it costs only its own steps."""
        copied = replace(call, config=deepcopy(call.config), status=deepcopy(call.status), rollout=deepcopy(call.rollout))
        try:
            async with asyncio.timeout(self._longest):
                return await method(copied)
        except TimeoutError:
            return TimeoutError(f"no answer in {self._longest:g}s: a step that takes longer answers Running")
        except (Exception, SystemExit) as error:
            return error
        except asyncio.CancelledError as error:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise  # it is the daemon that ends, and not the plug-in's own affair
            return error


def _told(text: str, redactor: Redactor) -> str:
    return shortened(redactor.text(text), LONGEST_MESSAGE)


def _made(found: Installed, http: httpx.AsyncClient) -> tuple[Any, str]:
    if found.reason:
        return None, found.reason
    try:
        made = found.factory(http)
    except (Exception, SystemExit) as error:
        return None, f"cannot be made: {words(error)}"
    if not _awaitable(made, "run"):
        return None, "is none: it has no `async def run(self, call)`"
    wrong = [name for name in ("terminate", "abort") if getattr(made, name, None) is not None and not _awaitable(made, name)]
    return (None, f"is none: its `{wrong[0]}` is not `async def`") if wrong else (made, "")


def _awaitable(made: Any, name: str) -> bool:
    return inspect.iscoroutinefunction(getattr(made, name, None))


def _broken(answer: Any, redactor: Redactor) -> str:
    """What of an answer is none; empty when it is one."""
    if not isinstance(answer, StepAnswer):
        return f"it answered {type(answer).__name__}, and no StepAnswer"
    rules: tuple[tuple[Callable[[], bool], str], ...] = (
        (lambda: isinstance(answer.phase, StepPhase), f"its phase is {answer.phase!r}, and no StepPhase"),
        (lambda: isinstance(answer.message, str), "its message has to be a text"),
        (lambda: answer.again is None or isinstance(answer.again, timedelta), "`again` has to be a timedelta"),
        (lambda: _fits(answer.status), f"its status has to be JSON of at most {LARGEST_STATUS >> 10} KiB"),
        (lambda: all(redactor.text(text) == text for text in texts(answer.status)), "its status holds a secret: everybody may read it"),
    )
    return next((words for holds, words in rules if not holds()), "")


def _fits(status: Any) -> bool:
    try:
        return len(json.dumps(status, allow_nan=False, ensure_ascii=False).encode()) <= LARGEST_STATUS
    except (TypeError, ValueError, RecursionError):
        return False
