"""Where a canary stands: the current step and the weights that follow from it (contract 2.1, 2.4)."""

from reconciler.core.replicas.routed import pods_to_hold, reverse_weight
from reconciler.core.turn.observed import last_weight
from reconciler.core.turn.turn import Turn
from reconciler.model.identity import Manifest
from reconciler.model.rollout import CanaryScale, Step


def index_of(turn: Turn) -> int:
    """The persisted step index, 0 when none is written."""
    return turn.seen.index


def current_step(turn: Turn) -> Step | None:
    """The step the canary stands on, None past the end or without steps."""
    return turn.seen.step


def weight_before(turn: Turn, index: int) -> int:
    """The last setWeight before this index, 0 when there is none."""
    return last_weight(turn.seen.spec.steps[: max(0, index)])


def step_weight(turn: Turn) -> int:
    """The weight the steps ask for now."""
    return turn.seen.weight


def desired_weight(turn: Turn) -> int:
    """The canary's share in replicas, without setCanaryScale: the first row of contract 2.1 that applies."""
    if heads_for_all(turn):
        return turn.seen.spec.maximum
    if turn.aborting:
        return walk_back(turn)
    return step_weight(turn)


def heads_for_all(turn: Turn) -> bool:
    """Full promotion asked for, a first deployment, or nothing to move (contract 2.1, 1)."""
    before = turn.before
    return before.promote_full or not before.stable_hash or before.promoted


def walk_back(turn: Turn) -> int:
    """The weight on an abort: 0, or under dynamicStableScale what stable cannot carry yet (contract 2.6)."""
    canary, seen = turn.seen.spec.canary, turn.seen
    if canary is None or not canary.dynamic or seen.new is None or seen.stable is None:
        return 0
    delayed = canary.abort_delay is not None and canary.abort_delay != 0
    pods = pods_to_hold(seen.spec.replicas, seen.stable.available, seen.new.available, delayed=delayed)
    weights = [step.set_weight for step in canary.steps if step.set_weight is not None]
    return reverse_weight(weights, seen.spec.replicas, seen.spec.maximum, pods)


def sticky_scale(turn: Turn) -> CanaryScale | None:
    """The setCanaryScale in force: the last at or before the current step, unless it matches traffic (contract 2.4)."""
    canary = turn.seen.spec.canary
    if canary is None or canary.routing is None or current_step(turn) is None or heads_for_all(turn):
        return None
    if turn.aborting and canary.abort_delay != 0:
        return None
    scales = [step.scale for step in canary.steps[: index_of(turn) + 1] if step.scale is not None]
    return scales[-1] if scales and not scales[-1].match_traffic else None


def run_phase(run: Manifest | None) -> str:
    """An analysis run's phase, empty before its first pass."""
    return str(((run or {}).get("status") or {}).get("phase", ""))
