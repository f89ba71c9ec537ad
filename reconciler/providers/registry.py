"""Which providers exist, by their key in a metric's `provider`: one row each. What is served is said here and nowhere else."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import httpx

from reconciler.analysis.provider import Checking, Provider
from reconciler.kube.client import Client
from reconciler.providers.job import Job
from reconciler.providers.prometheus import Prometheus
from reconciler.providers.web import Web


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """What providers reach the world with."""

    client: Client
    http: httpx.AsyncClient
    prometheus_address: str
    job_namespace: str = ""


@dataclass(frozen=True, slots=True)
class ProviderRow:
    """One provider: what checks a configuration without any reach, and how it is made with them."""

    checks: Checking
    make: Callable[[Reach], Provider]


PROVIDERS: Mapping[str, ProviderRow] = {
    "prometheus": ProviderRow(Prometheus, lambda reach: Prometheus(reach.http, reach.prometheus_address)),
    "web": ProviderRow(Web, lambda reach: Web(reach.http)),
    "job": ProviderRow(Job, lambda reach: Job(reach.client, reach.job_namespace)),
}


def providers(reach: Reach) -> Mapping[str, Provider]:
    """All providers over shared reach; a metric that names another one is refused by validation."""
    return {name: row.make(reach) for name, row in PROVIDERS.items()}
