"""Which providers exist, by their key in a metric's `provider`."""

from collections.abc import Mapping

import httpx

from reconciler.analysis.provider import Provider
from reconciler.kube.client import Client
from reconciler.providers.job import Job
from reconciler.providers.prometheus import Prometheus
from reconciler.providers.web import Web


def providers(client: Client, http: httpx.AsyncClient, prometheus_address: str, job_namespace: str = "") -> Mapping[str, Provider]:
    """All providers over shared hands; a metric that names another one is refused by validation."""
    return {"prometheus": Prometheus(http, prometheus_address), "web": Web(http), "job": Job(client, job_namespace)}
