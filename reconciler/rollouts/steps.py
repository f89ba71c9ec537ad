"""When a step of a canary is done (contract 4.3)."""

from collections.abc import Callable

from reconciler.rollouts.passes import Pass
from reconciler.rollouts.pause import resumed_or_expired
from reconciler.rollouts.plugin_steps import has_run, is_at_work
from reconciler.rollouts.pods.sizes import at_desired_counts
from reconciler.rollouts.position import current_step, run_phase
from reconciler.rollouts.spec.model import Step
from reconciler.rollouts.status.model import PauseReason


def waiting_step(pass_: Pass) -> bool:
    """True when the current step takes as long as it takes: the progress deadline does not count there (contract 3.6)."""
    step = current_step(pass_)
    if step is None:
        return False
    return step.experiment is not None or step.analysis is not None or step.pause is not None or is_at_work(pass_)


def completed(pass_: Pass) -> bool:
    """True when the current step is done. Nothing completes while a person paused the rollout (contract 4.3)."""
    step = current_step(pass_)
    if step is None or pass_.facts.spec.paused:
        return False
    for applies, done in COMPLETION:
        if applies(step):
            return done(pass_, step)
    return False


def _pause_done(pass_: Pass, step: Step) -> bool:
    return step.pause is not None and resumed_or_expired(pass_, step.pause)


def _scale_done(pass_: Pass, step: Step) -> bool:
    return at_desired_counts(pass_)


def _weight_done(pass_: Pass, step: Step) -> bool:
    verified = pass_.weights is None or pass_.weights.verified is not False
    return verified and at_desired_counts(pass_)


def _analysis_done(pass_: Pass, step: Step) -> bool:
    return run_phase(pass_.runs.step) == "Successful"


def _experiment_done(pass_: Pass, step: Step) -> bool:
    """While an inconclusive analysis pauses the rollout, experiments stand still too (contract 4.4)."""
    return run_phase(pass_.experiment) == "Successful" and pass_.before.pause(PauseReason.INCONCLUSIVE_ANALYSIS) is None


def _plugin_done(pass_: Pass, step: Step) -> bool:
    return has_run(pass_)


def _route_done(pass_: Pass, step: Step) -> bool:
    return True


COMPLETION: tuple[tuple[Callable[[Step], bool], Callable[[Pass, Step], bool]], ...] = (
    (lambda step: step.pause is not None, _pause_done),
    (lambda step: step.scale is not None, _scale_done),
    (lambda step: step.set_weight is not None, _weight_done),
    (lambda step: step.experiment is not None, _experiment_done),
    (lambda step: step.analysis is not None, _analysis_done),
    (lambda step: step.header_route is not None, _route_done),
    (lambda step: step.mirror_route is not None, _route_done),
    (lambda step: step.plugin is not None, _plugin_done),
)
