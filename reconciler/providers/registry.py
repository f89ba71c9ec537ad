"""Which providers exist, by their key in a metric's `provider`: one row each. What is served is said here and nowhere else."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import httpx

from reconciler.analysis.provider import Checking, Provider
from reconciler.kube.client import Client
from reconciler.providers.graphite import Graphite
from reconciler.providers.job import Job
from reconciler.providers.prometheus import Prometheus
from reconciler.providers.web import Web


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderHands:
    """What providers reach the world with."""

    client: Client
    http: httpx.AsyncClient
    prometheus_address: str
    job_namespace: str = ""


@dataclass(frozen=True, slots=True)
class ProviderRow:
    """One provider: what checks a configuration without any hands, and how it is made with them."""

    checks: Checking
    make: Callable[[ProviderHands], Provider]


PROVIDERS: Mapping[str, ProviderRow] = {
    "prometheus": ProviderRow(Prometheus, lambda hands: Prometheus(hands.http, hands.prometheus_address)),
    "web": ProviderRow(Web, lambda hands: Web(hands.http)),
    "graphite": ProviderRow(Graphite, lambda hands: Graphite(hands.http)),
    "job": ProviderRow(Job, lambda hands: Job(hands.client, hands.job_namespace)),
}


def providers(hands: ProviderHands) -> Mapping[str, Provider]:
    """All providers over shared hands; a metric that names another one is refused by validation."""
    return {name: row.make(hands) for name, row in PROVIDERS.items()}
