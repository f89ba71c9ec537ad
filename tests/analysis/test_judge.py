"""Counting and judging; the tables of contract 6.6 and 6.7 are in test_decisions."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.analysis.judge import RunTerms, assess_metric, ending, exceeded, judge, record
from reconciler.analysis.model import AnalysisStatus, MetricResult, RunPhase, Summary
from tests.kit.analysis import NOW, measurement, metric, result, status_after

MINUTE = timedelta(minutes=1)
FOREVER = {"interval": MINUTE}


def judged(letters: str, **limits: object) -> RunPhase | None:
    terms = RunTerms(metrics=(metric(**limits),))
    found = status_after(terms, m=letters).result("m")
    return found.phase if found else None


@pytest.mark.parametrize(
    ("limits", "letters", "phase"),
    [
        ({"consecutive_error_limit": 1, **FOREVER}, "ESEE", "Error"),
        ({"count": 2, **FOREVER}, "SES", "Successful"),
    ],
)
def test_errors_in_between_neither_count_nor_add_up(limits: dict[str, object], letters: str, phase: str) -> None:
    assert judged(letters, **limits) == phase


def test_of_several_broken_limits_the_last_in_order_wins() -> None:
    both = MetricResult(name="m", measurements=(measurement("I"),), failed=1, inconclusive=1)
    assert exceeded(metric(), both) == (RunPhase.INCONCLUSIVE, "inconclusive (1) > inconclusiveLimit (0)", "inconclusiveLimit")
    all_three = replace(both, consecutive_error=5)
    assert exceeded(metric(), all_three) == (RunPhase.ERROR, "consecutiveErrors (5) > consecutiveErrorLimit (4)", "consecutiveErrorLimit")


def test_a_metric_without_measurements_is_pending_and_ends_successfully() -> None:
    empty = MetricResult(name="m")
    assert assess_metric(metric(), empty, ending=False) is RunPhase.PENDING
    assert assess_metric(metric(), empty, ending=True) is RunPhase.SUCCESSFUL


def test_an_awaited_measurement_keeps_a_metric_running_even_over_its_limit() -> None:
    awaited = replace(result("R"), failed=3)
    assert assess_metric(metric(), awaited, ending=False) is RunPhase.RUNNING


def test_a_final_phase_stays() -> None:
    over = replace(result("F"), phase=RunPhase.SUCCESSFUL)
    assert assess_metric(metric(), over, ending=False) is RunPhase.SUCCESSFUL


def test_disabled_failure_limits_never_fail() -> None:
    assert exceeded(metric(failure_limit=-1), MetricResult(name="m", failed=99)) is None


def two(dry_run: str = "") -> RunTerms:
    return RunTerms(metrics=(metric("a", **FOREVER), metric("b", **FOREVER)), dry_run=frozenset(dry_run))


def test_across_metrics_failed_is_the_worst() -> None:
    status = status_after(two(), a="I", b="F")
    assert (status.phase, status.message) == (RunPhase.FAILED, 'Metric "b" assessed Failed due to failed (1) > failureLimit (0)')


def test_one_bad_metric_ends_the_run_though_another_never_measured() -> None:
    status = status_after(two(), a="F")
    assert status.phase is RunPhase.FAILED
    assert status.completed == NOW
    assert status.summary == Summary(count=2, failed=1)


def test_a_run_waits_for_metrics_without_a_result() -> None:
    terms = RunTerms(metrics=(metric("a"), metric("b", **FOREVER)))
    status = status_after(terms, a="S")
    assert (status.phase, status.message, status.completed) == (RunPhase.RUNNING, "", None)


def test_only_rehearsing_metrics_never_matter() -> None:
    terms = RunTerms(metrics=(metric("a"),), dry_run=frozenset("a"))
    status = status_after(terms, a="F")
    assert status.phase is RunPhase.SUCCESSFUL
    assert status.dry_run_summary == Summary(count=1, failed=1)
    assert status.results[0].message == "Metric assessed Failed due to failed (1) > failureLimit (0)"


def test_a_rehearsing_failure_does_not_end_the_others() -> None:
    terms = two(dry_run="a")
    assert not ending(terms, status_after(terms, a="F", b="S"))


def test_the_last_measurements_message_is_quoted() -> None:
    terms = RunTerms(metrics=(metric("m"),))
    failed = AnalysisStatus(results=(replace(result("E" * 5), measurements=(measurement("E", message="no route"),)),))
    status = judge(terms, failed, was_ending=False, now=NOW)
    expected = 'Metric "m" assessed Error due to consecutiveErrors (5) > consecutiveErrorLimit (4): "Error Message: no route"'
    assert status.message == expected
    assert status.results[0].message == "no route"


def test_a_requested_end_says_so_unless_something_was_bad() -> None:
    terms = RunTerms(metrics=(metric("a", **FOREVER),), requested_end=True)
    assert judge(terms, AnalysisStatus(), was_ending=True, now=NOW).message == "Run Terminated"
    failed = judge(terms, AnalysisStatus(results=(result("F", "a"),)), was_ending=True, now=NOW)
    assert failed.message.startswith('Metric "a" assessed Failed')


def test_a_started_run_keeps_its_beginning() -> None:
    terms = two()
    first = status_after(terms, a="S")
    assert judge(terms, first, was_ending=False, now=NOW.replace(hour=13)).started == first.started


LETTERS = st.text("SFIE", max_size=12)


@given(LETTERS, st.integers(-1, 3), st.integers(0, 2), st.integers(0, 3), st.integers(0, 4))
def test_the_same_sequence_is_judged_the_same_whatever_the_values(
    letters: str, failures: int, inconclusive: int, streak: int, count: int
) -> None:
    limits = {"failure_limit": failures, "inconclusive_limit": inconclusive, "consecutive_success_limit": streak, "count": count}
    asked = metric(**limits, **FOREVER)
    plain = result(letters)
    valued = replace(plain, measurements=tuple(replace(m, value=str(n)) for n, m in enumerate(reversed(plain.measurements))))
    valued = replace(
        valued, measurements=tuple(replace(v, phase=p.phase) for v, p in zip(valued.measurements, plain.measurements, strict=True))
    )
    assert assess_metric(asked, plain, ending=False) == assess_metric(asked, valued, ending=False)


@given(LETTERS.filter(bool), LETTERS.filter(bool))
def test_judging_again_changes_nothing(first: str, second: str) -> None:
    terms = two()
    status = status_after(terms, a=first, b=second)
    assert judge(terms, status, was_ending=ending(terms, status), now=NOW) == judge(
        terms, status, was_ending=ending(terms, status), now=NOW
    )
    if status.phase and status.phase.completed:
        assert judge(terms, status, was_ending=True, now=NOW) == status


@given(LETTERS)
def test_counters_add_up(letters: str) -> None:
    found = result(letters)
    assert found.count == found.successful + found.failed + found.inconclusive == len(letters) - found.error


def test_a_metric_whose_phase_stays_takes_no_words_from_its_measurements() -> None:
    terms = RunTerms(metrics=(metric(count=9),))
    going = record(replace(result("S"), phase=RunPhase.RUNNING), replace(measurement("E"), message="no such host"))
    judged = judge(terms, AnalysisStatus(results=(going,)), was_ending=False, now=NOW)
    assert (judged.results[0].phase, judged.results[0].message) == (RunPhase.RUNNING, "")


IN_A_ROW = {"consecutive_failure_limit": 2, **FOREVER}


@pytest.mark.parametrize(
    ("limits", "letters", "phase"),
    [
        (IN_A_ROW, "FF", "Running"),
        (IN_A_ROW, "FFF", "Failed"),
        (IN_A_ROW, "FFSFFSFF", "Running"),
        (IN_A_ROW, "SFFF", "Failed"),
        (IN_A_ROW, "FEFEF", "Failed"),
        ({**IN_A_ROW, "inconclusive_limit": 9}, "FFIFF", "Running"),
        ({**IN_A_ROW, "failure_limit": 3}, "FFSFF", "Failed"),
        ({**IN_A_ROW, "failure_limit": -1}, "FSFFSF", "Running"),
        ({**IN_A_ROW, "consecutive_failure_limit": 0}, "SF", "Failed"),
        ({**IN_A_ROW, "count": 5}, "FFSFF", "Successful"),
    ],
)
def test_failures_in_a_row_fail_and_scattered_ones_do_not(limits: dict[str, object], letters: str, phase: str) -> None:
    assert judged(letters, **limits) == phase


def test_the_broken_limit_is_named_and_its_counter_kept_only_where_it_is_asked_for() -> None:
    found = status_after(RunTerms(metrics=(metric(**IN_A_ROW),)), m="FFF")
    assert found.message == 'Metric "m" assessed Failed due to consecutiveFailures (3) > consecutiveFailureLimit (2)'
    assert [one.consecutive_failure for one in found.results] == [3]
    assert status_after(RunTerms(metrics=(metric(failure_limit=5, **FOREVER),)), m="FF").results[0].consecutive_failure == 0
