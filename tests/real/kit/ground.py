"""Our kinds and namespaces on either server, for controllers that run in a test's own process."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import replace

from reconciler_sandbox.rehearsal.fittings import definitions

from reconciler.kernel.errors import Transient
from reconciler.kernel.identity import Manifest, ObjectRef, name_of
from reconciler.kernel.resources import ANALYSIS_RUNS, NAMESPACES, RELEASE_POLICIES, RELEASES, ROLLOUTS
from reconciler.kube.client import Client
from reconciler.kube.config import endpoint
from reconciler.kube.errors import AlreadyExists
from reconciler.kube.fence import Fence, Gate
from reconciler.kube.http import HttpTransport
from tests.kit.clusters import CUSTOM_RESOURCES, NAMESPACE
from tests.kit.wait import until
from tests.real.kit.servers import Server

PATIENCE = 60.0
PLACES = (NAMESPACE, "reconciler")
SERVED = (ROLLOUTS, ANALYSIS_RUNS, RELEASES, RELEASE_POLICIES)


@asynccontextmanager
async def client_of(server: Server, *gates: Gate, token: str = "") -> AsyncIterator[Client]:
    """Our own client, as the administrator or as who has a token."""
    where = endpoint(str(server.kubeconfig))

    async def authorization() -> str:
        return f"Bearer {token}"

    async with HttpTransport(replace(where, authorization=authorization) if token else where) as transport:
        yield Client(transport, Fence(*gates))


@asynccontextmanager
async def grounded(client: Client, places: Sequence[str] = PLACES) -> AsyncIterator[None]:
    """Our kinds are served, and namespaces are there that nobody had before. They are gone when the context is left."""
    await defined(client)
    for place in places:
        await client.create(NAMESPACES, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": place}})
    try:
        yield
    finally:
        for place in places:
            await client.delete(ObjectRef(NAMESPACES, "", place))
        for place in places:
            await until(lambda place=place: _gone(client, place), PATIENCE)  # type: ignore[misc]


async def defined(client: Client) -> None:
    """Our kinds and those of the routers are served."""
    for definition in definitions():
        await until(lambda definition=definition: _defined(client, definition), PATIENCE)  # type: ignore[misc]
    await until(lambda: _served(client), PATIENCE)


async def _defined(client: Client, definition: Manifest) -> bool:
    """There to stay: one that is on its way out still answers for a while, and takes no objects."""
    with suppress(AlreadyExists):
        await client.create(CUSTOM_RESOURCES, definition)
    found = await client.find(CUSTOM_RESOURCES, "", name_of(definition))
    return found is not None and "deletionTimestamp" not in found["metadata"]


async def _served(client: Client) -> bool:
    try:
        for resource in SERVED:
            await client.list(resource)
    except Transient:
        return False
    return True


async def _gone(client: Client, place: str) -> bool:
    return await client.find(NAMESPACES, "", place) is None
