"""The client that metrics share, over a real one."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from reconciler.kernel.clock import SystemClock
from reconciler.kernel.errors import Terminal
from reconciler.providers.identities import Identities
from reconciler.providers.metrics_client import MetricsClient
from reconciler.providers.prometheus import Prometheus
from reconciler.web.client import open_client


@asynccontextmanager
async def metrics_client() -> AsyncIterator[MetricsClient]:
    """A client of its own, on real time."""
    async with open_client() as http:
        yield MetricsClient(http, SystemClock(), SystemClock())


async def no_secrets(name: str) -> Mapping[str, str]:
    """For what has no cluster beside it."""
    raise Terminal(f"secret {name} cannot be read without a cluster")


def nobody(http: MetricsClient, **variables: str) -> Identities:
    """Who we are where nothing says who: in clouds only what the variables of an environment say."""
    return Identities(http, variables, no_secrets)


def prometheus_at(http: MetricsClient, address: str) -> Prometheus:
    """A Prometheus that asks as nobody in particular."""
    return Prometheus(http, address, nobody(http))
