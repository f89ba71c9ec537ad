"""What every command that speaks to a cluster shares: options, a client, and one way to print."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import asdict, is_dataclass
from typing import Annotated, Any, TypeVar

import typer

from reconciler.kube.client import Client
from reconciler.kube.fence import Fence

Answer = TypeVar("Answer")
Namespace = Annotated[str, typer.Option("-n", "--namespace", help="the namespace of the workload")]
Kubeconfig = Annotated[str, typer.Option("--kubeconfig", help="a kubeconfig file; default: $KUBECONFIG or ~/.kube/config")]


@asynccontextmanager
async def cluster(kubeconfig: str) -> AsyncIterator[Client]:
    """A client for one command's time. HTTP is imported only here: most commands' start is not worth its weight."""
    from reconciler.kube.config import endpoint
    from reconciler.kube.http import HttpTransport

    async with HttpTransport(endpoint(kubeconfig or None)) as transport:
        yield Client(transport, Fence())


def ask(kubeconfig: str, question: Callable[[Client], Awaitable[Answer]]) -> Answer:
    """Run one question against a cluster."""

    async def asked() -> Answer:
        async with cluster(kubeconfig) as client:
            return await question(client)

    return asyncio.run(asked())


def show_json(value: Any) -> None:
    """One JSON document on stdout, nothing else."""
    typer.echo(json.dumps(asdict(value) if is_dataclass(value) and not isinstance(value, type) else value, indent=2, default=str))
