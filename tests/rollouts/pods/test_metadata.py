"""Labels that pods wear while they play a role (contract 10.4)."""

from reconciler.kernel.identity import labels_of
from reconciler.kernel.resources import PODS
from tests.kit.rollouts import canary, pause, rollout, weight
from tests.kit.world import World, deployed

METADATA = {"canaryMetadata": {"labels": {"role": "canary"}}, "stableMetadata": {"labels": {"role": "stable"}}}


def worn(world: World, image: str) -> set[str]:
    pods = [pod for pod in world.store.list(PODS) if pod["spec"]["containers"][0]["image"] == image]
    return {labels_of(pod).get("role", "") for pod in pods}


def test_canary_and_stable_pods_wear_their_roles_without_a_restart() -> None:
    world = deployed(rollout(canary=canary(weight(50), pause(), **METADATA)))
    before = {pod["metadata"]["uid"] for pod in world.store.list(PODS)}
    assert worn(world, "web:1") == {"stable"}
    world.push("web:2").settle()
    assert (worn(world, "web:1"), worn(world, "web:2")) == ({"stable"}, {"canary"})
    assert {pod["metadata"]["uid"] for pod in world.store.list(PODS) if labels_of(pod).get("role") == "stable"} < before
    world.press(pauseConditions=None).settle()
    assert (world.phase, worn(world, "web:2")) == ("Healthy", {"stable"})


def test_the_labels_do_not_make_a_new_version() -> None:
    world = deployed(rollout(canary=canary(weight(50), pause(), **METADATA))).push("web:2").settle()
    assert len(world.replica_sets) == 2 and world.phase == "Paused CanaryPauseStep"


def test_nothing_is_touched_where_nothing_is_configured() -> None:
    world = deployed(rollout(canary=canary(weight(50), pause()))).push("web:2").settle()
    assert not [write for write in world.store.writes if write.startswith("replace Pod")]
