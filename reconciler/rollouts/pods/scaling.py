"""The new and the stable ReplicaSet brought to size (contract 2.4, 2.7, 2.11, 4.1 step 13, 5.1 step 8)."""

from datetime import timedelta

from reconciler.kernel.moment import parse_moment
from reconciler.rollouts.passes import Pass
from reconciler.rollouts.pods.edit import mark, scale
from reconciler.rollouts.pods.replica_set import ReplicaSet
from reconciler.rollouts.pods.sizes import basic_sizes, routed_stable_target, routed_target
from reconciler.rollouts.position import sticky_scale
from reconciler.rollouts.replicas.bluegreen import Preview, preview_count
from reconciler.rollouts.spec.model import DEFAULT_DELAY, BlueGreen, Canary
from reconciler.rollouts.status.conditions import saturated

Scaled = tuple[Pass, bool]


def drop_deadlines(pass_: Pass) -> Pass:
    """What is new or stable is not to be removed: its deadline goes (contract 2.10)."""
    stable, new = pass_.facts.stable, pass_.facts.new
    if stable is not None and stable.deadline is not None:
        pass_ = scale(pass_, stable, stable.spec, deadline="")[0]
    moving = pass_.facts.moving or stable is None
    if new is None or new.deadline is None or not moving or _waits_after_abort(pass_) or _way_back_open(pass_, new):
        return pass_
    return scale(pass_, new, new.spec, deadline="")[0]


def _way_back_open(pass_: Pass, new: ReplicaSet) -> bool:
    """Blue/green: the deadline of an older version makes its return fast, so it stays until the switch can happen (contract 5.8)."""
    older = pass_.facts.stable is not None and new.created < pass_.facts.stable.created
    return pass_.facts.spec.blue_green is not None and older and not saturated(new, pass_.facts.spec.replicas)


def scale_canary_stable(pass_: Pass, canary: Canary) -> Scaled:
    """The stable side of a canary; without a second ReplicaSet there is nothing to balance."""
    stable = pass_.facts.stable
    if stable is None or not pass_.facts.moving:
        return pass_, False
    size = basic_sizes(pass_, canary)[1] if canary.routing is None else routed_stable_target(pass_, canary)
    return scale(pass_, stable, size)


def scale_canary_new(pass_: Pass, canary: Canary) -> Scaled:
    if pass_.facts.new is None:
        return pass_, False
    if canary.routing is None:
        return scale(pass_, pass_.facts.new, basic_sizes(pass_, canary)[0])
    if _waits_after_abort(pass_):
        return _after_abort(pass_, pass_.facts.new, canary.abort_delay, held=_held(pass_, pass_.facts.new))
    return scale(pass_, pass_.facts.new, routed_target(pass_, canary))


def _held(pass_: Pass, new: ReplicaSet) -> int:
    """The size of an aborted canary that nothing shrinks: setCanaryScale's if one counts, else its own (contract 13.32, as recommended)."""
    scale_ = sticky_scale(pass_)
    return new.spec if scale_ is None or scale_.replicas is None else scale_.replicas


def scale_blue_green_stable(pass_: Pass) -> Pass:
    stable = pass_.facts.stable
    if stable is None or not pass_.facts.moving:
        return pass_
    return scale(pass_, stable, pass_.facts.spec.replicas)[0]


def scale_blue_green_new(pass_: Pass, strategy: BlueGreen) -> Pass:
    new = pass_.facts.new
    if new is None:
        return pass_
    size = blue_green_count(pass_, strategy, new)
    if _waits_after_abort(pass_):
        return _after_abort(pass_, new, strategy.abort_delay, held=size)[0]
    return scale(pass_, new, size)[0]


def blue_green_count(pass_: Pass, strategy: BlueGreen, new: ReplicaSet) -> int:
    """The new ReplicaSet's size: the preview's, or all (contract 2.7)."""
    active = pass_.facts.with_hash(pass_.selectors.get(strategy.active_service, ""))
    preview = Preview(
        size=strategy.preview_replica_count,
        active_hash=active.hash if active else "",
        new_hash=new.hash,
        current_hash=pass_.before.current_hash,
        promote_full=pass_.before.promote_full,
        paused=pass_.facts.spec.paused,
        passed=pass_.before.blue_green.checkpoint,
    )
    return preview_count(pass_.facts.spec.replicas, preview)


def _waits_after_abort(pass_: Pass) -> bool:
    """True when an abort leaves the new ReplicaSet standing for a while (contract 2.11)."""
    if not pass_.aborted or not pass_.facts.moving:
        return False
    canary = pass_.facts.spec.canary
    if canary is None:
        return True
    return canary.routing is not None and not (canary.dynamic and canary.abort_delay is None)


def _after_abort(pass_: Pass, new: ReplicaSet, delay: int | None, *, held: int) -> Scaled:
    """Held until stable serves everything, then marked, then sent to 0; an explicit delay of 0 holds it for good (contract 2.11)."""
    if delay == 0:
        return scale(pass_, new, held, deadline="")
    if new.deadline is not None:
        return _when_due(pass_, new, new.deadline)
    stable = pass_.facts.stable
    if stable is not None and stable.available >= pass_.facts.spec.replicas and new.spec > 0:
        until = pass_.now + timedelta(seconds=DEFAULT_DELAY if delay is None else delay)
        return mark(pass_, new, until), False
    return scale(pass_, new, new.spec)


def _when_due(pass_: Pass, new: ReplicaSet, deadline: str) -> Scaled:
    """Waits to the end, however long (contract 13.30, the recommended way); the note of the rollout's replicas follows (contract 13.15)."""
    try:
        until = parse_moment(deadline)
    except ValueError:
        return scale(pass_, new, 0)
    if until <= pass_.now:
        return scale(pass_, new, 0)
    return scale(pass_.wake(until), new, new.spec)[0], False
