"""Older ReplicaSets wound down, and forgotten when there are too many (contract 2.8–2.10, 10.6, 10.7)."""

from collections.abc import Iterator, Sequence

from reconciler.kernel.plan import Remove
from reconciler.kernel.resources import REPLICA_SETS
from reconciler.rollouts.passes import Pass, reference
from reconciler.rollouts.pods.edit import scale
from reconciler.rollouts.pods.replica_set import ReplicaSet, total_available
from reconciler.rollouts.position import run_phase
from reconciler.rollouts.replicas.history import trim_history
from reconciler.rollouts.replicas.old import Old, OldSize, OldTerms, budget, scale_down_basic, scale_down_bluegreen, scale_down_routed
from reconciler.rollouts.replicas.surge import bounds
from reconciler.rollouts.spec.model import DEFAULT_DELAY, BlueGreen, Canary
from reconciler.rollouts.status.conditions import saturated
from reconciler.rollouts.status.model import PauseReason


def scale_canary_others(pass_: Pass, canary: Canary) -> Pass:
    """The others of a canary: pods without use first, then as many as availability can spare."""
    olds = _olds(pass_)
    if not olds:
        return pass_
    _, unavailable = bounds(canary.max_surge, canary.max_unavailable, pass_.facts.spec.replicas)
    allowance = budget(total_available(pass_.facts.replica_sets), pass_.facts.spec.replicas, unavailable)
    if canary.routing is None:
        return _carried_out(pass_, scale_down_basic(olds, allowance))
    terms = OldTerms(
        seconds=DEFAULT_DELAY if canary.scale_down_delay is None else canary.scale_down_delay,
        limit=canary.scale_down_delay_revisions,
        referenced=referenced(pass_),
        promoted=pass_.before.promoted,
        dynamic=canary.dynamic,
    )
    return _carried_out(pass_, scale_down_routed(olds, allowance, terms, pass_.now))


def scale_blue_green_others(pass_: Pass, strategy: BlueGreen) -> Pass:
    """Nothing while a judgement is open: an inconclusive analysis, or a post-promotion one that keeps the old version (contract 2.9)."""
    if pass_.before.pause(PauseReason.INCONCLUSIVE_ANALYSIS) is not None:
        return pass_
    if strategy.scale_down_delay is None and _judgement_open(pass_, strategy):
        return pass_
    terms = OldTerms(
        seconds=DEFAULT_DELAY if strategy.scale_down_delay is None else strategy.scale_down_delay,
        limit=strategy.scale_down_delay_revisions,
        keep=pass_.facts.spec.replicas,
        referenced=referenced(pass_),
        promoted=pass_.before.promoted,
    )
    return _carried_out(pass_, scale_down_bluegreen(_olds(pass_), terms, pass_.now))


def _judgement_open(pass_: Pass, strategy: BlueGreen) -> bool:
    """A post-promotion run that is there or due and has not succeeded (contract 2.9): `promote --full` and a way back have none."""
    before, new = pass_.before, pass_.facts.new
    if strategy.post_promotion is None or run_phase(pass_.runs.post) == "Successful":
        return False
    switched = before.blue_green.active_selector == before.current_hash != ""
    if before.promoted or not switched:
        return False
    return pass_.runs.post is not None or (new is not None and saturated(new, pass_.facts.spec.replicas))


def _olds(pass_: Pass) -> list[Old]:
    return [_old(r) for r in pass_.facts.others if r.spec > 0]


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


def _carried_out(pass_: Pass, decisions: Sequence[OldSize]) -> Pass:
    by_name = {r.name: r for r in pass_.facts.others}
    for decision in decisions:
        pass_ = pass_.wake(decision.wake_at)
        if decision.changed:
            pass_ = scale(pass_, by_name[decision.old.name], decision.replicas, deadline=decision.deadline)[0]
    return pass_


def referenced(pass_: Pass) -> frozenset[str]:
    """The versions that still get requests (contract 10.7): statuses, services and the routers' own objects."""
    before, weights = pass_.before, pass_.weights
    shares = (weights.canary.hash, weights.stable.hash) if weights else ()
    names = (before.stable_hash, before.current_hash, before.blue_green.active_selector, before.blue_green.preview_selector)
    return frozenset((*names, *shares, *_selected(pass_), *pass_.facts.found.routed_hashes)) - {""}


def _selected(pass_: Pass) -> Iterator[str]:
    """What Services select, but for ping and pong: the one in waiting selects the former version until the next release."""
    canary = pass_.facts.spec.canary
    pair = canary.ping_pong if canary else None
    waiting = (pair.ping_service, pair.pong_service) if pair else ()
    return (hash for name, hash in pass_.selectors.items() if name not in waiting)


def forget_old(pass_: Pass) -> Pass:
    """Empty ReplicaSets beyond the history limit removed; their analysis runs go with the next clean-up (contract 10.6)."""
    if not pass_.facts.others:
        return pass_
    names = trim_history([r.manifest for r in pass_.facts.others], pass_.facts.spec.revision_history_limit)
    by_name = {r.name: r for r in pass_.facts.others}
    return pass_.act(*(Remove(reference(REPLICA_SETS, by_name[name].manifest), by_name[name].uid) for name in names))
