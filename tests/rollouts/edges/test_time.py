"""The surprising edge cases of contract 13 about waiting: pauses, aborts, delays, deadlines, promotions and ways back."""

from dataclasses import replace
from datetime import timedelta

import pytest

from reconciler.kernel.resources import SERVICES
from reconciler.rollouts.status.conditions import written
from reconciler.rollouts.status.manifest import parse_status
from tests.kit.edges import MEASURED, behind_istio, climbing, green, passes_of, routed_release, told
from tests.kit.rollouts import NAMESPACE, analysis, canary, measured, pause, rollout, service, weight
from tests.kit.world import deployed
from tests.rollouts.traffic.test_ping_pong import stable_turn, turning


def test_13_18_one_gesture_resumes_an_inconclusive_run_and_the_pause_step_it_stands_on() -> None:
    world = climbing(weight(25), pause(), weight(50), pause(), analysis=analysis())
    world.end_run(next(iter(world.runs)), "Inconclusive").settle()
    assert {p["reason"] for p in world.status["pauseConditions"]} == {"CanaryPauseStep", "InconclusiveAnalysisRun"}
    world.press(pauseConditions=None).settle()
    assert world.status["currentStepIndex"] == 3 and len(world.runs) == 2


def test_13_19_an_empty_list_beside_controller_pause_is_a_resume_and_no_new_pause() -> None:
    world = climbing(weight(25), pause()).press(pauseConditions=None)
    assert world.status["controllerPause"] is True
    world.settle()
    assert world.phase == "Healthy" and not {"pauseConditions", "controllerPause"} & world.status.keys()


def test_13_20_an_abort_is_degraded_until_a_retry_and_its_pods_wait_for_stable() -> None:
    world = routed_release().breaks("web:1").press(abort=True).settle()
    assert (world.status["currentStepIndex"], "pauseConditions" in world.status) == (0, False)
    assert world.replica_set("web:2").deadline is None
    world.breaks("web:1", ready=True).settle()
    assert world.replica_set("web:2").deadline is not None
    assert world.wait(600).phase == "Degraded RolloutAborted: Rollout aborted update to revision 2"
    assert world.press(abort=False).settle().phase == "Paused CanaryPauseStep"


def test_13_21_a_full_promotion_keeps_the_last_weight_until_it_is_whole_and_ended_runs_stop_nothing() -> None:
    world = behind_istio(weight(25), pause(), weight(50), pause(), analysis=analysis()).push("web:2").settle()
    [name] = world.runs
    world.limits["web:2"] = 2
    world.press(promoteFull=True).settle()
    assert world.weight == 25 and world.runs[name]["spec"]["terminate"] is True
    world.end_run(name, "Inconclusive").settle()
    assert world.phase.startswith("Progressing")
    world.limits.clear()
    assert world.settle().phase == "Healthy" and world.weights[-2:] == [25, 0]


def test_13_28_a_condition_of_the_same_reason_keeps_its_message_and_its_times() -> None:
    world = climbing(measured(), pause())
    world.end_run(next(iter(world.runs)), "Failed", "first").settle().wait(60)
    [first] = [c for c in parse_status(world.status).conditions if c.type == "Progressing"]
    assert first.message.endswith(": first")
    assert written((first,), replace(first, message="second"), world.clock.now()) == (first,)
    assert world.press(promoteFull=False).settle().condition("Progressing")["message"] == first.message


@pytest.mark.parametrize("seconds", [900, 7200])
def test_13_30_an_abort_delay_is_waited_for_however_long(seconds: int) -> None:
    world = routed_release(abortScaleDownDelaySeconds=seconds).press(abort=True).settle()
    assert world.wait(seconds - 60).size("web:2") == 1 and world.wait(120).size("web:2") == 0


def test_13_31_an_explicit_scale_down_delay_of_zero_empties_the_old_version_at_once() -> None:
    for world in (routed_release(weight(25), scaleDownDelaySeconds=0), green(scaleDownDelaySeconds=0).push("web:2").settle()):
        assert (world.phase, world.size("web:1")) == ("Healthy", 0)
        assert passes_of(world, 2) == [[], []] and world.wake_at is None


def test_13_32_an_abort_delay_of_zero_keeps_the_canary_standing() -> None:
    world = routed_release(abortScaleDownDelaySeconds=0).press(abort=True).settle().wait(7200)
    assert (world.size("web:2"), world.replica_set("web:2").deadline, world.weight) == (1, None, 0)


def test_13_33_an_early_resume_completes_a_timed_wait() -> None:
    world = green(autoPromotionSeconds=600).push("web:2").settle()
    assert world.phase == "Paused BlueGreenPause"
    assert world.press(pauseConditions=None).settle().selected("active") == "web:2"


def test_13_34_seconds_without_auto_promotion_are_ignored() -> None:
    world = green(autoPromotionEnabled=False, autoPromotionSeconds=5).push("web:2").settle().wait(600)
    assert (world.phase, world.selected("active")) == ("Paused BlueGreenPause", "web:1")


def test_13_35_a_preview_is_measured_small_and_grows_before_the_switch() -> None:
    world = green(previewReplicaCount=1, prePromotionAnalysis=analysis(), autoPromotionEnabled=False).push("web:2").settle()
    assert (world.size("web:2"), len(world.runs)) == (1, 1)
    world.end_run(next(iter(world.runs)), "Successful").settle()
    world.limits["web:2"] = 2
    world.press(pauseConditions=None).settle()
    assert (world.size("web:2"), world.status["blueGreen"]["scaleUpPreviewCheckPoint"], world.selected("active")) == (4, True, "web:1")
    world.limits.clear()
    assert world.settle().selected("active") == "web:2"


def test_13_36_an_aborted_preview_stays_where_it_can_be_looked_at() -> None:
    world = green(autoPromotionEnabled=False).push("web:2").settle().press(abort=True).settle()
    assert (world.selected("preview"), world.selected("active")) == ("web:2", "web:1")


def test_13_38_the_window_counts_by_creation_so_that_going_back_and_forth_moves_it() -> None:
    world = deployed(rollout(canary=canary(weight(25), pause()), rollbackWindow={"revisions": 1}))
    for image in ("web:2", "web:3"):
        world.push(image).settle().press(pauseConditions=None).settle()
    assert world.push("web:2").settle().phase == "Healthy", "the one before is within the window"
    assert world.push("web:3").settle().phase == "Paused CanaryPauseStep", "newer than stable: no way back at all"
    world.press(pauseConditions=None).settle()
    assert world.push("web:1").settle().phase == "Paused CanaryPauseStep", "two versions back"


def test_13_42_routes_by_header_are_not_made_for_the_first_version() -> None:
    header = {"setHeaderRoute": {"name": "testers", "match": [{"headerName": "x", "headerValue": {"exact": "y"}}]}}
    routing = {"istio": {"virtualService": {"name": "web", "routes": ["primary"]}}, "managedRoutes": [{"name": "testers"}]}
    world = behind_istio({"setCanaryScale": {"replicas": 1}}, header, pause(), trafficRouting=routing)
    assert world.routes == ["primary"] and world.rollout["metadata"]["annotations"]["rollout.argoproj.io/revision"] == "1"
    assert world.push("web:2").settle().routes == ["testers", "primary"]


def test_13_47_a_service_that_is_missing_is_named_and_found_again() -> None:
    world = routed_release()
    world.store.remove(SERVICES, NAMESPACE, "web-canary")
    world.settle()
    assert world.phase == (
        'Degraded InvalidSpec: The Rollout "web" is invalid: spec.strategy.canary.canaryService: Invalid value: '
        '"web-canary": services "web-canary" not found'
    )
    world.store.put(SERVICES, service("web-canary"))
    assert world.settle().phase == "Paused CanaryPauseStep"


def test_13_51_a_deadline_counts_neither_in_waiting_steps_nor_while_paused_and_stops_nobody() -> None:
    spec = rollout(canary=canary(weight(25), pause(), measured(), weight(50)), progressDeadlineSeconds=60)
    world = deployed(spec, MEASURED).push("web:2").settle().wait(600)
    assert world.phase == "Paused CanaryPauseStep"
    world.press(pauseConditions=None).settle().wait(600)
    assert world.phase.startswith("Progressing") and len(world.runs) == 1
    world.breaks("web:2").end_run(next(iter(world.runs)), "Successful").settle().wait(61)
    assert world.phase.startswith("Degraded ProgressDeadlineExceeded") and "abort" not in world.status
    assert world.wait(600).phase.startswith("Degraded ProgressDeadlineExceeded"), "sticky until there is progress"
    assert world.breaks("web:2", ready=True).settle().phase == "Healthy"


def test_13_52_a_promoted_rollout_that_loses_pods_begins_its_deadline_anew() -> None:
    world = deployed(rollout(canary=canary(), progressDeadlineSeconds=60)).wait(3600)
    world.breaks("web:1").settle()
    progress = world.condition("Progressing")
    assert (progress["status"], progress["reason"]) == ("True", "ReplicaSetNotAvailable")
    assert (world.condition("Completed")["status"], world.condition("Healthy")["status"]) == ("True", "False")
    assert not world.phase.startswith("Degraded") and world.wait(62).phase.startswith("Degraded ProgressDeadlineExceeded")


def test_13_61_a_version_that_returns_small_gets_no_weight_before_its_pods_are_there() -> None:
    steps = (weight(80), pause())
    world = behind_istio(*steps)
    world.edit({"spec": {"rollbackWindow": {"revisions": 2}}}).push("web:2").settle().press(pauseConditions=None).settle().wait(60)
    assert world.size("web:1") == 0
    world.limits["web:1"] = 1
    assert world.push("web:1").settle().weight == 0 and world.replica_set("web:1").available == 1
    world.limits.clear()
    world.settle()
    assert world.status["stableRS"] == world.status["currentPodHash"] and told(world, "RolloutCompleted")[-1].endswith(
        "Rollback within window"
    )


def test_13_48_turns_flip_once_and_the_side_in_waiting_needs_no_pods() -> None:
    world = turning().breaks("web:2").push("web:2").settle()
    assert (stable_turn(world), world.selected("web-pong")) == ("ping", "web:2")
    assert "serviceName" not in world.status["canary"]["weights"]["canary"]
    world.breaks("web:2", ready=True).settle().press(pauseConditions=None).settle()
    for _ in range(3):
        world.clock.time += timedelta(seconds=60)
        assert stable_turn(world.settle()) == "pong"
