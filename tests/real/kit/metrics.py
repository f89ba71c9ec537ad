"""What metrics read on a server under test: the sandbox's own aggregated API, put behind the real server as an APIService.

The real aggregator finds the answerer through a Service of type ExternalName whose name is 127.0.0.1, so that nothing leaves the machine;
nobody's cluster but a control plane of our own gets one.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest
from reconciler_sandbox.apiserver.serving import Listener
from reconciler_sandbox.client import ApiClient
from reconciler_sandbox.metrics.aggregated import GROUPS, VERSION, AggregatedMetrics
from reconciler_sandbox.metrics.readings import Readings, Subject, amount

from tests.kit.certificate import self_signed
from tests.real.kit.api import Api, Json
from tests.real.kit.objects import APPS
from tests.real.kit.reach import caller
from tests.real.kit.servers import Server

LOOPBACK = "127.0.0.1"
SERVICES = "/apis/apiregistration.k8s.io/v1/apiservices"
HERE = "metrics-of-a-test"


class Said:
    """What a test says that pods of Deployments in its namespace read."""

    def __init__(self, api: Api, server: Server, metrics: AggregatedMetrics, readings: Readings) -> None:
        self._api = api
        self._server = server
        self._metrics = metrics
        self._readings = readings

    def say(self, name: str = "web", /, **amounts: str) -> None:
        """`cpu="180%"`: of each; `cpu="total 300m"`: shared."""
        said = {metric: amount(text.removeprefix("total "), total=text.startswith("total ")) for metric, text in amounts.items()}
        self._readings.say(Subject(APPS, "deployments", "Deployment", self._api.namespace, name), said)
        if self._server.sandbox is not None:
            for group, kinds in self._metrics.kinds().items():
                self._server.sandbox.aggregation.serve(group, kinds, self._metrics.call)


@asynccontextmanager
async def said_metrics(api: Api, server: Server) -> AsyncIterator[Said]:
    """Metrics that a test says; on a real server they are there once every APIService is available."""
    if server.sandbox is None and server.real is None:
        pytest.skip("the cluster is not ours to disturb")
    readings = Readings()
    async with caller(server) as call:
        metrics = AggregatedMetrics(ApiClient(call), readings, lambda: datetime.now(UTC))
        said = Said(api, server, metrics, readings)
        if server.sandbox is not None:
            yield said
            return
        said.say("nobody", cpu="0", seen="0")
        async with _registered(api, metrics):
            yield said


@asynccontextmanager
async def _registered(api: Api, metrics: AggregatedMetrics) -> AsyncIterator[None]:
    """The metrics behind the real server's aggregator."""
    listener = Listener(metrics.call)
    await listener.start(LOOPBACK, 0, self_signed().context())
    names = [f"{VERSION}.{group}" for group in GROUPS if metrics.kinds()[group]]
    try:
        await _make_service(api, int(listener.url.rpartition(":")[2]))
        for name in names:
            await _register(api, name)
        yield
    finally:
        for name in names:
            await api("DELETE", f"{SERVICES}/{name}")
        await listener.stop()


async def _make_service(api: Api, port: int) -> None:
    spec = {"type": "ExternalName", "externalName": LOOPBACK, "ports": [{"port": port}]}
    made = await api.made(api.ours("services"), {"apiVersion": "v1", "kind": "Service", "metadata": {"name": HERE}, "spec": spec})
    assert not made["spec"].get("clusterIP") and made["spec"]["externalName"] == LOOPBACK


async def _register(api: Api, name: str) -> None:
    port = (await api("GET", api.ours("services", HERE))).document["spec"]["ports"][0]["port"]
    spec: Json = {
        "group": name.partition(".")[2],
        "version": VERSION,
        "service": {"namespace": api.namespace, "name": HERE, "port": port},
        "insecureSkipTLSVerify": True,
        "groupPriorityMinimum": 100,
        "versionPriority": 100,
    }
    body = {"apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService", "metadata": {"name": name}, "spec": spec}
    await api.made(SERVICES, body)
    await api.until(f"{SERVICES}/{name}", _is_available)
    await api.until(f"/apis/{spec['group']}/{VERSION}", lambda found: found["kind"] == "APIResourceList")  # passed on a moment later


def _is_available(found: Json) -> bool:
    conditions = (found.get("status") or {}).get("conditions") or ()
    return any(one["type"] == "Available" and one["status"] == "True" for one in conditions)
