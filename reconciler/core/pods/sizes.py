"""How many pods each side of a canary shall have now, and whether it has them (contract 2.2–2.5)."""

from reconciler.core.replicas.basic import Size, next_sizes, targets
from reconciler.core.replicas.routed import (
    Threshold,
    at_desired,
    canary_count,
    canary_count_on_abort,
    enough,
    stable_at_desired,
    stable_count,
)
from reconciler.core.replicas.surge import bounds
from reconciler.core.turn.position import desired_weight, sticky_scale
from reconciler.core.turn.turn import Turn
from reconciler.model.rollout import Canary
from reconciler.model.rollout_status import Weights
from reconciler.model.workload import ReplicaSet, total_available


def canary_target(turn: Turn, canary: Canary, *, recorded: bool = True) -> int:
    """The canary's pods in the end: its share of pods, or of traffic when a router splits it."""
    if canary.routing is None:
        return basic_targets(turn, canary)[0]
    return routed_target(turn, canary, recorded=recorded)


def basic_targets(turn: Turn, canary: Canary) -> tuple[int, int]:
    """The (canary, stable) pair to walk to; all pods are the new version's when nothing else is stable (contract 2.2)."""
    replicas = turn.seen.spec.replicas
    if not turn.seen.moving:
        return replicas, 0
    surge, _ = bounds(canary.max_surge, canary.max_unavailable, replicas)
    return targets(replicas, desired_weight(turn), turn.seen.spec.maximum, surge)


def basic_sizes(turn: Turn, canary: Canary) -> tuple[int, int]:
    """The (canary, stable) sizes of this pass: one bounded move (contract 2.3)."""
    seen = turn.seen
    surge, unavailable = bounds(canary.max_surge, canary.max_unavailable, seen.spec.replicas)
    target_canary, target_stable = basic_targets(turn, canary)
    return next_sizes(
        replicas=seen.spec.replicas,
        target_canary=target_canary,
        target_stable=target_stable,
        surge=surge,
        unavailable=unavailable,
        canary=_size(seen.new),
        stable=_size(seen.stable) if seen.moving else Size(0, 0),
        others=tuple(_size(other) for other in seen.others),
    )


def _size(replica_set: ReplicaSet | None) -> Size:
    return Size(replica_set.spec, replica_set.available) if replica_set else Size(0, 0)


def routed_target(turn: Turn, canary: Canary, *, recorded: bool = True) -> int:
    """The canary's pods beside a router (contract 2.4), judged with the weights of this pass, or without any (not `recorded`)."""
    replicas, maximum = turn.seen.spec.replicas, turn.seen.spec.maximum
    scale = sticky_scale(turn)
    count = canary_count(
        replicas,
        desired_weight(turn),
        maximum,
        explicit=scale.replicas if scale else None,
        scale_weight=scale.weight if scale else None,
        minimum=canary.min_pods,
        dynamic=canary.dynamic,
    )
    if not (canary.dynamic and turn.aborting and recorded) or turn.weights is None:
        return count
    return canary_count_on_abort(count, replicas, turn.weights.canary.weight, maximum, minimum=canary.min_pods)


def routed_stable_target(turn: Turn, canary: Canary) -> int:
    """The stable side's pods beside a router, judged with the weights persisted before this pass (contract 2.4, 13.10)."""
    maximum = turn.seen.spec.maximum
    return stable_count(
        turn.seen.spec.replicas,
        _pod_weight(turn),
        _stable_share(turn.before.canary.weights, maximum),
        maximum,
        dynamic=canary.dynamic,
        minimum=canary.min_pods,
    )


def _pod_weight(turn: Turn) -> int:
    """The share of pods the canary takes from stable: an explicit number takes none (contract 2.4)."""
    scale = sticky_scale(turn)
    if scale is None or (scale.replicas is None and scale.weight is None):
        return desired_weight(turn)
    return 0 if scale.replicas is not None or scale.weight is None else scale.weight


def _stable_share(weights: Weights | None, maximum: int) -> int:
    """The stable side's recorded weight; without a record it carries everything."""
    return weights.stable.weight if weights else maximum


def at_desired_counts(turn: Turn, *, recorded: bool = True) -> bool:
    """Whether both sides have their pods (contract 2.5); `recorded=False` asks without the weights in force (9.1, row 6)."""
    canary, seen = turn.seen.spec.canary, turn.seen
    if canary is None or seen.new is None:
        return False
    if canary.routing is None and total_available(seen.others) > 0:
        return False
    target = canary_target(turn, canary, recorded=recorded)
    return at_desired(seen.new.available, seen.new.spec, target, threshold_of(canary)) and _stable_there(turn, canary)


def _stable_there(turn: Turn, canary: Canary) -> bool:
    """Whether the stable side's pods exist; not asked under dynamicStableScale, nor when there is no other side."""
    stable = turn.seen.stable
    if canary.dynamic or stable is None or not turn.seen.moving:
        return True
    target = turn.seen.spec.replicas if canary.routing else basic_targets(turn, canary)[1]
    return stable_at_desired(stable.spec, stable.actual, target)


def threshold_of(canary: Canary) -> Threshold | None:
    """`replicaProgressThreshold`, None when unset or negative (contract 2.5)."""
    threshold = canary.threshold
    if threshold is None or threshold.value < 0:
        return None
    return Threshold("Pods" if threshold.kind == "Pods" else "Percent", threshold.value)


def capable(available: int, target: int, canary: Canary) -> bool:
    """Whether so many available pods may carry what `target` pods carry: all there, or the threshold met (13.44)."""
    threshold = threshold_of(canary)
    return available >= target or (threshold is not None and enough(available, target, threshold))
