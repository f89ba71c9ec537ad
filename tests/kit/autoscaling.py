"""Autoscalers, and a cluster whose metrics a test says."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from reconciler_sandbox.apiserver.server import ApiServer
from reconciler_sandbox.client import ApiClient
from reconciler_sandbox.cluster import Cluster
from reconciler_sandbox.controllers.recommendation import Sample, Settings, View
from reconciler_sandbox.metrics.aggregated import AggregatedMetrics
from reconciler_sandbox.metrics.readings import Readings, Subject, amount

from tests.kit.sandbox import DEPLOYMENTS, running
from tests.kit.workloads import NAMESPACE, deployment

Json = dict[str, Any]
AUTOSCALERS = f"/apis/autoscaling/v2/namespaces/{NAMESPACE}/horizontalpodautoscalers"
WEB = Subject("apps/v1", "deployments", "Deployment", NAMESPACE, "web")
REQUESTS = {"resources": {"requests": {"cpu": "100m", "memory": "64Mi"}}}


NOW = datetime(2026, 1, 1, 12, 0, 0, tzinfo=UTC)


def measured(name: str, *, phase: str = "Running", ready: bool = True, times: tuple[float, float] = (3600, 1800), **more: Any) -> Json:
    """A pod that requests 100m; `times` are the seconds since its start and since its readiness changed."""
    started, changed = times
    condition = {"type": "Ready", "status": "True" if ready else "False", "lastTransitionTime": ago(changed)}
    return {
        "metadata": {"name": name, "namespace": "shop", **more},
        "spec": {"containers": [{"name": "app", "resources": {"requests": {"cpu": "100m"}}}]},
        "status": {"phase": phase, "startTime": ago(started), "conditions": [condition]},
    }


def ago(seconds: float) -> str:
    return (NOW - timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


def view(*pods: Json, asked: int | None = None) -> View:
    count = len(pods) if asked is None else asked
    return View("shop", pods, count, count, NOW, Settings())


def samples(**values: int) -> dict[str, Sample]:
    return {name: Sample(value, NOW, 1.0) for name, value in values.items()}


def cpu(utilization: int) -> Json:
    return {"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": utilization}}}


def autoscaler(name: str = "web", *, most: int = 10, metrics: list[Json] | None = None, **spec: Any) -> Json:
    """An autoscaler of the Deployment web."""
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
    body = {"scaleTargetRef": target, "maxReplicas": most, "metrics": metrics or [cpu(50)], **spec}
    return {"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": {"name": name}, "spec": body}


class Said:
    """Metrics of an API server that a test says."""

    def __init__(self, server: ApiServer, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self.readings = Readings()
        self.server = server
        self._metrics = AggregatedMetrics(ApiClient(server.call), self.readings, now)

    def say(self, subject: Subject = WEB, /, **amounts: str) -> None:
        """`cpu="180%"`: of each; `cpu="total 300m"`: shared."""
        said = {name: amount(text.removeprefix("total "), total=text.startswith("total ")) for name, text in amounts.items()}
        self.readings.say(subject, said)
        self.serve()

    def outside(self, values: Mapping[str, int]) -> None:
        self.readings.external.update(values)
        self.serve()

    def serve(self) -> None:
        for group, kinds in self._metrics.kinds().items():
            self.server.aggregation.serve(group, kinds, self._metrics.call)


@asynccontextmanager
async def scaled(*, replicas: int = 2) -> AsyncIterator[tuple[Cluster, Said]]:
    """A cluster with the Deployment web, whose pods request 100m and 64Mi."""
    async with running() as cluster:
        body = deployment(replicas=replicas)
        body["spec"]["template"]["spec"]["containers"][0] |= REQUESTS
        await cluster.api.create(DEPLOYMENTS, body)
        yield cluster, Said(cluster.server)
