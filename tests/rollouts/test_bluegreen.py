"""Whole stories of blue/green rollouts: C5, C6 and section 5."""

from typing import Any

from reconciler.kernel.resources import ANALYSIS_TEMPLATES, SERVICES
from reconciler.rollouts.bluegreen import pause_completed
from reconciler.rollouts.status.model import PauseReason
from tests.kit.passes import begun, moving
from tests.kit.rollouts import analysis, analysis_template, rollout, service
from tests.kit.world import World, deployed


def green(**fields: Any) -> dict[str, Any]:
    return {"activeService": "active", "previewService": "preview", **fields}


def standing(spec: dict[str, Any] | None = None, **fields: Any) -> World:
    """A blue/green rollout that runs its first version."""
    others = [(SERVICES, service(name)) for name in ("active", "preview")]
    return deployed(spec or rollout(blue_green=green(**fields)), *others, (ANALYSIS_TEMPLATES, analysis_template()))


def test_the_first_version_takes_both_services_and_is_stable_at_once() -> None:
    world = standing(autoPromotionEnabled=False)
    assert (world.selected("active"), world.selected("preview")) == ("web:1", "web:1")
    assert world.status["stableRS"] == world.status["currentPodHash"]
    assert "currentStepIndex" not in world.status


def test_a_new_version_is_previewed_and_waits_for_a_person() -> None:
    world = standing(autoPromotionEnabled=False).push("web:2").settle()
    assert world.phase == "Paused BlueGreenPause"
    assert (world.selected("active"), world.selected("preview")) == ("web:1", "web:2")
    world.wait(3600)
    assert world.selected("active") == "web:1"


def test_the_preview_service_moves_before_there_are_pods() -> None:
    world = standing(autoPromotionEnabled=False).breaks("web:2").push("web:2").settle()
    assert (world.selected("preview"), world.selected("active")) == ("web:2", "web:1")
    assert world.phase.startswith("Progressing")


def test_a_resume_switches_and_the_old_version_stays_for_half_a_minute() -> None:
    world = standing(autoPromotionEnabled=False).push("web:2").settle().press(pauseConditions=None).settle()
    assert (world.phase, world.selected("active")) == ("Healthy", "web:2")
    assert (world.size("web:1"), world.replica_set("web:1").deadline) == (4, "2030-01-01T12:00:31Z")
    world.wait(31)
    assert (world.size("web:1"), world.replica_set("web:1").deadline) == (0, None)


def test_the_way_back_is_open_while_the_old_version_stands() -> None:
    world = standing(autoPromotionEnabled=False).push("web:2").settle().press(pauseConditions=None).settle()
    world.push("web:1").settle()
    assert (world.phase, world.selected("active")) == ("Healthy", "web:1")
    assert world.replica_set("web:1").deadline is None
    assert world.status["stableRS"] == world.replica_set("web:1").hash


def test_the_way_back_survives_a_pod_that_is_not_ready_yet() -> None:
    world = standing(autoPromotionEnabled=False).push("web:2").settle().press(pauseConditions=None).settle()
    world.breaks("web:1").push("web:1").settle()
    assert world.selected("active") == "web:2"
    world.breaks("web:1", ready=True).settle()
    assert world.selected("active") == "web:1"


def test_a_late_way_back_is_an_update_like_any_other() -> None:
    world = standing(autoPromotionEnabled=False).push("web:2").settle().press(pauseConditions=None).settle().wait(31)
    world.push("web:1").settle()
    assert (world.phase, world.selected("active")) == ("Paused BlueGreenPause", "web:2")


def test_without_a_pause_the_switch_happens_when_the_version_is_whole() -> None:
    world = standing().breaks("web:2").push("web:2").settle()
    assert world.selected("active") == "web:1"
    world.breaks("web:2", ready=True).settle()
    assert (world.phase, world.selected("active")) == ("Healthy", "web:2")


def test_auto_promotion_waits_its_seconds() -> None:
    world = standing(autoPromotionSeconds=30).push("web:2").settle()
    assert world.phase == "Paused BlueGreenPause"
    world.wait(29)
    assert world.selected("active") == "web:1"
    world.wait(2)
    assert (world.phase, world.selected("active")) == ("Healthy", "web:2")


def test_a_person_may_resume_before_the_seconds_are_over() -> None:
    world = standing(autoPromotionSeconds=30).push("web:2").settle().press(pauseConditions=None).settle()
    assert (world.phase, world.selected("active")) == ("Healthy", "web:2")


def test_seconds_without_auto_promotion_are_ignored() -> None:
    world = standing(autoPromotionEnabled=False, autoPromotionSeconds=5).push("web:2").settle().wait(60)
    assert world.phase == "Paused BlueGreenPause"


def test_an_abort_before_the_switch_keeps_users_and_empties_the_preview_later() -> None:
    world = standing(autoPromotionEnabled=False).push("web:2").settle().press(abort=True).settle()
    assert (world.selected("active"), world.selected("preview"), world.size("web:2")) == ("web:1", "web:2", 4)
    assert world.phase.startswith("Degraded RolloutAborted")
    world.wait(31)
    assert (world.size("web:2"), world.size("web:1")) == (0, 4)
    world.press(abort=False).settle()
    assert (world.phase, world.size("web:2")) == ("Paused BlueGreenPause", 4)


def test_an_explicit_delay_of_zero_keeps_the_aborted_preview() -> None:
    world = standing(autoPromotionEnabled=False, abortScaleDownDelaySeconds=0).push("web:2").settle().press(abort=True).settle().wait(600)
    assert world.size("web:2") == 4


def test_an_explicit_scale_down_delay_of_zero_empties_the_old_version_at_once() -> None:
    world = standing(scaleDownDelaySeconds=0).push("web:2").settle()
    assert (world.phase, world.size("web:1")) == ("Healthy", 0)


def test_a_small_preview_grows_only_after_it_was_accepted() -> None:
    world = standing(autoPromotionEnabled=False, previewReplicaCount=1).push("web:2").settle()
    assert (world.size("web:2"), world.phase) == (1, "Paused BlueGreenPause")
    world.press(pauseConditions=None)
    switched_at: list[int] = []
    for _ in range(15):
        world.kubelet()
        world.one_pass()
        if world.selected("active") == "web:2" and not switched_at:
            switched_at.append(world.replica_set("web:2").available)
    assert switched_at == [4]
    assert world.settle().phase == "Healthy"
    assert "scaleUpPreviewCheckPoint" not in world.status["blueGreen"]


def test_a_failed_pre_promotion_analysis_aborts() -> None:
    world = standing(prePromotionAnalysis=analysis()).push("web:2").settle()
    (name,) = world.runs
    assert name.endswith("-2-pre") and world.selected("active") == "web:1"
    world.end_run(name, "Failed", "bad").settle()
    assert world.phase.endswith("Blue/green pre-promotion analysis phase error/failed: bad")
    assert world.status["blueGreen"]["prePromotionAnalysisRunStatus"]["status"] == "Failed"


def test_a_retry_measures_again_even_after_the_preview_was_emptied() -> None:
    world = standing(prePromotionAnalysis=analysis()).push("web:2").settle()
    (name,) = world.runs
    world.end_run(name, "Failed").settle().wait(31)
    assert world.size("web:2") == 0
    world.press(abort=False).settle()
    assert set(world.runs) == {name, f"{name}.1"}
    assert "abort" not in world.status
    world.end_run(f"{name}.1", "Successful").settle()
    assert (world.phase, world.selected("active")) == ("Healthy", "web:2")


def test_a_successful_pre_promotion_analysis_starts_the_wait() -> None:
    world = standing(prePromotionAnalysis=analysis(), autoPromotionEnabled=False).push("web:2").settle()
    assert world.phase == "Progressing active service cutover pending"
    world.end_run(next(iter(world.runs)), "Successful").settle()
    assert world.phase == "Paused BlueGreenPause"


def test_a_version_that_a_paused_rollout_does_not_preview_is_not_measured_behind_the_preview() -> None:
    world = standing(prePromotionAnalysis=analysis()).edit({"spec": {"paused": True}}).push("web:2").settle()
    assert (world.selected("preview"), world.size("web:2"), list(world.runs)) == ("web:1", 4, [])
    world.edit({"spec": {"paused": False}}).settle()
    assert (world.selected("preview"), len(world.runs)) == ("web:2", 1)


def test_without_a_preview_service_there_is_nothing_to_wait_for() -> None:
    spec = rollout(blue_green={"activeService": "active", "prePromotionAnalysis": analysis()})
    world = standing(spec).edit({"spec": {"paused": True}}).push("web:2").settle()
    assert len(world.runs) == 1


def test_a_rollout_paused_once_it_is_previewed_is_measured_all_the_same() -> None:
    world = standing(prePromotionAnalysis=analysis()).breaks("web:2").push("web:2").settle()
    world.edit({"spec": {"paused": True}}).breaks("web:2", ready=True).settle()
    assert (world.selected("preview"), len(world.runs)) == ("web:2", 1)


def test_post_promotion_keeps_the_old_version_until_the_verdict() -> None:
    world = standing(postPromotionAnalysis=analysis()).push("web:2").settle().wait(600)
    assert (world.selected("active"), world.size("web:1")) == ("web:2", 4)
    assert world.phase == "Progressing waiting for analysis to complete"
    world.end_run(next(iter(world.runs)), "Successful").settle()
    assert world.phase == "Healthy"
    world.wait(31)
    assert world.size("web:1") == 0


def test_a_failed_post_promotion_analysis_brings_users_home() -> None:
    world = standing(postPromotionAnalysis=analysis()).push("web:2").settle()
    world.breaks("web:2").end_run(next(iter(world.runs)), "Failed").settle()
    assert (world.selected("active"), world.status["abort"]) == ("web:1", True)


def test_full_promotion_ignores_pause_and_analysis() -> None:
    world = standing(prePromotionAnalysis=analysis(), autoPromotionEnabled=False).push("web:2").settle()
    world.press(promoteFull=True).settle()
    assert (world.phase, world.selected("active")) == ("Healthy", "web:2")
    assert all(run["spec"].get("terminate") for run in world.runs.values())


def test_a_paused_blue_green_still_scales() -> None:
    world = standing(autoPromotionEnabled=False).edit({"spec": {"paused": True, "replicas": 6}}).settle()
    assert world.size("web:1") == 6
    world.push("web:2").settle()
    assert (world.selected("active"), world.selected("preview")) == ("web:1", "web:1")
    assert world.size("web:2") == 6


def test_an_autoscaler_counts_only_the_active_version() -> None:
    world = standing(autoPromotionEnabled=False).push("web:2").settle()
    assert (world.status["HPAReplicas"], world.status["replicas"]) == (4, 8)
    assert world.replica_set("web:1").hash in world.status["selector"]


def test_at_rest_another_pass_writes_nothing() -> None:
    world = standing(autoPromotionEnabled=False).push("web:2").settle()
    mark = len(world.store.writes)
    world.one_pass()
    assert world.since(mark) == []


def test_a_pause_that_begins_in_this_pass_is_not_over_in_it() -> None:
    step = begun(rollout(blue_green=green()), status=moving())
    strategy = step.facts.spec.blue_green
    assert strategy is not None and pause_completed(step, strategy)
    assert not pause_completed(step.pause(PauseReason.INCONCLUSIVE_ANALYSIS), strategy)
