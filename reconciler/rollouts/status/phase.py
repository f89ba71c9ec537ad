"""The phase and its message, computed from spec and status: the first row that applies (contract 3.4)."""

from collections.abc import Callable

from reconciler.rollouts.spec.model import RolloutSpec
from reconciler.rollouts.status.conditions import ABORTED, INVALID_SPEC, TIMED_OUT
from reconciler.rollouts.status.model import Phase, RolloutStatus

Answer = tuple[Phase, str]
Row = Callable[[RolloutSpec, RolloutStatus], Answer | None]
COMPLETED_RUN = frozenset({"Successful", "Failed", "Error", "Inconclusive"})


def phase_of(spec: RolloutSpec, status: RolloutStatus) -> Answer:
    for row in ROWS:
        answer = row(spec, status)
        if answer is not None:
            return answer
    return Phase.HEALTHY, ""


def degraded(spec: RolloutSpec, status: RolloutStatus) -> Answer | None:
    """An InvalidSpec of any status; else, in the order of the list, an abort or a passed deadline."""
    invalid = status.condition(INVALID_SPEC)
    if invalid is not None:
        return Phase.DEGRADED, f"InvalidSpec: {invalid.message}"
    ended = next((condition for condition in status.conditions if condition.reason in (ABORTED, TIMED_OUT)), None)
    return (Phase.DEGRADED, f"{ended.reason}: {ended.message}") if ended is not None else None


def paused(spec: RolloutSpec, status: RolloutStatus) -> Answer | None:
    if spec.paused:
        return Phase.PAUSED, "manually paused"
    return (Phase.PAUSED, status.pauses[0].reason) if status.pauses else None


def restarting(spec: RolloutSpec, status: RolloutStatus) -> Answer | None:
    if spec.restart_at is not None and spec.restart_at != status.restarted_at:
        return Phase.PROGRESSING, "rollout is restarting"
    return None


def scaling(spec: RolloutSpec, status: RolloutStatus) -> Answer | None:
    if status.updated < spec.replicas:
        return Phase.PROGRESSING, "more replicas need to be updated"
    if status.available < status.updated:
        return Phase.PROGRESSING, "updated replicas are still becoming available"
    return None


def blue_green(spec: RolloutSpec, status: RolloutStatus) -> Answer | None:
    if spec.blue_green is None:
        return None
    active = status.blue_green.active_selector
    if not active or active != status.current_hash:
        return Phase.PROGRESSING, "active service cutover pending"
    if status.completed:
        return None
    run = status.blue_green.post_run
    if spec.blue_green.post_promotion is not None and (run is None or run.status not in COMPLETED_RUN):
        return Phase.PROGRESSING, "waiting for analysis to complete"
    return Phase.PROGRESSING, "waiting for post-promotion verification to complete"


def canary(spec: RolloutSpec, status: RolloutStatus) -> Answer | None:
    if spec.canary is None:
        return None
    if spec.routing is None and status.replicas > status.updated:
        return Phase.PROGRESSING, "old replicas are pending termination"
    if not status.completed:
        return Phase.PROGRESSING, "waiting for all steps to complete"
    return None


ROWS: tuple[Row, ...] = (degraded, paused, restarting, scaling, blue_green, canary)
