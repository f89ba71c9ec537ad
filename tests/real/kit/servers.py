"""The two servers that one contract holds for: the sandbox, and a real control plane (or somebody's disposable cluster)."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex

import pytest
from reconciler_sandbox.apiserver.server import ApiServer

from reconciler.kube.config import endpoint
from scripts.real import binaries
from scripts.real.errors import NotObtained
from tests.real.kit.api import Api, session_of
from tests.real.kit.controlplane import RealCluster

NOT_RUN = "REAL TIER NOT RUN"


@dataclass(frozen=True, slots=True)
class Server:
    """A server under test: the kubeconfig that leads to it; `sandbox` or `real` if it is ours to disturb."""

    kubeconfig: Path
    sandbox: ApiServer | None = None
    real: RealCluster | None = None

    def forget_history(self) -> None:
        """What was watched from before now has expired. Skips the test on somebody's cluster."""
        if self.sandbox is not None:
            self.sandbox.forget_history()
        elif self.real is not None:
            self.real.compact()  # lists in pages are served by etcd, watches by the server's own cache
            self.real.restart_apiserver()
        else:
            pytest.skip("the cluster is not ours to disturb")


def started_cluster(folder: Path, *, admission: Sequence[str] = ()) -> Iterator[Server]:
    """A real control plane, its logs kept in `folder` if pytest keeps that. Skips when there is none."""
    try:
        given = binaries.kubeconfig()
        if given is not None:
            yield Server(given)
            return
        cluster = RealCluster(binaries.control_plane(), folder, admission=admission)
        cluster.start()
    except NotObtained as reason:
        pytest.skip(f"{NOT_RUN}: {reason}")
    try:
        yield Server(cluster.kubeconfig, real=cluster)
    finally:
        cluster.stop()
        shutil.rmtree(folder / "etcd", ignore_errors=True)


@asynccontextmanager
async def sandbox_server(folder: Path) -> AsyncIterator[Server]:
    server = ApiServer()
    await server.start()
    try:
        (folder / "kubeconfig").write_text(server.kubeconfig(), encoding="utf-8")
        yield Server(folder / "kubeconfig", sandbox=server)
    finally:
        await server.stop()


@asynccontextmanager
async def namespace_of(server: Server) -> AsyncIterator[Api]:
    """A namespace of its own for one test; it goes with the test."""
    name = f"contract-{token_hex(4)}"
    async with session_of(endpoint(str(server.kubeconfig))) as session:
        api = Api(session, name)
        await api.made("/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
        if server.sandbox is None:  # pods are refused until it is there
            await api.until(api.ours("serviceaccounts", "default"), lambda _: True)
        try:
            yield api
        finally:
            await asyncio.shield(api("DELETE", f"/api/v1/namespaces/{name}"))
