"""Pauses: who waits, since when, and how a person says go on (contract 4.4)."""

from datetime import timedelta

from reconciler.kernel.records import evolve
from reconciler.rollouts.passes import Pass
from reconciler.rollouts.position import current_step
from reconciler.rollouts.spec.model import Pause
from reconciler.rollouts.status.model import Condition, PauseCondition, PauseReason, RolloutStatus

MOMENT = timedelta(milliseconds=1)


def resumed(pass_: Pass) -> bool:
    """True when a person emptied the list of pauses and left controllerPause: the resume handshake (contract 4.4)."""
    return pass_.before.controller_pause and not pass_.before.pauses


def resumed_or_expired(pass_: Pass, pause: Pause) -> bool:
    """True when a pause step is over (contract 4.3)."""
    if resumed(pass_):
        return True
    condition = pass_.before.pause(PauseReason.CANARY_STEP)
    if condition is None or pause.duration is None:
        return False
    return pass_.now > condition.started + timedelta(seconds=pause.duration)


def halted(pass_: Pass) -> bool:
    """True when ReplicaSets (canary) or switches (blue/green) stand still: a person's pause or an inconclusive analysis."""
    return pass_.facts.spec.paused or pass_.before.pause(PauseReason.INCONCLUSIVE_ANALYSIS) is not None


def pause_at_step(pass_: Pass) -> Pass:
    """Begin or go on with the wait of a pause step (contract 4.3)."""
    step = current_step(pass_)
    if step is None or step.pause is None or pass_.facts.spec.paused or pass_.before.promote_full:
        return pass_
    condition = pass_.before.pause(PauseReason.CANARY_STEP)
    if condition is None:
        started = pass_ if pass_.before.controller_pause else pass_.pause(PauseReason.CANARY_STEP)
        return _wake_at_end(started, step.pause, PauseCondition(PauseReason.CANARY_STEP, pass_.now))
    return _wake_at_end(pass_, step.pause, condition)


def _wake_at_end(pass_: Pass, pause: Pause, condition: PauseCondition) -> Pass:
    if pause.duration is None:
        return pass_
    return pass_.wake(condition.started + timedelta(seconds=pause.duration) + MOMENT)


def with_pauses(pass_: Pass, status: RolloutStatus, conditions: tuple[Condition, ...]) -> RolloutStatus:
    """The status with these conditions, and with the abort and the pauses that follow from this pass (contract 4.4).

    An abort drops every pause; an explicit clearing too; an empty list drops controllerPause with it.
    """
    before = pass_.before
    aborted_at = (before.aborted_at or pass_.now) if pass_.aborted else None
    pauses, held = ((), False) if pass_.aborted or pass_.cleared_pauses else _pauses(pass_)
    return evolve(
        status,
        conditions=conditions,
        abort=pass_.aborted,
        aborted_at=aborted_at,
        pauses=pauses,
        controller_pause=held,
        promote_full=status.promote_full and not pass_.aborted,
    )


def _pauses(pass_: Pass) -> tuple[tuple[PauseCondition, ...], bool]:
    """The pauses that stay and come, and whether it is us who pause."""
    before = pass_.before
    kept = tuple(p for p in before.pauses if p.reason not in pass_.removed_pauses)
    present = {p.reason for p in kept}
    added = tuple(
        PauseCondition(r, pass_.now) for r in dict.fromkeys(pass_.added_pauses) if r not in present and r not in pass_.removed_pauses
    )
    pauses = kept + added
    return pauses, bool(pauses) and (before.controller_pause or bool(added))
