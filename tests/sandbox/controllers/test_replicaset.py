"""ReplicaSets keep their pods."""

from datetime import UTC, datetime
from typing import Any

from reconciler_sandbox.controllers.replicaset import next_availability, removal_order, status_of
from reconciler_sandbox.node.behaviour import Behaviour

from tests.kit.sandbox import PODS, REPLICA_SETS, event_messages, running, status
from tests.kit.wait import until
from tests.kit.workloads import pod, replica_set

WEB = f"{REPLICA_SETS}/web"
NOW = datetime(2026, 1, 1, 0, 0, 30, tzinfo=UTC)


async def test_a_replica_set_creates_pods_and_counts_them() -> None:
    async with running() as cluster:
        api = cluster.api
        await api.create(REPLICA_SETS, replica_set(replicas=2))

        async def available() -> Any:
            return (await status(api, WEB)).get("availableReplicas") == 2

        await until(available)
        counted = await status(api, WEB)
        assert (counted["replicas"], counted["fullyLabeledReplicas"], counted["readyReplicas"]) == (2, 2, 2)
        assert counted["observedGeneration"] == 1
        names = sorted(p["metadata"]["name"] for p in await api.list(PODS))
        assert sorted(await event_messages(api, "SuccessfulCreate")) == [f"Created pod: {name}" for name in names]
        assert all(name.startswith("web-") and len(name) == len("web-xxxxx") for name in names)


async def test_a_replica_set_replaces_a_deleted_pod_at_once() -> None:
    async with running() as cluster:
        api = cluster.api
        await api.create(REPLICA_SETS, replica_set(replicas=1))
        (first,) = await until(lambda: api.list(PODS))
        await api.delete(f"{PODS}/{first['metadata']['name']}")

        async def replaced() -> Any:
            return [p for p in await api.list(PODS) if p["metadata"]["uid"] != first["metadata"]["uid"]]

        assert await until(replaced)


async def test_shrinking_takes_the_pods_that_are_not_ready() -> None:
    async with running() as cluster:
        api = cluster.api
        await api.create(REPLICA_SETS, replica_set(replicas=1))

        async def ready() -> Any:
            return (await status(api, WEB)).get("readyReplicas") == 1

        await until(ready)
        (good,) = await api.list(PODS)
        cluster.behaviours["web:1"] = Behaviour("v1", ready_after=60)
        await api.patch(WEB, {"spec": {"replicas": 6}})

        async def more() -> Any:
            return (await status(api, WEB)).get("replicas") == 6

        await until(more)
        await api.patch(WEB, {"spec": {"replicas": 1}})

        async def alone() -> Any:
            pods = await api.list(PODS)
            return len(pods) == 1 and pods

        (left,) = await until(alone)
        assert left["metadata"]["uid"] == good["metadata"]["uid"]


async def test_a_refused_pod_is_told_in_the_status() -> None:
    async with running() as cluster:
        api = cluster.api
        invalid = replica_set(replicas=1)
        invalid["spec"]["template"]["metadata"]["finalizers"] = ["not qualified"]
        await api.create(REPLICA_SETS, invalid)

        async def failed() -> Any:
            return (await status(api, WEB)).get("conditions")

        (condition,) = await until(failed)
        assert (condition["type"], condition["status"], condition["reason"]) == ("ReplicaFailure", "True", "FailedCreate")
        assert not await api.list(PODS)
        assert await event_messages(api, "FailedCreate")


def test_the_status_counts_ready_and_available_apart() -> None:
    owner = replica_set(minReadySeconds=60)
    owner["metadata"]["generation"] = 4
    counted = status_of(owner, [pod(), pod("b", ready=False)], NOW)
    assert (counted["replicas"], counted["readyReplicas"], counted["availableReplicas"]) == (2, 1, None)
    assert counted["observedGeneration"] == 4
    assert next_availability([pod()], 60, NOW) == 30
    assert next_availability([pod()], 0, NOW) is None


def test_the_least_useful_pod_goes_first() -> None:
    young = {"creationTimestamp": "2026-01-02T00:00:00Z"}
    pods = [
        pod("old"),
        pod(
            "young",
            metadata=young,
            status={"conditions": [{"type": "Ready", "status": "True", "lastTransitionTime": "2026-01-02T00:00:00Z"}]},
        ),
        pod("cheap", metadata={"annotations": {"controller.kubernetes.io/pod-deletion-cost": "-1"}}),
        pod("unready", ready=False),
        pod("pending", ready=False, status={"phase": "Pending"}),
        pod("unscheduled", ready=False, spec={"nodeName": ""}, status={"phase": "Pending"}),
    ]
    order = [p["metadata"]["name"] for p in sorted(pods, key=removal_order)]
    assert order == ["unscheduled", "pending", "unready", "cheap", "young", "old"]
