"""Rules for metrics, in the contract's words (contract 6.8)."""

from datetime import timedelta

import pytest

from reconciler.analysis.model import Retention
from reconciler.analysis.validate import InvalidAnalysis, rehearsed, retained, validate
from tests.kit.analysis import metric

MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        ({"consecutive_success_limit": -1}, "consecutiveSuccessLimit must be >= 0"),
        ({"failure_limit": -2}, "failureLimit must be >= 0, or -1 to be disabled"),
        ({"failure_limit": -1}, "failureLimit and consecutiveSuccessLimit cannot both be disabled"),
        ({"consecutive_failure_limit": -1}, "consecutiveFailureLimit must be >= 0"),
        ({"inconclusive_limit": -1}, "inconclusiveLimit must be >= 0"),
        ({"consecutive_error_limit": -1}, "consecutiveErrorLimit must be >= 0"),
        (
            {"count": 3, "failure_limit": 2, "consecutive_success_limit": 2, "interval": MINUTE},
            "count (3) must be >= failureLimit + consecutiveSuccessLimit (2 + 2) if both >= 0",
        ),
        (
            {"count": 2, "failure_limit": -1, "consecutive_success_limit": 3, "interval": MINUTE},
            "count (2) must be >= consecutiveSuccessLimit (3) if failureLimit is disabled",
        ),
        ({"count": 1, "inconclusive_limit": 2}, "count must be >= inconclusiveLimit"),
        ({"count": 2}, "interval must be specified when count > 1"),
        ({"count": -1}, "count must be >= 0"),
        ({"providers": {}}, "no provider specified"),
        ({"providers": {"web": {}, "job": {}}}, "multiple providers specified"),
        ({"providers": {"datadog": {}}}, 'provider "datadog" is not supported yet'),
    ],
)
def test_a_broken_rule_is_named(limits: dict[str, object], words: str) -> None:
    assert validate((metric(**limits),), {"web", "job"}) == f"metrics[0]: {words}"


def test_metrics_must_be_there_and_have_names_of_their_own() -> None:
    assert validate((), {"web"}) == "no metrics specified"
    assert validate((metric("a"), metric("a")), {"web"}) == "metrics[1]: duplicate name 'a'"


def test_a_plain_metric_is_right() -> None:
    assert validate((metric(), metric("n", count=5, failure_limit=1, interval=MINUTE)), {"web"}) is None


def test_rules_are_patterns_that_match_anywhere() -> None:
    metrics = (metric("success-rate"), metric("latency"))
    assert rehearsed(["rate"], metrics) == {"success-rate"}
    assert rehearsed([".*"], metrics) == {"success-rate", "latency"}


@pytest.mark.parametrize("rule", ["*", "^errors$"])
def test_a_rule_that_means_no_metric_is_refused(rule: str) -> None:
    with pytest.raises(InvalidAnalysis, match=r"dryRun\[0\]: Rule didn't match any metric name\(s\)"):
        rehearsed([rule], (metric(),))
    with pytest.raises(InvalidAnalysis, match=r"measurementRetention\[0\]: Rule"):
        retained([Retention(rule, 3)], (metric(),))


def test_ten_measurements_are_kept_unless_a_rule_says_otherwise() -> None:
    assert retained([Retention("a", 3)], (metric("a"), metric("b"))) == {"a": 3, "b": 10}


@pytest.mark.parametrize(
    "limits",
    [
        {"count": 1},
        {"consecutive_error_limit": 0},
        {"inconclusive_limit": 0},
        {"count": 1, "inconclusive_limit": 1},
        {"count": 4, "failure_limit": 2, "consecutive_success_limit": 2, "interval": MINUTE},
        {"count": 3, "failure_limit": -1, "consecutive_success_limit": 3, "interval": MINUTE},
    ],
)
def test_the_border_of_a_rule_is_allowed(limits: dict[str, object]) -> None:
    assert validate((metric(**limits),), {"web", "job"}) is None
