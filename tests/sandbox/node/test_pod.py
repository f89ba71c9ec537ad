"""A pod's life and its orderly end."""

import asyncio
from typing import Any

import aiohttp
from reconciler_sandbox.node.behaviour import Behaviour

from tests.kit.pods import session
from tests.kit.sandbox import DEPLOYMENTS, PODS, REPLICA_SETS, SERVICES, ready_addresses, running, set_image, status
from tests.kit.wait import until
from tests.kit.workloads import deployment, replica_set, service, template


async def test_a_pod_becomes_ready_and_answers_at_its_address() -> None:
    async with running() as cluster, session() as client:
        await cluster.api.create(REPLICA_SETS, replica_set(replicas=1))

        async def ready() -> Any:
            pods = [p for p in await cluster.api.list(PODS) if p["status"].get("phase") == "Running"]
            return [p for p in pods if any(c["type"] == "Ready" and c["status"] == "True" for c in p["status"]["conditions"])]

        (found,) = await until(ready)
        assert {c["type"] for c in found["status"]["conditions"]} == {"PodScheduled", "Initialized", "ContainersReady", "Ready"}
        assert found["status"]["containerStatuses"][0]["imageID"].startswith("web@sha256:")
        host, port = cluster.node.where(found["status"]["podIP"], 8080)
        async with client.get(f"http://{host}:{port}/") as response:
            assert await response.json() == {"version": "v1", "pod": found["metadata"]["name"], "image": "web:1"}


async def test_a_crash_loop_is_never_ready() -> None:
    async with running({"web:1": Behaviour("v1", crash=True)}) as cluster:
        await cluster.api.create(REPLICA_SETS, replica_set(replicas=1))

        async def looping() -> Any:
            (found,) = await cluster.api.list(PODS) or ({},)
            (container,) = (found.get("status") or {}).get("containerStatuses") or ({},)
            return container.get("restartCount", 0) >= 2 and "waiting" in container["state"] and found

        found = await until(looping)
        assert found["status"]["containerStatuses"][0]["state"]["waiting"]["reason"] == "CrashLoopBackOff"
        assert "readyReplicas" not in await status(cluster.api, f"{REPLICA_SETS}/web")


async def test_a_drain_loses_no_request_under_steady_load() -> None:
    async with running({image: Behaviour(image, latency=0.02) for image in ("web:1", "web:2")}) as cluster, session() as client:
        api = cluster.api
        await api.create(SERVICES, service())
        await api.create(DEPLOYMENTS, deployment(replicas=2))

        async def up() -> bool:
            return len(await ready_addresses(api, "web")) == 2

        await until(up)
        answers: list[str] = []
        done = asyncio.Event()

        async def load() -> None:
            while not done.is_set():
                # Like a mesh, it learns of a change a little later: each list serves for a few requests.
                for ip, port in [cluster.node.where(*address) for address in await ready_addresses(api, "web")] * 2:
                    async with client.get(f"http://{ip}:{port}/", timeout=aiohttp.ClientTimeout(10)) as response:
                        assert response.status == 200
                        answers.append((await response.json())["version"])

        async def rolled() -> bool:
            counts = await status(api, f"{DEPLOYMENTS}/web")
            old = [p for p in await api.list(PODS) if p["spec"]["containers"][0]["image"] == "web:1"]
            return counts.get("updatedReplicas") == 2 and not old

        async with asyncio.TaskGroup() as group:
            for _ in range(4):
                group.create_task(load())
            await api.patch(f"{DEPLOYMENTS}/web", set_image("web:2"), style="strategic")
            await until(rolled)
            done.set()
        assert set(answers) == {"web:1", "web:2"}


async def test_init_containers_run_before_the_others() -> None:
    async with running() as cluster:
        first = [{"name": "first", "image": "works:1"}]
        manifest = {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "solo", "namespace": "shop"},
            "spec": {**template()["spec"], "initContainers": first},
        }
        await cluster.api.create(PODS, manifest)

        async def up() -> bool:
            return (await status(cluster.api, f"{PODS}/solo")).get("phase") == "Running"

        await until(up)
        found = await status(cluster.api, f"{PODS}/solo")
        assert found["initContainerStatuses"][0]["state"]["terminated"]["exitCode"] == 0
        assert cluster.node.logs("shop", "solo", "first") == "works exits with 0\n"
