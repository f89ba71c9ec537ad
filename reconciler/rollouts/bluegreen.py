"""A blue/green pass, step by step, in the contract's order (contract 5.1). All ReplicaSets are sized in one pass."""

from dataclasses import replace
from datetime import timedelta

from reconciler.rollouts.analyses import run_analyses
from reconciler.rollouts.experiments import run_experiments
from reconciler.rollouts.finish import finished, format_selector, fresh_status
from reconciler.rollouts.passes import Pass, Runs
from reconciler.rollouts.pause import MOMENT, halted, resumed
from reconciler.rollouts.pods.creation import follow_revision
from reconciler.rollouts.pods.metadata import dress_pods
from reconciler.rollouts.pods.olds import forget_old, scale_blue_green_others
from reconciler.rollouts.pods.referent import scale_after_success, scale_along
from reconciler.rollouts.pods.restart import restart_pods
from reconciler.rollouts.pods.scaling import blue_green_count, drop_deadlines, scale_blue_green_new, scale_blue_green_stable
from reconciler.rollouts.position import run_phase
from reconciler.rollouts.promotion import promoted, promotion_reason
from reconciler.rollouts.rollback import fast_rollback
from reconciler.rollouts.spec.model import BlueGreen
from reconciler.rollouts.status.conditions import saturated
from reconciler.rollouts.status.model import PauseReason, RolloutStatus
from reconciler.rollouts.traffic.services import switch
from reconciler.rollouts.traffic.targets import told


def point_preview(pass_: Pass) -> Pass:
    """The preview Service selects the new version at once, even before there are pods (contract 5.1 step 5)."""
    strategy = pass_.facts.spec.blue_green
    if strategy is None or not strategy.preview_service or pass_.facts.new is None or halted(pass_):
        return pass_
    return switch(pass_, strategy.preview_service, pass_.facts.new.hash)


def changed(pass_: Pass) -> bool:
    """True when the template is not that of the attempt on record; never so before the first."""
    return bool(pass_.before.current_hash) and pass_.before.current_hash != pass_.facts.new_hash


def reset_when_changed(pass_: Pass) -> Pass:
    """A new attempt: everything that belonged to the former one begins afresh (contract 4.5, 5.1 step 6)."""
    if not changed(pass_):
        return pass_
    pass_ = replace(pass_, cleared_pauses=True, removed_abort=True, restarted_at=pass_.facts.spec.restart_at, runs=Runs())
    return _finished(pass_, replace(fresh_status(pass_), promote_full=False), anew=True)


def scale_replica_sets(pass_: Pass) -> Pass:
    strategy = pass_.facts.spec.blue_green
    if strategy is None:
        return pass_
    pass_ = scale_blue_green_stable(drop_deadlines(pass_))
    pass_ = scale_along(pass_, lambda now, new: blue_green_count(now, strategy, new))
    pass_ = scale_blue_green_new(pass_, strategy)
    return scale_blue_green_others(pass_, strategy)


def pause(pass_: Pass) -> Pass:
    """Wait for a person or for autoPromotionSeconds before the switch, once the version is ready and measured (contract 5.4)."""
    strategy = pass_.facts.spec.blue_green
    if strategy is None or pass_.aborted or halted(pass_) or not _ready(pass_, strategy):
        return pass_
    instant = strategy.auto_promotion and strategy.auto_promotion_seconds == 0
    if _fast_tracked(pass_, strategy) or pass_.before.blue_green.checkpoint or instant:
        return pass_.unpause(PauseReason.BLUE_GREEN)
    if not _measured(pass_, strategy):
        return pass_
    condition = pass_.before.pause(PauseReason.BLUE_GREEN)
    if condition is None and not pass_.before.controller_pause:
        return _wake_at_promotion(pass_.pause(PauseReason.BLUE_GREEN), strategy, pass_)
    if pause_completed(pass_, strategy):
        return pass_.unpause(PauseReason.BLUE_GREEN)
    return _wake_at_promotion(pass_, strategy, pass_)


def _wake_at_promotion(pass_: Pass, strategy: BlueGreen, facts: Pass) -> Pass:
    if not strategy.auto_promotion:
        return pass_
    condition = facts.before.pause(PauseReason.BLUE_GREEN)
    started = condition.started if condition else facts.now
    return pass_.wake(started + timedelta(seconds=strategy.auto_promotion_seconds) + MOMENT)


def _ready(pass_: Pass, strategy: BlueGreen) -> bool:
    """True when the new version is there: at full size, or at the size of its preview."""
    new = pass_.facts.new
    if new is None:
        return False
    if saturated(new, pass_.facts.spec.replicas):
        return True
    return strategy.preview_replica_count is not None and new.spec == new.available == strategy.preview_replica_count


def _fast_tracked(pass_: Pass, strategy: BlueGreen) -> bool:
    """True when nothing is left to wait for: a fast way back, full promotion, a first switch, or one that is done (contract 5.2)."""
    active = pass_.selectors.get(strategy.active_service, "")
    return fast_rollback(pass_) or pass_.before.promote_full or active in ("", pass_.facts.new_hash)


def _measured(pass_: Pass, strategy: BlueGreen) -> bool:
    wanted = strategy.pre_promotion is not None and strategy.pre_promotion.measured
    return not wanted or run_phase(pass_.runs.pre) == "Successful"


def pause_completed(pass_: Pass, strategy: BlueGreen) -> bool:
    """True when the wait is over; nothing that was added in this pass is (contract 5.2).

    A person's resume completes a timed wait too (13.33, the recommended way).
    """
    if pass_.added_pauses:
        return False
    if pass_.before.blue_green.checkpoint or (strategy.auto_promotion and strategy.auto_promotion_seconds == 0):
        return True
    condition = pass_.before.pause(PauseReason.BLUE_GREEN)
    if condition is None:
        return resumed(pass_)
    due = condition.started + timedelta(seconds=strategy.auto_promotion_seconds)
    return strategy.auto_promotion and pass_.now > due


def point_active(pass_: Pass) -> Pass:
    """The switch of users to the new version, or home on an abort (contract 5.2)."""
    strategy, new = pass_.facts.spec.blue_green, pass_.facts.new
    if strategy is None or new is None or halted(pass_):
        return pass_
    if pass_.aborted and _stable_serves(pass_):
        return switch(pass_, strategy.active_service, pass_.before.stable_hash)
    if new.spec != blue_green_count(pass_, strategy, new) or not saturated(new, pass_.facts.spec.replicas):
        return pass_
    if pass_.aborted:
        return switch(pass_, strategy.active_service, pass_.before.stable_hash)
    if _fast_tracked(pass_, strategy) or (pause_completed(pass_, strategy) and _measured(pass_, strategy)):
        return switch(pass_, strategy.active_service, new.hash)
    return pass_


def _stable_serves(pass_: Pass) -> bool:
    """True when the way home is open: users never wait for a broken version to become whole before they leave it."""
    stable = pass_.facts.stable
    return stable is not None and stable.available >= pass_.facts.spec.replicas


def finish(pass_: Pass) -> Pass:
    """The status of a full pass: promotion or checkpoint (contract 5.1 step 14)."""
    if pass_.before.promote_full:
        pass_ = replace(pass_, cleared_pauses=True, removed_abort=True, abort_reason=None)
    return _finished(pass_, fresh_status(pass_), anew=False)


def _finished(pass_: Pass, status: RolloutStatus, *, anew: bool) -> Pass:
    strategy = pass_.facts.spec.blue_green
    if strategy is None:
        return pass_
    status = _with_selectors(pass_, status, strategy)
    reason = promotion_reason(pass_, status)
    if reason:
        pass_, status = promoted(pass_, status, reason)
        pass_ = scale_after_success(pass_)
    else:
        status = replace(status, blue_green=replace(status.blue_green, checkpoint=not anew and _checkpoint(pass_, strategy)))
    return finished(pass_, _counted(pass_, status), changed=anew)


def _with_selectors(pass_: Pass, status: RolloutStatus, strategy: BlueGreen) -> RolloutStatus:
    active = pass_.selectors.get(strategy.active_service, "")
    preview = pass_.selectors.get(strategy.preview_service, "") if strategy.preview_service else ""
    return replace(status, blue_green=replace(status.blue_green, active_selector=active, preview_selector=preview))


def _checkpoint(pass_: Pass, strategy: BlueGreen) -> bool:
    """True when the preview was accepted, so that the new version may grow to full size (contract 5.6)."""
    new = pass_.facts.new
    if strategy.preview_replica_count is None or new is None:
        return False
    if pass_.before.blue_green.checkpoint:
        return True
    accepted = _measured(pass_, strategy) and pause_completed(pass_, strategy) and not pass_.aborted
    return accepted and new.available == strategy.preview_replica_count


def _counted(pass_: Pass, status: RolloutStatus) -> RolloutStatus:
    """What an HPA and readiness look at: the active version only, or everything while there is none (contract 3.2)."""
    active = pass_.facts.with_hash(status.blue_green.active_selector)
    if active is None:
        return status
    return replace(
        status,
        hpa_replicas=active.actual,
        selector=format_selector(active.manifest["spec"].get("selector") or {}),
        available=active.available,
        ready=active.ready,
    )


STEPS_OF_PASS = (
    follow_revision,
    point_preview,
    reset_when_changed,
    restart_pods,
    scale_replica_sets,
    forget_old,
    pause,
    point_active,
    told,
    run_analyses,
    run_experiments,
    dress_pods,
    finish,
)
