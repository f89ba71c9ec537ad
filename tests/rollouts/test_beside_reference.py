"""What the reference's own suite and clients look at: events in their order, pointer fields, full promotion against abort."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from reconciler.kernel.resources import ANALYSIS_TEMPLATES, SERVICES
from reconciler.kube.errors import Refused
from reconciler.rollouts.status.manifest import parse_status, render_status
from tests.kit.rollouts import analysis, analysis_template, canary, pause, rollout, service, weight
from tests.kit.world import World, deployed


def green(**fields: Any) -> World:
    """A blue/green rollout that runs its first version."""
    others = [(SERVICES, service(name)) for name in ("active", "preview")]
    manifest = rollout(blue_green={"activeService": "active", "previewService": "preview", **fields})
    return deployed(manifest, *others, (ANALYSIS_TEMPLATES, analysis_template()))


def messages(world: World, reason: str) -> list[str]:
    return [event["message"] for event in world.store.events if event["reason"] == reason]


def refusing(world: World) -> World:
    """An API that refuses every new ReplicaSet, as a policy or a wrong type does."""

    def refuse(write: str) -> None:
        if write.startswith("create ReplicaSet"):
            raise Refused(422, "Invalid", "admission webhook denied it")

    world.store.before_write = refuse
    return world


def refused_pass(world: World) -> World:
    world.one_pass()
    assert "ReplicaSetCreateError" in world.reasons
    return world


# ---- events (contract 3.9) ----


def test_the_events_of_an_aborted_and_retried_canary_are_the_references_in_its_order() -> None:
    world = deployed(rollout(canary=canary(weight(50), pause(3)), replicas=1)).push("web:2").settle()
    world.press(abort=True).settle().press(abort=False).settle().wait(5)
    assert world.phase == "Healthy"
    assert world.reasons == [
        "RolloutAddedToInformer",
        "RolloutUpdated",
        "NewReplicaSetCreated",
        "RolloutNotCompleted",
        "ScalingReplicaSet",
        "RolloutCompleted",
        "RolloutUpdated",
        "NewReplicaSetCreated",
        "RolloutNotCompleted",
        "ScalingReplicaSet",
        "RolloutStepCompleted",
        "RolloutPaused",
        "ScalingReplicaSet",
        "RolloutAborted",
        "ScalingReplicaSet",
        "RolloutStepCompleted",
        "RolloutPaused",
        "RolloutStepCompleted",
        "RolloutResumed",
        "ScalingReplicaSet",
        "RolloutCompleted",
    ]


def test_a_rollout_is_greeted_once_with_its_place() -> None:
    world = deployed(rollout(canary=canary())).push("web:2").settle()
    assert messages(world, "RolloutAddedToInformer") == ["Rollout resource added to informer: shop/web"]


def test_a_first_canary_is_told_as_not_completed_yet_and_a_first_blue_green_is_not() -> None:
    first = deployed(rollout(canary=canary()))
    assert messages(first, "RolloutNotCompleted") == [
        f"Rollout not completed, started update to revision 1 ({first.status['currentPodHash']})"
    ]
    assert messages(green(), "RolloutNotCompleted") == []


def test_a_version_that_comes_back_is_told_with_its_new_revision() -> None:
    world = deployed(rollout(canary=canary())).push("web:2").settle().push("web:1").settle()
    assert messages(world, "RolloutUpdated") == [f"Rollout updated to revision {number}" for number in (1, 2, 3)]
    assert len(messages(world, "NewReplicaSetCreated")) == 2


def test_a_run_of_blue_green_is_told_with_the_status_on_record() -> None:
    world = green(postPromotionAnalysis=analysis()).push("web:2").settle()
    name = next(iter(world.runs))
    world.end_run(name, "Running").settle().end_run(name, "Successful").settle()
    told = [event["message"] for event in world.store.events if event["reason"].startswith("AnalysisRun")]
    assert told == [
        f"PostPromotion Analysis Run '{name}' Status New: 'Running' Previous: ''",
        f"PostPromotion Analysis Run '{name}' Status New: 'Successful' Previous: 'Running'",
    ]


# ---- pointer fields (contract 3.2, 3.8) ----


def test_a_pause_below_a_second_is_written_as_zero_seconds() -> None:
    world = deployed(rollout(canary=canary(weight(50), pause()))).push("web:2").settle()
    assert "totalManualPauseDurationSeconds" not in world.status["duration"]
    world.press(pauseConditions=None).settle()
    assert world.status["duration"]["totalManualPauseDurationSeconds"] == 0


@pytest.mark.parametrize(
    "written",
    [
        {"duration": {"totalManualPauseDurationSeconds": 0}},
        {"currentStepIndex": 0},
        {"collisionCount": 0},
        {"canary": {"weights": {"canary": {"weight": 0}, "stable": {"weight": 0}, "verified": False}}},
    ],
)
def test_what_clients_dereference_is_written_when_it_is_zero(written: dict[str, Any]) -> None:
    empty = {"canary": {}, "blueGreen": {}}
    assert render_status(parse_status(written)) == empty | written


# ---- blue/green and its analysis after the switch (contract 2.9, 5.5) ----


def test_a_version_rejected_after_the_switch_stays_reachable_for_its_abort_delay() -> None:
    world = green(postPromotionAnalysis=analysis(), abortScaleDownDelaySeconds=10).push("web:2").settle()
    world.end_run(next(iter(world.runs)), "Failed").settle()
    for _ in range(3):
        world.wait(3)
        assert (world.selected("active"), world.selected("preview"), world.size("web:2")) == ("web:1", "web:2", 4)
    world.wait(3)
    assert world.size("web:2") == 0


def full(world: World) -> World:
    return world.push("web:2").settle().press(promoteFull=True).settle()


def undone(world: World) -> World:
    world.push("web:2").settle().end_run(next(iter(world.runs)), "Successful").settle()
    return world.push("web:1").settle()


@pytest.mark.parametrize(("way", "left"), [(full, "web:1"), (undone, "web:2")])
def test_nothing_waits_for_a_run_after_the_switch_that_never_comes(way: Callable[[World], World], left: str) -> None:
    world = way(green(postPromotionAnalysis=analysis()))
    assert world.phase == "Healthy" and world.size(left) == 4
    assert world.wait(40).size(left) == 0


def test_an_older_version_waits_while_the_run_after_the_switch_is_open() -> None:
    world = green(postPromotionAnalysis=analysis()).push("web:2").settle()
    world.wait(100)
    assert (world.size("web:1"), world.size("web:2")) == (4, 4)


def test_an_inconclusive_run_after_the_switch_leaves_progressing_paused() -> None:
    world = green(postPromotionAnalysis=analysis()).push("web:2").settle()
    world.end_run(next(iter(world.runs)), "Inconclusive").settle()
    progress = world.condition("Progressing")
    assert (progress["status"], progress["reason"], progress["message"]) == ("Unknown", "RolloutPaused", "Rollout is paused")
    assert world.phase == "Paused InconclusiveAnalysisRun"


# ---- full promotion and abort ----


def test_an_aborted_attempt_that_is_promoted_in_full_ends_promoted() -> None:
    world = deployed(rollout(canary=canary(weight(50), pause()))).push("web:2").settle().press(abort=True).settle()
    assert world.status["duration"]["completionStatus"] == "Aborted"
    world.press(promoteFull=True).settle()
    assert (world.phase, world.status["duration"]["completionStatus"]) == ("Healthy", "FastPromoted")


@pytest.mark.parametrize("strategy", ["canary", "blueGreen"])
def test_an_abort_after_a_full_promotion_whose_pods_never_come_brings_users_home(strategy: str) -> None:
    world = deployed(rollout(canary=canary(weight(50), pause()))) if strategy == "canary" else green(autoPromotionEnabled=False)
    world.breaks("web:2").push("web:2").settle().press(promoteFull=True).settle()
    assert world.phase.startswith("Progressing")
    world.press(abort=True).settle()
    assert world.phase == "Degraded RolloutAborted: Rollout aborted update to revision 2"
    assert "promoteFull" not in world.status and world.size("web:1") == 4
    assert world.wait(60).size("web:2") == 0


def test_a_full_promotion_still_lifts_an_abort_that_was_there_before() -> None:
    world = deployed(rollout(canary=canary(weight(50), pause()))).breaks("web:2").push("web:2").settle().press(abort=True).settle()
    world.press(promoteFull=True).settle()
    assert world.phase.startswith("Progressing") and "abort" not in world.status


def test_a_full_promotion_whose_pods_never_come_is_aborted_by_its_deadline_once() -> None:
    spec = rollout(canary=canary(weight(50), pause()), progressDeadlineSeconds=60, progressDeadlineAbort=True)
    world = deployed(spec).breaks("web:2").push("web:2").settle().press(promoteFull=True).settle().wait(120)
    assert world.phase.startswith("Degraded RolloutAborted") and "promoteFull" not in world.status
    assert world.wait(300).reasons.count("RolloutAborted") == 1


# ---- a ReplicaSet that the API refuses (contract 3.2, 3.5, 3.6) ----


@pytest.mark.parametrize("strategy", ["canary", "blueGreen"])
def test_a_refused_replica_set_is_an_attempt_under_way_and_never_healthy(strategy: str) -> None:
    world = deployed(rollout(canary=canary(weight(50), pause()))) if strategy == "canary" else green()
    generation = int(world.rollout["metadata"].get("generation", 1))
    refused_pass(refusing(world.push("web:2")))
    assert world.phase == "Progressing more replicas need to be updated"
    assert int(world.status["observedGeneration"]) == int(world.rollout["metadata"]["generation"]) > generation
    assert world.status["currentPodHash"] != world.status["stableRS"] and world.condition("Completed")["status"] == "False"
    assert world.condition("Progressing")["reason"] == "ReplicaSetCreateError"


def test_the_deadline_of_a_refused_replica_set_runs_from_the_first_refusal() -> None:
    world = refused_pass(refusing(deployed(rollout(canary=canary(), progressDeadlineSeconds=60)).push("web:2")))
    first = world.condition("Progressing")["lastUpdateTime"]
    world.clock.time += timedelta(seconds=30)
    assert refused_pass(world).condition("Progressing")["lastUpdateTime"] == first
    world.clock.time += timedelta(seconds=31)
    assert refused_pass(world).condition("Progressing")["reason"] == "ProgressDeadlineExceeded"
    assert refused_pass(world).phase.startswith("Degraded ProgressDeadlineExceeded: ReplicaSet")


def test_a_refused_replica_set_is_aborted_by_its_deadline_and_by_a_person() -> None:
    spec = rollout(canary=canary(), progressDeadlineSeconds=60, progressDeadlineAbort=True)
    late = refused_pass(refusing(deployed(spec).push("web:2")))
    late.clock.time += timedelta(seconds=61)
    assert refused_pass(late).phase.endswith("has timed out progressing.") and late.status["abort"] is True
    pressed = refused_pass(refusing(deployed(rollout(canary=canary())).push("web:2"))).press(abort=True)
    assert refused_pass(pressed).phase == "Degraded RolloutAborted: Rollout aborted update to revision 1"


def test_a_refusal_that_ends_lets_the_attempt_begin_at_its_first_step() -> None:
    world = refused_pass(refusing(deployed(rollout(canary=canary(weight(50), pause()))).push("web:2")))
    world.store.before_write = lambda write: None
    assert world.settle().phase == "Paused CanaryPauseStep"
    assert (world.size("web:1"), world.size("web:2"), world.status["currentStepIndex"]) == (2, 2, 1)


@pytest.mark.parametrize("strategy", ["canary", "blueGreen"])
def test_a_first_version_that_is_refused_is_not_stable(strategy: str) -> None:
    others = [(SERVICES, service(name)) for name in ("active", "preview")]
    blue_green = {"activeService": "active", "previewService": "preview"}
    spec = rollout(canary=canary()) if strategy == "canary" else rollout(blue_green=blue_green)
    world = refused_pass(refusing(World(spec, *others)))
    assert "stableRS" not in world.status and world.phase == "Progressing more replicas need to be updated"
