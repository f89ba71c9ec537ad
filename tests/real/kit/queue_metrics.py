"""A metrics API as an adapter serves one to autoscalers: one external metric, behind the aggregator of a real API server."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

from reconciler.kernel.identity import Manifest, ObjectRef, Resource
from reconciler.kube.client import Client
from tests.kit.certificate import self_signed
from tests.kit.wait import until
from tests.real.kit.ground import PATIENCE

GROUP, VERSION, METRIC = "external.metrics.k8s.io", "v1beta1", "messages"
API_SERVICES = Resource("apiregistration.k8s.io", "v1", "apiservices", "APIService", namespaced=False)
SERVICES = Resource("", "v1", "services", "Service", namespaced=True)
PLACE, NAME = "default", "queue-metrics"


class Queue:
    """How many messages wait, which a test says."""

    def __init__(self) -> None:
        self.length = 0
        self.asked = 0

    async def discovery(self, _: web.Request) -> web.Response:
        one = {"name": METRIC, "singularName": "", "namespaced": True, "kind": "ExternalMetricValueList", "verbs": ["get"]}
        return web.json_response({"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": f"{GROUP}/{VERSION}", "resources": [one]})

    async def values(self, _: web.Request) -> web.Response:
        self.asked += 1
        item = {"metricName": METRIC, "metricLabels": {}, "timestamp": "2030-01-01T00:00:00Z", "value": str(self.length)}
        return web.json_response({"kind": "ExternalMetricValueList", "apiVersion": f"{GROUP}/{VERSION}", "metadata": {}, "items": [item]})


@asynccontextmanager
async def queue_metrics(client: Client) -> AsyncIterator[Queue]:
    """The metric is served by the API server while the context is held. A Service without pods leads to this machine."""
    queue, app = Queue(), web.Application()
    path = f"/apis/{GROUP}/{VERSION}"
    app.add_routes([web.get(path, queue.discovery), web.get(f"{path}/namespaces/{{namespace}}/{METRIC}", queue.values)])
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=self_signed().context())
    await site.start()
    try:
        port = runner.addresses[0][1]
        await client.create(SERVICES, _service(port))
        await client.create(API_SERVICES, _api_service(port))
        await until(lambda: _available(client), PATIENCE)
        yield queue
    finally:
        for ref in (ObjectRef(API_SERVICES, "", f"{VERSION}.{GROUP}"), ObjectRef(SERVICES, PLACE, NAME)):
            await client.delete(ref)
        await runner.cleanup()


def _service(port: int) -> Manifest:
    spec = {"type": "ExternalName", "externalName": "localhost", "ports": [{"port": port}]}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": NAME, "namespace": PLACE}, "spec": spec}


def _api_service(port: int) -> Manifest:
    spec = {
        "group": GROUP,
        "version": VERSION,
        "groupPriorityMinimum": 100,
        "versionPriority": 100,
        "insecureSkipTLSVerify": True,
        "service": {"namespace": PLACE, "name": NAME, "port": port},
    }
    name = f"{VERSION}.{GROUP}"
    return {"apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService", "metadata": {"name": name}, "spec": spec}


async def _available(client: Client) -> bool:
    found = await client.get(API_SERVICES, "", f"{VERSION}.{GROUP}")
    conditions = (found.get("status") or {}).get("conditions") or ()
    return any(one["type"] == "Available" and one["status"] == "True" for one in conditions)
