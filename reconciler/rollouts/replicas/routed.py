"""The canary behind a router: traffic is split by the router, pods only have to carry their share (contract 2.4–2.6, 9.2)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Threshold:
    """`replicaProgressThreshold`: how much of a target is enough; a negative value is none (contract 2.5)."""

    kind: Literal["Percent", "Pods"]
    value: int


def share(replicas: int, weight: int, maximum: int) -> int:
    """The pods that `weight` of `maximum` asks for, rounded up, never below zero."""
    return max(0, -(-replicas * weight // maximum))


def floored(count: int, replicas: int, minimum: int) -> int:
    """A count raised to `minPodsPerReplicaSet` unless it is zero; the floor is capped at `replicas` (contract 2.4, 13.43)."""
    return max(count, min(minimum, replicas)) if count > 0 else count


def canary_count(  # noqa: PLR0913 - `setCanaryScale` has two forms and the floor its own switch
    replicas: int,
    weight: int,
    maximum: int,
    *,
    explicit: int | None = None,
    scale_weight: int | None = None,
    minimum: int = 0,
    dynamic: bool = False,
) -> int:
    """The canary's pods: `setCanaryScale.replicas` verbatim, else the share of its weight or of the traffic (contract 2.4).

    The floor `minimum` also lifts an explicit count under dynamicStableScale (`dynamic`).
    """
    if explicit is not None:
        return floored(explicit, replicas, minimum) if dynamic else explicit
    return floored(share(replicas, weight if scale_weight is None else scale_weight, maximum), replicas, minimum)


def stable_count(  # noqa: PLR0913 - the numbers of contract 2.4
    replicas: int, desired_weight: int, actual_stable_weight: int, maximum: int, *, dynamic: bool, minimum: int = 0
) -> int:
    """The stable side's pods: all of them, or under dynamicStableScale what the wanted and the recorded traffic need (contract 2.4).

    `desired_weight` is the canary's wanted weight; `actual_stable_weight` the one persisted before this pass.
    """
    if not dynamic:
        return replicas
    wanted = max(share(replicas, maximum - desired_weight, maximum), share(replicas, actual_stable_weight, maximum))
    return floored(wanted, replicas, minimum)


def canary_count_on_abort(count: int, replicas: int, actual_canary_weight: int, maximum: int, *, minimum: int = 0) -> int:
    """The aborted canary's pods under dynamicStableScale: never fewer than the traffic it still has needs (contract 2.4).

    `count` is the answer of `canary_count`, `actual_canary_weight` the recorded weight.
    """
    return floored(max(count, share(replicas, actual_canary_weight, maximum)), replicas, minimum)


def pods_to_hold(replicas: int, stable_available: int, canary_available: int, *, delayed: bool) -> int:
    """The pods the aborted canary must hold while stable grows (contract 2.6).

    `delayed`: abortScaleDownDelaySeconds is explicitly not zero.
    """
    needed = replicas - stable_available
    return needed if delayed else max(needed, canary_available)


def reverse_weight(step_weights: Sequence[int], replicas: int, maximum: int, pods: int) -> int:
    """The weight of an abort under dynamicStableScale: the last step that needs fewer than `pods` pods, else 0 (contract 2.6)."""
    return next((weight for weight in reversed(step_weights) if share(replicas, weight, maximum) < pods), 0)


def abort_weight(*, replicas: int, maximum: int, stable_available: int, desired: int, current: int | None) -> int:
    """The canary's weight on an abort or a rollback under dynamicStableScale; it never rises (contract 9.2).

    `desired` is `reverse_weight` (abort) or the step's weight (rollback), `current` the recorded weight if there is one.
    Without dynamicStableScale, or when one ReplicaSet is missing, the weight is 0: the caller knows.
    """
    if replicas == 0:
        return 0
    carried = maximum * stable_available // replicas
    excess = max(0, maximum - carried)
    if current is None:
        return max(excess, desired)
    if desired <= 0:
        return min(excess, current)
    return current if carried < maximum - desired else min(desired, current)


def at_desired(available: int, spec: int, target: int, threshold: Threshold | None) -> bool:
    """True when the canary has its pods, or enough of them by the threshold (contract 2.5)."""
    if threshold is None or threshold.value < 0:
        return spec == available == target
    return enough(available, target, threshold)


def enough(available: int, target: int, threshold: Threshold) -> bool:
    """True when `available` of `target` pods meet a threshold; of no pods all are there (contract 2.5)."""
    if threshold.kind == "Pods":
        return available >= threshold.value
    return available * 100 >= threshold.value * target


def stable_at_desired(spec: int, actual: int, target: int) -> bool:
    """True when the stable side's pods exist; they need not be available (contract 2.5). Not asked under dynamicStableScale."""
    return spec == actual == target
