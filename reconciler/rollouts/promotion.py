"""When the new version becomes the stable one (contract 4.6)."""

from collections.abc import Callable
from dataclasses import replace

from reconciler.rollouts.passes import Pass
from reconciler.rollouts.pods.sizes import capable
from reconciler.rollouts.position import current_step, run_phase
from reconciler.rollouts.rollback import fast_rollback, within_window
from reconciler.rollouts.spec.model import PING, PONG
from reconciler.rollouts.status.model import RolloutStatus
from reconciler.rollouts.traffic.targets import unregistered

FULL, WINDOW, FAST, INITIAL = "Full promotion requested", "Rollback within window", "Fast rollback", "Initial deploy"
Reason = Callable[[Pass, RolloutStatus], str]


def promotion_reason(pass_: Pass, status: RolloutStatus) -> str:
    """Why the new version is promoted in this pass; empty when it is not."""
    if pass_.facts.new is None:
        return ""
    if pass_.facts.stable is None:
        return INITIAL
    return _canary_reason(pass_) if pass_.facts.spec.canary else _blue_green_reason(pass_, status)


def _canary_reason(pass_: Pass) -> str:
    """At least `replicas` pods must be available, not exactly: an HPA may have scaled in meanwhile (contract 13.14)."""
    canary, new = pass_.facts.spec.canary, pass_.facts.new
    if canary is None or pass_.aborted or new is None or not capable(new.available, pass_.facts.spec.replicas, canary):
        return ""
    if pass_.before.promote_full:
        return FULL
    if fast_rollback(pass_):
        return WINDOW if within_window(pass_.facts) else FAST
    return f"Completed all {len(canary.steps)} canary steps" if current_step(pass_) is None else ""


def _blue_green_reason(pass_: Pass, status: RolloutStatus) -> str:
    if not status.blue_green.active_selector:
        return INITIAL
    if status.blue_green.active_selector != status.current_hash or not _registered(pass_):
        return ""
    if pass_.before.promote_full:
        return FULL
    if fast_rollback(pass_):
        return WINDOW if within_window(pass_.facts) else FAST
    return "" if pass_.aborted or not _post_promotion_done(pass_) else "Completed blue-green update"


def _registered(pass_: Pass) -> bool:
    """False in the pass that switches users over: what load balancers know of the pods is asked after it, where they are asked at all."""
    strategy = pass_.facts.spec.blue_green
    switched = strategy is not None and pass_.before.blue_green.active_selector == pass_.selectors.get(strategy.active_service, "")
    return not unregistered(pass_) and (switched or not pass_.facts.found.asking_targets)


def _post_promotion_done(pass_: Pass) -> bool:
    strategy = pass_.facts.spec.blue_green
    wanted = strategy is not None and strategy.post_promotion is not None
    return not wanted or run_phase(pass_.runs.post) == "Successful"


def promoted(pass_: Pass, status: RolloutStatus, reason: str) -> tuple[Pass, RolloutStatus]:
    """The new version made stable; promoting what is stable already changes nothing but leftovers."""
    steps = pass_.facts.spec.steps
    index = len(steps) if steps else None
    checked = replace(status.blue_green, checkpoint=False)
    moved = replace(status, promote_full=False, step_index=index, stable_hash=status.current_hash, blue_green=checked)
    cleared = replace(pass_, cleared_pauses=True, abort_reason=None, removed_abort=True)
    if status.stable_hash == status.current_hash:
        return cleared, moved
    moved = replace(moved, canary=replace(moved.canary, stable_ping_pong=_next_stable_side(pass_, status.canary.stable_ping_pong)))
    message = f"Rollout completed update to revision {pass_.facts.revision} ({status.current_hash}): {reason}"
    return cleared.tell("RolloutCompleted", message), moved


def _next_stable_side(pass_: Pass, stable: str) -> str:
    """Which of ping and pong is stable after a promotion: the one that was the canary's (contract 4.6, 13.48)."""
    canary = pass_.facts.spec.canary
    if canary is None or canary.ping_pong is None:
        return stable
    return PONG if stable == PING else PING
