"""The status of a rollout, as its readers ask for it."""

from datetime import UTC, datetime

from reconciler.rollouts.status.model import Condition, PauseCondition, PauseReason, RolloutStatus

NOW = datetime(2030, 1, 1, tzinfo=UTC)


def test_what_is_not_written_is_none() -> None:
    assert RolloutStatus().condition("Healthy") is None
    assert RolloutStatus().pause(PauseReason.CANARY_STEP) is None


def test_a_condition_and_a_pause_are_found_by_what_they_are_about() -> None:
    healthy, paused = (Condition(type=type, status="True", reason=type, message="") for type in ("Healthy", "Paused"))
    waits = PauseCondition(PauseReason.CANARY_STEP, NOW)
    status = RolloutStatus(conditions=(healthy, paused), pauses=(PauseCondition(PauseReason.INCONCLUSIVE_ANALYSIS, NOW), waits))
    assert status.condition("Paused") is paused
    assert status.pause(PauseReason.CANARY_STEP) is waits


def test_two_equal_hashes_are_a_promotion_also_when_both_are_empty() -> None:
    assert RolloutStatus().promoted
    assert RolloutStatus(current_hash="a", stable_hash="a").promoted
    assert not RolloutStatus(current_hash="b", stable_hash="a").promoted
