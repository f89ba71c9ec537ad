"""Requests in the window of one measurement: one error among three requests ends no release, and one good request proves none."""

from typing import Any

import pytest

from reconciler.kernel.identity import Manifest
from reconciler.releases.model import Verdict
from reconciler.releases.policies.policy import ReleasePolicy
from reconciler.releases.verdict.windows import measured, without_thin
from tests.kit.releases import aborted, facts, rollout, run
from tests.releases.test_judge import judged, promoted

POLICY = ReleasePolicy(name="p", namespace="shop", minimum_requests_per_window=50)


def counted(volume: tuple[str, ...], *, phase: str = "Successful", seconds: int = 0, **fields: Any) -> Manifest:
    """A run that measured a rate as often as the volume, `seconds` before each of its readings, a minute apart."""
    found = run(phase, values=("[0.5]",) * len(volume))
    (rate,) = found["status"]["metricResults"]
    for minute, measurement in enumerate(rate["measurements"]):
        measurement["startedAt"] = f"2026-11-25T03:{minute:02}:00Z"
    readings = [
        {"phase": "Successful", "value": value, "startedAt": f"2026-11-25T03:{m:02}:{seconds:02}Z"} for m, value in enumerate(volume)
    ]
    found["status"]["metricResults"].append({"name": "volume", "phase": "Successful", "dryRun": True, "measurements": readings})
    rate.update(fields)
    return found


@pytest.mark.parametrize(
    ("volume", "data", "thin"),
    [
        (("50", "100", "150"), 3, 0),
        (("[49]", "[100]", "[149]"), 1, 2),
        (("3", "4", "5"), 0, 3),
        (("900", "20", "80"), 2, 1),  # a counter that fell began anew: 20 requests, then 60
        (("NaN", "", "x"), 0, 3),
    ],
)
def test_a_measurement_in_a_thin_window_holds_no_data(volume: tuple[str, ...], data: int, thin: int) -> None:
    row = measured(counted(volume), POLICY)[0]
    assert (row.founded, row.passed, row.thin, row.successful) == (data, data, thin, 3)


def test_the_reading_nearest_to_a_measurement_counts_whichever_was_asked_first() -> None:
    assert measured(counted(("50", "100"), seconds=20), POLICY)[0].founded == 2


def test_readings_that_come_less_often_leave_windows_without_requests() -> None:
    found = counted(("50", "100", "150"))
    del found["status"]["metricResults"][1]["measurements"][1:]
    assert (measured(found, POLICY)[0].founded, measured(found, POLICY)[0].thin) == (1, 2)


def test_what_a_run_dropped_and_the_measurement_after_it_have_no_window() -> None:
    dropped = counted(("500", "600", "700"), successful=20, metadata={"DroppedSuccessfulWithData": "17"})
    assert (measured(dropped, POLICY)[0].founded, measured(dropped, POLICY)[0].thin) == (2, 1)
    assert measured(dropped, ReleasePolicy(name="p", namespace="shop"))[0].founded == 20


def test_a_job_and_a_policy_that_asks_for_nothing_leave_the_run_as_it_is() -> None:
    found = counted(("1", "2"))
    assert without_thin(found, ReleasePolicy(name="p", namespace="shop")) is found
    found["spec"]["metrics"][0]["provider"] = {"job": {}}
    assert measured(found, POLICY)[0].founded == 2


@pytest.mark.parametrize(
    "status", [{}, {"metricResults": []}, {"metricResults": [{"name": "a"}, {"name": "volume", "measurements": [{}]}]}]
)
def test_a_run_without_measurements_is_no_exception(status: Manifest) -> None:
    assert sum(row.founded for row in measured({"metadata": {"name": "r"}, "status": status}, POLICY)) == 0
    moment = {"phase": "Failed", "value": "1", "startedAt": "yesterday"}
    odd = {"metadata": {"name": "r"}, "status": {"metricResults": [{"name": "a", "measurements": [moment]}]}}
    assert measured(odd, POLICY)[0].thin == 1


def test_a_failure_in_thin_windows_only_is_not_enough_evidence_and_says_why() -> None:
    thin = judged(facts(rollout=rollout(**aborted("x")), runs=(counted(("1", "2"), phase="Failed"),)), POLICY)
    assert thin.verdict is Verdict.NOT_ENOUGH_EVIDENCE
    assert thin.reason.endswith("no failed measurement held data: 2 met fewer requests than minimumRequestsPerWindow asks for")
    assert judged(facts(rollout=rollout(**aborted("x")), runs=(counted(("1", "90"), phase="Failed"),)), POLICY).verdict is Verdict.FAILED


def test_good_measurements_in_thin_windows_prove_nothing_and_say_so() -> None:
    thin = judged(facts(rollout=promoted(analysis=True), runs=(counted(("1", "2")),)), POLICY)
    assert thin.verdict is Verdict.NOT_ENOUGH_EVIDENCE
    assert thin.reason.endswith("held data: 2 met fewer requests than minimumRequestsPerWindow asks for")
    assert judged(facts(rollout=promoted(analysis=True), runs=(counted(("60", "99")),)), POLICY).verdict is Verdict.PASSED
