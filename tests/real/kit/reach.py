"""The sandbox's own client against a server that is known by its kubeconfig."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from reconciler.kube.config import endpoint
from reconciler.sandbox.client import Caller, http_caller
from tests.real.kit.servers import Server


@asynccontextmanager
async def caller(server: Server) -> AsyncIterator[Caller]:
    """Calls with the credentials of the kubeconfig; a client certificate is not one the sandbox's client has."""
    where = endpoint(str(server.kubeconfig))
    token = (await where.authorization()).removeprefix("Bearer ")
    ca_file = str(server.real.ca_file) if server.real else None
    async with http_caller(where.server, token=token, ca_file=ca_file) as call:
        yield call
