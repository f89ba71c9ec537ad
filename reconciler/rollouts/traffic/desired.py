"""Which share of traffic the canary shall have, row by row (contract 9.1, 9.2)."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from reconciler.rollouts.passes import Pass
from reconciler.rollouts.pods.sizes import at_desired_counts
from reconciler.rollouts.position import current_step, index_of, step_weight, walk_back, weight_before
from reconciler.rollouts.replicas.routed import abort_weight
from reconciler.rollouts.traffic.destinations import destinations
from reconciler.rollouts.traffic.model import WeightDestination
from reconciler.rollouts.traffic.services import rolling_back_dynamically


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedWeight:
    """A wanted weight. `drop`: managed routes go; `home`: the canary Service goes to stable; `hash`: whose weight it is.

    `additional` are the shares of an experiment that runs.
    """

    weight: int
    hash: str
    drop: bool = False
    home: bool = False
    additional: tuple[WeightDestination, ...] = ()


def wanted_traffic(pass_: Pass) -> WantedWeight:
    """The first row that applies."""
    for row in ROWS:
        wanted = row(pass_)
        if wanted is not None:
            return wanted
    return _wanted(pass_, 0)


def _wanted(pass_: Pass, weight: int, *, drop: bool = False, home: bool = False) -> WantedWeight:
    return WantedWeight(weight=weight, hash=pass_.facts.new_hash, drop=drop, home=home)


def _beside_experiment(pass_: Pass, weight: int, *, drop: bool = False) -> WantedWeight:
    wanted, beside = _wanted(pass_, weight, drop=drop), destinations(pass_)
    return replace(wanted, additional=beside) if beside != wanted.additional else wanted


def dynamic_rollback(pass_: Pass) -> WantedWeight | None:
    """Back to a stable version that is still too small: the former canary keeps what stable cannot carry."""
    weights = pass_.before.canary.weights
    if weights is None or not rolling_back_dynamically(pass_):
        return None
    return WantedWeight(weight=homeward_weight(pass_, step_weight(pass_)), hash=weights.canary.hash)


def promoted(pass_: Pass) -> WantedWeight | None:
    return _wanted(pass_, 0, drop=True) if pass_.before.promoted else None


def aborted(pass_: Pass) -> WantedWeight | None:
    canary = pass_.facts.spec.canary
    if not pass_.aborted or canary is None:
        return None
    weight = homeward_weight(pass_, walk_back(pass_))
    return _wanted(pass_, weight, drop=True, home=weight == 0 or not canary.dynamic)


def nothing_there(pass_: Pass) -> WantedWeight | None:
    """A canary without available pods has no traffic (contract 13.11)."""
    new = pass_.facts.new
    return _beside_experiment(pass_, 0, drop=True) if new is None or new.available == 0 else None


def full_promotion(pass_: Pass) -> WantedWeight | None:
    """The last weight stays until promotion itself switches, or follows the pods under dynamicStableScale (contract 13.21, 13.58)."""
    canary, new = pass_.facts.spec.canary, pass_.facts.new
    if not pass_.before.promote_full or canary is None or new is None:
        return None
    replicas, maximum = pass_.facts.spec.replicas, pass_.facts.spec.maximum
    if not canary.dynamic:
        return _wanted(pass_, recorded_weight(pass_) or 0, drop=True)
    weight = maximum if replicas == 0 else min(maximum, maximum * new.available // replicas)
    return _wanted(pass_, weight, drop=True)


def pods_missing(pass_: Pass) -> WantedWeight | None:
    """Pods first, weight after: until they are there, the weight of the steps before (contract 13.10).

    Past the last step it is the weight on record: a version that came back small gets nothing early (13.61, the recommended way).
    """
    if not pass_.facts.spec.steps or at_desired_counts(pass_, recorded=False):
        return None
    if current_step(pass_) is None:
        return _wanted(pass_, recorded_weight(pass_) or 0)
    return _beside_experiment(pass_, weight_before(pass_, index_of(pass_)))


def on_steps(pass_: Pass) -> WantedWeight | None:
    return _beside_experiment(pass_, step_weight(pass_)) if pass_.facts.spec.steps else None


ROWS: tuple[Callable[[Pass], WantedWeight | None], ...] = (
    dynamic_rollback,
    promoted,
    aborted,
    nothing_there,
    full_promotion,
    pods_missing,
    on_steps,
)


def recorded_weight(pass_: Pass) -> int | None:
    weights = pass_.before.canary.weights
    return weights.canary.weight if weights else None


def homeward_weight(pass_: Pass, desired: int) -> int:
    """The canary's weight on the way home: at once 0, or as fast as stable grows under dynamicStableScale (contract 9.2)."""
    canary, facts = pass_.facts.spec.canary, pass_.facts
    if canary is None or not canary.dynamic or facts.new is None or facts.stable is None:
        return 0
    return abort_weight(
        replicas=facts.spec.replicas,
        maximum=facts.spec.maximum,
        stable_available=facts.stable.available,
        desired=desired,
        current=recorded_weight(pass_),
    )
