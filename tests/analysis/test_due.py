"""When measurements are due (table of contract 6.5)."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from reconciler.analysis.due import AT_ONCE, Move, due, next_look
from reconciler.analysis.judge import RunTerms
from reconciler.analysis.model import AnalysisStatus, MetricResult, RunPhase
from tests.kit.analysis import NOW, metric, result

SECOND = timedelta(seconds=1)
LONG = metric(interval=timedelta(minutes=1))


def moves(asked: object, found: MetricResult | None, now: datetime, **status: object) -> list[Move]:
    known = AnalysisStatus(results=(found,) if found else (), **status)
    return [task.move for task in due(RunTerms(metrics=(asked,)), known, now)]


def test_the_first_measurement_is_due_at_once() -> None:
    assert moves(metric(), None, NOW) == [Move.MEASURE]


def test_an_initial_delay_counts_from_the_first_pass() -> None:
    delayed = metric(initial_delay=timedelta(seconds=4))
    assert moves(delayed, None, NOW) == []
    assert moves(delayed, None, NOW + 3 * SECOND, started=NOW) == []
    assert moves(delayed, None, NOW + 4 * SECOND, started=NOW) == [Move.MEASURE]
    assert next_look(RunTerms(metrics=(delayed,)), AnalysisStatus(started=NOW), NOW) == NOW + 4 * SECOND


def test_what_a_wrong_clock_wrote_is_waited_for_no_longer_than_what_is_asked_for() -> None:
    delayed = metric(initial_delay=timedelta(seconds=4))
    ahead = NOW + timedelta(hours=3)
    assert moves(delayed, None, NOW, started=ahead) == moves(LONG, result("S"), NOW - timedelta(hours=3)) == [Move.MEASURE]
    assert next_look(RunTerms(metrics=(delayed,)), AnalysisStatus(started=ahead), NOW) == AT_ONCE
    assert moves(delayed, None, NOW, started=NOW + 3 * SECOND) == []  # two daemons' clocks differ a little


def test_a_reached_count_is_enough() -> None:
    assert moves(metric(), replace(result("S"), phase=RunPhase.RUNNING), NOW + timedelta(days=1)) == []


def test_an_interval_is_kept() -> None:
    assert moves(LONG, result("S"), NOW + 59 * SECOND) == []
    assert moves(LONG, result("S"), NOW + 60 * SECOND) == [Move.MEASURE]


def test_an_error_ignores_the_interval_and_waits_ten_seconds() -> None:
    assert moves(LONG, result("E"), NOW + 9 * SECOND) == []
    assert moves(LONG, result("E"), NOW + 10 * SECOND) == [Move.MEASURE]


def test_an_awaited_measurement_is_resumed_when_it_asks_for_it() -> None:
    awaited = result("R")
    later = replace(awaited, measurements=(replace(awaited.measurements[0], resume_at=NOW + SECOND),))
    assert moves(metric(), awaited, NOW) == [Move.RESUME]
    assert moves(metric(), later, NOW) == []
    assert moves(metric(), later, NOW + SECOND) == [Move.RESUME]


@pytest.mark.parametrize("letters", ["", "S"])
def test_nothing_begins_once_a_run_is_ending(letters: str) -> None:
    terms = RunTerms(metrics=(LONG,), requested_end=True)
    known = AnalysisStatus(results=(result(letters),) if letters else ())
    assert due(terms, known, NOW + timedelta(hours=1)) == ()


def test_an_awaited_measurement_of_an_ending_run_is_terminated_at_once() -> None:
    awaited = result("R")
    later = replace(awaited, measurements=(replace(awaited.measurements[0], resume_at=NOW + timedelta(hours=1)),))
    terms = RunTerms(metrics=(metric(),), requested_end=True)
    status = AnalysisStatus(results=(later,))
    assert [task.move for task in due(terms, status, NOW)] == [Move.TERMINATE]
    assert next_look(terms, status, NOW) == AT_ONCE


def test_measurements_are_numbered_with_their_errors() -> None:
    task = due(RunTerms(metrics=(LONG,)), AnalysisStatus(results=(result("SEE"),)), NOW + timedelta(hours=1))[0]
    assert task.number == 4


def test_a_finished_metric_asks_for_nothing() -> None:
    done = replace(result("F"), phase=RunPhase.FAILED)
    assert moves(LONG, done, NOW + timedelta(hours=1)) == []
    assert next_look(RunTerms(metrics=(LONG,)), AnalysisStatus(results=(done,)), NOW) is None


def test_the_earliest_metric_wakes_the_run() -> None:
    terms = RunTerms(metrics=(metric("a", interval=timedelta(minutes=5)), metric("b", interval=timedelta(minutes=1))))
    status = AnalysisStatus(results=(result("S", "a"), result("S", "b")))
    assert next_look(terms, status, NOW) == NOW + timedelta(minutes=1)
    assert next_look(terms, replace(status, phase=RunPhase.FAILED), NOW) is None
