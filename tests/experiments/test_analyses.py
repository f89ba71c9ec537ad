"""The runs of an experiment that end before it, and those that have to end with it (contract 8.3)."""

from reconciler.kernel.resources import ANALYSIS_RUNS
from tests.kit.experiments import ExperimentWorld, experiment, measured
from tests.kit.rollouts import NAMESPACE


def world(**spec: object) -> ExperimentWorld:
    return ExperimentWorld(experiment(**spec))


def test_what_a_finished_run_said_stays_when_the_run_is_cleared_away() -> None:
    it = world(analyses=[measured("a"), measured("b")])
    it.settle()
    it.end_run_of("a", "Successful", "fast enough")
    it.store.remove(ANALYSIS_RUNS, NAMESPACE, "trial-a")
    it.settle()
    assert it.phase == "Running"
    assert it.measurement("a") == {"name": "a", "analysisRun": "trial-a", "phase": "Successful", "message": "fast enough"}


def test_one_that_has_not_begun_is_told_to_end_when_those_required_succeeded() -> None:
    it = world(analyses=[measured("a"), measured("b", requiredForCompletion=True)])
    it.settle()
    it.end_run_of("b", "Successful")
    assert it.running == ["trial-b"]
    assert it.end_run_of("a", "Successful").phase == "Successful Required AnalysisRuns completed"


def test_a_run_that_ended_by_itself_is_not_told_to_end() -> None:
    it = world(analyses=[measured("a"), measured("b")])
    it.settle()
    it.end_run("trial-a", "Successful")
    it.amend({"spec": {"terminate": True}}).settle()
    assert it.phase == "Successful" and it.running == ["trial-a"]
