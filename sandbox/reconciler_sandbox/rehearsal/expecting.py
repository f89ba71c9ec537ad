"""Waits for an expectation by its deadline, and says how it went; a condition is looked at again and again, a burst once."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from reconciler_sandbox.rehearsal.looks import Sight
from reconciler_sandbox.rehearsal.story import Expectation

LOOK_AGAIN_SECONDS = 0.1
LONGEST_LOOK_SECONDS = 60.0

Look = Callable[[], Awaitable[Sight]]
Failing = Callable[[], str]
"""Why waiting is in vain, or nothing."""


@dataclass(frozen=True, slots=True)
class Waited:
    """What was seen last, and after how many seconds that was clear."""

    sight: Sight
    seconds: float


async def wait_for(expectation: Expectation, look: Look, failing: Failing, *, once: bool = False) -> Waited:
    """Look until it holds, and then as long as it must stay so. Never raises for what it sees, only for what a look raises."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    sight = await _until(expectation, look, failing, once)
    if not sight.held or not expectation.stays:
        return Waited(sight, loop.time() - began)
    end = loop.time() + expectation.stays
    while sight.held and loop.time() < end:
        await asyncio.sleep(LOOK_AGAIN_SECONDS)
        sight = await _look(look)
    if not sight.held:
        sight = Sight(False, f"held at first, but after {loop.time() - began:.1f} s: {sight.observed}")
    return Waited(sight, loop.time() - began)


async def _until(expectation: Expectation, look: Look, failing: Failing, once: bool) -> Sight:
    loop = asyncio.get_running_loop()
    deadline = loop.time() + expectation.within
    while True:
        sight = await _look(look)
        if sight.held or once or loop.time() >= deadline:
            return sight
        reason = failing()
        if reason:
            return Sight(False, f"{sight.observed}; {reason}")
        await asyncio.sleep(LOOK_AGAIN_SECONDS)


async def _look(look: Look) -> Sight:
    try:
        async with asyncio.timeout(LONGEST_LOOK_SECONDS):
            return await look()
    except TimeoutError:
        return Sight(False, f"no answer in {LONGEST_LOOK_SECONDS:g} s")
