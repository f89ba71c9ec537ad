"""The node takes pods, keeps their logs, and leaves nothing behind."""

from typing import Any

import pytest
from reconciler_sandbox.apiserver.server import ApiServer
from reconciler_sandbox.client import ApiClient, Call
from reconciler_sandbox.cluster import Workings
from reconciler_sandbox.node.behaviour import Behaviour, Behaviours
from reconciler_sandbox.node.node import NodeSettings
from reconciler_sandbox.node.server import Served

from tests.kit.pods import session
from tests.kit.sandbox import JOBS, PODS, QUICK, REPLICA_SETS, SERVICES, ready_addresses, running, status
from tests.kit.wait import until
from tests.kit.workloads import job, replica_set, service


async def test_the_node_shows_itself_as_ready() -> None:
    async with running() as cluster:
        (node,) = await cluster.api.list("/api/v1/nodes")
        assert [c["status"] for c in node["status"]["conditions"] if c["type"] == "Ready"] == ["True"]


async def test_a_pod_is_bound_to_the_node() -> None:
    async with running() as cluster:
        await cluster.api.create(REPLICA_SETS, replica_set(replicas=1))

        async def bound() -> Any:
            return [p for p in await cluster.api.list(PODS) if p["spec"].get("nodeName") == "sandbox"]

        assert await until(bound)


async def test_counters_of_a_pod_outlive_it() -> None:
    async with running() as cluster, session() as client:
        api = cluster.api
        await api.create(SERVICES, service())
        await api.create(REPLICA_SETS, replica_set(replicas=1))
        ((ip, port),) = await until(lambda: ready_addresses(api, "web"))
        host, listening = cluster.node.where(ip, port)
        async with client.get(f"http://{host}:{listening}/a", headers={"x-release-tester": "me"}):
            pass
        (name,) = [p["metadata"]["name"] for p in await api.list(PODS)]
        await api.delete(f"{REPLICA_SETS}/web")
        await api.delete(f"{PODS}/{name}")

        async def gone() -> bool:
            return await api.get(f"{PODS}/{name}") is None

        await until(gone)
        assert cluster.node.served("shop", name) == {Served("/a", 200, True): 1}


async def test_a_job_calls_a_service_by_its_name_and_its_log_is_kept() -> None:
    async with running() as cluster:
        api = cluster.api
        await api.create(SERVICES, service())
        await api.create(REPLICA_SETS, replica_set(replicas=1))
        await until(lambda: ready_addresses(api, "web"))
        check = job("check", "curlimages/curl:8")
        check["spec"]["template"]["spec"]["containers"][0]["args"] = ["-sSf", "http://web.shop.svc/"]
        await api.create(JOBS, check)

        async def complete() -> bool:
            return (await status(api, f"{JOBS}/check")).get("succeeded") == 1

        await until(complete)
        (name,) = [key.name for key in cluster.node.known if key.name.startswith("check-")]
        assert '"version": "v1"' in cluster.node.logs("shop", name)
        answer = await cluster.server.call(Call("GET", f"{PODS}/{name}/log", {"tailLines": "1", "follow": "true"}))
        assert not isinstance(answer.body, bytes)
        assert b'"version": "v1"' in b"".join([part async for part in answer.body])
        with pytest.raises(KeyError):
            cluster.node.logs("shop", name, "other")


async def test_more_pods_than_the_node_holds_wait_until_one_leaves() -> None:
    server = ApiServer()
    api = ApiClient(server.call)
    settings = NodeSettings(behaviours=Behaviours({"web:1": Behaviour("v1")}), pace=QUICK, capacity=1)
    await server.start("127.0.0.1", 0)
    try:
        async with Workings(server.call, settings):
            await api.create("/api/v1/namespaces", {"metadata": {"name": "shop"}})
            await api.create(REPLICA_SETS, replica_set(replicas=2))

            async def full() -> Any:
                pods = await api.list(PODS)
                waiting = [p for p in pods if any(c.get("reason") == "Unschedulable" for c in p["status"].get("conditions") or ())]
                return len(pods) == 2 and len(waiting) == 1 and pods

            pods = await until(full)
            waiting = next(p["metadata"]["name"] for p in pods if not p["spec"].get("nodeName"))
            placed = next(p["metadata"]["name"] for p in pods if p["spec"].get("nodeName"))
            await api.delete(f"{PODS}/{placed}")

            async def moved_in() -> Any:
                return (await api.get(f"{PODS}/{waiting}") or {})["spec"].get("nodeName")

            assert await until(moved_in) == "sandbox"
    finally:
        await server.stop()
