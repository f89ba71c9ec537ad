"""What a Deployment's status says."""

from datetime import UTC, datetime, timedelta
from typing import Any

from reconciler_sandbox.controllers.progress import Fleet, Notice, merged, pause_notices, status_of, until_stuck

from tests.kit.workloads import deployment, replica_set

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def fleet(*, available: int, replicas: int = 3) -> Fleet:
    newest = replica_set("web-new", replicas=replicas)
    newest["status"] = {"replicas": replicas, "readyReplicas": available, "availableReplicas": available}
    return Fleet(newest, [])


def with_progress(reason: str, *, ago: float, **spec: Any) -> dict[str, Any]:
    moment = (NOW - timedelta(seconds=ago)).strftime("%Y-%m-%dT%H:%M:%SZ")
    condition = {"type": "Progressing", "status": "True", "reason": reason, "lastUpdateTime": moment, "lastTransitionTime": moment}
    return deployment(**spec) | {"status": {"conditions": [condition], "replicas": 3, "updatedReplicas": 3}}


def reason(status: dict[str, Any], kind: str) -> str:
    return next(c["reason"] for c in status["conditions"] if c["type"] == kind)


def test_all_pods_available_is_success() -> None:
    status = status_of(deployment(), fleet(available=3), (), NOW)
    assert reason(status, "Progressing") == "NewReplicaSetAvailable"
    assert reason(status, "Available") == "MinimumReplicasAvailable"
    assert status["unavailableReplicas"] is None


def test_more_available_pods_than_before_are_progress() -> None:
    status = status_of(with_progress("NewReplicaSetCreated", ago=5), fleet(available=1), (), NOW)
    assert reason(status, "Progressing") == "ReplicaSetUpdated"
    assert reason(status, "Available") == "MinimumReplicasUnavailable"


def test_no_progress_within_the_deadline_is_said() -> None:
    stuck = with_progress("ReplicaSetUpdated", ago=11, progressDeadlineSeconds=10)
    status = status_of(stuck, fleet(available=0), (), NOW)
    condition = next(c for c in status["conditions"] if c["type"] == "Progressing")
    assert (condition["status"], condition["reason"]) == ("False", "ProgressDeadlineExceeded")
    assert condition["message"] == 'ReplicaSet "web-new" has timed out progressing.'


def test_a_rollout_looks_again_when_its_deadline_is_due() -> None:
    wait = until_stuck(with_progress("ReplicaSetUpdated", ago=4, progressDeadlineSeconds=10), NOW)
    assert wait is not None and 6 <= wait < 7
    assert until_stuck(with_progress("NewReplicaSetAvailable", ago=4), NOW) is None


def test_pausing_and_resuming_restart_the_clock() -> None:
    paused = with_progress("ReplicaSetUpdated", ago=4, paused=True)
    assert [n.reason for n in pause_notices(paused)] == ["DeploymentPaused"]
    assert [n.reason for n in pause_notices(with_progress("DeploymentPaused", ago=4))] == ["DeploymentResumed"]


def test_a_condition_that_says_the_same_is_not_touched() -> None:
    before = merged([], [Notice("Available", "True", "r", "m")], NOW)
    assert merged(before, [Notice("Available", "True", "r", "m")], NOW + timedelta(hours=1)) == before


def test_the_transition_time_moves_only_with_the_status() -> None:
    before = merged([], [Notice("Available", "True", "r", "m")], NOW)
    after = merged(before, [Notice("Available", "True", "other", "m")], NOW + timedelta(hours=1))
    assert after[0]["lastTransitionTime"] == before[0]["lastTransitionTime"] != after[0]["lastUpdateTime"]
