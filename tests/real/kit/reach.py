"""The sandbox's own client against a server that is known by its kubeconfig."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from kubernetes import client, config
from reconciler_sandbox.client import Caller

from reconciler.kube.config import endpoint
from tests.kit.calling import http_caller
from tests.real.kit.servers import Server


@asynccontextmanager
async def caller(server: Server) -> AsyncIterator[Caller]:
    """Calls with the token of the kubeconfig; a client certificate is not one the sandbox's client has."""
    where = endpoint(str(server.kubeconfig))
    token = (await where.authorization()).removeprefix("Bearer ")
    async with http_caller(where.server, token=token, ca_file=authority(server.kubeconfig)) as call:
        yield call


def authority(kubeconfig: Path) -> str | None:
    """The file of the certificate authority, also of one that is written into the kubeconfig."""
    configuration: Any = client.Configuration()
    config.load_kube_config(config_file=str(kubeconfig), client_configuration=configuration)
    return configuration.ssl_ca_cert
