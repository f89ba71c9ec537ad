"""Which share of traffic the canary shall have, row by row (contract 9.1, 9.2)."""

from collections.abc import Callable
from dataclasses import dataclass

from reconciler.core.pods.sizes import at_desired_counts
from reconciler.core.replicas.routed import abort_weight
from reconciler.core.traffic.services import rolling_back_dynamically
from reconciler.core.turn.position import current_step, index_of, step_weight, walk_back, weight_before
from reconciler.core.turn.turn import Turn


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A wanted weight. `drop`: managed routes go; `home`: the canary Service goes to stable; `hash`: whose weight it is."""

    weight: int
    hash: str
    drop: bool = False
    home: bool = False


def wanted_traffic(turn: Turn) -> Wanted:
    """The first row that applies."""
    for row in ROWS:
        wanted = row(turn)
        if wanted is not None:
            return wanted
    return _wanted(turn, 0)


def _wanted(turn: Turn, weight: int, *, drop: bool = False, home: bool = False) -> Wanted:
    return Wanted(weight=weight, hash=turn.seen.new_hash, drop=drop, home=home)


def dynamic_rollback(turn: Turn) -> Wanted | None:
    """Back to a stable version that is still too small: the former canary keeps what stable cannot carry."""
    weights = turn.before.canary.weights
    if weights is None or not rolling_back_dynamically(turn):
        return None
    return Wanted(weight=homeward_weight(turn, step_weight(turn)), hash=weights.canary.hash)


def promoted(turn: Turn) -> Wanted | None:
    return _wanted(turn, 0, drop=True) if turn.before.promoted else None


def aborted(turn: Turn) -> Wanted | None:
    canary = turn.seen.spec.canary
    if not turn.aborted or canary is None:
        return None
    weight = homeward_weight(turn, walk_back(turn))
    return _wanted(turn, weight, drop=True, home=weight == 0 or not canary.dynamic)


def nothing_there(turn: Turn) -> Wanted | None:
    """A canary without available pods has no traffic (13.11)."""
    new = turn.seen.new
    return _wanted(turn, 0, drop=True) if new is None or new.available == 0 else None


def full_promotion(turn: Turn) -> Wanted | None:
    """The last weight stays until promotion itself switches, or follows the pods under dynamicStableScale (13.21, 13.58)."""
    canary, new = turn.seen.spec.canary, turn.seen.new
    if not turn.before.promote_full or canary is None or new is None:
        return None
    replicas, maximum = turn.seen.spec.replicas, turn.seen.spec.maximum
    if not canary.dynamic:
        return _wanted(turn, recorded_weight(turn) or 0, drop=True)
    weight = maximum if replicas == 0 else min(maximum, maximum * new.available // replicas)
    return _wanted(turn, weight, drop=True)


def pods_missing(turn: Turn) -> Wanted | None:
    """Pods first, weight after: until they are there, the weight of the steps before (13.10).

    Past the last step it is the weight on record: a version that came back small gets nothing early (13.61, the recommended way).
    """
    if not turn.seen.spec.steps or at_desired_counts(turn, recorded=False):
        return None
    if current_step(turn) is None:
        return _wanted(turn, recorded_weight(turn) or 0)
    return _wanted(turn, weight_before(turn, index_of(turn)))


def on_steps(turn: Turn) -> Wanted | None:
    return _wanted(turn, step_weight(turn)) if turn.seen.spec.steps else None


ROWS: tuple[Callable[[Turn], Wanted | None], ...] = (
    dynamic_rollback,
    promoted,
    aborted,
    nothing_there,
    full_promotion,
    pods_missing,
    on_steps,
)


def recorded_weight(turn: Turn) -> int | None:
    weights = turn.before.canary.weights
    return weights.canary.weight if weights else None


def homeward_weight(turn: Turn, desired: int) -> int:
    """The canary's weight on the way home: at once 0, or as fast as stable grows under dynamicStableScale (contract 9.2)."""
    canary, seen = turn.seen.spec.canary, turn.seen
    if canary is None or not canary.dynamic or seen.new is None or seen.stable is None:
        return 0
    return abort_weight(
        replicas=seen.spec.replicas,
        maximum=seen.spec.maximum,
        stable_available=seen.stable.available,
        desired=desired,
        current=recorded_weight(turn),
    )
