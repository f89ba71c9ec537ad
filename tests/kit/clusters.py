"""A Kubernetes API with our own kinds, in process or over HTTP, and the objects that tests put into it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

from reconciler_sandbox.apiserver.server import ApiServer
from reconciler_sandbox.rehearsal.fittings import definitions

from reconciler.app.indexes import INDEXES
from reconciler.kernel.identity import Manifest, Resource
from reconciler.kernel.resources import NAMESPACES
from reconciler.kube.cache import Cache
from reconciler.kube.client import Client
from reconciler.kube.fence import Fence
from reconciler.kube.informer import Informer
from tests.kit.transport import InProcess
from tests.kit.wait import until

NAMESPACE = "shop"

CUSTOM_RESOURCES = Resource("apiextensions.k8s.io", "v1", "customresourcedefinitions", "CustomResourceDefinition", namespaced=False)


@dataclass(frozen=True)
class Api:
    """A server, the transport to it, and a client whose writes nobody withholds."""

    server: ApiServer
    transport: InProcess
    client: Client

    def fenced(self, fence: Fence) -> Client:
        return Client(self.transport, fence)

    def writes(self) -> list[str]:
        """Every write that was sent, as method and path."""
        return [f"{call.method} {call.path}" for call in self.transport.calls if call.method != "GET"]


@dataclass(frozen=True)
class Reached:
    """A server that is known by a client alone, wherever it runs."""

    client: Client


@asynccontextmanager
async def api(*, listening: bool = False, namespaces: tuple[str, ...] = (NAMESPACE, "reconciler")) -> AsyncIterator[Api]:
    """An API server with our kinds, Istio's and namespaces; with `listening` also over HTTP."""
    server = ApiServer()
    transport = InProcess(server)
    client = Client(transport, Fence())
    if listening:
        await server.start()
    try:
        for manifest in definitions():
            await client.create(CUSTOM_RESOURCES, manifest)
        for name in namespaces:
            await client.create(NAMESPACES, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
        transport.calls.clear()
        yield Api(server, transport, client)
    finally:
        await server.stop()


@asynccontextmanager
async def running(*work: Awaitable[Any]) -> AsyncIterator[list[asyncio.Task[Any]]]:
    """Runs coroutines beside a test and ends them with it; one that failed fails the test."""
    tasks = [asyncio.ensure_future(one) for one in work]
    try:
        yield tasks
    finally:
        for task in tasks:
            task.cancel()
        for task in tasks:
            with suppress(asyncio.CancelledError):
                await task


@asynccontextmanager
async def informed(client: Client, *resources: Resource) -> AsyncIterator[Cache]:
    """A cache that follows some resources, filled before it is handed out."""
    cache = Cache(resources, INDEXES)
    informers = [Informer(client, cache, resource, lambda *_: None) for resource in resources]
    async with running(*[informer.run() for informer in informers]):
        await until(lambda: all(informer.synced.is_set() for informer in informers))
        yield cache


def config_map(name: str, data: dict[str, str] | None = None, namespace: str = NAMESPACE, **metadata: Any) -> Manifest:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": namespace, **metadata}, "data": data or {}}
