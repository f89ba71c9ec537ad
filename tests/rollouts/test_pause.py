"""Who waits, since when, and how a person says go on (contract 4.4, 13.18, 13.19)."""

from datetime import timedelta

from reconciler.kernel.identity import Manifest
from reconciler.rollouts.passes import Pass
from reconciler.rollouts.pause import MOMENT, halted, pause_at_step, resumed, resumed_or_expired, with_pauses
from reconciler.rollouts.spec.model import Pause
from reconciler.rollouts.status.model import PauseReason, RolloutStatus
from tests.kit.passes import NOW, begun, moving, replica_set
from tests.kit.rollouts import canary, pause, rollout

BEGAN = "2030-01-01T12:00:00Z"


def waiting(*reasons: str, now: object = NOW, step: Manifest | None = None, **status: object) -> Pass:
    manifest = rollout(image="image:new", canary=canary(step or pause(10)))
    pauses = [{"reason": reason, "startTime": BEGAN} for reason in reasons]
    full = moving(currentStepIndex=0, pauseConditions=pauses, controllerPause=bool(reasons), **status)
    return begun(manifest, replica_set("old", 4, age=10), replica_set("new", 2), status=full, now=now)


def test_an_empty_list_beside_controller_pause_is_a_resume() -> None:
    assert resumed(begun(rollout(canary=canary()), status=moving(controllerPause=True)))
    assert not resumed(waiting("CanaryPauseStep")) and not resumed(waiting())


def test_a_pause_ends_after_its_seconds_not_at_them() -> None:
    at, after = NOW + timedelta(seconds=10), NOW + timedelta(seconds=10) + MOMENT
    assert not resumed_or_expired(waiting("CanaryPauseStep", now=at), Pause(10))
    assert resumed_or_expired(waiting("CanaryPauseStep", now=after), Pause(10))
    assert not resumed_or_expired(waiting("CanaryPauseStep", now=after), Pause())


def test_another_pause_does_not_open_the_step() -> None:
    assert not resumed_or_expired(waiting("InconclusiveAnalysisRun"), Pause(10))


def test_a_pause_begins_once_and_wakes_at_its_end() -> None:
    begun = pause_at_step(waiting())
    assert begun.added_pauses == (PauseReason.CANARY_STEP,) and begun.wake_at == NOW + timedelta(seconds=10) + MOMENT
    assert pause_at_step(waiting("CanaryPauseStep")).added_pauses == ()


def test_full_promotion_and_a_persons_pause_begin_none() -> None:
    assert pause_at_step(waiting(promoteFull=True)).added_pauses == ()


def test_an_inconclusive_analysis_halts() -> None:
    assert halted(waiting("InconclusiveAnalysisRun")) and not halted(waiting("CanaryPauseStep"))


def test_an_abort_drops_every_pause_and_notes_the_first_time() -> None:
    status = with_pauses(waiting("CanaryPauseStep", abort=True, abortedAt=BEGAN, now=NOW + timedelta(hours=1)), RolloutStatus(), ())
    assert (status.abort, status.pauses, status.controller_pause, status.aborted_at) == (True, (), False, NOW)


def test_start_times_never_move() -> None:
    later = waiting("CanaryPauseStep", now=NOW + timedelta(seconds=5)).pause(PauseReason.CANARY_STEP)
    assert with_pauses(later, RolloutStatus(), ()).pauses[0].started == NOW


def test_an_empty_result_drops_controller_pause_too() -> None:
    status = with_pauses(waiting("CanaryPauseStep").unpause(PauseReason.CANARY_STEP), RolloutStatus(), ())
    assert (status.pauses, status.controller_pause) == ((), False)


def test_a_new_reason_joins_the_others() -> None:
    status = with_pauses(waiting("CanaryPauseStep").pause(PauseReason.INCONCLUSIVE_ANALYSIS), RolloutStatus(), ())
    assert [p.reason for p in status.pauses] == ["CanaryPauseStep", "InconclusiveAnalysisRun"] and status.controller_pause
