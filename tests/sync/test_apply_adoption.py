"""A plain Deployment is adopted by policy before any new image reaches it, and handed back by taking the policy away."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from reconciler_sandbox.client import Answer, Call

from reconciler.kernel.identity import Manifest, ObjectRef, annotations_of, labels_of
from reconciler.kernel.resources import AUTOSCALERS, CONFIGMAPS, DEPLOYMENTS, RELEASE_POLICIES, ROLLOUTS
from reconciler.sync.adoption import ADOPTED
from tests.kit.clusters import NAMESPACE
from tests.kit.desk import Desk, config, desk, image_of, policy

ADOPT = "{workloads: [{kind: Deployment, name: web}], rollout: {strategy: {canary: {steps: [{setWeight: 20}, {pause: {}}]}}}}"


def deployment(image: str = "registry.example.com/web:1.0", team: str = "a") -> str:
    return (
        f"apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: web, namespace: {NAMESPACE}, labels: {{team: {team}}}}}\n"
        "spec:\n  replicas: 2\n  selector: {matchLabels: {app: web}}\n  template:\n    metadata: {labels: {app: web}}\n"
        f"    spec: {{containers: [{{name: web, image: '{image}'}}]}}\n"
    )


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Desk]:
    """A running Deployment, and then a policy that wants it adopted."""
    async with desk(tmp_path) as found:
        found.push({"web.yaml": deployment()})
        await found.look()
        found.push({"p.yaml": policy("p", ADOPT)})
        await found.look()
        await found.follow_policy("p")
        yield found


async def change(shop: Desk, resource: Any, body: Manifest, *, subresource: str = "") -> None:
    answer = await shop.api.client.patch(ObjectRef(resource, NAMESPACE, "web"), body, subresource=subresource)
    if resource in (ROLLOUTS, DEPLOYMENTS):
        await shop._seen(resource, answer)


async def taken_over(shop: Desk) -> None:
    """The rollout layer has the pods, and the Deployment none any more."""
    await shop.look()
    await shop.say(phase="Healthy", currentPodHash="h1", stableRS="h1")
    await change(shop, DEPLOYMENTS, {"spec": {"replicas": 0}})
    await shop.judge()
    await shop.look()


async def test_the_running_version_is_adopted_before_a_new_image_reaches_it(shop: Desk) -> None:
    shop.push({"web.yaml": deployment("registry.example.com/web:1.1")})
    assert await shop.look() is not None
    rollout = await shop.found(ROLLOUTS, "web")
    assert labels_of(rollout) == {ADOPTED: "true"} and annotations_of(rollout)["reconciler.dev/source"] == "shop"
    assert rollout["spec"]["workloadRef"]["name"] == "web"
    assert image_of(await shop.found(DEPLOYMENTS, "web")).endswith(":1.0")
    await taken_over(shop)
    assert image_of(await shop.found(DEPLOYMENTS, "web")).endswith(":1.1")


async def test_the_deployment_keeps_its_zero_replicas(shop: Desk) -> None:
    await taken_over(shop)
    shop.push({"web.yaml": deployment(team="b")})
    await shop.look()
    live = await shop.found(DEPLOYMENTS, "web")
    assert (live["spec"]["replicas"], live["metadata"]["labels"]) == (0, {"team": "b"})
    assert (await shop.found(ROLLOUTS, "web"))["spec"]["replicas"] == 2


async def test_an_autoscaler_on_the_deployment_is_an_objection(tmp_path: Path) -> None:
    spec = {"maxReplicas": 9, "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}}
    metadata = {"name": "web", "namespace": NAMESPACE}
    scaler = {"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": metadata, "spec": spec}
    async with desk(tmp_path) as shop:
        await shop.api.client.create(AUTOSCALERS, scaler)
        shop.push({"web.yaml": deployment(), "p.yaml": policy("p", ADOPT)})
        await shop.look()
        assert await shop.live(ROLLOUTS, "web") is None
        assert "HorizontalPodAutoscaler web owns its replicas" in await shop.problems()


async def test_without_the_policy_the_workload_is_handed_back(shop: Desk) -> None:
    await taken_over(shop)
    shop.push({"p.yaml": None, "c.yaml": config("c"), "d.yaml": config("d"), "e.yaml": config("e")})
    shop.cache.drop(RELEASE_POLICIES, NAMESPACE, "p")
    await shop.look()
    assert (await shop.found(ROLLOUTS, "web"))["spec"]["workloadRef"]["scaleDown"] == "never"
    await shop.say(phase="Healthy", currentPodHash="h1", stableRS="h1")
    await shop.look()
    assert (await shop.found(DEPLOYMENTS, "web"))["spec"]["replicas"] == 2
    await change(shop, DEPLOYMENTS, {"status": {"replicas": 2, "readyReplicas": 2, "availableReplicas": 2}}, subresource="status")
    await shop.look()
    assert await shop.live(ROLLOUTS, "web") is None


async def test_a_conflict_on_the_deployment_hands_nothing_back(shop: Desk) -> None:
    await taken_over(shop)
    shop.push({"web.yaml": deployment(team="b")})

    async def broken(call: Call) -> Answer | None:
        if call.method == "GET" and call.path.endswith("/deployments/web"):
            raise ConnectionResetError
        return None

    shop.api.server.faults = broken
    await shop.look()
    assert "Deployment in shop cannot be read" in await shop.problems()
    assert (await shop.found(ROLLOUTS, "web"))["spec"]["workloadRef"]["scaleDown"] == "onsuccess"


async def test_policies_that_contradict_each_other_adopt_nothing_and_hand_nothing_back(shop: Desk) -> None:
    await taken_over(shop)
    shop.push({"q.yaml": policy("q", ADOPT)})
    await shop.look()
    await shop.follow_policy("q")
    await shop.look()
    assert (await shop.found(ROLLOUTS, "web"))["spec"]["workloadRef"]["scaleDown"] == "onsuccess"
    assert "p and q both claim Deployment shop/web" in await shop.problems()


async def test_other_kinds_are_nobodys_adoption(shop: Desk) -> None:
    shop.push({"c.yaml": config("c")})
    await shop.look()
    assert await shop.live(CONFIGMAPS, "c") is not None
