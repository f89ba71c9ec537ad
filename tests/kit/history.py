"""A Prometheus with a past: the sandbox's PromQL over samples of an hour, one each 15 seconds."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta

from reconciler_sandbox.metrics.server import Server
from reconciler_sandbox.metrics.store import Store

from tests.kit.analysis import NOW
from tests.kit.promql import labels_of

EVERY = 15
LONG = 240
Series = Callable[[int], float | None]
"""Seconds since NOW to a value; None is no sample."""


def steady(value: float, until: int = 3_600) -> Series:
    """The same value all the time."""
    return lambda second: value if second < until else None


def falling(value: float, to: float, at: int) -> Series:
    """A value that becomes another one at some second."""
    return lambda second: value if second < at else to


def counting(rate: float) -> Series:
    """A counter."""
    return lambda second: rate * second


@asynccontextmanager
async def past(series: Mapping[str, Series]) -> AsyncIterator[str]:
    """The address of a server that remembers these series from NOW on for an hour."""
    begin = round(NOW.timestamp() * 1000)
    store = Store(retention=1e12)
    for number in range(LONG):
        for written, value in series.items():
            found = value(number * EVERY)
            if found is not None:
                store.append(labels_of(written), begin + number * EVERY * 1000, found)
    server = Server(store, lambda: (NOW + timedelta(hours=2)).timestamp())
    await server.start()
    try:
        yield server.url
    finally:
        await server.stop()
