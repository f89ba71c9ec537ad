"""A blue/green pass, beat by beat, in the contract's order (contract 5.1). All ReplicaSets are sized in one pass."""

from dataclasses import replace
from datetime import timedelta

from reconciler.core.pods.creation import follow_revision
from reconciler.core.pods.metadata import dress_pods
from reconciler.core.pods.olds import forget_old, scale_blue_green_others
from reconciler.core.pods.referent import scale_after_success, scale_along
from reconciler.core.pods.restart import restart_pods
from reconciler.core.pods.scaling import (
    blue_green_count,
    drop_deadlines,
    scale_blue_green_new,
    scale_blue_green_stable,
)
from reconciler.core.rollout.analyses import run_analyses
from reconciler.core.rollout.pause import MOMENT, halted, resumed
from reconciler.core.rollout.promotion import promoted, promotion_reason
from reconciler.core.rollout.rollback import fast_rollback
from reconciler.core.rollout.settle import format_selector, fresh_status, settled
from reconciler.core.status.conditions import saturated
from reconciler.core.traffic.services import switch
from reconciler.core.turn.position import run_phase
from reconciler.core.turn.turn import Runs, Turn
from reconciler.model.rollout import BlueGreen
from reconciler.model.rollout_status import PauseReason, RolloutStatus


def point_preview(turn: Turn) -> Turn:
    """The preview Service selects the new version at once, even before there are pods (contract 5.1, step 5)."""
    strategy = turn.seen.spec.blue_green
    if strategy is None or not strategy.preview_service or turn.seen.new is None or halted(turn):
        return turn
    return switch(turn, strategy.preview_service, turn.seen.new.hash)


def changed(turn: Turn) -> bool:
    """Whether the template is not that of the attempt on record; never so before the first."""
    return bool(turn.before.current_hash) and turn.before.current_hash != turn.seen.new_hash


def reset_when_changed(turn: Turn) -> Turn:
    """A new attempt: everything that belonged to the former one begins afresh (contract 4.5, 5.1 step 6)."""
    if not changed(turn):
        return turn
    turn = replace(turn, cleared_pauses=True, removed_abort=True, restarted_at=turn.seen.spec.restart_at, runs=Runs())
    return _finished(turn, replace(fresh_status(turn), promote_full=False), anew=True)


def scale_replica_sets(turn: Turn) -> Turn:
    strategy = turn.seen.spec.blue_green
    if strategy is None:
        return turn
    turn = scale_blue_green_stable(drop_deadlines(turn))
    turn = scale_along(turn, lambda now, new: blue_green_count(now, strategy, new))
    turn = scale_blue_green_new(turn, strategy)
    return scale_blue_green_others(turn, strategy)


def pause(turn: Turn) -> Turn:
    """Wait for a person or for autoPromotionSeconds before the switch, once the version is ready and measured (contract 5.4)."""
    strategy = turn.seen.spec.blue_green
    if strategy is None or turn.aborted or halted(turn) or not _ready(turn, strategy):
        return turn
    instant = strategy.auto_promotion and strategy.auto_promotion_seconds == 0
    if _fast_tracked(turn, strategy) or turn.before.blue_green.checkpoint or instant:
        return turn.unpause(PauseReason.BLUE_GREEN)
    if not _measured(turn, strategy):
        return turn
    condition = turn.before.pause(PauseReason.BLUE_GREEN)
    if condition is None and not turn.before.controller_pause:
        return _wake_at_promotion(turn.pause(PauseReason.BLUE_GREEN), strategy, turn)
    if pause_completed(turn, strategy):
        return turn.unpause(PauseReason.BLUE_GREEN)
    return _wake_at_promotion(turn, strategy, turn)


def _wake_at_promotion(turn: Turn, strategy: BlueGreen, seen: Turn) -> Turn:
    if not strategy.auto_promotion:
        return turn
    condition = seen.before.pause(PauseReason.BLUE_GREEN)
    started = condition.started if condition else seen.now
    return turn.wake(started + timedelta(seconds=strategy.auto_promotion_seconds) + MOMENT)


def _ready(turn: Turn, strategy: BlueGreen) -> bool:
    """Whether the new version is there: at full size, or at the size of its preview."""
    new = turn.seen.new
    if new is None:
        return False
    if saturated(new, turn.seen.spec.replicas):
        return True
    return strategy.preview_replica_count is not None and new.spec == new.available == strategy.preview_replica_count


def _fast_tracked(turn: Turn, strategy: BlueGreen) -> bool:
    """Whether nothing is left to wait for: a fast way back, full promotion, a first switch, or one that is done (contract 5.2)."""
    active = turn.selectors.get(strategy.active_service, "")
    return fast_rollback(turn) or turn.before.promote_full or active in ("", turn.seen.new_hash)


def _measured(turn: Turn, strategy: BlueGreen) -> bool:
    wanted = strategy.pre_promotion is not None and strategy.pre_promotion.measured
    return not wanted or run_phase(turn.runs.pre) == "Successful"


def pause_completed(turn: Turn, strategy: BlueGreen) -> bool:
    """Whether the wait is over; nothing that was added in this pass is (contract 5.2).

    A person's resume completes a timed wait too (13.33, the recommended way).
    """
    if turn.added_pauses:
        return False
    if turn.before.blue_green.checkpoint or (strategy.auto_promotion and strategy.auto_promotion_seconds == 0):
        return True
    condition = turn.before.pause(PauseReason.BLUE_GREEN)
    if condition is None:
        return turn.before.controller_pause and resumed(turn)
    due = condition.started + timedelta(seconds=strategy.auto_promotion_seconds)
    return strategy.auto_promotion and turn.now > due


def point_active(turn: Turn) -> Turn:
    """The switch of users to the new version, or home on an abort (contract 5.2)."""
    strategy, new = turn.seen.spec.blue_green, turn.seen.new
    if strategy is None or new is None or halted(turn):
        return turn
    if turn.aborted and _stable_serves(turn):
        return switch(turn, strategy.active_service, turn.before.stable_hash)
    if new.spec != blue_green_count(turn, strategy, new) or not saturated(new, turn.seen.spec.replicas):
        return turn
    if turn.aborted:
        return switch(turn, strategy.active_service, turn.before.stable_hash)
    if _fast_tracked(turn, strategy) or (pause_completed(turn, strategy) and _measured(turn, strategy)):
        return switch(turn, strategy.active_service, new.hash)
    return turn


def _stable_serves(turn: Turn) -> bool:
    """Whether the way home is open: users never wait for a broken version to become whole before they leave it."""
    stable = turn.seen.stable
    return stable is not None and stable.available >= turn.seen.spec.replicas


def finish(turn: Turn) -> Turn:
    """The status of a full pass: promotion or checkpoint (contract 5.1, step 14)."""
    if turn.before.promote_full:
        turn = replace(turn, cleared_pauses=True, removed_abort=True, abort_reason=None)
    return _finished(turn, fresh_status(turn), anew=False)


def _finished(turn: Turn, status: RolloutStatus, *, anew: bool) -> Turn:
    strategy = turn.seen.spec.blue_green
    if strategy is None:
        return turn
    status = _with_selectors(turn, status, strategy)
    reason = promotion_reason(turn, status)
    if reason:
        turn, status = promoted(turn, status, reason)
        turn = scale_after_success(turn)
    else:
        status = replace(status, blue_green=replace(status.blue_green, checkpoint=not anew and _checkpoint(turn, strategy)))
    return settled(turn, _counted(turn, status), changed=anew)


def _with_selectors(turn: Turn, status: RolloutStatus, strategy: BlueGreen) -> RolloutStatus:
    active = turn.selectors.get(strategy.active_service, "")
    preview = turn.selectors.get(strategy.preview_service, "") if strategy.preview_service else ""
    return replace(status, blue_green=replace(status.blue_green, active_selector=active, preview_selector=preview))


def _checkpoint(turn: Turn, strategy: BlueGreen) -> bool:
    """Whether the preview was accepted, so that the new version may grow to full size (contract 5.6)."""
    new = turn.seen.new
    if strategy.preview_replica_count is None or new is None:
        return False
    if turn.before.blue_green.checkpoint:
        return True
    accepted = _measured(turn, strategy) and pause_completed(turn, strategy) and not turn.aborted
    return accepted and new.available == strategy.preview_replica_count


def _counted(turn: Turn, status: RolloutStatus) -> RolloutStatus:
    """What an HPA and readiness look at: the active version only, or everything while there is none (contract 3.2)."""
    active = turn.seen.with_hash(status.blue_green.active_selector)
    if active is None:
        return status
    return replace(
        status,
        hpa_replicas=active.actual,
        selector=format_selector(active.manifest["spec"].get("selector") or {}),
        available=active.available,
        ready=active.ready,
    )


BEATS = (
    follow_revision,
    point_preview,
    reset_when_changed,
    restart_pods,
    scale_replica_sets,
    forget_old,
    pause,
    point_active,
    run_analyses,
    dress_pods,
    finish,
)
