"""The decision tables of contract 6.6, 6.7 and 6.9, read out of the page: a row of the page is a row of a test."""

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from reconciler.analysis.advance import advance
from reconciler.analysis.conditions import Conditions, assess
from reconciler.analysis.judge import RunTerms, assess_metric, exceeded, judge
from reconciler.analysis.model import AnalysisStatus, Metric, MetricResult, RunPhase
from tests.kit.analysis import NOW, measurement, metric, result, status_after
from tests.kit.tables import Row, table

MINUTE = timedelta(minutes=1)
SPANS = {"-": None, "30s": timedelta(seconds=30), "1m": MINUTE}
LIMITS = {
    "failureLimit": "failure_limit",
    "inconclusiveLimit": "inconclusive_limit",
    "consecutiveSuccessLimit": "consecutive_success_limit",
}
SEQUENCE = re.compile(r"(?P<letters>[SFIE](?:,[SFIE])*)(?: x(?P<times>\d+)| \((?P<count>\d+)\)| (?P<forever>forever))?")
FOREVER = 40

EXAMPLES = table("6.7", "count")
WORST = EXAMPLES[-1]


def asked(row: Row) -> Metric:
    """The metric of an example: its count, interval and limits."""
    limits = {} if row["limits"] == "default" else dict(part.rsplit(" ", 1) for part in row["limits"].split(", "))
    known: dict[str, Any] = {LIMITS[name]: int(number) for name, number in limits.items()}
    return metric(count=0 if row["count"] == "-" else int(row["count"]), interval=SPANS[row["interval"]], **known)


def letters(row: Row) -> str:
    """The measurements of an example, a letter each."""
    found = SEQUENCE.fullmatch(row["measurement sequence"])
    assert found, row
    named = found["letters"].replace(",", "")
    assert found["count"] in (None, str(len(named)))
    return named * (FOREVER if found["forever"] else int(found["times"] or 1))


@pytest.mark.parametrize("row", EXAMPLES[:-1], ids=lambda row: f"{row['limits']}: {row['measurement sequence']}")
def test_a_metric_stands_as_the_example_says(row: Row) -> None:
    terms, given = RunTerms(metrics=(asked(row),)), letters(row)
    status = status_after(terms, m=given)
    phase, _, more = row["metric"].removeprefix("still ").partition(" ")
    assert status.results[0].phase == phase.rstrip(",")
    if "stops at once" in more:
        assert status_after(terms, m=given[:-1]).phase is RunPhase.RUNNING
        assert status_after(terms, m=f"{given}SSSS").results[0].count == len(given)
    if "retried every 10 s" in more:
        assert advance(terms, status, [], {"m": 10}, NOW).wake_at == NOW + timedelta(seconds=10)
    if "until run is terminated" in more:
        told = replace(terms, requested_end=True)
        assert judge(told, status, was_ending=True, now=NOW).phase == more.rpartition("-> ")[2]


def test_the_last_example_is_two_limits_at_once() -> None:
    assert (WORST["limits"], WORST["metric"]) == ("failed and inconclusive limits both exceeded in the same pass", "Inconclusive wins")
    both = MetricResult(name="m", measurements=(measurement("I"),), failed=1, inconclusive=1)
    assert assess_metric(metric(interval=MINUTE), both, ending=False) is RunPhase.INCONCLUSIVE


CHECKS: Mapping[str, tuple[Metric, MetricResult, Metric | None]] = {
    "no measurements": (metric(), MetricResult(name="m"), None),
    "last measurement unfinished": (metric(), replace(result("R"), failed=9), None),
    "failureLimit >= 0 and failed > failureLimit (default 0; -1 disables)": (
        metric(interval=MINUTE, failure_limit=1),
        result("FF"),
        metric(interval=MINUTE, failure_limit=-1),
    ),
    "inconclusive > inconclusiveLimit (default 0)": (metric(interval=MINUTE), result("I"), metric(interval=MINUTE, inconclusive_limit=1)),
    "consecutiveError > consecutiveErrorLimit (default 4)": (
        metric(interval=MINUTE),
        result("EEEEE"),
        metric(interval=MINUTE, consecutive_error_limit=5),
    ),
    "consecutiveSuccessLimit > 0 and consecutiveSuccess >= it": (
        metric(interval=MINUTE, consecutive_success_limit=2),
        result("SS"),
        metric(interval=MINUTE, consecutive_success_limit=3),
    ),
    "count reached, consecutiveSuccessLimit > 0, failureLimit >= 0 or unset": (
        metric(interval=MINUTE, count=3, consecutive_success_limit=2, failure_limit=1),
        result("SFS"),
        metric(interval=MINUTE, count=4, consecutive_success_limit=2, failure_limit=1),
    ),
    "count reached, consecutiveSuccessLimit > 0, failureLimit -1": (
        metric(interval=MINUTE, count=3, consecutive_success_limit=2, failure_limit=-1),
        result("SFS"),
        metric(interval=MINUTE, count=4, consecutive_success_limit=2, failure_limit=-1),
    ),
    "count reached": (metric(interval=MINUTE, count=2), result("SS"), metric(interval=MINUTE, count=3)),
    "terminating": (metric(interval=MINUTE), result("S"), None),
    "else": (metric(interval=MINUTE), result("S"), None),
}
"""By check: a metric and its answers that it is true of, and the same with one limit more, which leaves it running."""


@pytest.mark.parametrize("row", table("6.6", "Check"), ids=lambda row: row["Check"])
def test_a_check_makes_the_phase_that_the_page_names(row: Row) -> None:
    asks, answered, milder = CHECKS[row["Check"]]
    phase, _, otherwise = row["Metric phase"].strip("*").partition(" (terminating: ")
    assert assess_metric(asks, answered, ending=row["Check"] == "terminating") == phase
    if otherwise:
        assert assess_metric(asks, answered, ending=True) == otherwise.rstrip(")")
    if milder is not None:
        assert assess_metric(milder, answered, ending=False) is RunPhase.RUNNING
    found = exceeded(asks, answered) if answered.last is not None and answered.last.finished else None
    assert bool(found) is bool(row["message fragment"])
    if found:
        assert re.sub(r"\d+", "#", found[1]) == re.sub(r"\((n|m)\)", "(#)", row["message fragment"].strip("`"))


def test_every_check_of_the_page_has_its_example() -> None:
    assert [row["Check"] for row in table("6.6", "Check")] == list(CHECKS)


TWO = RunTerms(metrics=(metric("a", interval=MINUTE, count=2), metric("b", interval=MINUTE, count=2)))
TOLD = replace(TWO, requested_end=True)


def ended(**answers: str) -> tuple[RunPhase | None, str]:
    status = judge(TOLD, AnalysisStatus(results=tuple(result(a, name) for name, a in answers.items())), was_ending=True, now=NOW)
    return status.phase, status.message


@pytest.mark.parametrize("row", table("6.6", "State"), ids=lambda row: row["State"])
def test_a_run_stands_as_its_metrics_do(row: Row) -> None:
    match row["State"], row["Run phase"]:
        case "terminating", "worst completed phase (none -> Successful) immediately, even if other metrics never ran":
            assert ended() == (RunPhase.SUCCESSFUL, "Run Terminated")
            assert ended(a="F")[0] is RunPhase.FAILED
            assert ended(a="S", b="I")[0] is RunPhase.INCONCLUSIVE
        case "some metric incomplete or without result", "Running, message empty":
            for status in (status_after(TWO, a="SS"), status_after(TWO, a="SS", b="S")):
                assert (status.phase, status.message) == (RunPhase.RUNNING, "")
        case "all complete", "worst":
            assert status_after(TWO, a="SS", b="SS").phase is RunPhase.SUCCESSFUL
            assert status_after(TWO, a="SS", b="SF").phase is RunPhase.FAILED
        case other:
            pytest.fail(f"the page has a row that no test knows: {other}")


ANSWERS = {"true": ("true",), "false": ("false",), "-": ("",), "any": ("", "true", "false"), "true / false": ("true", "false")}


def conditions() -> list[tuple[str, str, str]]:
    """Each pair of conditions that the page speaks of, with the measurement that they make."""
    rows = [row for row in table("6.9", "success") if row["success"] in ANSWERS]
    return [triple for row in rows for triple in _of_a_row(row)]


def _of_a_row(row: Row) -> list[tuple[str, str, str]]:
    measured, one, other = row["measurement"].partition(" (")[0], ANSWERS[row["success"]], ANSWERS[row["failure"]]
    pairs = [(success, failure) for success in one for failure in other]
    ends = measured.split(" / ") if " / " in measured else [measured] * len(pairs)
    return [(*pair, end) for pair, end in zip(pairs, ends, strict=True)]


@pytest.mark.parametrize(("success", "failure", "phase"), conditions())
def test_conditions_make_the_measurement_that_the_page_names(success: str, failure: str, phase: str) -> None:
    assert assess(Conditions(success, failure), [1.0], NOW).phase == phase


def test_the_page_speaks_of_every_pair_of_conditions() -> None:
    assert {(success, failure) for success, failure, _ in conditions()} == {(a, b) for a in ANSWERS["any"] for b in ANSWERS["any"]}


@pytest.mark.parametrize(("name", "empty"), [(name, empty) for name in ("success", "failure") for empty in (True, False)])
def test_a_condition_that_cannot_be_evaluated_is_an_error_with_the_words_of_the_page(name: str, empty: bool) -> None:
    row = table("6.9", "success")[-1]
    assert (row["success"], row["measurement"].partition(",")[0]) == ("evaluation error in either", "Error")
    message, reason = re.findall(r"`([^`]+)`", row["measurement"])
    found = assess(Conditions(**{name: "result[0].x > 1"}), [] if empty else [1.0], NOW)
    head = message.replace("success", name).replace("<expr>", "result[0].x > 1").removesuffix("<why>")
    assert (found.phase, found.message.startswith(head), found.message == f"{head}{reason}") == (RunPhase.ERROR, True, empty)
