"""A canary's pass, beat by beat, in the contract's order (contract 4.1, 4.2)."""

from dataclasses import replace

from reconciler.core.pods.creation import follow_revision
from reconciler.core.pods.metadata import dress_pods
from reconciler.core.pods.olds import forget_old, scale_canary_others
from reconciler.core.pods.referent import scale_after_success, scale_along
from reconciler.core.pods.restart import restart_pods
from reconciler.core.pods.scaling import drop_deadlines, scale_canary_new, scale_canary_stable
from reconciler.core.pods.sizes import canary_target
from reconciler.core.rollout.analyses import run_analyses
from reconciler.core.rollout.pause import halted, pause_at_step
from reconciler.core.rollout.promotion import promoted, promotion_reason
from reconciler.core.rollout.rollback import within_window
from reconciler.core.rollout.settle import fresh_status, settled
from reconciler.core.rollout.steps import completed
from reconciler.core.status.events import step_text
from reconciler.core.traffic.routing import route_traffic
from reconciler.core.traffic.services import point_services
from reconciler.core.turn.position import current_step, index_of
from reconciler.core.turn.turn import Runs, Turn
from reconciler.model.rollout_status import PauseReason, RolloutStatus


def changed(turn: Turn) -> bool:
    """Whether the template or the steps are not those of the attempt on record; never so before the first (contract 4.1, step 3)."""
    before = turn.before
    moved = bool(before.current_hash) and before.current_hash != turn.seen.new_hash
    return not before.step_hash or before.step_hash != turn.seen.step_hash or moved


def reset_when_changed(turn: Turn) -> Turn:
    """A new attempt: pauses, abort, runs, a pending restart and the step index begin afresh; weights stay (contract 4.5)."""
    if turn.ended or not changed(turn):
        return turn
    steps = turn.seen.spec.steps
    turn = replace(turn, cleared_pauses=True, removed_abort=True, restarted_at=turn.seen.spec.restart_at, runs=Runs())
    turn, index = _first_index(turn, len(steps))
    status = replace(fresh_status(turn), promote_full=False, step_index=index if steps else None)
    return settled(turn, status, changed=True)


def _first_index(turn: Turn, end: int) -> tuple[Turn, int]:
    new = turn.seen.new
    if new is None or end == 0:
        return turn, 0
    if new.hash == turn.before.stable_hash:
        return turn.tell("SkipSteps", "Rollback to stable ReplicaSets"), end
    if within_window(turn.seen) and new.spec > 0:
        return turn.tell("SkipSteps", "Rollback to active ReplicaSets within RollbackWindow"), end
    return turn, 0


def analyse(turn: Turn) -> Turn:
    """The runs; a pause they bring ends the pass with its status (contract 4.1, step 12)."""
    turn = run_analyses(turn)
    return finish(turn) if turn.added_pauses else turn


def scale_replica_sets(turn: Turn) -> Turn:
    """Stable, then new, then others; the first that changes size ends the pass with its status (contract 4.1, step 13)."""
    resized, turn = scale_all(turn)
    return finish(turn) if resized else turn


def scale_all(turn: Turn) -> tuple[bool, Turn]:
    canary = turn.seen.spec.canary
    if canary is None or halted(turn):
        return False, turn
    turn, resized = scale_canary_stable(drop_deadlines(turn), canary)
    if resized:
        return True, turn
    turn, resized = scale_canary_new(scale_along(turn, lambda now, _new: canary_target(now, canary)), canary)
    if resized:
        return True, turn
    before = len(turn.effects)
    turn = scale_canary_others(turn, canary)
    return len(turn.effects) > before, turn


def pause(turn: Turn) -> Turn:
    """At a pause step the pass ends with its status (contract 4.1, step 14)."""
    step = current_step(turn)
    turn = pause_at_step(turn)
    return finish(turn) if step is not None and step.pause is not None and not turn.seen.spec.paused else turn


def finish(turn: Turn) -> Turn:
    """The status of a full pass: promotion, abort or at most one completed step (contract 4.2)."""
    status = fresh_status(turn)
    end = len(turn.seen.spec.steps)
    if turn.before.promote_full or within_window(turn.seen):
        turn = replace(turn, cleared_pauses=True, removed_abort=True, abort_reason=None)
        turn, status = _forced_to_end(turn, status)
    reason = promotion_reason(turn, status)
    if reason:
        turn, status = promoted(turn, status, reason)
        return settled(scale_after_success(turn), status)
    if turn.aborted:
        return settled(turn, replace(status, step_index=0 if end else None))
    if completed(turn) and status.step_index == turn.before.step_index:
        turn, status = _stepped(turn, status)
    return settled(turn, status)


def _forced_to_end(turn: Turn, status: RolloutStatus) -> tuple[Turn, RolloutStatus]:
    end = len(turn.seen.spec.steps)
    return turn, replace(status, step_index=end if end else None)


def _stepped(turn: Turn, status: RolloutStatus) -> tuple[Turn, RolloutStatus]:
    step, index, end = current_step(turn), index_of(turn), len(turn.seen.spec.steps)
    text = f"Rollout step {index + 1}/{end} completed ({step_text(step) if step else ''})"
    onward = replace(turn, runs=replace(turn.runs, step=None)).unpause(PauseReason.CANARY_STEP).tell("RolloutStepCompleted", text)
    return onward, replace(status, step_index=index + 1, canary=replace(status.canary, step_run=None))


BEATS = (
    follow_revision,
    reset_when_changed,
    restart_pods,
    dress_pods,
    forget_old,
    point_services,
    route_traffic,
    analyse,
    scale_replica_sets,
    pause,
    finish,
)
