"""The surprising edge cases of contract 13 about pods: sizes, first versions, ways back, what scales while nobody looks."""

from typing import Any

import pytest

from reconciler.kernel.identity import annotations_of
from reconciler.kernel.resources import PODS, REPLICA_SETS
from reconciler.kernel.well_known import DESIRED_REPLICAS, HASH_LABEL, REVISION
from reconciler.rollouts.replicas.basic import targets
from reconciler.rollouts.replicas.surge import bounds
from tests.kit.edges import MEASURED, STEPS, behind_istio, climbing, course_of, green, passes_of, routed_release, told, two_services
from tests.kit.experiments import ROUTED, experiments, tried
from tests.kit.rollouts import NAMESPACE, analysis, canary, istio_routing, measured, pause, rollout, template, weight
from tests.kit.store import merged
from tests.kit.world import World, deployed


@pytest.mark.parametrize("amount", ["25", "25%"])
def test_13_1_an_amount_in_quotes_is_a_percentage(amount: str) -> None:
    assert bounds(amount, amount, 100) == (25, 25) and bounds("3", "3", 100) == (3, 3)
    assert bounds("3", 0, 10) == (1, 0) and bounds(3, 0, 10) == (3, 0)


BLUE_GREEN = {"activeService": "active", "previewService": "preview"}


@pytest.mark.parametrize(("strategy", "index"), [({"canary": canary(*STEPS)}, len(STEPS)), ({"blue_green": BLUE_GREEN}, None)])
def test_13_2_the_first_version_is_stable_before_any_pod_is_ready_and_skips_every_step(strategy: dict[str, Any], index: int | None) -> None:
    world = World(rollout(**strategy), *two_services()).breaks("web:1").settle()
    assert world.status["stableRS"] == world.status["currentPodHash"] != "" and world.status["replicas"] == 4
    assert world.status.get("currentStepIndex") == index and "pauseConditions" not in world.status
    assert world.phase == "Progressing updated replicas are still becoming available"


def test_13_2_nothing_is_measured_or_tried_out_for_the_first_version() -> None:
    waits = World(rollout(canary=canary(weight(25), measured(), tried(), pause(), analysis=analysis())), MEASURED).settle()
    assert (waits.phase, waits.status["currentStepIndex"], waits.runs, experiments(waits)) == ("Healthy", 4, {}, {})
    tests = World(rollout(blue_green={**BLUE_GREEN, "prePromotionAnalysis": analysis()}), *two_services()).settle()
    assert (tests.phase, tests.runs) == ("Healthy", {})


def test_13_3_an_abort_before_the_first_status_is_dropped() -> None:
    manifest = rollout(canary=canary(*STEPS))
    world = World({**manifest, "status": {"abort": True}}).settle()
    assert (world.phase, "abort" in world.status) == ("Healthy", False)


def test_13_3_before_a_stable_version_there_is_nothing_is_routed_or_measured() -> None:
    world = World(rollout(canary=canary(weight(25), pause(), istio=True, analysis=analysis())), *ROUTED, MEASURED)
    for _ in range(4):
        assert not world.runs and not [write for write in world.store.writes if "VirtualService" in write]
        if world.status.get("stableRS"):
            break
        world.one_pass()
    assert world.status["stableRS"] and world.settle().phase == "Healthy" and not world.runs


def test_13_4_a_stable_version_removed_by_hand_promotes_the_new_one_at_once() -> None:
    world = climbing()
    world.store.remove(REPLICA_SETS, NAMESPACE, world.replica_set("web:1").name)
    world.settle()
    assert (world.phase, world.size("web:2")) == ("Healthy", 4)
    assert told(world, "RolloutCompleted")[-1].endswith(": Initial deploy")


def test_13_5_steps_changed_at_rest_jump_to_their_end_and_roll_nothing_out() -> None:
    world = deployed(rollout(canary=canary(*STEPS)))
    before = world.store.list(PODS)
    world.edit({"spec": {"strategy": {"canary": {"steps": [weight(10), pause(), weight(30)]}}}}).settle()
    assert (world.status["currentStepIndex"], world.phase, "SkipSteps" in world.reasons) == (3, "Healthy", True)
    assert world.store.list(PODS) == before


def test_13_6_steps_changed_on_the_way_begin_at_the_bottom_with_the_same_version() -> None:
    world = climbing().press(abort=True).settle()
    name = world.replica_set("web:2").name
    world.edit({"spec": {"strategy": {"canary": {"steps": [weight(50), pause()]}}}}).settle()
    assert (world.status["currentStepIndex"], world.phase, world.size("web:2")) == (1, "Paused CanaryPauseStep", 2)
    assert "abort" not in world.status and world.replica_set("web:2").name == name


def test_13_7_another_template_lifts_an_abort() -> None:
    world = climbing().press(abort=True).settle().push("web:3").settle()
    assert world.phase == "Paused CanaryPauseStep" and not {"abort", "abortedAt"} & world.status.keys()


@pytest.mark.parametrize(("release", "left"), [(climbing, 0), (routed_release, 1)])
def test_13_8_the_stable_template_again_skips_every_step(release: Any, left: int) -> None:
    world = release().push("web:1").settle()
    assert (world.phase, world.status["currentStepIndex"], world.size("web:2")) == ("Healthy", len(STEPS), left)
    assert told(world, "SkipSteps") == ["Rollback to stable ReplicaSets"]


def test_13_9_users_leave_the_second_version_before_the_third_is_behind_its_service() -> None:
    world = routed_release()
    assert world.weights == [0, 25]
    world.push("web:3").settle()
    assert (world.size("web:1"), world.size("web:2"), world.size("web:3")) == (4, 0, 1)
    assert world.weights == [0, 25, 0, 25] and world.selected("web-canary") == "web:3"


def test_13_9_without_a_router_the_second_version_drains_first() -> None:
    world = climbing().push("web:3").settle()
    assert (world.size("web:1"), world.size("web:2"), world.size("web:3")) == (3, 0, 1)


def test_13_10_pods_come_before_weight_and_stable_shrinks_in_a_later_pass() -> None:
    world = behind_istio(weight(25), pause(), weight(75), pause(), dynamicStableScale=True).breaks("web:2").push("web:2")
    assert course_of(world)[-1] == (4, 1, 0), "no weight while the pod is not there"
    world.breaks("web:2", ready=True)
    assert course_of(world)[-2:] == [(4, 1, 25), (3, 1, 25)]


@pytest.mark.parametrize("step", [{"setWeight": 0}, {"setCanaryScale": {"replicas": 0}}])
def test_13_11_a_canary_without_pods_has_no_weight_and_no_routes(step: dict[str, Any]) -> None:
    header = {"setHeaderRoute": {"name": "testers", "match": [{"headerName": "x", "headerValue": {"exact": "y"}}]}}
    world = routed_release(weight(50), header, pause(), step, pause(), trafficRouting=istio_routing("testers"))
    assert (world.weight, world.routes) == (50, ["testers", "primary"])
    world.press(pauseConditions=None).settle()
    assert (world.size("web:2"), world.weight, world.routes) == (0, 0, ["primary"])


@pytest.mark.parametrize(("replicas", "surge"), [(2, 0), (2, 1), (5, 0), (10, 1), (40, 1)])
def test_13_12_a_share_between_the_ends_has_a_pod_on_each_side(replicas: int, surge: int) -> None:
    assert all(min(targets(replicas, share, 100, surge)) >= 1 for share in range(1, 100))
    assert targets(10, 99, 100, 1) == (10, 1), "one pod more where surge allows it"


def test_13_13_the_only_pod_changes_sides_at_one_half() -> None:
    assert [targets(1, share, 100, 0) for share in (1, 49, 50, 99, 100)] == [(0, 1), (0, 1), (1, 0), (1, 0), (1, 0)]


def test_13_14_more_canary_pods_than_replicas_are_promoted() -> None:
    world = deployed(rollout(replicas=8, canary=canary(weight(100), pause()))).push("web:2").settle()
    world.edit({"spec": {"replicas": 4}}).press(pauseConditions=None)
    assert world.replica_set("web:2").available == 8
    world.settle()
    assert (world.phase, world.size("web:2")) == ("Healthy", 4)


def test_13_15_an_autoscaler_during_the_abort_delay_does_not_starve_the_way_home() -> None:
    world = routed_release().press(abort=True).settle().edit({"spec": {"replicas": 6}}).settle()
    held = annotations_of(world.replica_set("web:2").manifest)
    assert (held[DESIRED_REPLICAS], world.size("web:1"), world.weight) == ("6", 6, 0)
    assert passes_of(world, 2) == [[], []] and world.wait(31).size("web:2") == 0


def test_13_16_a_stale_note_of_an_older_version_is_no_scaling_event() -> None:
    world = climbing()
    labels = {"app": "web", HASH_LABEL: "older"}
    owners = world.replica_set("web:1").manifest["metadata"]["ownerReferences"]
    kept = {"name": "web-older", "namespace": NAMESPACE, "labels": labels, "ownerReferences": owners}
    pod = {**template("web:0"), "metadata": {"labels": labels}}
    spec = {"replicas": 1, "selector": {"matchLabels": labels}, "template": pod}
    world.store.put(REPLICA_SETS, {"metadata": {**kept, "annotations": {REVISION: "1", DESIRED_REPLICAS: "99"}}, "spec": spec})
    assert world.settle().size("web:0") == 0 and world.phase == "Paused CanaryPauseStep"


def test_13_16_nor_is_that_of_one_that_waits_for_its_end() -> None:
    """Its pods stay for ten minutes: a pass that took its note for a scaling event would move nothing else so long."""
    world = routed_release(weight(25), pause(), scaleDownDelaySeconds=600).press(pauseConditions=None).settle()
    old = world.replica_set("web:1")
    assert (old.spec, old.deadline is not None) == (4, True)
    world.store.put(REPLICA_SETS, merged(old.manifest, {"metadata": {"annotations": {DESIRED_REPLICAS: "99"}}}))
    world.push("web:3").settle()
    assert (world.phase, world.weight, world.size("web:1")) == ("Paused CanaryPauseStep", 25, 4)


def test_13_17_a_persons_pause_freezes_a_canary_and_not_blue_green() -> None:
    frozen = climbing().edit({"spec": {"paused": True, "replicas": 8}}).settle()
    assert (frozen.size("web:1"), frozen.size("web:2")) == (3, 1)
    moving = green(autoPromotionEnabled=False).push("web:2").settle().edit({"spec": {"paused": True, "replicas": 6}}).settle()
    assert (moving.size("web:1"), moving.size("web:2")) == (6, 6)


def test_13_29_a_restart_that_meets_a_new_template_counts_as_done() -> None:
    world = deployed(rollout(canary=canary(weight(50), pause()))).edit({"spec": {"restartAt": "2030-01-01T12:30:00Z"}})
    world.push("web:2").settle().wait(3600)
    assert (world.status["restartedAt"], world.phase) == ("2030-01-01T12:30:00Z", "Paused CanaryPauseStep")
    assert not [write for write in world.store.writes if write.startswith("evict")]


def test_13_43_a_floor_above_the_replicas_is_capped() -> None:
    world = routed_release(weight(5), pause(), replicas=1, minPodsPerReplicaSet=3)
    assert (world.size("web:2"), world.phase) == (1, "Paused CanaryPauseStep")


def test_13_44_a_threshold_lets_steps_traffic_and_promotion_go_on_early() -> None:
    world = behind_istio(weight(50), pause(), replicaProgressThreshold={"type": "Percent", "value": 50})
    world.limits["web:2"] = 1
    assert (world.push("web:2").settle().phase, world.weight) == ("Paused CanaryPauseStep", 50)
    world.limits["web:2"] = 2
    world.press(pauseConditions=None).settle()
    assert world.status["stableRS"] == world.status["currentPodHash"]


def test_13_45_a_version_is_known_by_what_it_means_whatever_its_hash() -> None:
    world = climbing()
    known = world.replica_set("web:2").hash
    container = world.rollout["spec"]["template"]["spec"]["containers"][0]
    written_out = {**container, "imagePullPolicy": "IfNotPresent", "terminationMessagePolicy": "File"}
    world.edit({"spec": {"template": {"spec": {"containers": [written_out]}}}}).settle()
    assert (world.status["currentPodHash"], len(world.replica_sets), world.phase) == (known, 2, "Paused CanaryPauseStep")


def test_13_46_the_history_of_revisions_grows_with_every_sync_of_annotations() -> None:
    world = deployed(rollout(canary=canary()))
    for note in ("a", "b"):
        world.edit({"metadata": {"annotations": {f"note-{note}": note}}}).settle()
    assert annotations_of(world.replica_set("web:1").manifest)["rollout.argoproj.io/revision-history"] == "1,1"


def test_13_58_no_replicas_at_all_divide_nothing_and_are_healthy() -> None:
    world = behind_istio(weight(50), replicas=0, dynamicStableScale=True).push("web:2").press(promoteFull=True).settle()
    assert (world.phase, world.size("web:2"), targets(0, 50, 100, 1), bounds(1, 1, 0)) == ("Healthy", 0, (0, 0), (1, 0))


def test_13_59_a_router_without_steps_sends_nobody_before_the_promotion() -> None:
    world = behind_istio().push("web:2").settle()
    assert (world.phase, set(world.weights), world.selected("web-stable"), world.size("web:2")) == ("Healthy", {0}, "web:2", 4)


def test_13_60_a_restart_evicts_and_its_status_comes_a_pass_later() -> None:
    world = deployed(rollout(canary=canary())).wait(5).edit({"spec": {"restartAt": "2030-01-01T12:00:03Z"}})
    evicting = [writes for writes in passes_of(world, 20) if any(write.startswith("evict") for write in writes)]
    assert evicting and not [write for writes in evicting for write in writes if "status" in write]
    assert world.wait(120).status["restartedAt"] == "2030-01-01T12:00:03Z"
