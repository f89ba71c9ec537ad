"""Labels that pods wear while they play a role (contract 10.4)."""

import pytest

from reconciler.kernel.identity import labels_of
from reconciler.kernel.resources import PODS
from tests.kit.edges import green
from tests.kit.rollouts import canary, pause, rollout, weight
from tests.kit.store import Killed, merged
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


def test_preview_and_active_pods_wear_their_roles_and_old_ones_none() -> None:
    """contract 1.2, 10.4: the roles of blue/green."""
    roles = {"previewMetadata": {"labels": {"role": "preview"}}, "activeMetadata": {"labels": {"role": "active"}}}
    world = green(autoPromotionEnabled=False, **roles)
    assert worn(world, "web:1") == {"active"}
    world.push("web:2").settle()
    assert (worn(world, "web:1"), worn(world, "web:2")) == ({"active"}, {"preview"})
    world.press(pauseConditions=None).settle()
    assert (world.size("web:1"), worn(world, "web:1"), worn(world, "web:2")) == (4, {""}, {"active"})


@pytest.mark.parametrize("key", ["labels", "annotations"])
def test_what_a_pod_wore_before_goes_although_the_process_died_before_it_was_written(key: str) -> None:
    """The ReplicaSet is written first and notes what its pods wear from now on."""
    theirs = {"canaryMetadata": {key: {"trial": "yes"}}, "stableMetadata": {key: {"role": "stable"}}}
    world = deployed(rollout(canary=canary(weight(50), pause(), **theirs))).push("web:2").settle()

    def dies(write: str) -> None:
        if write.startswith("replace Pod"):
            raise Killed

    world.store.before_write = dies
    with pytest.raises(Killed):
        world.press(pauseConditions=None).settle()
    world.store.before_write = lambda write: None
    assert world.settle().phase == "Healthy"
    pods = [pod["metadata"] for pod in world.store.list(PODS) if pod["spec"]["containers"][0]["image"] == "web:2"]
    assert len(pods) == 4 and all("trial" not in pod[key] and pod[key]["role"] == "stable" for pod in pods)


def test_what_a_person_gave_a_pod_and_what_its_template_says_stays() -> None:
    world = (
        deployed(rollout(canary=canary(weight(50), pause(), canaryMetadata={"labels": {"trial": "yes", "app": "web"}})))
        .push("web:2")
        .settle()
    )
    pod = next(pod for pod in world.store.list(PODS) if labels_of(pod).get("trial"))
    world.store.put(PODS, merged(pod, {"metadata": {"labels": {"trial": "mine"}}}))
    other = next(pod for pod in world.store.list(PODS) if "trial" not in labels_of(pod))
    world.store.put(PODS, merged(other, {"metadata": {"labels": {"theirs": "1"}}}))
    world.settle()
    kept = {p["metadata"]["uid"]: labels_of(p) for p in world.store.list(PODS)}
    assert kept[pod["metadata"]["uid"]]["trial"] == "yes" and kept[other["metadata"]["uid"]]["theirs"] == "1"
    assert all(labels["app"] == "web" for labels in kept.values())


def test_the_labels_do_not_make_a_new_version() -> None:
    world = deployed(rollout(canary=canary(weight(50), pause(), **METADATA))).push("web:2").settle()
    assert len(world.replica_sets) == 2 and world.phase == "Paused CanaryPauseStep"


def test_nothing_is_touched_where_nothing_is_configured() -> None:
    world = deployed(rollout(canary=canary(weight(50), pause()))).push("web:2").settle()
    assert not [write for write in world.store.writes if write.startswith("replace Pod")]
