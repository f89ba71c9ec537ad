"""Rollouts that borrow their template (contract 1.6, C14)."""

from typing import Any

from reconciler.kernel.resources import DEPLOYMENTS, POD_TEMPLATES
from reconciler.rollouts.pods.referent import borrowed, referent_of
from reconciler.rollouts.spec.model import Canary, RolloutSpec, WorkloadRef
from tests.kit.rollouts import NAMESPACE, canary, deployment, pause, rollout, template, weight
from tests.kit.world import World


def borrowing(scale_down: str = "", **fields: Any) -> dict[str, Any]:
    reference = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web", **({"scaleDown": scale_down} if scale_down else {})}
    manifest = rollout(canary=canary(weight(50), pause()), workloadRef=reference, **fields)
    for part in ("template", "selector"):
        manifest["spec"].pop(part)
    return manifest


def replicas(world: World) -> int:
    found = world.store.get(DEPLOYMENTS, NAMESPACE, "web")
    assert found is not None
    return int(found["spec"]["replicas"])


def test_the_template_comes_from_the_deployment_and_never_into_the_rollout() -> None:
    world = World(borrowing(), (DEPLOYMENTS, deployment())).settle()
    assert (world.phase, world.size("web:1"), replicas(world)) == ("Healthy", 4, 4)
    assert "template" not in world.rollout["spec"] and "selector" not in world.rollout["spec"]
    assert world.status["workloadObservedGeneration"] == "1"
    assert world.rollout["metadata"]["annotations"]["rollout.argoproj.io/workload-generation"] == "1"


def test_a_new_image_in_the_deployment_is_an_update() -> None:
    world = World(borrowing(), (DEPLOYMENTS, deployment())).settle()
    world.clock.time = world.clock.time.replace(second=5)
    world.store.put(DEPLOYMENTS, deployment(image="web:2"))
    world.settle()
    assert (world.phase, world.size("web:2")) == ("Paused CanaryPauseStep", 2)
    assert world.status["workloadObservedGeneration"] == "2"


def test_progressively_the_deployment_shrinks_as_pods_become_ready() -> None:
    world = World(borrowing("progressively"), (DEPLOYMENTS, deployment()))
    seen = []
    for _ in range(15):
        world.one_pass()
        seen.append((world.status.get("readyReplicas", 0), replicas(world)))
        world.kubelet()
    assert all(left >= 4 - ready for ready, left in seen)
    assert (world.settle().phase, replicas(world)) == ("Healthy", 0)


def test_on_success_the_deployment_goes_when_the_rollout_is_healthy() -> None:
    world = World(borrowing("onsuccess"), (DEPLOYMENTS, deployment())).breaks("web:1").settle()
    assert replicas(world) == 4
    world.breaks("web:1", ready=True).settle()
    world.one_pass()
    assert replicas(world) == 0


def test_a_later_revision_never_touches_the_deployment() -> None:
    world = World(borrowing("onsuccess"), (DEPLOYMENTS, deployment())).settle()
    world.clock.time = world.clock.time.replace(second=5)
    world.store.put(DEPLOYMENTS, deployment(image="web:2", replicas=3))
    world.settle().press(pauseConditions=None).settle()
    assert (world.phase, replicas(world)) == ("Healthy", 3)


def test_a_missing_referent_is_an_invalid_spec_that_mends_itself() -> None:
    world = World(borrowing()).settle()
    assert world.phase.startswith('Degraded InvalidSpec: The Rollout "web" is invalid: spec.workloadRef: Invalid value: "web"')
    world.store.put(DEPLOYMENTS, deployment())
    world.wait(21)
    assert world.phase == "Healthy"


def test_kinds_outside_the_table_are_refused() -> None:
    manifest = borrowing()
    manifest["spec"]["workloadRef"]["kind"] = "StatefulSet"
    assert "workload of type apps/StatefulSet is not supported" in World(manifest).settle().phase


def test_a_template_beside_a_reference_is_refused() -> None:
    manifest = borrowing()
    manifest["spec"]["template"] = template()
    world = World(manifest, (DEPLOYMENTS, deployment())).settle()
    assert "template must be empty for workload reference rollout" in world.phase


def test_a_pod_template_has_no_selector_to_lend() -> None:
    spec = RolloutSpec(strategy=Canary(), selector={"matchLabels": {"a": "b"}})
    lent = borrowed(spec, {"kind": "PodTemplate", "template": template()})
    assert (lent.template, lent.selector) == (template(), {"matchLabels": {"a": "b"}})
    assert referent_of(WorkloadRef("v1", "PodTemplate", "x")) == POD_TEMPLATES
