"""Controllers are run by what they watch."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence

import pytest
from reconciler_sandbox.client import Answer, ApiClient, ApiError, Call
from reconciler_sandbox.controllers.loop import Trigger, run
from reconciler_sandbox.controllers.objects import Key, key_of

from tests.kit.wait import until
from tests.kit.workloads import pod

PATH = "/api/v1/pods"


async def one_pod(call: Call) -> Answer:
    """A server with one pod that never changes."""
    if call.query.get("watch"):
        return Answer(200, {}, silence())
    return Answer(200, {}, json.dumps({"kind": "PodList", "metadata": {"resourceVersion": "1"}, "items": [pod()]}).encode())


async def silence() -> AsyncIterator[bytes]:
    await asyncio.Event().wait()
    yield b""


class Counting:
    """Notes its passes; each raises the next prepared error, then says when to look again."""

    name = "counting"

    def __init__(self, *errors: Exception, again: float | None = None) -> None:
        self.passes: list[Key] = []
        self._errors = list(errors)
        self._again = again

    def triggers(self) -> Sequence[Trigger]:
        return (Trigger(PATH, lambda _, manifest: (key_of(manifest),)),)

    async def reconcile(self, key: Key) -> float | None:
        self.passes.append(key)
        if self._errors:
            raise self._errors.pop(0)
        return self._again


@pytest.mark.parametrize(
    ("controller", "passes"),
    [
        (Counting(), 1),
        (Counting(ApiError(409, "Conflict", "changed")), 2),
        (Counting(ValueError("a bug")), 2),
        (Counting(again=0.01), 3),
    ],
)
async def test_a_key_is_passed_again_after_a_failure_and_when_asked(controller: Counting, passes: int) -> None:
    running = asyncio.create_task(run(ApiClient(one_pod), [controller]))
    await until(lambda: len(controller.passes) >= passes)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert set(controller.passes) == {Key("shop", "web-1")}
