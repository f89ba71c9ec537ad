"""When the new version becomes the stable one (contract 4.6)."""

from collections.abc import Callable
from dataclasses import replace

from reconciler.core.pods.sizes import capable
from reconciler.core.rollout.rollback import fast_rollback, within_window
from reconciler.core.turn.position import current_step, run_phase
from reconciler.core.turn.turn import Turn
from reconciler.model.rollout_status import RolloutStatus

FULL, WINDOW, FAST, INITIAL = "Full promotion requested", "Rollback within window", "Fast rollback", "Initial deploy"
Reason = Callable[[Turn, RolloutStatus], str]


def promotion_reason(turn: Turn, status: RolloutStatus) -> str:
    """Why the new version is promoted in this pass; empty when it is not."""
    if turn.seen.stable is None:
        return INITIAL
    return _canary_reason(turn) if turn.seen.spec.canary else _blue_green_reason(turn, status)


def _canary_reason(turn: Turn) -> str:
    """At least `replicas` pods must be available, not exactly: an HPA may have scaled in meanwhile (13.14)."""
    canary, new = turn.seen.spec.canary, turn.seen.new
    if canary is None or turn.aborted or new is None or not capable(new.available, turn.seen.spec.replicas, canary):
        return ""
    if turn.before.promote_full:
        return FULL
    if fast_rollback(turn):
        return WINDOW if within_window(turn.seen) else FAST
    return f"Completed all {len(canary.steps)} canary steps" if current_step(turn) is None else ""


def _blue_green_reason(turn: Turn, status: RolloutStatus) -> str:
    if not status.blue_green.active_selector:
        return INITIAL
    if status.blue_green.active_selector != status.current_hash:
        return ""
    if turn.before.promote_full:
        return FULL
    if fast_rollback(turn):
        return WINDOW if within_window(turn.seen) else FAST
    return "" if turn.aborted or not _post_promotion_done(turn) else "Completed blue-green update"


def _post_promotion_done(turn: Turn) -> bool:
    strategy = turn.seen.spec.blue_green
    wanted = strategy is not None and strategy.post_promotion is not None
    return not wanted or run_phase(turn.runs.post) == "Successful"


def promoted(turn: Turn, status: RolloutStatus, reason: str) -> tuple[Turn, RolloutStatus]:
    """The new version made stable; promoting what is stable already changes nothing but leftovers."""
    steps = turn.seen.spec.steps
    index = len(steps) if steps else None
    checked = replace(status.blue_green, checkpoint=False)
    moved = replace(status, promote_full=False, step_index=index, stable_hash=status.current_hash, blue_green=checked)
    cleared = replace(turn, cleared_pauses=True, abort_reason=None, removed_abort=True)
    if status.stable_hash == status.current_hash:
        return cleared, moved
    message = f"Rollout completed update to revision {turn.seen.revision} ({status.current_hash}): {reason}"
    return cleared.tell("RolloutCompleted", message), moved
