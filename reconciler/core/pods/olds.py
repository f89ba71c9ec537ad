"""Older ReplicaSets wound down, and forgotten when there are too many (contract 2.8–2.10, 10.6, 10.7)."""

from collections.abc import Sequence

from reconciler.core.pods.edit import scale
from reconciler.core.replicas.history import trim_history
from reconciler.core.replicas.old import (
    Decision,
    Old,
    Terms,
    budget,
    scale_down_basic,
    scale_down_bluegreen,
    scale_down_routed,
)
from reconciler.core.replicas.surge import bounds
from reconciler.core.turn.position import run_phase
from reconciler.core.turn.turn import Turn, reference
from reconciler.model.plan import Remove
from reconciler.model.resources import REPLICA_SETS
from reconciler.model.rollout import DEFAULT_DELAY, BlueGreen, Canary
from reconciler.model.rollout_status import PauseReason
from reconciler.model.workload import ReplicaSet, total_available


def scale_canary_others(turn: Turn, canary: Canary) -> Turn:
    """The others of a canary: pods without use first, then as many as availability can spare."""
    olds = _olds(turn)
    if not olds:
        return turn
    _, unavailable = bounds(canary.max_surge, canary.max_unavailable, turn.seen.spec.replicas)
    allowance = budget(total_available(turn.seen.replica_sets), turn.seen.spec.replicas, unavailable)
    if canary.routing is None:
        return _carried_out(turn, scale_down_basic(olds, allowance))
    terms = Terms(
        seconds=DEFAULT_DELAY if canary.scale_down_delay is None else canary.scale_down_delay,
        limit=canary.scale_down_delay_revisions,
        referenced=referenced(turn),
        promoted=turn.before.promoted,
        dynamic=canary.dynamic,
    )
    return _carried_out(turn, scale_down_routed(olds, allowance, terms, turn.now))


def scale_blue_green_others(turn: Turn, strategy: BlueGreen) -> Turn:
    """Nothing while a judgement is open: an inconclusive analysis, or a post-promotion one that keeps the old version (contract 2.9)."""
    if turn.before.pause(PauseReason.INCONCLUSIVE_ANALYSIS) is not None:
        return turn
    judged = strategy.post_promotion is None or run_phase(turn.runs.post) == "Successful"
    if strategy.scale_down_delay is None and not judged:
        return turn
    terms = Terms(
        seconds=DEFAULT_DELAY if strategy.scale_down_delay is None else strategy.scale_down_delay,
        limit=strategy.scale_down_delay_revisions,
        keep=turn.seen.spec.replicas,
        referenced=referenced(turn),
        promoted=turn.before.promoted,
    )
    return _carried_out(turn, scale_down_bluegreen(_olds(turn), terms, turn.now))


def _olds(turn: Turn) -> list[Old]:
    return [_old(r) for r in turn.seen.others if r.spec > 0]


def _old(replica_set: ReplicaSet) -> Old:
    created = str(replica_set.manifest["metadata"].get("creationTimestamp") or "")
    return Old(
        replica_set.name,
        replica_set.hash,
        replica_set.spec,
        replica_set.available,
        replica_set.deadline or "",
        created,
        replica_set.revision,
    )


def _carried_out(turn: Turn, decisions: Sequence[Decision]) -> Turn:
    by_name = {r.name: r for r in turn.seen.others}
    for decision in decisions:
        turn = turn.wake(decision.wake_at)
        if decision.changed:
            turn = scale(turn, by_name[decision.old.name], decision.replicas, deadline=decision.deadline)[0]
    return turn


def referenced(turn: Turn) -> frozenset[str]:
    """The versions somebody still sends requests to (contract 10.7): statuses, services and the routers' own objects."""
    before, weights = turn.before, turn.weights
    shares = (weights.canary.hash, weights.stable.hash) if weights else ()
    names = (before.stable_hash, before.current_hash, before.blue_green.active_selector, before.blue_green.preview_selector)
    return frozenset((*names, *shares, *turn.selectors.values(), *turn.seen.found.routed_hashes)) - {""}


def forget_old(turn: Turn) -> Turn:
    """Empty ReplicaSets beyond the history limit removed; their analysis runs go with the next clean-up (contract 10.6)."""
    if not turn.seen.others:
        return turn
    names = trim_history([r.manifest for r in turn.seen.others], turn.seen.spec.revision_history_limit)
    by_name = {r.name: r for r in turn.seen.others}
    return turn.act(*(Remove(reference(REPLICA_SETS, by_name[name].manifest), by_name[name].uid) for name in names))
