"""The new and the stable ReplicaSet brought to size (contract 2.4, 2.7, 2.11, 4.1 step 13, 5.1 step 8)."""

from datetime import timedelta

from reconciler.core.pods.edit import mark, scale
from reconciler.core.pods.sizes import basic_sizes, routed_stable_target, routed_target
from reconciler.core.replicas.bluegreen import Preview, preview_count
from reconciler.core.status.conditions import saturated
from reconciler.core.turn.position import sticky_scale
from reconciler.core.turn.turn import Turn
from reconciler.model.moment import parse_moment
from reconciler.model.rollout import DEFAULT_DELAY, BlueGreen, Canary
from reconciler.model.workload import ReplicaSet

Scaled = tuple[Turn, bool]


def drop_deadlines(turn: Turn) -> Turn:
    """What is new or stable is not to be removed: its deadline goes (contract 2.10)."""
    stable, new = turn.seen.stable, turn.seen.new
    if stable is not None and stable.deadline is not None:
        turn = scale(turn, stable, stable.spec, deadline="")[0]
    moving = turn.seen.moving or stable is None
    if new is None or new.deadline is None or not moving or _waits_after_abort(turn) or _way_back_open(turn, new):
        return turn
    return scale(turn, new, new.spec, deadline="")[0]


def _way_back_open(turn: Turn, new: ReplicaSet) -> bool:
    """Blue/green: the deadline of an older version makes its return fast, so it stays until the switch can happen (contract 5.8)."""
    older = turn.seen.stable is not None and new.created < turn.seen.stable.created
    return turn.seen.spec.blue_green is not None and older and not saturated(new, turn.seen.spec.replicas)


def scale_canary_stable(turn: Turn, canary: Canary) -> Scaled:
    """The stable side of a canary; without a second ReplicaSet there is nothing to balance."""
    stable = turn.seen.stable
    if stable is None or not turn.seen.moving:
        return turn, False
    size = basic_sizes(turn, canary)[1] if canary.routing is None else routed_stable_target(turn, canary)
    return scale(turn, stable, size)


def scale_canary_new(turn: Turn, canary: Canary) -> Scaled:
    if turn.seen.new is None:
        return turn, False
    if canary.routing is None:
        return scale(turn, turn.seen.new, basic_sizes(turn, canary)[0])
    if _waits_after_abort(turn):
        return _after_abort(turn, turn.seen.new, canary.abort_delay, held=_held(turn, turn.seen.new))
    return scale(turn, turn.seen.new, routed_target(turn, canary))


def _held(turn: Turn, new: ReplicaSet) -> int:
    """The size of an aborted canary that nothing shrinks: setCanaryScale's if one counts, else its own (13.32, the recommended way)."""
    scale_ = sticky_scale(turn)
    return new.spec if scale_ is None or scale_.replicas is None else scale_.replicas


def scale_blue_green_stable(turn: Turn) -> Turn:
    stable = turn.seen.stable
    if stable is None or not turn.seen.moving:
        return turn
    return scale(turn, stable, turn.seen.spec.replicas)[0]


def scale_blue_green_new(turn: Turn, strategy: BlueGreen) -> Turn:
    new = turn.seen.new
    if new is None:
        return turn
    size = blue_green_count(turn, strategy, new)
    if _waits_after_abort(turn):
        return _after_abort(turn, new, strategy.abort_delay, held=size)[0]
    return scale(turn, new, size)[0]


def blue_green_count(turn: Turn, strategy: BlueGreen, new: ReplicaSet) -> int:
    """The new ReplicaSet's size: the preview's, or all (contract 2.7)."""
    active = turn.seen.with_hash(turn.selectors.get(strategy.active_service, ""))
    preview = Preview(
        size=strategy.preview_replica_count,
        active_hash=active.hash if active else "",
        new_hash=new.hash,
        current_hash=turn.before.current_hash,
        promote_full=turn.before.promote_full,
        paused=turn.seen.spec.paused,
        passed=turn.before.blue_green.checkpoint,
    )
    return preview_count(turn.seen.spec.replicas, preview)


def _waits_after_abort(turn: Turn) -> bool:
    """Whether an abort leaves the new ReplicaSet standing for a while (contract 2.11)."""
    if not turn.aborted or not turn.seen.moving:
        return False
    canary = turn.seen.spec.canary
    if canary is None:
        return True
    return canary.routing is not None and not (canary.dynamic and canary.abort_delay is None)


def _after_abort(turn: Turn, new: ReplicaSet, delay: int | None, *, held: int) -> Scaled:
    """Held until stable serves everything, then marked, then sent to 0; an explicit delay of 0 holds it for good (contract 2.11)."""
    if delay == 0:
        return scale(turn, new, held, deadline="")
    if new.deadline is not None:
        return _when_due(turn, new, new.deadline)
    stable = turn.seen.stable
    if stable is not None and stable.available >= turn.seen.spec.replicas and new.spec > 0:
        until = turn.now + timedelta(seconds=DEFAULT_DELAY if delay is None else delay)
        return mark(turn, new, until), False
    return scale(turn, new, new.spec)


def _when_due(turn: Turn, new: ReplicaSet, deadline: str) -> Scaled:
    """Waits to the end, however long (13.30, the recommended way); the note of the rollout's replicas follows (13.15)."""
    try:
        until = parse_moment(deadline)
    except ValueError:
        return scale(turn, new, 0)
    if until <= turn.now:
        return scale(turn, new, 0)
    return scale(turn.wake(until), new, new.spec)[0], False
