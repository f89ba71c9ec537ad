"""A node whose API server is away for a while, or whose answers are lost: what it says of its pods is true again afterwards."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from json import loads
from typing import Any

from reconciler_sandbox.apiserver.server import ApiServer
from reconciler_sandbox.client import Answer, ApiClient, ApiError, Call
from reconciler_sandbox.cluster import Workings
from reconciler_sandbox.controllers.objects import is_ready
from reconciler_sandbox.node.behaviour import Behaviour, Behaviours
from reconciler_sandbox.node.node import NodeSettings

from tests.kit.sandbox import PODS, QUICK, REPLICA_SETS
from tests.kit.wait import until
from tests.kit.workloads import NAMESPACE, replica_set, template

GOOD, BROKEN = Behaviour("v1"), Behaviour("v1", error_rate_by_path={"/": 1.0})
PROBE = {"httpGet": {"path": "/", "port": "http"}}
Rule = Callable[[Call], bool]


@dataclass
class Line:
    """The way from a node to its server.

    Calls that `refused` picks never arrive. The first one that `lost` picks arrives, then `meanwhile` happens, and the answer is lost.
    """

    server: ApiServer
    refused: Rule = lambda call: False
    lost: Rule = lambda call: False
    meanwhile: Callable[[], None] = lambda: None
    met: list[str] = field(default_factory=list)

    async def call(self, request: Call) -> Answer:
        if self.refused(request):
            self.met.append(f"{request.method} {request.path}")
            raise ApiError(503, "Unreachable", "the server is away")
        answer = await self.server.call(request)
        if self.lost(request):
            self.met.append(f"{request.method} {request.path}")
            self.lost = lambda call: False
            self.meanwhile()
            raise ApiError(503, "Unreachable", "the answer is lost")
        return answer


@dataclass
class Far:
    """A cluster whose node is at the end of a line; people stand beside the server."""

    api: ApiClient
    line: Line
    table: Behaviours

    async def pods(self) -> list[dict[str, Any]]:
        return await self.api.list(PODS)

    async def pod(self) -> dict[str, Any]:
        (pod,) = await until(self.pods)
        return pod

    async def ready(self) -> bool:
        return any(is_ready(pod) for pod in await self.pods())


@asynccontextmanager
async def far() -> AsyncIterator[Far]:
    server = ApiServer()
    await server.start("127.0.0.1", 0)
    line, table = Line(server), Behaviours({"web:1": GOOD})
    try:
        async with Workings(line.call, NodeSettings(behaviours=table, pace=QUICK)):
            api = ApiClient(server.call)
            await api.create("/api/v1/namespaces", {"metadata": {"name": NAMESPACE}})
            await api.create(REPLICA_SETS, replica_set(replicas=1, template=template(container={"readinessProbe": PROBE})))
            yield Far(api, line, table)
    finally:
        await server.stop()


def says_unready(call: Call) -> bool:
    return call.path.startswith(PODS) and call.path.endswith("/status") and not is_ready(loads(call.body))


async def test_a_report_whose_answer_was_lost_is_corrected_when_the_pod_is_as_it_was_before() -> None:
    async with far() as cluster:
        await until(cluster.ready)
        cluster.line.lost = says_unready
        cluster.line.meanwhile = lambda: cluster.table.update({"web:1": GOOD})
        cluster.table["web:1"] = BROKEN
        await until(lambda: cluster.line.met)
        await until(cluster.ready)


async def test_a_pod_that_somebody_else_calls_unready_is_said_to_be_ready_again() -> None:
    async with far() as cluster:
        await until(cluster.ready)
        name = (await cluster.pod())["metadata"]["name"]
        condition = {"type": "Ready", "status": "False", "reason": "NodeNotReady"}
        answered = await cluster.api.patch(f"{PODS}/{name}/status", {"status": {"conditions": [condition]}}, style="strategic")
        assert not is_ready(answered)
        await until(cluster.ready)


async def test_a_pod_whose_end_could_not_be_told_is_gone_once_the_server_is_back() -> None:
    async with far() as cluster:
        await until(cluster.ready)
        cluster.line.refused = lambda call: call.method == "DELETE"
        first = (await cluster.pod())["metadata"]["name"]
        await cluster.api.delete(f"{PODS}/{first}")
        await until(lambda: cluster.line.met)
        cluster.line.refused = lambda call: False

        async def gone() -> bool:
            return await cluster.api.get(f"{PODS}/{first}") is None

        await until(gone)


async def test_a_pod_that_could_not_be_bound_is_bound_once_the_server_is_back() -> None:
    async with far() as cluster:
        await until(cluster.ready)
        cluster.line.refused = lambda call: call.path.endswith("/binding")
        await cluster.api.patch(f"{REPLICA_SETS}/web", {"spec": {"replicas": 3}})
        await until(lambda: len(cluster.line.met) >= 2)
        cluster.line.refused = lambda call: False

        async def everybody() -> bool:
            return [is_ready(pod) for pod in await cluster.pods()] == [True] * 3

        await until(everybody)
