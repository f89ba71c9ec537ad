"""The phase and its message (contract 3.4)."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from reconciler.rollouts.spec.model import BlueGreen, Canary, RolloutAnalysis, RolloutSpec, TrafficRouting
from reconciler.rollouts.status.model import BlueGreenStatus, Condition, PauseCondition, RolloutStatus, RunStatus
from reconciler.rollouts.status.phase import phase_of

NOW = datetime(2030, 1, 1, tzinfo=UTC)
CANARY = RolloutSpec(strategy=Canary(), replicas=4)
GREEN = RolloutSpec(strategy=BlueGreen(active_service="a"), replicas=4)
DONE = RolloutStatus(current_hash="n", stable_hash="n", replicas=4, updated=4, available=4, blue_green=BlueGreenStatus(active_selector="n"))


def condition(type: str, reason: str, message: str) -> Condition:
    return Condition(type=type, status="True", reason=reason, message=message)


@pytest.mark.parametrize(
    ("spec", "status", "expected"),
    [
        (CANARY, DONE, "Healthy "),
        (GREEN, DONE, "Healthy "),
        (CANARY, replace(DONE, conditions=(condition("InvalidSpec", "x", "m"),)), "Degraded InvalidSpec: m"),
        (CANARY, replace(DONE, conditions=(condition("Progressing", "RolloutAborted", "m"),)), "Degraded RolloutAborted: m"),
        (replace(CANARY, paused=True), DONE, "Paused manually paused"),
        (CANARY, replace(DONE, pauses=(PauseCondition("CanaryPauseStep", NOW),)), "Paused CanaryPauseStep"),
        (replace(CANARY, restart_at=NOW), DONE, "Progressing rollout is restarting"),
        (CANARY, replace(DONE, updated=3), "Progressing more replicas need to be updated"),
        (CANARY, replace(DONE, available=3), "Progressing updated replicas are still becoming available"),
        (GREEN, replace(DONE, blue_green=BlueGreenStatus()), "Progressing active service cutover pending"),
        (GREEN, replace(DONE, stable_hash="o"), "Progressing waiting for post-promotion verification to complete"),
        (CANARY, replace(DONE, replicas=5), "Progressing old replicas are pending termination"),
        (CANARY, replace(DONE, stable_hash="o"), "Progressing waiting for all steps to complete"),
    ],
)
def test_the_first_row_that_applies_speaks(spec: RolloutSpec, status: RolloutStatus, expected: str) -> None:
    assert " ".join(phase_of(spec, status)) == expected


def test_an_invalid_spec_comes_first_and_then_the_order_of_conditions_decides() -> None:
    late, wrong = condition("Progressing", "ProgressDeadlineExceeded", "late"), condition("InvalidSpec", "x", "wrong")
    aborted = condition("Available", "RolloutAborted", "home")
    assert phase_of(CANARY, replace(DONE, conditions=(late, wrong)))[1] == "InvalidSpec: wrong"
    assert phase_of(CANARY, replace(DONE, conditions=(late, aborted)))[1].startswith("ProgressDeadlineExceeded")
    assert phase_of(CANARY, replace(DONE, conditions=(aborted, late)))[1].startswith("RolloutAborted")


def test_a_routed_canary_does_not_wait_for_old_pods() -> None:
    routed = replace(CANARY, strategy=Canary(routing=TrafficRouting(manifest={}, routers=("istio",))))
    assert phase_of(routed, replace(DONE, replicas=8))[0] == "Healthy"


def test_an_open_post_promotion_analysis_is_named() -> None:
    spec = replace(GREEN, strategy=BlueGreen(active_service="a", post_promotion=RolloutAnalysis(manifest={"templates": [{}]})))
    unfinished = BlueGreenStatus(active_selector="n", post_run=RunStatus("r", "Running"))
    assert phase_of(spec, replace(DONE, stable_hash="o", blue_green=unfinished))[1] == "waiting for analysis to complete"
    unbegun, ended = replace(unfinished, post_run=None), replace(unfinished, post_run=RunStatus("r", "Successful"))
    assert phase_of(spec, replace(DONE, stable_hash="o", blue_green=unbegun))[1] == "waiting for analysis to complete"
    waits = "waiting for post-promotion verification to complete"
    assert phase_of(spec, replace(DONE, stable_hash="o", blue_green=ended))[1] == waits
    assert (
        phase_of(GREEN, replace(DONE, blue_green=BlueGreenStatus(), current_hash="", stable_hash=""))[1] == "active service cutover pending"
    )
    assert phase_of(CANARY, replace(DONE, current_hash="", stable_hash=""))[1] == "waiting for all steps to complete"
