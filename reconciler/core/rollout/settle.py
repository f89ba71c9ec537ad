"""The end of a full pass: the status that says what was found and done (contract 3.1, 3.6, 4.2)."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from reconciler.core.rollout.duration import duration_of
from reconciler.core.rollout.pause import with_pauses
from reconciler.core.rollout.steps import waiting_step
from reconciler.core.status.conditions import (
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
from reconciler.core.status.phase import phase_of
from reconciler.core.turn.turn import Turn
from reconciler.model.identity import Manifest, annotations_of, name_of
from reconciler.model.rollout_status import BlueGreenStatus, CanaryStatus, Condition, Duration, RolloutStatus, RunStatus
from reconciler.model.workload import WORKLOAD_GENERATION

SECOND = timedelta(seconds=1)


def fresh_status(turn: Turn) -> RolloutStatus:
    """A status rebuilt from facts; only what the contract names is carried over (contract 3.1)."""
    seen, before, runs = turn.seen, turn.before, turn.runs
    replicas = sum(r.actual for r in seen.replica_sets)
    canary = CanaryStatus(
        weights=turn.weights,
        step_run=_mirror(runs.step),
        background_run=_mirror(runs.background),
        stable_ping_pong=before.canary.stable_ping_pong,
    )
    return RolloutStatus(
        current_hash=seen.new_hash,
        step_hash=seen.step_hash,
        step_index=before.step_index if seen.spec.steps else None,
        stable_hash=before.stable_hash,
        replicas=replicas,
        updated=seen.new.actual if seen.new else 0,
        ready=sum(r.ready for r in seen.replica_sets),
        available=sum(r.available for r in seen.replica_sets),
        hpa_replicas=replicas,
        selector=format_selector(seen.spec.selector),
        collisions=before.collisions,
        conditions=without(before.conditions, INVALID_SPEC),
        promote_full=before.promote_full and seen.new_hash != before.stable_hash,
        restarted_at=turn.restarted_at,
        canary=canary if seen.spec.canary else CanaryStatus(),
        blue_green=BlueGreenStatus(pre_run=_mirror(runs.pre), post_run=_mirror(runs.post)) if seen.spec.blue_green else BlueGreenStatus(),
        duration=before.duration,
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


def settled(turn: Turn, status: RolloutStatus, *, changed: bool = False) -> Turn:
    """The end of the pass: conditions, pauses, phase and duration around what the strategy decided.

    `changed`: this pass met a new template or new steps.
    """
    account = _account(turn, status)
    paused = with_pauses(account.turn, status, account.conditions)
    told = _tell_pauses(account.turn, paused)
    return told.wake(_stuck_at(told, paused)).end(stamped(told, paused, duration_of(account.turn, paused, changed=changed)))


def stamped(turn: Turn, status: RolloutStatus, duration: Duration | None) -> RolloutStatus:
    """What every write of the status says besides: duration, the generation it speaks of, and the phase (contract 3.2)."""
    workload = annotations_of(turn.seen.rollout).get(WORKLOAD_GENERATION, "") if turn.seen.spec.workload_ref else ""
    phase, message = phase_of(turn.seen.spec, status)
    return replace(
        status,
        observed_generation=turn.seen.generation,
        workload_observed_generation=workload,
        phase=phase,
        message=message,
        duration=duration,
    )


@dataclass(frozen=True, slots=True)
class Account:
    """The conditions of this pass, and the turn with the events and the abort they brought."""

    turn: Turn
    conditions: tuple[Condition, ...]


def _account(turn: Turn, status: RolloutStatus) -> Account:
    well = healthy(turn.seen, status)
    fell = _health_ends(turn, status, well)
    account = Account(turn, _health(turn, status, well))
    account = _completion(account, status)
    account = _abort_when_stuck(account, status, fell=fell, well=well)
    account = _progress(account, status, fell=fell, well=well)
    conditions = written(account.conditions, availability(turn.seen, status), turn.now)
    failure = replica_failure(turn.seen.replica_sets, turn.seen.new)
    conditions = written(conditions, failure, turn.now) if failure else without(conditions, REPLICA_FAILURE)
    return Account(account.turn, conditions)


def _health_ends(turn: Turn, status: RolloutStatus, well: bool) -> bool:
    former = status.condition(HEALTHY)
    return not well and former is not None and former.status == "True"


def _health(turn: Turn, status: RolloutStatus, well: bool) -> tuple[Condition, ...]:
    """Healthy: False is written only where there was a Healthy condition (contract 3.5)."""
    if not well and status.condition(HEALTHY) is None:
        return status.conditions
    text = "Rollout is healthy" if well else "Rollout is not healthy"
    condition = Condition(type=HEALTHY, status="True" if well else "False", reason="RolloutHealthy", message=text)
    return written(status.conditions, condition, turn.now)


def _completion(account: Account, status: RolloutStatus) -> Account:
    turn, former = account.turn, status.condition(COMPLETED)
    done = bool(status.stable_hash) and status.promoted
    value = "True" if done else "False"
    condition = Condition(type=COMPLETED, status=value, reason="RolloutCompleted", message="RolloutCompleted")
    if former is not None and former.status == "True" and not done:
        text = f"Rollout not completed, started update to revision {turn.seen.revision} ({status.current_hash})"
        turn = turn.tell("RolloutNotCompleted", text)
    return Account(turn, written(account.conditions, condition, turn.now))


def _abort_when_stuck(account: Account, status: RolloutStatus, *, fell: bool, well: bool) -> Account:
    """`progressDeadlineAbort`: out of time means abort, in the same write (contract 3.7)."""
    turn, seen = account.turn, account.turn.seen
    unfinished = not turn.aborted and not well and not (status.stable_hash and status.promoted)
    if not seen.spec.progress_deadline_abort or not unfinished or fell or progressed(seen, status) or not _late(turn, status):
        return account
    return Account(turn.abort(f'ReplicaSet "{_new_name(turn)}" has timed out progressing.'), account.conditions)


def _late(turn: Turn, status: RolloutStatus) -> bool:
    return deadline_applies(turn.seen, status, waiting=waiting_step(turn)) and timed_out(turn.seen, status.conditions, turn.now)


def _new_name(turn: Turn) -> str:
    return turn.seen.new.name if turn.seen.new else f"{turn.seen.name}-{turn.seen.hash}"


def _progress(account: Account, status: RolloutStatus, *, fell: bool, well: bool) -> Account:
    """Progressing: aborted, done, moving or out of time, in this order (contract 3.6)."""
    turn = account.turn
    if turn.aborted:
        return _told_abort(account)
    if _rests(status):
        return account
    name = _new_name(turn)
    if well:
        return _set_progress(account, "True", ALL_AVAILABLE, f'ReplicaSet "{name}" has successfully progressed.')
    if fell and status.promoted:
        return _set_progress(account, "True", "ReplicaSetNotAvailable", UNAVAILABLE_TEXT, always=True)
    if fell or progressed(turn.seen, status):
        return _set_progress(account, "True", "ReplicaSetUpdated", f'ReplicaSet "{name}" is progressing.', always=True)
    if _late(turn, status):
        return _set_progress(account, "False", TIMED_OUT, f'ReplicaSet "{name}" has timed out progressing.')
    return account


def _rests(status: RolloutStatus) -> bool:
    """Whether everything that exists serves and the last word was success: nothing moves, so nothing is late."""
    condition = status.condition(PROGRESSING)
    if condition is None or status.replicas != status.available or not status.promoted:
        return False
    return condition.reason == ALL_AVAILABLE and condition.status != "Unknown"


def _set_progress(account: Account, status: str, reason: str, message: str, *, always: bool = False) -> Account:
    condition = Condition(type=PROGRESSING, status=status, reason=reason, message=message)
    return replace(account, conditions=written(account.conditions, condition, account.turn.now, always=always))


def _told_abort(account: Account) -> Account:
    turn = account.turn
    message = f"Rollout aborted update to revision {turn.seen.revision}"
    if turn.abort_reason:
        message = f"{message}: {turn.abort_reason}"
    told = _set_progress(account, "False", ABORTED, message)
    if told.conditions == account.conditions:
        return account
    return replace(told, turn=turn.tell(ABORTED, message, warning=True))


def _tell_pauses(turn: Turn, status: RolloutStatus) -> Turn:
    waited = bool(turn.before.pauses) or turn.before.controller_pause
    if status.pauses and not waited:
        return turn.tell("RolloutPaused", f"Rollout is paused ({status.pauses[0].reason})")
    if waited and not status.pauses:
        return turn.tell("RolloutResumed", "Rollout is resumed")
    return turn


def _stuck_at(turn: Turn, status: RolloutStatus) -> datetime | None:
    """When to ask whether the deadline has passed: never while nothing can be late (contract 3.6, end)."""
    condition = status.condition(PROGRESSING)
    if condition is None or condition.updated is None or status.pauses or turn.seen.spec.paused or turn.aborted:
        return None
    if condition.reason in (TIMED_OUT, ALL_AVAILABLE) or waiting_step(turn):
        return None
    due = condition.updated + timedelta(seconds=turn.seen.spec.progress_deadline) + SECOND
    return due if due > turn.now else None
