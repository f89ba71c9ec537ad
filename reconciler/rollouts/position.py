"""Where a canary stands: the current step and the weights that follow from it (contract 2.1, 2.4)."""

from reconciler.kernel.identity import Manifest
from reconciler.rollouts.facts import last_weight
from reconciler.rollouts.passes import Pass
from reconciler.rollouts.replicas.routed import pods_to_hold, reverse_weight
from reconciler.rollouts.spec.model import CanaryScale, Step


def index_of(pass_: Pass) -> int:
    """The persisted step index, 0 when none is written."""
    return pass_.facts.index


def current_step(pass_: Pass) -> Step | None:
    """The step the canary stands on, None past the end or without steps."""
    return pass_.facts.step


def weight_before(pass_: Pass, index: int) -> int:
    """The last setWeight before this index, 0 when there is none."""
    return last_weight(pass_.facts.spec.steps[: max(0, index)])


def step_weight(pass_: Pass) -> int:
    """The weight the steps ask for now."""
    return pass_.facts.weight


def desired_weight(pass_: Pass) -> int:
    """The canary's share in replicas, without setCanaryScale: the first row of contract 2.1 that applies."""
    if heads_for_all(pass_):
        return pass_.facts.spec.maximum
    if pass_.aborting:
        return walk_back(pass_)
    return step_weight(pass_)


def heads_for_all(pass_: Pass) -> bool:
    """Full promotion asked for, a first deployment, or nothing to move (contract 2.1 item 1)."""
    before = pass_.before
    return before.promote_full or not before.stable_hash or before.promoted


def walk_back(pass_: Pass) -> int:
    """The weight on an abort: 0, or under dynamicStableScale what stable cannot carry yet (contract 2.6)."""
    canary, facts = pass_.facts.spec.canary, pass_.facts
    if canary is None or not canary.dynamic or facts.new is None or facts.stable is None:
        return 0
    delayed = canary.abort_delay is not None and canary.abort_delay != 0
    pods = pods_to_hold(facts.spec.replicas, facts.stable.available, facts.new.available, delayed=delayed)
    weights = [step.set_weight for step in canary.steps if step.set_weight is not None]
    return reverse_weight(weights, facts.spec.replicas, facts.spec.maximum, pods)


def sticky_scale(pass_: Pass) -> CanaryScale | None:
    """The setCanaryScale in force: the last at or before the current step, unless it matches traffic (contract 2.4)."""
    canary = pass_.facts.spec.canary
    if canary is None or canary.routing is None or current_step(pass_) is None or heads_for_all(pass_):
        return None
    if pass_.aborting and canary.abort_delay != 0:
        return None
    scales = [step.scale for step in canary.steps[: index_of(pass_) + 1] if step.scale is not None]
    return scales[-1] if scales and not scales[-1].match_traffic else None


def run_phase(run: Manifest | None) -> str:
    """An analysis run's phase, empty before its first pass."""
    return str(((run or {}).get("status") or {}).get("phase", ""))
