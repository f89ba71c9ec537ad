"""A condition is awaited by its deadline and must then stay; a burst is judged once."""

import asyncio
from collections.abc import Sequence

from reconciler_sandbox.rehearsal.expecting import Look, wait_for
from reconciler_sandbox.rehearsal.looks import Sight
from reconciler_sandbox.rehearsal.story import Commits, Expectation


def expectation(within: float = 5.0, stays: float = 0.0) -> Expectation:
    return Expectation(what="w", subject=Commits(matching="x", count=1), within=within, stays=stays)


def sights(*held: bool) -> Look:
    """One sight after the other; the last one for ever."""
    seen = iter(held)
    last: Sequence[bool] = held[-1:]

    async def look() -> Sight:
        return Sight(next(seen, last[0]), "seen")

    return look


def well() -> str:
    return ""


async def test_it_holds_as_soon_as_it_is_seen() -> None:
    waited = await wait_for(expectation(), sights(False, False, True), well)
    assert waited.sight.held and waited.seconds < 2


async def test_past_the_deadline_it_does_not_hold() -> None:
    waited = await wait_for(expectation(within=0.2), sights(False), well)
    assert not waited.sight.held and waited.seconds >= 0.2


async def test_what_holds_only_for_a_moment_does_not_stay() -> None:
    waited = await wait_for(expectation(stays=5), sights(True, True, False), well)
    assert not waited.sight.held and waited.sight.observed.startswith("held at first, but after")


async def test_what_stays_holds() -> None:
    assert (await wait_for(expectation(stays=0.2), sights(True), well)).sight.held


async def test_a_burst_is_judged_once() -> None:
    assert not (await wait_for(expectation(), sights(False, True), well, once=True)).sight.held


async def test_waiting_ends_when_it_is_in_vain() -> None:
    async with asyncio.timeout(5):
        waited = await wait_for(expectation(within=60), sights(False), lambda: "the daemon is gone")
    assert waited.sight.observed == "seen; the daemon is gone"
