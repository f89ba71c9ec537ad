"""A canary's pass, step by step, in the contract's order (contract 4.1, 4.2)."""

from dataclasses import replace

from reconciler.rollouts.analyses import run_analyses
from reconciler.rollouts.experiments import run_experiments
from reconciler.rollouts.finish import finished, fresh_status
from reconciler.rollouts.passes import Pass, Runs
from reconciler.rollouts.pause import halted, pause_at_step
from reconciler.rollouts.plugin_steps import run_plugins
from reconciler.rollouts.pods.creation import follow_revision
from reconciler.rollouts.pods.metadata import dress_pods
from reconciler.rollouts.pods.olds import forget_old, scale_canary_others
from reconciler.rollouts.pods.referent import scale_after_success, scale_along
from reconciler.rollouts.pods.restart import restart_pods
from reconciler.rollouts.pods.scaling import drop_deadlines, scale_canary_new, scale_canary_stable
from reconciler.rollouts.pods.sizes import canary_target
from reconciler.rollouts.position import current_step, index_of
from reconciler.rollouts.promotion import promoted, promotion_reason
from reconciler.rollouts.rollback import within_window
from reconciler.rollouts.status.events import step_text
from reconciler.rollouts.status.model import PauseReason, RolloutStatus
from reconciler.rollouts.steps import completed
from reconciler.rollouts.traffic.routing import route_traffic
from reconciler.rollouts.traffic.services import point_services
from reconciler.rollouts.traffic.targets import told, unregistered


def changed(pass_: Pass) -> bool:
    """True when the template or the steps are not those of the attempt on record; never so before the first (contract 4.1 step 3)."""
    before = pass_.before
    moved = bool(before.current_hash) and before.current_hash != pass_.facts.new_hash
    return not before.step_hash or before.step_hash != pass_.facts.step_hash or moved


def reset_when_changed(pass_: Pass) -> Pass:
    """A new attempt: pauses, abort, runs, a pending restart and the step index begin afresh; weights stay (contract 4.5)."""
    if pass_.ended or not changed(pass_):
        return pass_
    steps = pass_.facts.spec.steps
    pass_ = replace(pass_, cleared_pauses=True, removed_abort=True, restarted_at=pass_.facts.spec.restart_at, runs=Runs())
    pass_ = replace(pass_, experiment=None, plugins=())
    pass_, index = _first_index(pass_, len(steps))
    status = replace(fresh_status(pass_), promote_full=False, step_index=index if steps else None)
    return finished(pass_, status, changed=True)


def _first_index(pass_: Pass, end: int) -> tuple[Pass, int]:
    new = pass_.facts.new
    if new is None or end == 0:
        return pass_, 0
    if new.hash == pass_.before.stable_hash:
        return pass_.tell("SkipSteps", "Rollback to stable ReplicaSets"), end
    if within_window(pass_.facts) and new.spec > 0:
        return pass_.tell("SkipSteps", "Rollback to active ReplicaSets within RollbackWindow"), end
    return pass_, 0


def analyse(pass_: Pass) -> Pass:
    """The runs; a pause they bring ends the pass with its status (contract 4.1 step 12)."""
    pass_ = run_analyses(pass_)
    return finish(pass_) if pass_.added_pauses else pass_


def scale_replica_sets(pass_: Pass) -> Pass:
    """Stable, then new, then others; the first that changes size ends the pass with its status (contract 4.1 step 13)."""
    resized, pass_ = scale_all(pass_)
    return finish(pass_) if resized else pass_


def scale_all(pass_: Pass) -> tuple[bool, Pass]:
    canary = pass_.facts.spec.canary
    if canary is None or halted(pass_):
        return False, pass_
    pass_, resized = scale_canary_stable(drop_deadlines(pass_), canary)
    if resized:
        return True, pass_
    pass_, resized = scale_canary_new(scale_along(pass_, lambda now, _new: canary_target(now, canary)), canary)
    if resized:
        return True, pass_
    if unregistered(pass_):
        return False, told(pass_)
    before = len(pass_.effects)
    pass_ = scale_canary_others(pass_, canary)
    return len(pass_.effects) > before, pass_


def pause(pass_: Pass) -> Pass:
    """At a pause step the pass ends with its status (contract 4.1 step 14)."""
    step = current_step(pass_)
    pass_ = pause_at_step(pass_)
    return finish(pass_) if step is not None and step.pause is not None and not pass_.facts.spec.paused else pass_


def finish(pass_: Pass) -> Pass:
    """The status of a full pass: promotion, abort or at most one completed step (contract 4.2)."""
    status = fresh_status(pass_)
    end = len(pass_.facts.spec.steps)
    if pass_.before.promote_full or within_window(pass_.facts):
        pass_ = replace(pass_, cleared_pauses=True, removed_abort=True, abort_reason=None)
        pass_, status = _forced_to_end(pass_, status)
    reason = promotion_reason(pass_, status)
    if reason:
        pass_, status = promoted(pass_, status, reason)
        return finished(scale_after_success(pass_), status)
    if pass_.aborted:
        return finished(pass_, replace(status, step_index=0 if end else None))
    if completed(pass_) and status.step_index == pass_.before.step_index:
        pass_, status = _stepped(pass_, status)
    return finished(pass_, status)


def _forced_to_end(pass_: Pass, status: RolloutStatus) -> tuple[Pass, RolloutStatus]:
    end = len(pass_.facts.spec.steps)
    return pass_, replace(status, step_index=end if end else None)


def _stepped(pass_: Pass, status: RolloutStatus) -> tuple[Pass, RolloutStatus]:
    step, index, end = current_step(pass_), index_of(pass_), len(pass_.facts.spec.steps)
    text = f"Rollout step {index + 1}/{end} completed ({step_text(step) if step else ''})"
    onward = replace(pass_, runs=replace(pass_.runs, step=None), experiment=None).unpause(PauseReason.CANARY_STEP)
    onward = onward.tell("RolloutStepCompleted", text)
    return onward, replace(status, step_index=index + 1, canary=replace(status.canary, step_run=None, experiment=""))


STEPS_OF_PASS = (
    follow_revision,
    reset_when_changed,
    restart_pods,
    dress_pods,
    forget_old,
    point_services,
    route_traffic,
    run_experiments,
    analyse,
    scale_replica_sets,
    run_plugins,
    pause,
    finish,
)
