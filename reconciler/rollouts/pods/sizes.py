"""How many pods each side of a canary shall have now, and whether it has them (contract 2.2–2.5)."""

from reconciler.rollouts.passes import Pass
from reconciler.rollouts.pods.replica_set import ReplicaSet, total_available
from reconciler.rollouts.position import desired_weight, sticky_scale
from reconciler.rollouts.replicas.basic import Size, next_sizes, targets
from reconciler.rollouts.replicas.routed import (
    Threshold,
    at_desired,
    canary_count,
    canary_count_on_abort,
    enough,
    stable_at_desired,
    stable_count,
)
from reconciler.rollouts.replicas.surge import bounds
from reconciler.rollouts.spec.model import Canary
from reconciler.rollouts.status.model import Weights


def canary_target(pass_: Pass, canary: Canary, *, recorded: bool = True) -> int:
    """The canary's pods in the end: its share of pods, or of traffic when a router splits it."""
    if canary.routing is None:
        return basic_targets(pass_, canary)[0]
    return routed_target(pass_, canary, recorded=recorded)


def basic_targets(pass_: Pass, canary: Canary) -> tuple[int, int]:
    """The (canary, stable) pair to walk to; all pods are the new version's when nothing else is stable (contract 2.2)."""
    replicas = pass_.facts.spec.replicas
    if not pass_.facts.moving:
        return replicas, 0
    surge, _ = bounds(canary.max_surge, canary.max_unavailable, replicas)
    return targets(replicas, desired_weight(pass_), pass_.facts.spec.maximum, surge)


def basic_sizes(pass_: Pass, canary: Canary) -> tuple[int, int]:
    """The (canary, stable) sizes of this pass: one bounded move (contract 2.3)."""
    facts = pass_.facts
    surge, unavailable = bounds(canary.max_surge, canary.max_unavailable, facts.spec.replicas)
    target_canary, target_stable = basic_targets(pass_, canary)
    return next_sizes(
        replicas=facts.spec.replicas,
        target_canary=target_canary,
        target_stable=target_stable,
        surge=surge,
        unavailable=unavailable,
        canary=_size(facts.new),
        stable=_size(facts.stable) if facts.moving else Size(0, 0),
        others=tuple(_size(other) for other in facts.others),
    )


def _size(replica_set: ReplicaSet | None) -> Size:
    return Size(replica_set.spec, replica_set.available) if replica_set else Size(0, 0)


def routed_target(pass_: Pass, canary: Canary, *, recorded: bool = True) -> int:
    """The canary's pods beside a router (contract 2.4), judged with the weights of this pass, or without any (not `recorded`)."""
    replicas, maximum = pass_.facts.spec.replicas, pass_.facts.spec.maximum
    scale = sticky_scale(pass_)
    count = canary_count(
        replicas,
        desired_weight(pass_),
        maximum,
        explicit=scale.replicas if scale else None,
        scale_weight=scale.weight if scale else None,
        minimum=canary.min_pods,
        dynamic=canary.dynamic,
    )
    if not (canary.dynamic and pass_.aborting and recorded) or pass_.weights is None:
        return count
    return canary_count_on_abort(count, replicas, pass_.weights.canary.weight, maximum, minimum=canary.min_pods)


def routed_stable_target(pass_: Pass, canary: Canary) -> int:
    """The stable side's pods beside a router, judged with the weights persisted before this pass (contract 2.4, 13.10)."""
    maximum = pass_.facts.spec.maximum
    return stable_count(
        pass_.facts.spec.replicas,
        _pod_weight(pass_),
        _stable_share(pass_.before.canary.weights, maximum),
        maximum,
        dynamic=canary.dynamic,
        minimum=canary.min_pods,
    )


def _pod_weight(pass_: Pass) -> int:
    """The share of pods the canary takes from stable: an explicit number takes none (contract 2.4)."""
    scale = sticky_scale(pass_)
    if scale is None or (scale.replicas is None and scale.weight is None):
        return desired_weight(pass_)
    return 0 if scale.replicas is not None or scale.weight is None else scale.weight


def _stable_share(weights: Weights | None, maximum: int) -> int:
    """The stable side's recorded weight; without a record it carries everything."""
    return weights.stable.weight if weights else maximum


def at_desired_counts(pass_: Pass, *, recorded: bool = True) -> bool:
    """True when both sides have their pods (contract 2.5); `recorded=False` asks without the weights in force (contract 9.1 row 6)."""
    canary, facts = pass_.facts.spec.canary, pass_.facts
    if canary is None or facts.new is None:
        return False
    if canary.routing is None and total_available(facts.others) > 0:
        return False
    target = canary_target(pass_, canary, recorded=recorded)
    return at_desired(facts.new.available, facts.new.spec, target, threshold_of(canary)) and _stable_there(pass_, canary)


def _stable_there(pass_: Pass, canary: Canary) -> bool:
    """True when the stable side's pods exist; not asked under dynamicStableScale, nor when there is no other side."""
    stable = pass_.facts.stable
    if canary.dynamic or stable is None or not pass_.facts.moving:
        return True
    target = pass_.facts.spec.replicas if canary.routing else basic_targets(pass_, canary)[1]
    return stable_at_desired(stable.spec, stable.actual, target)


def threshold_of(canary: Canary) -> Threshold | None:
    """`replicaProgressThreshold`, None when unset or negative (contract 2.5)."""
    threshold = canary.threshold
    if threshold is None or threshold.value < 0:
        return None
    return Threshold("Pods" if threshold.kind == "Pods" else "Percent", threshold.value)


def capable(available: int, target: int, canary: Canary) -> bool:
    """True when so many available pods may carry what `target` pods carry: all there, or the threshold met (contract 13.44)."""
    threshold = threshold_of(canary)
    return available >= target or (threshold is not None and enough(available, target, threshold))
