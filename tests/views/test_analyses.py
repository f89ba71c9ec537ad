"""What a tried analysis says while the judge waits for more."""

from datetime import timedelta

import pytest

from reconciler.analysis.judge import RunTerms, judge, record
from reconciler.analysis.model import AnalysisStatus, MetricResult
from reconciler.views.measuring.analyses import Tried, tried_analysis
from tests.kit.analysis import NOW, measurement, metric, status_after

MINUTE = timedelta(minutes=1)
LENIENT = {"interval": MINUTE, "failure_limit": 2, "inconclusive_limit": 2, "consecutive_error_limit": 2}


@pytest.mark.parametrize(
    ("first", "second", "verdict", "complete"),
    [
        ("S", "S", "passed", False),
        ("SF", "S", "undecided", False),
        ("FS", "S", "passed", False),
        ("I", "S", "undecided", False),
        ("F", "E", "error", False),
        ("FFF", "E", "failed", True),
        ("EEE", "S", "error", True),
        ("III", "S", "inconclusive", True),
    ],
)
def test_the_last_measurements_speak_until_the_judge_does(first: str, second: str, verdict: str, complete: bool) -> None:
    terms = RunTerms(metrics=(metric("a", **LENIENT), metric("b", **LENIENT)))
    found = tried_analysis(Tried("T", terms, status_after(terms, a=first, b=second), []))
    assert (str(found.verdict), found.complete) == (verdict, complete)


def test_a_metric_that_only_rehearses_speaks_for_nothing() -> None:
    terms = RunTerms(metrics=(metric("a", **LENIENT), metric("b", **LENIENT)), dry_run=frozenset({"b"}))
    found = tried_analysis(Tried("T", terms, status_after(terms, a="S", b="E"), []))
    assert (str(found.verdict), [one.dry_run for one in found.metrics]) == ("passed", [False, True])


def test_a_metric_without_an_answer_is_no_pass() -> None:
    terms = RunTerms(metrics=(metric("a", **LENIENT), metric("b", **LENIENT)))
    found = tried_analysis(Tried("T", terms, status_after(terms, a="S"), []))
    assert (str(found.verdict), found.reason) == ("undecided", 'metric "b" has no measurement yet')


def test_limits_say_how_much_of_them_is_used() -> None:
    terms = RunTerms(metrics=(metric("a", interval=MINUTE, failure_limit=-1, consecutive_success_limit=3),))
    found = tried_analysis(Tried("T", terms, status_after(terms, a="FFSS"), [])).metrics[0]
    assert [(limit.limit, limit.used, limit.allowed) for limit in found.limits] == [
        ("failureLimit", 2, None),
        ("inconclusiveLimit", 0, 0),
        ("consecutiveErrorLimit", 0, 4),
        ("consecutiveSuccessLimit", 2, 3),
    ]


@pytest.mark.parametrize(
    ("value", "verdict", "reason"),
    [
        ("[0.5]", "passed", "every metric ended well"),
        ("[NaN]", "undecided", 'metric "a" had no data of its own: Successful, and no evidence of a release'),
        ("[]", "undecided", 'metric "a" had no data of its own: Successful, and no evidence of a release'),
    ],
)
def test_a_success_without_data_is_no_pass(value: str, verdict: str, reason: str) -> None:
    terms = RunTerms(metrics=(metric("a"),))
    answered = record(MetricResult(name="a"), measurement("S", value=value))
    status = judge(terms, AnalysisStatus(results=(answered,)), was_ending=False, now=NOW)
    found = tried_analysis(Tried("T", terms, status, []))
    assert (str(found.verdict), found.complete, found.reason) == (verdict, True, reason)


def test_a_run_that_is_ended_before_it_measured_is_no_pass() -> None:
    terms = RunTerms(metrics=(metric("a", interval=MINUTE),), requested_end=True)
    for answered in (record(MetricResult(name="a"), measurement("E")), MetricResult(name="a")):
        status = judge(terms, AnalysisStatus(results=(answered,)), was_ending=True, now=NOW)
        found = tried_analysis(Tried("T", terms, status, []))
        assert (str(status.phase), str(found.verdict)) == ("Successful", "undecided")
