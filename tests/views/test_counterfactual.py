"""What would have changed a verdict is what the judge says of other facts."""

from typing import Any

import pytest

from reconciler.kernel.identity import Manifest
from reconciler.views.why.counterfactual import ChangeOf, Counterfactual, counterfactuals

PHASES = {"S": ("Successful", "successful"), "F": ("Failed", "failed"), "I": ("Inconclusive", "inconclusive"), "E": ("Error", "error")}


def run(
    letters: str, phase: str, *, run_phase: str = "", values: str = "[0.9]", result: dict[str, Any] | None = None, **fields: Any
) -> Manifest:
    """A run of one metric `rate` that answered this."""
    metric = {"name": "rate", "interval": "1m", "successCondition": "result[0] >= 0.95", "provider": {"web": {"url": "http://h"}}, **fields}
    measurements = [{"phase": PHASES[one][0], "value": "[0.9]", "startedAt": AT, "finishedAt": AT} for one in letters]
    counters = {word: letters.count(letter) for letter, (_, word) in PHASES.items()}
    tail = next((n for n, one in enumerate(reversed(letters)) if one != letters[-1]), len(letters)) if letters else 0
    streak = {"consecutiveSuccess": tail if letters[-1:] == "S" else 0, "consecutiveError": tail if letters[-1:] == "E" else 0}
    told = {"name": "rate", "phase": phase, "measurements": measurements, **counters, "count": len(letters) - counters["error"], **streak}
    status = {"phase": run_phase or phase, "metricResults": [{**told, **(result or {})}]}
    return {"metadata": {"name": "r", "namespace": "shop"}, "spec": {"metrics": [metric]}, "status": status}


AT = "2026-11-25T12:00:00Z"


def told(manifest: Manifest) -> list[tuple[str, str]]:
    return [(one.change.value, one.sentence) for one in counterfactuals([manifest])]


def test_one_failure_too_many_by_a_value_or_a_limit() -> None:
    assert told(run("FSF", "Failed", failureLimit=1)) == [
        ("value", 'with 0.95 or more instead of 0.9 in its last measurement, metric "rate" would have been measured further'),
        ("limit", 'with failureLimit 2 instead of 1, metric "rate" would have been measured further'),
    ]


def test_a_limit_of_failures_in_a_row_is_told_by_its_name() -> None:
    failed = run("SFF", "Failed", consecutiveFailureLimit=1, result={"consecutiveFailure": 2})
    assert told(failed)[1] == ("limit", 'with consecutiveFailureLimit 2 instead of 1, metric "rate" would have been measured further')


def test_what_had_its_count_would_have_been_successful() -> None:
    found = counterfactuals([run("F", "Failed", interval="")])
    assert [(one.change, one.end) for one in found] == [(ChangeOf.VALUE, "Successful"), (ChangeOf.LIMIT, "Successful")]
    assert found[0] == Counterfactual(
        ChangeOf.VALUE,
        "rate",
        "Successful",
        'with 0.95 or more instead of 0.9 in its last measurement, metric "rate" would have been Successful',
    )


def test_a_limit_that_validation_refuses_is_not_told() -> None:
    found = counterfactuals([run("SFF", "Failed", count=3, failureLimit=1, consecutiveSuccessLimit=2)])
    assert ChangeOf.LIMIT not in [one.change for one in found]


def test_errors_in_a_row_end_by_one_answer_in_between() -> None:
    found = counterfactuals([run("EEE", "Error", consecutiveErrorLimit=2)])
    assert [(one.change.value, one.end) for one in found] == [
        ("value", "measured further"),
        ("limit", "measured further"),
        ("measurement", "measured further"),
    ]


def test_a_streak_that_was_one_short_by_one_more_measurement() -> None:
    found = counterfactuals([run("FFSS", "Inconclusive", count=4, failureLimit=2, consecutiveSuccessLimit=3)])
    assert ("measurement", "Successful") in [(one.change.value, one.end) for one in found]
    far = counterfactuals([run("FFFS", "Inconclusive", count=4, failureLimit=3, consecutiveSuccessLimit=3)])
    assert "measurement" not in [one.change.value for one in far]


@pytest.mark.parametrize(
    ("conditions", "words"),
    [
        ({"successCondition": "result < 5"}, "less than 5"),
        ({"successCondition": "0.95 <= result[0]"}, "0.95 or more"),
        ({"successCondition": "", "failureCondition": "result[0] > -2"}, "-2 or less"),
        ({"successCondition": "len(result) > 0"}, "a success"),
        ({"successCondition": "result[1] > 3"}, "a success"),
        ({"successCondition": "result[0] > 1 && result[0] < 3"}, "a success"),
        ({"successCondition": "result[0] > 1", "failureCondition": "result[0] < 1"}, "a success"),
    ],
)
def test_a_bound_is_told_only_where_one_comparison_with_the_value_decides(conditions: dict[str, str], words: str) -> None:
    assert told(run("F", "Failed", **conditions))[0][1].startswith(f"with {words} instead of 0.9 ")


def test_a_metric_that_is_still_measured_says_how_far_either_end_is() -> None:
    running = run("FS", "Running", count=4, failureLimit=1)
    assert told(running) == [
        ("measurement", 'one more failed measurement leads metric "rate" to Failed'),
        ("measurement", '2 more successful measurements in a row lead metric "rate" to Successful'),
    ]
    assert [one.end for one in counterfactuals([run("S", "Running", failureLimit=1)])] == ["Failed"]


def test_what_the_judge_cannot_be_asked_again_is_not_told() -> None:
    trimmed = run("FF", "Failed", failureLimit=1, result={"count": 30, "failed": 2, "successful": 28})
    assert [one.change.value for one in counterfactuals([trimmed])] == ["limit"]
    rehearsed = run("F", "Failed", run_phase="Successful", result={"dryRun": True})
    assert counterfactuals([rehearsed]) == ()
    assert counterfactuals([run("S", "Successful")]) == ()


@pytest.mark.parametrize(
    "spoilt",
    [
        {"spec": {"metrics": "x"}},
        {"spec": {"metrics": [{"name": "rate", "interval": "soon"}]}, "status": {"metricResults": [{"name": "rate", "phase": "Failed"}]}},
        {"spec": {"metrics": [{"name": "{{args.gone}}"}]}},
        {"status": {"phase": "Sleeping"}},
        {},
    ],
)
def test_a_run_that_cannot_be_read_has_none(spoilt: Manifest) -> None:
    assert counterfactuals([{"metadata": {"name": "r"}, **spoilt}]) == ()
