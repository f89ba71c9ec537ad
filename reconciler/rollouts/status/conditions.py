"""Conditions: when each is written, with which words, and when a rollout has run out of time (contract 3.5–3.7)."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from reconciler.kernel.identity import Manifest
from reconciler.rollouts.facts import RolloutFacts
from reconciler.rollouts.pods.replica_set import ReplicaSet
from reconciler.rollouts.status.model import Condition, RolloutStatus

Conditions = tuple[Condition, ...]
PROGRESSING, PAUSED, HEALTHY, COMPLETED, AVAILABLE = "Progressing", "Paused", "Healthy", "Completed", "Available"
REPLICA_FAILURE, INVALID_SPEC = "ReplicaFailure", "InvalidSpec"
ABORTED, PAUSED_REASON, TIMED_OUT, ALL_AVAILABLE = "RolloutAborted", "RolloutPaused", "ProgressDeadlineExceeded", "NewReplicaSetAvailable"
CREATE_ERROR = "ReplicaSetCreateError"
UNAVAILABLE_TEXT = "Rollout does not have minimum availability"


def written(conditions: Conditions, condition: Condition, now: datetime, *, always: bool = False) -> Conditions:
    """The list with this condition last. Same status and reason: dropped, message and times stay (contract 13.28), unless `always`."""
    former = next((c for c in conditions if c.type == condition.type), None)
    if former is not None and not always and (former.status, former.reason) == (condition.status, condition.reason):
        return conditions
    changed = former.changed if former is not None and former.status == condition.status else now
    return (*without(conditions, condition.type), replace(condition, updated=now, changed=changed))


def without(conditions: Conditions, type: str) -> Conditions:
    return tuple(c for c in conditions if c.type != type)


def healthy(facts: RolloutFacts, status: RolloutStatus) -> bool:
    """Everything that was asked for is there and serves (contract 3.5); judged on the generation observed before this pass."""
    spec, replicas = facts.spec, facts.spec.replicas
    paused = bool(facts.status.pauses) or spec.paused
    if paused or not status.updated == status.available == replicas or facts.status.observed_generation != facts.generation:
        return False
    return _canary_done(facts, status) if spec.canary else _blue_green_done(facts, status)


def _canary_done(facts: RolloutFacts, status: RolloutStatus) -> bool:
    walked = not facts.spec.steps or status.step_index == len(facts.spec.steps)
    return walked and status.completed and status.replicas == facts.spec.replicas


def _blue_green_done(facts: RolloutFacts, status: RolloutStatus) -> bool:
    strategy, selected = facts.spec.blue_green, status.blue_green
    previewed = not (strategy and strategy.preview_service) or selected.preview_selector == status.current_hash
    return bool(status.current_hash) and selected.active_selector == status.current_hash and previewed


def progressed(facts: RolloutFacts, status: RolloutStatus) -> bool:
    """True when this pass found the rollout further than the last one did (contract 3.5 "Progress detected")."""
    before = facts.status
    counts = (
        status.updated != before.updated
        or status.replicas - status.updated < before.replicas - before.updated
        or status.ready > before.ready
        or status.available > before.available
    )
    return counts or (_canary_moved(before, status) if facts.spec.canary else _switched(before, status))


def _canary_moved(before: RolloutStatus, status: RolloutStatus) -> bool:
    both = before.step_index is not None and status.step_index is not None
    stepped = both and before.step_index != status.step_index
    return stepped or before.stable_hash != status.stable_hash or before.step_hash != status.step_hash


def _switched(before: RolloutStatus, status: RolloutStatus) -> bool:
    one, other = before.blue_green, status.blue_green
    return (one.active_selector, one.preview_selector) != (other.active_selector, other.preview_selector)


def deadline_applies(facts: RolloutFacts, status: RolloutStatus, *, waiting: bool) -> bool:
    """True when time counts at all: not at a waiting step, not while paused, not while an older version winds down (contract 13.51).

    A version whose deadline has passed winds down until its pods are gone: then the rollout is done, and was never late.
    """
    paused = status.condition(PAUSED)
    leaving = any(r.deadline or (status.promoted and r.spec < r.actual) for r in facts.others)
    return not waiting and not (paused and paused.status == "True") and not leaving


def timed_out(facts: RolloutFacts, conditions: Conditions, now: datetime) -> bool:
    """True when the last progress is too long ago; once so, it stays until there is progress (contract 3.6)."""
    condition = next((c for c in conditions if c.type == PROGRESSING), None)
    if condition is None or condition.reason in (ABORTED, PAUSED_REASON):
        return False
    if condition.reason == TIMED_OUT:
        return True
    return condition.updated is not None and condition.updated + timedelta(seconds=facts.spec.progress_deadline) < now


def availability(facts: RolloutFacts, status: RolloutStatus) -> Condition:
    """Available: the active ReplicaSet is saturated, or enough canary and stable pods together serve (contract 3.5)."""
    enough = sum(r.available for r in facts.replica_sets) >= facts.spec.replicas
    if facts.spec.blue_green:
        active = facts.with_hash(status.blue_green.active_selector)
        enough = active is not None and saturated(active, facts.spec.replicas)
    text = "Rollout has minimum availability" if enough else UNAVAILABLE_TEXT
    return Condition(type=AVAILABLE, status="True" if enough else "False", reason="AvailableReason", message=text)


def saturated(replica_set: ReplicaSet, replicas: int) -> bool:
    """Asked for, noted and available at full size (contract 5.2)."""
    return replica_set.spec == replica_set.desired == replica_set.available == replicas


def replica_failure(replica_sets: Sequence[ReplicaSet], new: ReplicaSet | None) -> Condition | None:
    """A ReplicaSet's own ReplicaFailure, the new one's first (contract 3.5)."""
    for candidate in (*((new,) if new else ()), *replica_sets):
        for raw in (candidate.manifest.get("status") or {}).get("conditions") or ():
            if raw.get("type") == REPLICA_FAILURE:
                return _copied(raw)
    return None


def _copied(raw: Manifest) -> Condition:
    status, reason = str(raw.get("status", "True")), str(raw.get("reason", ""))
    return Condition(type=REPLICA_FAILURE, status=status, reason=reason, message=str(raw.get("message", "")))
