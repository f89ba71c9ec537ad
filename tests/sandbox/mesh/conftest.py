"""A mesh with a real Envoy, two versions of one workload behind it, and a client at the gateway."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest
from reconciler_sandbox.mesh.mesh import Mesh

from tests.kit.mesh import Backend, MemoryApi, Visitor, backends, endpoints, gateway, pod, service


@dataclass
class Stage:
    api: MemoryApi
    mesh: Mesh
    backends: dict[str, Backend]
    visitor: Visitor
    session: aiohttp.ClientSession

    async def serve(self, *objects: dict) -> None:
        self.api.put(*objects)
        await self.mesh.settled()

    async def metrics(self) -> str:
        async with self.session.get(self.mesh.stats_url) as response:
            assert response.status == 200
            return await response.text()


def workload(name: str, backend: Backend, version: str) -> list[dict]:
    """A Service with one pod of a rollout's ReplicaSet."""
    replica_set = f"{name}-{version}hash"
    return [
        service(name),
        endpoints(name, {f"{replica_set}-x": backend.port}),
        pod(f"{replica_set}-x", owner=replica_set, app=name, version=version, rollouts_pod_template_hash=f"{version}hash"),
    ]


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    async with backends("v1", "v2") as started, aiohttp.ClientSession() as session:
        api = MemoryApi(gateway(), *workload("web", started["v1"], "v1"), *workload("web-canary", started["v2"], "v2"))
        mesh = Mesh(api, folder=tmp_path / "mesh")
        await mesh.start()
        try:
            yield Stage(api, mesh, started, Visitor(session, mesh.gateway_address()), session)
        finally:
            await mesh.stop()
