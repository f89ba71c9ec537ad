"""The end of a full pass: the status that says what was found and done (contract 3.1, 3.6, 4.2)."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from reconciler.kernel.identity import Manifest, annotations_of, name_of
from reconciler.kernel.records import evolve
from reconciler.kernel.well_known import WORKLOAD_GENERATION
from reconciler.rollouts.duration import duration_of
from reconciler.rollouts.passes import Pass
from reconciler.rollouts.pause import with_pauses
from reconciler.rollouts.status.conditions import (
    ABORTED,
    ALL_AVAILABLE,
    COMPLETED,
    HEALTHY,
    INVALID_SPEC,
    PROGRESSING,
    REPLICA_FAILURE,
    TIMED_OUT,
    UNAVAILABLE_TEXT,
    availability,
    deadline_applies,
    healthy,
    progressed,
    replica_failure,
    timed_out,
    without,
    written,
)
from reconciler.rollouts.status.model import BlueGreenStatus, CanaryStatus, Condition, Duration, RolloutStatus, RunStatus
from reconciler.rollouts.status.phase import phase_of
from reconciler.rollouts.steps import waiting_step

SECOND = timedelta(seconds=1)


def fresh_status(pass_: Pass) -> RolloutStatus:
    """A status rebuilt from facts; only what the contract names is carried over (contract 3.1)."""
    facts, before, runs = pass_.facts, pass_.before, pass_.runs
    replicas = sum(r.actual for r in facts.replica_sets)
    canary = CanaryStatus(
        weights=pass_.weights,
        step_run=_mirror(runs.step),
        background_run=_mirror(runs.background),
        experiment=name_of(pass_.experiment) if pass_.experiment is not None else "",
        stable_ping_pong=before.canary.stable_ping_pong,
        plugins=pass_.plugins,
    )
    return RolloutStatus(
        current_hash=facts.new_hash,
        step_hash=facts.step_hash,
        step_index=before.step_index if facts.spec.steps else None,
        stable_hash=before.stable_hash,
        replicas=replicas,
        updated=facts.new.actual if facts.new else 0,
        ready=sum(r.ready for r in facts.replica_sets),
        available=sum(r.available for r in facts.replica_sets),
        hpa_replicas=replicas,
        selector=format_selector(facts.spec.selector),
        collisions=before.collisions,
        conditions=without(before.conditions, INVALID_SPEC),
        promote_full=before.promote_full and facts.new_hash != before.stable_hash,
        restarted_at=pass_.restarted_at,
        canary=canary if facts.spec.canary else CanaryStatus(),
        blue_green=BlueGreenStatus(pre_run=_mirror(runs.pre), post_run=_mirror(runs.post)) if facts.spec.blue_green else BlueGreenStatus(),
        duration=before.duration,
        balancers=pass_.balancers,
    )


def _mirror(run: Manifest | None) -> RunStatus | None:
    if run is None:
        return None
    status = run.get("status") or {}
    return RunStatus(name_of(run), str(status.get("phase", "")), str(status.get("message", "")))


def format_selector(selector: Manifest) -> str:
    """A label selector as one line (contract 3.3)."""
    words = [f"{key}={value}" for key, value in (selector.get("matchLabels") or {}).items()]
    words += [_expression(e) for e in selector.get("matchExpressions") or ()]
    return ",".join(sorted(words)) or "<none>"


def _expression(expression: Manifest) -> str:
    key, values = expression["key"], ",".join(sorted(expression.get("values") or ()))
    operators = {"In": f"{key} in ({values})", "NotIn": f"{key} notin ({values})", "Exists": key, "DoesNotExist": f"!{key}"}
    return str(operators[expression["operator"]])


def finished(pass_: Pass, status: RolloutStatus, *, changed: bool = False) -> Pass:
    """The end of the pass: conditions, pauses, phase and duration around what the strategy decided.

    `changed`: this pass met a new template or new steps.
    """
    account = _account(pass_, status)
    paused = with_pauses(account.pass_, status, account.conditions)
    told = _tell_pauses(account.pass_, paused)
    return told.wake(_stuck_at(told, paused)).end(stamped(told, paused, duration_of(account.pass_, paused, changed=changed)))


def stamped(pass_: Pass, status: RolloutStatus, duration: Duration | None) -> RolloutStatus:
    """What every write of the status says besides: duration, the generation it speaks of, and the phase (contract 3.2)."""
    workload = annotations_of(pass_.facts.rollout).get(WORKLOAD_GENERATION, "") if pass_.facts.spec.workload_ref else ""
    phase, message = phase_of(pass_.facts.spec, status)
    return evolve(
        status,
        observed_generation=pass_.facts.generation,
        workload_observed_generation=workload,
        phase=phase,
        message=message,
        duration=duration,
    )


@dataclass(frozen=True, slots=True)
class Account:
    """The conditions of this pass, and the pass with the events and the abort they brought."""

    pass_: Pass
    conditions: tuple[Condition, ...]


def _account(pass_: Pass, status: RolloutStatus) -> Account:
    well = healthy(pass_.facts, status)
    fell = _health_ends(pass_, status, well)
    account = Account(pass_, _health(pass_, status, well))
    account = _completion(account, status)
    account = _abort_when_stuck(account, status, fell=fell, well=well)
    account = _progress(account, status, fell=fell, well=well)
    conditions = written(account.conditions, availability(pass_.facts, status), pass_.now)
    failure = replica_failure(pass_.facts.replica_sets, pass_.facts.new)
    conditions = written(conditions, failure, pass_.now) if failure else without(conditions, REPLICA_FAILURE)
    return Account(account.pass_, conditions)


def _health_ends(pass_: Pass, status: RolloutStatus, well: bool) -> bool:
    former = status.condition(HEALTHY)
    return not well and former is not None and former.status == "True"


def _health(pass_: Pass, status: RolloutStatus, well: bool) -> tuple[Condition, ...]:
    """Healthy: False is written only where there was a Healthy condition (contract 3.5)."""
    if not well and status.condition(HEALTHY) is None:
        return status.conditions
    text = "Rollout is healthy" if well else "Rollout is not healthy"
    condition = Condition(type=HEALTHY, status="True" if well else "False", reason="RolloutHealthy", message=text)
    return written(status.conditions, condition, pass_.now)


def _completion(account: Account, status: RolloutStatus) -> Account:
    pass_, former = account.pass_, status.condition(COMPLETED)
    value = "True" if status.completed else "False"
    condition = Condition(type=COMPLETED, status=value, reason="RolloutCompleted", message="RolloutCompleted")
    if not status.completed and (former is None or former.status == "True"):
        text = f"Rollout not completed, started update to revision {pass_.facts.revision} ({status.current_hash})"
        pass_ = pass_.tell("RolloutNotCompleted", text)
    return Account(pass_, written(account.conditions, condition, pass_.now))


def _abort_when_stuck(account: Account, status: RolloutStatus, *, fell: bool, well: bool) -> Account:
    """`progressDeadlineAbort`: out of time means abort, in the same write (contract 3.7)."""
    pass_, facts = account.pass_, account.pass_.facts
    unfinished = not pass_.aborted and not well and not status.completed
    if not facts.spec.progress_deadline_abort or not unfinished or fell or progressed(facts, status) or not _late(pass_, status):
        return account
    return Account(pass_.abort(f'ReplicaSet "{_new_name(pass_)}" has timed out progressing.'), account.conditions)


def _late(pass_: Pass, status: RolloutStatus) -> bool:
    return deadline_applies(pass_.facts, status, waiting=waiting_step(pass_)) and timed_out(pass_.facts, status.conditions, pass_.now)


def _new_name(pass_: Pass) -> str:
    return pass_.facts.new.name if pass_.facts.new else f"{pass_.facts.name}-{pass_.facts.hash}"


def _progress(account: Account, status: RolloutStatus, *, fell: bool, well: bool) -> Account:
    """Progressing: aborted, done, moving or out of time, in this order (contract 3.6)."""
    pass_ = account.pass_
    if pass_.aborted:
        return _told_abort(account)
    if _rests(status):
        return account
    name = _new_name(pass_)
    if well:
        return _set_progress(account, "True", ALL_AVAILABLE, f'ReplicaSet "{name}" has successfully progressed.')
    if fell and status.promoted:
        return _set_progress(account, "True", "ReplicaSetNotAvailable", UNAVAILABLE_TEXT, always=True)
    if fell or progressed(pass_.facts, status):
        return _set_progress(account, "True", "ReplicaSetUpdated", f'ReplicaSet "{name}" is progressing.', always=True)
    if _late(pass_, status):
        return _set_progress(account, "False", TIMED_OUT, f'ReplicaSet "{name}" has timed out progressing.')
    return account


def _rests(status: RolloutStatus) -> bool:
    """True when everything that exists serves and the last word was success: nothing moves, so nothing is late."""
    condition = status.condition(PROGRESSING)
    if condition is None or status.replicas != status.available or not status.promoted:
        return False
    return condition.reason == ALL_AVAILABLE and condition.status != "Unknown"


def _set_progress(account: Account, status: str, reason: str, message: str, *, always: bool = False) -> Account:
    condition = Condition(type=PROGRESSING, status=status, reason=reason, message=message)
    return replace(account, conditions=written(account.conditions, condition, account.pass_.now, always=always))


def _told_abort(account: Account) -> Account:
    pass_ = account.pass_
    message = f"Rollout aborted update to revision {pass_.facts.revision}"
    if pass_.abort_reason:
        message = f"{message}: {pass_.abort_reason}"
    told = _set_progress(account, "False", ABORTED, message)
    if told.conditions == account.conditions:
        return account
    return replace(told, pass_=pass_.tell(ABORTED, message, warning=True))


def _tell_pauses(pass_: Pass, status: RolloutStatus) -> Pass:
    waited = bool(pass_.before.pauses) or pass_.before.controller_pause
    if status.pauses and not waited:
        return pass_.tell("RolloutPaused", f"Rollout is paused ({status.pauses[0].reason})")
    # An abort empties the list too, and resumes nothing.
    if waited and not status.pauses and not status.abort:
        return pass_.tell("RolloutResumed", "Rollout is resumed")
    return pass_


def _stuck_at(pass_: Pass, status: RolloutStatus) -> datetime | None:
    """When to ask whether the deadline has passed: never while nothing can be late (contract 3.6)."""
    condition = status.condition(PROGRESSING)
    if condition is None or condition.updated is None or status.pauses or pass_.facts.spec.paused or pass_.aborted:
        return None
    if condition.reason in (TIMED_OUT, ALL_AVAILABLE) or waiting_step(pass_):
        return None
    due = condition.updated + timedelta(seconds=pass_.facts.spec.progress_deadline) + SECOND
    return due if due > pass_.now else None
