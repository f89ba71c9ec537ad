"""Deployments roll from template to template."""

import asyncio
from collections.abc import Awaitable, Callable

from reconciler_sandbox.client import ApiClient
from reconciler_sandbox.controllers.rolling import HASH_LABEL, REVISION
from reconciler_sandbox.node.behaviour import Behaviour

from tests.kit.sandbox import DEPLOYMENTS, PODS, REPLICA_SETS, event_messages, reason, running, set_image, status
from tests.kit.wait import until
from tests.kit.workloads import deployment

WEB = f"{DEPLOYMENTS}/web"


def settled(api: ApiClient, image: str, replicas: int = 3) -> Callable[[], Awaitable[bool]]:
    """Asks whether the Deployment runs this image on all its replicas, and nothing else."""

    async def ask() -> bool:
        found = await api.get(WEB) or {}
        counts = found.get("status") or {}
        current = counts.get("observedGeneration", 0) >= found["metadata"]["generation"]
        full = counts.get("availableReplicas", 0) == counts.get("updatedReplicas", 0) == counts.get("replicas", 0) == replicas
        return current and full and found["spec"]["template"]["spec"]["containers"][0]["image"] == image

    return ask


async def sizes(api: ApiClient) -> dict[str, int]:
    """Wanted replicas by image."""
    return {r["spec"]["template"]["spec"]["containers"][0]["image"]: r["spec"]["replicas"] for r in await api.list(REPLICA_SETS)}


async def test_a_rolling_update_of_three_never_falls_below_its_availability() -> None:
    async with running() as cluster:
        api = cluster.api
        await api.create(DEPLOYMENTS, deployment(replicas=3))
        await until(settled(api, "web:1"))
        lowest, highest = 3, 3

        async def observe() -> None:
            nonlocal lowest, highest
            async for _ in api.watch(PODS):
                pods = [p for p in await api.list(PODS) if not p["metadata"].get("deletionTimestamp")]
                ready = [
                    p for p in pods if any(c["type"] == "Ready" and c["status"] == "True" for c in p["status"].get("conditions") or ())
                ]
                lowest, highest = min(lowest, len(ready)), max(highest, len(pods))

        watching = asyncio.create_task(observe())
        await api.patch(WEB, set_image("web:2"), style="strategic")
        await until(settled(api, "web:2"))
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
        assert lowest == 3
        assert highest == 4
        assert await sizes(api) == {"web:1": 0, "web:2": 3}
        assert await reason(api, WEB, "Progressing") == "NewReplicaSetAvailable"


async def test_a_replica_set_carries_the_hash_and_the_revision() -> None:
    async with running() as cluster:
        api = cluster.api
        await api.create(DEPLOYMENTS, deployment(replicas=1))
        await until(settled(api, "web:1", 1))
        (owned,) = await api.list(REPLICA_SETS)
        label = owned["metadata"]["labels"][HASH_LABEL]
        assert owned["metadata"]["name"] == f"web-{label}"
        assert [p["metadata"]["labels"][HASH_LABEL] for p in await api.list(PODS)] == [label]
        found = await api.get(WEB) or {}
        assert found["metadata"]["annotations"][REVISION] == owned["metadata"]["annotations"][REVISION] == "1"
        assert await event_messages(api, "ScalingReplicaSet") == [f"Scaled up replica set web-{label} from 0 to 1"]


async def test_going_back_reuses_the_old_replica_set_with_a_new_revision() -> None:
    async with running() as cluster:
        api = cluster.api
        await api.create(DEPLOYMENTS, deployment(replicas=1))
        await until(settled(api, "web:1", 1))
        await api.patch(WEB, set_image("web:2"), style="strategic")
        await until(settled(api, "web:2", 1))
        await api.patch(WEB, set_image("web:1"), style="strategic")
        await until(settled(api, "web:1", 1))
        assert await sizes(api) == {"web:1": 1, "web:2": 0}
        revisions = {r["spec"]["replicas"]: r["metadata"]["annotations"][REVISION] for r in await api.list(REPLICA_SETS)}
        assert revisions == {1: "3", 0: "2"}


async def test_a_paused_deployment_scales_but_does_not_roll() -> None:
    async with running() as cluster:
        api = cluster.api
        await api.create(DEPLOYMENTS, deployment(replicas=1))
        await until(settled(api, "web:1", 1))
        await api.patch(WEB, {"spec": {"paused": True}})
        await api.patch(WEB, set_image("web:2"), style="strategic")
        await api.patch(WEB, {"spec": {"replicas": 2}})

        async def scaled() -> bool:
            return (await status(api, WEB)).get("availableReplicas") == 2

        await until(scaled)
        assert await sizes(api) == {"web:1": 2}
        assert await reason(api, WEB, "Progressing") == "DeploymentPaused"
        await api.patch(WEB, {"spec": {"paused": False}})
        await until(settled(api, "web:2", 2))


async def test_recreate_waits_until_the_last_old_pod_is_gone() -> None:
    async with running() as cluster:
        api = cluster.api
        await api.create(DEPLOYMENTS, deployment(replicas=2, strategy={"type": "Recreate"}))
        await until(settled(api, "web:1", 2))
        mixed: list[set[str]] = []

        async def observe() -> None:
            async for _ in api.watch(PODS):
                mixed.append({p["spec"]["containers"][0]["image"] for p in await api.list(PODS)})

        watching = asyncio.create_task(observe())
        await api.patch(WEB, set_image("web:2"), style="strategic")
        await until(settled(api, "web:2", 2))
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
        assert {"web:1", "web:2"} not in mixed


async def test_a_version_that_never_gets_ready_leaves_the_old_one_serving_and_is_reported() -> None:
    async with running() as cluster:
        api = cluster.api
        cluster.behaviours["web:2"] = Behaviour("v2", crash=True)
        await api.create(DEPLOYMENTS, deployment(replicas=3, progressDeadlineSeconds=1))
        await until(settled(api, "web:1"))
        await api.patch(WEB, set_image("web:2"), style="strategic")

        async def stuck() -> bool:
            return await reason(api, WEB, "Progressing") == "ProgressDeadlineExceeded"

        await until(stuck)
        assert (await status(api, WEB))["availableReplicas"] == 3
        assert await sizes(api) == {"web:1": 3, "web:2": 1}


async def test_old_revisions_beyond_the_limit_are_removed() -> None:
    async with running() as cluster:
        api = cluster.api
        await api.create(DEPLOYMENTS, deployment(replicas=1, revisionHistoryLimit=1))
        for image in ("web:1", "web:2", "web:3"):
            await api.patch(WEB, set_image(image), style="strategic")
            await until(settled(api, image, 1))

        async def trimmed() -> bool:
            return set(await sizes(api)) == {"web:2", "web:3"}

        await until(trimmed)


async def test_resizing_in_the_middle_of_a_rollout_keeps_both_sides() -> None:
    async with running() as cluster:
        api = cluster.api
        cluster.behaviours["web:2"] = Behaviour("v2", ready_after=60)
        await api.create(DEPLOYMENTS, deployment(replicas=4))
        await until(settled(api, "web:1", 4))
        await api.patch(WEB, set_image("web:2"), style="strategic")

        async def begun() -> bool:
            return (await sizes(api)).get("web:2") == 2

        await until(begun)
        await api.patch(WEB, {"spec": {"replicas": 8}})

        async def grown() -> bool:
            found = await sizes(api)
            return sum(found.values()) == 10 and found["web:1"] > 3 and found["web:2"] > 2

        await until(grown)
