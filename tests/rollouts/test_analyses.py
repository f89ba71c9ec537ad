"""Analysis runs of a rollout: C7, C8, and what section 6.4 says of their lives."""

from typing import Any

from reconciler.kernel.resources import ANALYSIS_TEMPLATES
from tests.kit.rollouts import analysis, analysis_template, canary, measured, pause, rollout, weight
from tests.kit.world import World, deployed


def measuring(*steps: dict[str, Any], **fields: Any) -> World:
    templates = [(ANALYSIS_TEMPLATES, analysis_template()), (ANALYSIS_TEMPLATES, analysis_template("watch", count=None))]
    return deployed(rollout(canary=canary(*steps, **fields)), *templates)


def only(world: World) -> str:
    (name,) = [name for name, run in world.runs.items() if not run.get("status", {}).get("phase")]
    return name


def test_no_run_is_created_for_the_first_deployment() -> None:
    assert measuring(weight(25), measured(), analysis=analysis("watch")).runs == {}


def test_a_step_waits_for_its_run() -> None:
    world = measuring(weight(25), measured(), pause()).push("web:2").settle()
    name = only(world)
    hash = world.replica_set("web:2").hash
    assert name == f"web-{hash}-2-1"
    assert world.runs[name]["metadata"]["labels"]["rollout-type"] == "Step"
    assert world.runs[name]["metadata"]["labels"]["step-index"] == "1"
    assert (world.status["currentStepIndex"], world.status["canary"]["currentStepAnalysisRunStatus"]["name"]) == (1, name)
    world.end_run(name, "Successful").settle()
    assert (world.status["currentStepIndex"], world.phase) == (2, "Paused CanaryPauseStep")
    assert "currentStepAnalysisRunStatus" not in world.status["canary"]


def test_a_failed_run_aborts_with_its_words() -> None:
    world = measuring(weight(25), measured()).push("web:2").settle()
    world.end_run(only(world), "Failed", 'Metric "m" assessed Failed due to failed (1) > failureLimit (0)').settle()
    expected = 'Step-based analysis phase error/failed: Metric "m" assessed Failed due to failed (1) > failureLimit (0)'
    assert world.phase == f"Degraded RolloutAborted: Rollout aborted update to revision 2: {expected}"
    assert (world.size("web:1"), world.size("web:2")) == (4, 0)


def test_every_new_phase_of_a_run_is_told_once() -> None:
    world = measuring(weight(25), measured()).push("web:2").settle()
    name = only(world)
    world.end_run(name, "Running").settle().end_run(name, "Failed").settle()
    told = [event["message"] for event in world.store.events if event["reason"].startswith("AnalysisRun")]
    assert told == [
        f"Step Analysis Run '{name}' Status New: 'Running' Previous: ''",
        f"Step Analysis Run '{name}' Status New: 'Failed' Previous: 'Running'",
    ]


def test_an_error_aborts_too() -> None:
    world = measuring(weight(25), measured()).push("web:2").settle()
    assert world.end_run(only(world), "Error").settle().status["abort"] is True


def test_a_background_run_starts_with_the_update_and_ends_with_it() -> None:
    world = measuring(weight(25), pause(), analysis=analysis("watch")).push("web:2").settle()
    name = only(world)
    assert name == f"web-{world.replica_set('web:2').hash}-2"
    world.press(pauseConditions=None).settle()
    assert world.phase == "Healthy" and world.runs[name]["spec"]["terminate"] is True
    assert "currentBackgroundAnalysisRunStatus" not in world.status["canary"]


def test_a_background_run_waits_for_its_step() -> None:
    world = measuring(pause(), weight(25), pause(), analysis=analysis("watch", startingStep=2)).push("web:2").settle()
    assert world.runs == {}
    world.press(pauseConditions=None).settle()
    assert len(world.runs) == 1


def test_an_inconclusive_background_run_freezes_the_pods_until_a_person_resumes() -> None:
    world = measuring(weight(25), pause(60), weight(50), pause(), analysis=analysis("watch")).push("web:2").settle()
    name = only(world)
    world.end_run(name, "Inconclusive").settle()
    assert {c["reason"] for c in world.status["pauseConditions"]} == {"CanaryPauseStep", "InconclusiveAnalysisRun"}
    world.wait(120)
    assert (world.size("web:1"), world.size("web:2")) == (3, 1)
    world.press(pauseConditions=None).settle()
    assert set(world.runs) == {name, f"{name}.1"}
    assert world.size("web:2") == 2


def test_an_inconclusive_step_run_is_repeated_after_a_resume() -> None:
    world = measuring(weight(25), measured(), pause()).push("web:2").settle()
    name = only(world)
    world.end_run(name, "Inconclusive").settle()
    assert world.phase == "Paused InconclusiveAnalysisRun"
    world.press(pauseConditions=None).settle()
    assert (only(world), world.status["currentStepIndex"]) == (f"{name}.1", 1)
    world.end_run(f"{name}.1", "Successful").settle()
    assert world.phase == "Paused CanaryPauseStep"


def test_promoting_past_an_inconclusive_step_moves_on() -> None:
    world = measuring(weight(25), measured(), pause()).push("web:2").settle()
    world.end_run(only(world), "Inconclusive").settle()
    world.press(pauseConditions=None, controllerPause=False, currentStepIndex=2).settle()
    assert (world.phase, len(world.runs)) == ("Paused CanaryPauseStep", 1)


def test_an_inconclusive_pause_never_opens_a_gate_that_a_person_holds() -> None:
    world = measuring(weight(25), pause(), analysis=analysis("watch")).push("web:2")
    while not world.runs:
        world.kubelet()
        world.one_pass()
    world.end_run(next(iter(world.runs)), "Inconclusive").settle()
    assert world.phase.startswith("Paused") and world.status["currentStepIndex"] <= 1


def test_a_new_version_cancels_the_runs_of_the_former() -> None:
    world = measuring(weight(25), measured()).push("web:2").settle()
    name = only(world)
    world.push("web:3").settle()
    assert world.runs[name]["spec"]["terminate"] is True
    assert len(world.runs) == 2


def test_a_retry_measures_afresh() -> None:
    world = measuring(weight(25), measured()).push("web:2").settle()
    name = only(world)
    world.end_run(name, "Failed").settle().press(abort=False).settle()
    assert only(world) == f"{name}.1"


def test_full_promotion_cancels_and_neither_aborts_nor_pauses() -> None:
    world = measuring(weight(25), measured()).push("web:2").settle()
    name = only(world)
    world.press(promoteFull=True)
    world.kubelet()
    world.one_pass()
    world.end_run(name, "Inconclusive").settle()
    assert world.phase == "Healthy"


def test_a_person_pauses_and_the_analysis_may_still_abort() -> None:
    world = measuring(weight(25), measured()).push("web:2").settle().edit({"spec": {"paused": True}}).settle()
    world.end_run(only(world), "Failed").settle()
    assert world.status["abort"] is True


def test_finished_runs_beyond_the_limit_are_removed() -> None:
    limits = {"successfulRunHistoryLimit": 1}
    templates = [(ANALYSIS_TEMPLATES, analysis_template())]
    world = deployed(rollout(canary=canary(weight(25), measured(), measured(), measured()), analysis=limits), *templates).push("web:2")
    for _ in range(3):
        world.settle()
        world.end_run(only(world), "Successful")
    world.settle()
    assert world.phase == "Healthy" and len(world.runs) == 1


def test_a_run_created_just_before_the_process_died_is_used() -> None:
    world = measuring(weight(25), measured()).push("web:2")
    while not world.runs:
        world.kubelet()
        world.one_pass()
    world.press(canary={"currentStepAnalysisRunStatus": None}).settle()
    assert len(world.runs) == 1
    assert world.status["canary"]["currentStepAnalysisRunStatus"]["name"] == next(iter(world.runs))


def test_a_missing_template_is_an_invalid_spec() -> None:
    world = World(rollout(canary=canary(weight(25), measured("nowhere")))).settle()
    assert world.phase.startswith("Degraded InvalidSpec")
