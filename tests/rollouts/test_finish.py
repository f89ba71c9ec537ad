"""The status a full pass leaves (contract 3.2, 3.3, 3.6, 3.7)."""

from dataclasses import replace
from datetime import timedelta

from reconciler.kernel.plan import Emit
from reconciler.rollouts.finish import finished, format_selector, fresh_status, stamped
from reconciler.rollouts.passes import Pass
from reconciler.rollouts.status.model import RolloutStatus
from tests.kit.passes import NOW, begun, moving, replica_set
from tests.kit.rollouts import canary, pause, rollout, weight

OLD_WORD = {
    "type": "Progressing",
    "status": "True",
    "reason": "ReplicaSetUpdated",
    "message": "x",
    "lastUpdateTime": "2030-01-01T11:00:00Z",
}


def stuck(**spec: object) -> Pass:
    """Nothing has moved for an hour."""
    manifest = rollout(image="image:new", canary=canary(weight(50), pause()), **spec)
    counts = {"replicas": 6, "updatedReplicas": 2, "readyReplicas": 4, "availableReplicas": 4}
    before = moving(currentStepIndex=0, currentStepHash="x", conditions=[OLD_WORD], **counts)
    step = begun(manifest, replica_set("old", 4, age=10), replica_set("new", 2, 0), status=before)
    return replace(step, facts=replace(step.facts, step_hash="x"))


def of(after: Pass, type: str = "Progressing") -> tuple[str, str]:
    assert after.status is not None
    condition = after.status.condition(type)
    return (condition.status, condition.reason) if condition else ("", "")


def test_a_selector_reads_as_one_line() -> None:
    assert format_selector({"matchLabels": {"b": "2", "a": "1"}}) == "a=1,b=2"
    expressions = [{"key": "k", "operator": "In", "values": ["y", "x"]}, {"key": "z", "operator": "DoesNotExist"}]
    assert format_selector({"matchExpressions": expressions}) == "!z,k in (x,y)"
    assert format_selector({}) == "<none>"


def test_counts_are_rebuilt_from_what_is_there() -> None:
    status = fresh_status(stuck())
    assert (status.replicas, status.updated, status.ready, status.available) == (6, 2, 4, 4)


def test_nothing_moved_for_too_long_is_late() -> None:
    assert of(finished(stuck(), fresh_status(stuck()))) == ("False", "ProgressDeadlineExceeded")


def test_a_longer_deadline_is_waited_for() -> None:
    after = finished(stuck(progressDeadlineSeconds=7200), fresh_status(stuck()))
    assert of(after) == ("True", "ReplicaSetUpdated")
    assert after.wake_at == NOW + timedelta(seconds=3601)


def test_being_late_aborts_where_asked() -> None:
    after = finished(stuck(progressDeadlineAbort=True), fresh_status(stuck()))
    assert after.status is not None and after.status.abort and after.status.aborted_at == NOW
    assert of(after) == ("False", "RolloutAborted")
    assert "RolloutAborted" in [e.reason for e in after.effects if isinstance(e, Emit) and e.warning]


def test_two_empty_hashes_are_no_completed_update() -> None:
    after = finished(stuck(), replace(fresh_status(stuck()), stable_hash="", current_hash=""))
    assert of(after, "Completed")[0] == "False"


def test_an_abort_is_told_once_with_its_reason() -> None:
    after = finished(stuck().abort("because"), fresh_status(stuck()))
    assert after.status is not None
    condition = after.status.condition("Progressing")
    assert condition is not None and condition.message == "Rollout aborted update to revision 0: because"


def test_progress_moves_the_clock_of_the_deadline() -> None:
    further = replace(fresh_status(stuck()), available=5)
    after = finished(stuck(), further)
    assert after.status is not None
    condition = after.status.condition("Progressing")
    assert condition is not None and (condition.reason, condition.updated) == ("ReplicaSetUpdated", NOW)


def test_a_lost_pod_of_a_promoted_version_restarts_the_deadline_and_stays_completed() -> None:
    words = [{**OLD_WORD, "reason": "NewReplicaSetAvailable"}, {**OLD_WORD, "type": "Healthy"}, {**OLD_WORD, "type": "Completed"}]
    manifest = rollout(image="image:new", canary=canary())
    before = {"stableRS": "new", "currentPodHash": "new", "conditions": words, "availableReplicas": 4, "replicas": 4, "updatedReplicas": 4}
    step = begun(manifest, replica_set("new", 4, 3), status=before)
    after = finished(step, fresh_status(step))
    assert of(after) == ("True", "ReplicaSetNotAvailable")
    assert (of(after, "Completed")[0], of(after, "Healthy")[0]) == ("True", "False")


def test_a_stamp_names_the_generation_and_the_phase() -> None:
    status = stamped(stuck(), RolloutStatus(), None)
    assert (status.observed_generation, status.phase, status.workload_observed_generation) == ("1", "Progressing", "")
