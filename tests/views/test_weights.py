"""The weight over time, from what objects happen to tell."""

from datetime import UTC, datetime, timedelta
from typing import Any

from reconciler.kernel.identity import Manifest
from reconciler.kernel.moment import render_moment
from reconciler.releases.model import ReleasePhase, ReleaseStatus, Verdict
from reconciler.views.tree import Family
from reconciler.views.weights import asked_history, weight_history
from tests.kit.releases import NOW as BEGAN
from tests.kit.releases import release

NOW = BEGAN + timedelta(minutes=30)
STEPS: list[Manifest] = [{"setWeight": 20}, {"analysis": {}}, {"setWeight": 60}, {"pause": {"duration": "10m"}}]


def at(minutes: float) -> datetime:
    return BEGAN + timedelta(minutes=minutes)


def family(*runs: Manifest, weight: int = 60, **status: Any) -> Family:
    known = {"phase": "Paused", "currentPodHash": "bad22", "stableRS": "good1", "currentStepIndex": 3, **status}
    weights = {"canary": {"weights": {"canary": {"weight": weight}}}}
    spec = {"strategy": {"canary": {"steps": STEPS}}}
    return Family({"metadata": {"name": "web", "namespace": "shop"}, "spec": spec, "status": {**known, **weights}}, (), (), runs)


def run(minutes: float, step: str = "1", pod_hash: str = "bad22") -> Manifest:
    labels = {"rollouts-pod-template-hash": pod_hash, "step-index": step}
    return {"metadata": {"name": "r", "labels": labels, "creationTimestamp": render_moment(at(minutes))}}


def told(minutes: float, message: str, reason: str = "TrafficWeightUpdated", about: str = "web") -> Manifest:
    return {"involvedObject": {"name": about}, "reason": reason, "message": message, "lastTimestamp": render_moment(at(minutes))}


def points(*args: Any, now: datetime = NOW) -> list[tuple[float, int]]:
    return [((point.at - BEGAN).total_seconds() / 60, point.weight) for point in weight_history(*args, now)]


def test_events_runs_and_pauses_tell_it_together() -> None:
    paused = [{"reason": "CanaryPauseStep", "startTime": render_moment(at(20))}]
    events = [told(1, "Traffic weight updated to 20"), told(15, "Rollout step 3/4 completed (setWeight: 60)", "RolloutStepCompleted")]
    assert points(family(run(3), pauseConditions=paused), release(), events) == [(0, 0), (1, 20), (15, 60), (30, 60)]


def test_without_events_the_runs_of_steps_remember_the_weight_they_began_at() -> None:
    assert points(family(run(3)), release(), []) == [(0, 0), (3, 20), (30, 60)]


def test_nothing_of_other_versions_other_rollouts_and_earlier_times_counts() -> None:
    events = [told(-5, "Traffic weight updated to 80"), told(2, "Traffic weight updated to 90", about="other"), told(2, "Weight is 99")]
    assert points(family(run(3, pod_hash="good1"), run(4, step="77"), run(4, step="x")), release(), events) == [(0, 0), (30, 60)]


def test_a_release_that_ended_ends_its_line() -> None:
    home = ReleaseStatus(phase=ReleasePhase.CLOSED, verdict=Verdict.FAILED, decided_at=at(9), pod_hash="bad22")
    assert points(family(run(3), currentPodHash="good1", weight=0), release(status=home), []) == [(0, 0), (3, 20), (9, 0)]
    good = ReleaseStatus(phase=ReleasePhase.CLOSED, verdict=Verdict.PASSED, promoted_at=at(8), decided_at=at(12), pod_hash="bad22")
    assert points(None, release(status=good), []) == [(0, 0), (8, 100), (12, 100)]


def test_without_a_release_the_rollout_says_when_it_began() -> None:
    began = {"duration": {"rolloutStartedAt": render_moment(at(2))}}
    assert points(family(**began), None, []) == [(2, 0), (30, 60)]
    assert points(family(), None, []) == []


def test_a_clock_that_is_behind_draws_nothing_of_the_future() -> None:
    assert all(minutes <= 1 for minutes, _ in points(family(run(3)), release(), [], now=at(1)))


def test_an_aborted_attempt_is_at_zero() -> None:
    aborted = {"abort": True, "abortedAt": datetime(2026, 11, 25, 3, 9, tzinfo=UTC).strftime("%Y-%m-%dT%H:%M:%SZ")}
    assert points(family(run(3), weight=0, **aborted), release(), []) == [(0, 0), (3, 20), (9, 0), (30, 0)]


def asked(*args: Any, now: datetime = NOW) -> list[tuple[float, int]]:
    return [((point.at - BEGAN).total_seconds() / 60, point.weight) for point in asked_history(*args, now)]


def test_a_weight_is_asked_for_since_the_step_before_it_was_done() -> None:
    def done(minutes: float, number: int, what: str, about: str = "web") -> Manifest:
        return told(minutes, f"Rollout step {number}/4 completed ({what})", "RolloutStepCompleted", about)

    events = [done(2, 1, "setWeight: 20"), done(12, 2, "analysis"), done(15, 3, "setWeight: 60"), done(4, 2, "analysis", "other")]
    assert asked(family(), release(), events) == [(0, 20), (12, 60), (30, 60)], "60 is asked for at minute 12 and in force at minute 15"
    assert points(family(), release(), events) == [(0, 0), (2, 20), (15, 60), (30, 60)]
    assert asked(family(), release(), [done(3, 99, "setWeight: 1"), told(3, "step 1/4", "RolloutStepCompleted")])[0] == (0, 20)


def test_an_aborted_attempt_asks_for_nothing_and_an_ended_one_is_not_asked() -> None:
    home = family(weight=0, abort=True, abortedAt=render_moment(at(9)))
    assert (9, 0) in asked(home, release(), [])
    ended = ReleaseStatus(phase=ReleasePhase.CLOSED, verdict=Verdict.FAILED, decided_at=at(9), pod_hash="bad22")
    assert asked(home, release(status=ended), []) == []
