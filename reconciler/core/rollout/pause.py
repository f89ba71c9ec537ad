"""Pauses: who waits, since when, and how a person says go on (contract 4.4)."""

from dataclasses import replace
from datetime import timedelta

from reconciler.core.turn.position import current_step
from reconciler.core.turn.turn import Turn
from reconciler.model.rollout import Pause
from reconciler.model.rollout_status import Condition, PauseCondition, PauseReason, RolloutStatus

MOMENT = timedelta(milliseconds=1)


def resumed(turn: Turn) -> bool:
    """Whether a person emptied the list of pauses and left controllerPause: the resume handshake (contract 4.4)."""
    return turn.before.controller_pause and not turn.before.pauses


def resumed_or_expired(turn: Turn, pause: Pause) -> bool:
    """Whether a pause step is over (contract 4.3)."""
    if resumed(turn):
        return True
    condition = turn.before.pause(PauseReason.CANARY_STEP)
    if condition is None or pause.duration is None:
        return False
    return turn.now > condition.started + timedelta(seconds=pause.duration)


def halted(turn: Turn) -> bool:
    """Whether ReplicaSets (canary) or switches (blue/green) stand still: a person's pause or an inconclusive analysis."""
    return turn.seen.spec.paused or turn.before.pause(PauseReason.INCONCLUSIVE_ANALYSIS) is not None


def pause_at_step(turn: Turn) -> Turn:
    """Begin or go on with the wait of a pause step (contract 4.3)."""
    step = current_step(turn)
    if step is None or step.pause is None or turn.seen.spec.paused or turn.before.promote_full:
        return turn
    condition = turn.before.pause(PauseReason.CANARY_STEP)
    if condition is None:
        started = turn if turn.before.controller_pause else turn.pause(PauseReason.CANARY_STEP)
        return _wake_at_end(started, step.pause, PauseCondition(PauseReason.CANARY_STEP, turn.now))
    return _wake_at_end(turn, step.pause, condition)


def _wake_at_end(turn: Turn, pause: Pause, condition: PauseCondition) -> Turn:
    if pause.duration is None:
        return turn
    return turn.wake(condition.started + timedelta(seconds=pause.duration) + MOMENT)


def with_pauses(turn: Turn, status: RolloutStatus, conditions: tuple[Condition, ...]) -> RolloutStatus:
    """The status with these conditions, and with the abort and the pauses that follow from this pass (contract 4.4).

    An abort drops every pause; an explicit clearing too; an empty list drops controllerPause with it.
    """
    before = turn.before
    aborted_at = (before.aborted_at or turn.now) if turn.aborted else None
    pauses, held = ((), False) if turn.aborted or turn.cleared_pauses else _pauses(turn)
    return replace(status, conditions=conditions, abort=turn.aborted, aborted_at=aborted_at, pauses=pauses, controller_pause=held)


def _pauses(turn: Turn) -> tuple[tuple[PauseCondition, ...], bool]:
    """The pauses that stay and come, and whether it is us who pause."""
    before = turn.before
    kept = tuple(p for p in before.pauses if p.reason not in turn.removed_pauses)
    present = {p.reason for p in kept}
    added = tuple(
        PauseCondition(r, turn.now) for r in dict.fromkeys(turn.added_pauses) if r not in present and r not in turn.removed_pauses
    )
    pauses = kept + added
    return pauses, bool(pauses) and (before.controller_pause or bool(added))
