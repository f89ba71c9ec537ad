"""Counting a Job's pods and judging the Job."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from reconciler_sandbox.controllers.tally import finished_at, outcome, pause_before_next, tally, wanted_pods

from tests.kit.workloads import job, pod

NOW = datetime(2026, 1, 1, 0, 1, tzinfo=UTC)


def ended(phase: str, at: str = "2026-01-01T00:00:00Z") -> dict[str, Any]:
    return pod(phase, ready=False, status={"phase": phase, "containerStatuses": [{"state": {"terminated": {"finishedAt": at}}}]})


def reason(work: dict[str, Any], *pods: dict[str, Any]) -> str | None:
    notice = outcome(work, tally(pods, work), NOW)
    return notice.reason if notice is not None else None


def test_enough_successes_complete_a_job() -> None:
    assert reason(job("j", "works:1", completions=1), ended("Succeeded")) == "CompletionsReached"
    assert reason(job("j", "works:1", completions=2), ended("Succeeded")) is None


@pytest.mark.parametrize(("failures", "expected"), [(1, None), (2, "BackoffLimitExceeded")])
def test_one_failure_more_than_the_limit_fails_a_job(failures: int, expected: str | None) -> None:
    assert reason(job("j", "fails:1", backoffLimit=1), *[ended("Failed")] * failures) == expected


def test_restarts_in_place_count_against_the_limit() -> None:
    work = job("j", "fails:1", policy="OnFailure", backoffLimit=2)
    assert reason(work, pod(status={"containerStatuses": [{"restartCount": 1}]})) is None
    assert reason(work, pod(status={"containerStatuses": [{"restartCount": 2}]})) == "BackoffLimitExceeded"


def test_a_job_that_runs_too_long_fails() -> None:
    work = job("j", "sleeps:1", activeDeadlineSeconds=30) | {"status": {"startTime": "2026-01-01T00:00:00Z"}}
    assert reason(work, pod()) == "DeadlineExceeded"


def test_an_indexed_job_is_refused_in_words() -> None:
    notice = outcome(job("j", "works:1", completionMode="Indexed"), tally([], job("j", "works:1")), NOW)
    assert notice is not None and "Indexed" in notice.message


def test_counts_do_not_fall_when_finished_pods_are_removed() -> None:
    work = job("j", "works:1", completions=3) | {"status": {"succeeded": 2, "failed": 1}}
    count = tally([], work)
    assert (count.succeeded, count.failed) == (2, 1)
    assert wanted_pods(work, count) == 1


def test_the_pause_doubles_with_each_failure() -> None:
    work = job("j", "fails:1")
    last = (NOW - timedelta(seconds=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert pause_before_next(tally([ended("Failed", last)], work), 10, NOW) == 9
    assert pause_before_next(tally([ended("Failed", last)] * 2, work), 10, NOW) == 19
    assert pause_before_next(tally([], work), 10, NOW) == 0


def test_only_a_true_end_condition_finishes_a_job() -> None:
    condition = {"type": "Failed", "status": "True", "lastTransitionTime": "2026-01-01T00:00:00Z"}
    assert finished_at({"status": {"conditions": [condition]}}) == datetime(2026, 1, 1, tzinfo=UTC)
    assert finished_at({"status": {"conditions": [condition | {"status": "False"}]}}) is None
