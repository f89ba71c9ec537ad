"""How a measurement is taken and told: medians, and a ratio to the budget or to something raw of the same run."""

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table. `measured` and `budget` are in `unit`; `beside` is what else the same run says about it."""

    what: str
    measured: float
    budget: float
    unit: str
    beside: str = ""

    @property
    def ratio(self) -> float:
        return self.measured / self.budget


def median_seconds(work: Callable[[], object], rounds: int) -> float:
    """The median time of a call, after one that warms up."""
    work()
    return median(_seconds(work) for _ in range(rounds))


def _seconds(work: Callable[[], object]) -> float:
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def processor_seconds(work: Callable[[], object], rounds: int) -> list[float]:
    """What each call costs this thread's processor, ascending, after one that warms up: a neighbour who is busy is not counted."""
    work()
    return sorted(_processor_seconds(work) for _ in range(rounds))


def _processor_seconds(work: Callable[[], object]) -> float:
    begin = time.thread_time()
    work()
    return time.thread_time() - begin


async def median_awaited(work: Callable[[], Awaitable[object]], rounds: int) -> float:
    """The median time of an awaited call, after one that warms up."""
    await work()
    return median([await _awaited(work) for _ in range(rounds)])


async def medians_in_turn(one: Callable[[], Awaitable[object]], other: Callable[[], Awaitable[object]], rounds: int) -> tuple[float, float]:
    """The medians of two calls that take turns, so that a busy machine is as unfair to the one as to the other."""
    await one()
    await other()
    spans = [(await _awaited(one), await _awaited(other)) for _ in range(rounds)]
    return median(first for first, _ in spans), median(second for _, second in spans)


async def _awaited(work: Callable[[], Awaitable[object]]) -> float:
    begin = time.perf_counter()
    await work()
    return time.perf_counter() - begin
