"""Ways back: which changes are rollbacks, and which of them skip the steps (contract 4.8)."""

from reconciler.kernel.moment import parse_moment
from reconciler.rollouts.facts import RolloutFacts
from reconciler.rollouts.passes import Pass
from reconciler.rollouts.pods.replica_set import ReplicaSet


def rollback(facts: RolloutFacts) -> bool:
    """True when the wanted version is the stable one or older than it."""
    if facts.new is None or facts.stable is None:
        return False
    return facts.new.hash == facts.stable.hash or facts.new.created < facts.stable.created


def within_window(facts: RolloutFacts) -> bool:
    """True when fewer than `rollbackWindow.revisions` ReplicaSets were created between the wanted and the stable one."""
    new, stable = facts.new, facts.stable
    if facts.spec.rollback_window <= 0 or new is None or stable is None or not new.created < stable.created:
        return False
    between = [r for r in facts.replica_sets if new.created < r.created < stable.created]
    return len(between) < facts.spec.rollback_window


def fast_rollback(pass_: Pass) -> bool:
    """True when the way back is taken without steps, pauses and analyses."""
    facts = pass_.facts
    if not rollback(facts) or facts.new is None:
        return False
    still_warm = facts.spec.blue_green is not None and _waits_for_removal(pass_, facts.new)
    return within_window(facts) or still_warm or facts.new.hash == pass_.before.stable_hash


def _waits_for_removal(pass_: Pass, replica_set: ReplicaSet) -> bool:
    """True when a ReplicaSet carries a deadline that has not passed. An aborted version carries one too, but is no way back."""
    if replica_set.deadline is None:
        return False
    try:
        return parse_moment(replica_set.deadline) > pass_.now
    except ValueError:
        return False
