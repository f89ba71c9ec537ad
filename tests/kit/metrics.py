"""The client that metrics share, over a real one."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from reconciler.kernel.clock import SystemClock
from reconciler.providers.metrics_client import MetricsClient
from reconciler.web.client import open_client


@asynccontextmanager
async def metrics_client() -> AsyncIterator[MetricsClient]:
    """A client of its own, on real time."""
    async with open_client() as http:
        yield MetricsClient(http, SystemClock(), SystemClock())
