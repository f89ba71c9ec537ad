"""When a step of a canary is done (contract 4.3)."""

from collections.abc import Callable

from reconciler.core.pods.sizes import at_desired_counts
from reconciler.core.rollout.pause import resumed_or_expired
from reconciler.core.turn.position import current_step, run_phase
from reconciler.core.turn.turn import Turn
from reconciler.model.rollout import Step


def waiting_step(turn: Turn) -> bool:
    """Whether the current step takes as long as it takes: the progress deadline does not count there (contract 3.6)."""
    step = current_step(turn)
    return step is not None and (step.experiment is not None or step.analysis is not None or step.pause is not None)


def completed(turn: Turn) -> bool:
    """Whether the current step is done. Nothing completes while a person paused the rollout (contract 4.3)."""
    step = current_step(turn)
    if step is None or turn.seen.spec.paused:
        return False
    for applies, done in COMPLETION:
        if applies(step):
            return done(turn, step)
    return False


def _pause_done(turn: Turn, step: Step) -> bool:
    return step.pause is not None and resumed_or_expired(turn, step.pause)


def _scale_done(turn: Turn, step: Step) -> bool:
    return at_desired_counts(turn)


def _weight_done(turn: Turn, step: Step) -> bool:
    verified = turn.weights is None or turn.weights.verified is not False
    return verified and at_desired_counts(turn)


def _analysis_done(turn: Turn, step: Step) -> bool:
    return run_phase(turn.runs.step) == "Successful"


def _route_done(turn: Turn, step: Step) -> bool:
    return True


COMPLETION: tuple[tuple[Callable[[Step], bool], Callable[[Turn, Step], bool]], ...] = (
    (lambda step: step.pause is not None, _pause_done),
    (lambda step: step.scale is not None, _scale_done),
    (lambda step: step.set_weight is not None, _weight_done),
    (lambda step: step.analysis is not None, _analysis_done),
    (lambda step: step.header_route is not None, _route_done),
    (lambda step: step.mirror_route is not None, _route_done),
)
