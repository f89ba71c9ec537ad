"""Our own client against both servers: what is absent, and what nobody serves."""

from collections.abc import AsyncIterator

import pytest

from reconciler.kernel.identity import ObjectRef, Resource
from reconciler.kernel.resources import CONFIGMAPS, NAMESPACES
from reconciler.kube.client import Client
from reconciler.kube.config import endpoint
from reconciler.kube.errors import NotFound, NotServed
from reconciler.kube.fence import Fence
from reconciler.kube.http import HttpTransport
from tests.real.kit.api import Api
from tests.real.kit.servers import Server

UNSERVED = (
    Resource("nobody.example.com", "v1", "widgets", "Widget"),
    Resource("apps", "v9", "deployments", "Deployment"),
    Resource("apps", "v1", "widgets", "Widget"),
    Resource("", "v1", "widgets", "Widget"),
)


@pytest.fixture
async def client(server: Server) -> AsyncIterator[Client]:
    async with HttpTransport(endpoint(str(server.kubeconfig))) as transport:
        yield Client(transport, Fence())


async def test_an_absent_object_of_a_served_type_is_absent(client: Client, api: Api) -> None:
    assert await client.find(CONFIGMAPS, api.namespace, "absent") is None
    assert await client.find(NAMESPACES, "", "absent") is None
    await client.delete(ObjectRef(CONFIGMAPS, api.namespace, "absent"))
    with pytest.raises(NotFound):
        await client.create(CONFIGMAPS, {"metadata": {"name": "a", "namespace": "nowhere"}})


@pytest.mark.parametrize("resource", UNSERVED, ids=str)
async def test_of_a_type_that_is_not_served_nothing_is_known(client: Client, api: Api, resource: Resource) -> None:
    with pytest.raises(NotServed):
        await client.find(resource, api.namespace, "web")
    with pytest.raises(NotServed):
        await client.list(resource, api.namespace)
    with pytest.raises(NotServed):
        await client.delete(ObjectRef(resource, api.namespace, "web"))
