"""A cluster starts whole and stops without a trace."""

import asyncio
import socket

import pytest
from reconciler_sandbox.apiserver.server import ApiServer
from reconciler_sandbox.client import ApiClient
from reconciler_sandbox.cluster import Cluster, Workings
from reconciler_sandbox.node.behaviour import Behaviour, Behaviours
from reconciler_sandbox.node.node import NodeSettings

from tests.kit.calling import http_caller
from tests.kit.sandbox import PODS, QUICK, REPLICA_SETS, SERVICES, ready_addresses, running
from tests.kit.wait import until
from tests.kit.workloads import replica_set, service


async def test_a_stopped_cluster_leaves_no_task_and_no_listener() -> None:
    before = asyncio.all_tasks()
    async with running() as cluster:
        await cluster.api.create(SERVICES, service())
        await cluster.api.create(REPLICA_SETS, replica_set(replicas=2))

        async def up() -> bool:
            return len(await ready_addresses(cluster.api, "web")) == 2

        await until(up)
        listeners = [cluster.node.where(*address) for address in await ready_addresses(cluster.api, "web")]
    assert asyncio.all_tasks() == before
    for address in listeners:
        with socket.socket() as probe:
            assert probe.connect_ex(address) != 0


async def test_broken_watches_and_lost_history_are_survived() -> None:
    async with running() as cluster:
        api = cluster.api
        await api.create(SERVICES, service())
        await api.create(REPLICA_SETS, replica_set(replicas=1))
        for replicas in (2, 3):
            cluster.server.cut_watches()
            cluster.server.forget_history()
            await api.patch(f"{REPLICA_SETS}/web", {"spec": {"replicas": replicas}})

            async def up(wanted: int = replicas) -> bool:
                return len(await ready_addresses(api, "web")) == wanted

            await until(up)
        assert len(await api.list(PODS)) == 3


async def test_two_clusters_live_side_by_side() -> None:
    async with running() as first, running() as second:
        for cluster in (first, second):
            await cluster.api.create(SERVICES, service())
            await cluster.api.create(REPLICA_SETS, replica_set(replicas=1))
        here = await until(lambda: ready_addresses(first.api, "web"))
        there = await until(lambda: ready_addresses(second.api, "web"))
        assert here != there


async def test_controllers_and_node_work_over_http_too() -> None:
    server = ApiServer()
    await server.start("127.0.0.1", 0)
    try:
        node = NodeSettings(behaviours=Behaviours({"web:1": Behaviour("v1")}), pace=QUICK)
        async with http_caller(server.url) as call, Workings(call, node) as workings:
            api = ApiClient(server.call)
            await api.create("/api/v1/namespaces", {"metadata": {"name": "shop"}})
            await api.create(REPLICA_SETS, replica_set(replicas=1))
            (found,) = await until(lambda: api.list(PODS))

            async def ready() -> bool:
                found = await workings.api.list(PODS)
                return any(c["type"] == "Ready" and c["status"] == "True" for p in found for c in p["status"].get("conditions") or ())

            await until(ready)
            assert found["metadata"]["name"].startswith("web-")
    finally:
        await server.stop()


async def test_a_node_that_cannot_reach_its_api_server_is_an_error_at_the_start() -> None:
    async with http_caller("http://127.0.0.1:9") as call:
        with pytest.raises((RuntimeError, ExceptionGroup)):
            async with Workings(call, NodeSettings(), controllers=False):
                pass


async def test_a_clusters_table_may_be_given_as_a_plain_mapping() -> None:
    async with Cluster({"web:1": Behaviour("v1")}, pace=QUICK) as cluster:
        assert cluster.behaviours["web:1"].version == "v1"
