"""Ways back: which changes are rollbacks, and which of them skip the steps (contract 4.8)."""

from reconciler.core.turn.observed import Observed
from reconciler.core.turn.turn import Turn
from reconciler.model.moment import parse_moment
from reconciler.model.workload import ReplicaSet


def rollback(seen: Observed) -> bool:
    """Whether the wanted version is the stable one or older than it."""
    if seen.new is None or seen.stable is None:
        return False
    return seen.new.hash == seen.stable.hash or seen.new.created < seen.stable.created


def within_window(seen: Observed) -> bool:
    """Whether fewer than `rollbackWindow.revisions` ReplicaSets were created between the wanted and the stable one."""
    new, stable = seen.new, seen.stable
    if seen.spec.rollback_window <= 0 or new is None or stable is None or not new.created < stable.created:
        return False
    between = [r for r in seen.replica_sets if new.created < r.created < stable.created]
    return len(between) < seen.spec.rollback_window


def fast_rollback(turn: Turn) -> bool:
    """Whether the way back is taken without steps, pauses and analyses."""
    seen = turn.seen
    if not rollback(seen) or seen.new is None:
        return False
    still_warm = seen.spec.blue_green is not None and _waits_for_removal(turn, seen.new)
    return within_window(seen) or still_warm or seen.new.hash == turn.before.stable_hash


def _waits_for_removal(turn: Turn, replica_set: ReplicaSet) -> bool:
    """Whether it carries a deadline that has not passed. An aborted version carries one too, but is no way back."""
    if replica_set.deadline is None:
        return False
    try:
        return parse_moment(replica_set.deadline) > turn.now
    except ValueError:
        return False
