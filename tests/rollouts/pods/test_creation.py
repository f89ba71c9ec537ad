"""The new version's ReplicaSet (contract 10.2, 10.4, 13.45, 13.46)."""

from reconciler.kernel.identity import annotations_of, labels_of
from reconciler.kernel.resources import REPLICA_SETS
from reconciler.kernel.well_known import HASH_LABEL
from tests.kit.rollouts import canary, pause, rollout, weight
from tests.kit.store import merged
from tests.kit.world import World, deployed


def test_it_starts_without_pods_and_with_the_next_revision() -> None:
    world = deployed(rollout(canary=canary(weight(50), pause()))).push("web:2").settle()
    second = world.replica_set("web:2")
    assert (second.revision, second.desired, labels_of(second.manifest)[HASH_LABEL]) == (2, 4, second.hash)
    assert second.name == f"web-{second.hash}"
    assert annotations_of(world.rollout)["rollout.argoproj.io/revision"] == "2"


def test_a_version_that_returns_gets_a_new_revision_and_remembers_the_old() -> None:
    world = deployed(rollout(canary=canary(weight(50), pause()))).push("web:2").settle().push("web:1").settle()
    first = world.replica_set("web:1")
    assert first.revision == 3
    assert annotations_of(first.manifest)["rollout.argoproj.io/revision-history"] == "1"
    assert annotations_of(world.rollout)["rollout.argoproj.io/revision"] == "3"


def test_a_foreign_replica_set_of_that_name_changes_the_hash() -> None:
    world = World(rollout(canary=canary()))
    probe = World(rollout(canary=canary())).settle().replica_sets[0]
    foreign = {"metadata": {"name": probe.name, "namespace": "shop", "ownerReferences": [{"controller": True, "uid": "other"}]}, "spec": {}}
    foreign["spec"] = {"replicas": 0, "template": {"spec": {"containers": [{"image": "other"}]}}}
    world.store.put(REPLICA_SETS, foreign)
    world.settle()
    assert (world.phase, world.status["collisionCount"]) == ("Healthy", 1)
    assert world.replica_set("web:1").name != probe.name


def test_an_equal_template_under_another_hash_is_found_by_meaning() -> None:
    world = deployed(rollout(canary=canary()))
    first = world.replica_set("web:1")
    relabelled = merged(first.manifest, {"metadata": {"labels": {HASH_LABEL: "oldhash"}}})
    world.store.put(REPLICA_SETS, relabelled)
    world.press(stableRS="oldhash", currentPodHash="oldhash").settle()
    assert (world.phase, len(world.replica_sets), world.status["stableRS"]) == ("Healthy", 1, "oldhash")


def test_annotations_of_the_rollout_follow_but_never_leave() -> None:
    world = deployed(rollout(canary=canary())).edit({"metadata": {"annotations": {"team": "a"}}}).settle()
    assert annotations_of(world.replica_set("web:1").manifest)["team"] == "a"
    world.edit({"metadata": {"annotations": {"team": None}}}).settle()
    assert annotations_of(world.replica_set("web:1").manifest)["team"] == "a"


def test_min_ready_seconds_follow_to_the_new_version_only() -> None:
    world = deployed(rollout(canary=canary(weight(50), pause()))).push("web:2").settle()
    world.edit({"spec": {"minReadySeconds": 5}}).settle()
    assert world.replica_set("web:2").manifest["spec"]["minReadySeconds"] == 5
    assert world.replica_set("web:1").manifest["spec"]["minReadySeconds"] == 0


def test_a_found_version_without_any_word_about_progress_is_noted() -> None:
    world = deployed(rollout(canary=canary())).press(conditions=None)
    world.one_pass()
    assert world.condition("Progressing")["reason"] == "FoundNewReplicaSet"
