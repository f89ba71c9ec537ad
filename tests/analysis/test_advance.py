"""A pass as a pure function."""

from datetime import timedelta

from reconciler.analysis.advance import Answer, advance, refused
from reconciler.analysis.due import Move, Task, due
from reconciler.analysis.judge import RunTerms
from reconciler.analysis.model import AnalysisStatus, RunPhase
from tests.kit.analysis import NOW, measurement, metric, result

LONG = metric(interval=timedelta(minutes=1))
TERMS = RunTerms(metrics=(LONG,))


def test_an_answer_becomes_a_result_with_its_question() -> None:
    task = due(TERMS, AnalysisStatus(), NOW)[0]
    after = advance(TERMS, AnalysisStatus(), [Answer(task, measurement("S"), {"asked": "up"})], {"m": 10}, NOW)
    assert after.status.results[0].metadata == {"asked": "up"}
    assert after.wake_at == NOW + timedelta(minutes=1)
    assert after.status.phase is RunPhase.RUNNING


def test_a_task_without_an_answer_records_nothing_and_is_soon_repeated() -> None:
    task = due(TERMS, AnalysisStatus(), NOW)[0]
    after = advance(TERMS, AnalysisStatus(), [Answer(task, None)], {"m": 10}, NOW)
    assert (after.status.results, after.wake_at) == ((), NOW + timedelta(seconds=5))


def test_an_ending_run_does_not_end_before_its_awaited_measurement_was_told() -> None:
    terms = RunTerms(metrics=(LONG,), requested_end=True)
    status = AnalysisStatus(results=(result("R"),))
    unanswered = Answer(Task(LONG, Move.TERMINATE, status.results[0].last, 1), None)
    assert advance(terms, status, [unanswered], {"m": 10}, NOW).status.phase is RunPhase.RUNNING


def test_more_measurements_than_kept_are_dropped_and_named() -> None:
    status = AnalysisStatus(results=(result("SSS"),))
    after = advance(TERMS, status, [], {"m": 2}, NOW)
    assert (len(after.status.results[0].measurements), after.overfull) == (2, ("m",))
    assert after.status.results[0].successful == 3


def test_what_is_kept_exactly_or_of_a_metric_without_a_limit_is_not_too_much() -> None:
    status = AnalysisStatus(results=(result("SSS"), result("SSS", name="gone")))
    after = advance(TERMS, status, [], {"m": 3}, NOW)
    assert after.overfull == ()
    assert [len(found.measurements) for found in after.status.results] == [3, 3]


def test_a_refused_run_keeps_what_it_measured_and_never_completes() -> None:
    status = refused(AnalysisStatus(results=(result("S"),)), "Analysis spec invalid: x")
    assert (status.phase, status.message, status.completed, len(status.results)) == (RunPhase.ERROR, "Analysis spec invalid: x", None, 1)
