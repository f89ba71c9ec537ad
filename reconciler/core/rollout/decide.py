"""The future of one rollout as a pure function: same facts, same time, same plan."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from reconciler.core.pods.creation import create_missing, note_found
from reconciler.core.pods.olds import scale_blue_green_others
from reconciler.core.pods.scaling import drop_deadlines, scale_blue_green_new, scale_blue_green_stable
from reconciler.core.rollout import bluegreen, canary
from reconciler.core.rollout.analyses import recall_runs
from reconciler.core.rollout.settle import stamped
from reconciler.core.status.conditions import ABORTED, COMPLETED, INVALID_SPEC, PAUSED, PAUSED_REASON, PROGRESSING, written
from reconciler.core.turn.observed import Observed
from reconciler.core.turn.turn import Decision, Turn, begin
from reconciler.model.plan import Replace
from reconciler.model.problem import Problem
from reconciler.model.resources import ROLLOUTS
from reconciler.model.rollout_status import Condition, Phase, RolloutStatus

Beat = Callable[[Turn], Turn]
RETRY_REFERENCES = timedelta(seconds=20)


def decide(observed: Observed, now: datetime) -> Decision:
    """What to do next for one rollout: the beats of its strategy, until one ends the pass."""
    turn = begin(observed, now)
    for beat in (*FIRST, *(canary.BEATS if observed.spec.canary else bluegreen.BEATS)):
        turn = beat(turn)
        if turn.ended:
            break
    return turn.decision()


def refuse(turn: Turn) -> Turn:
    """An invalid rollout: it says so and stands still (contract 12)."""
    problem = turn.seen.found.problem
    if problem is None:
        return turn
    turn = turn.wake(turn.now + RETRY_REFERENCES) if problem.passing else turn
    status = invalid_status(turn.before, turn.seen.name, problem, turn.now)
    return turn.end(stamped(turn, status, status.duration))


def invalid_status(before: RolloutStatus, name: str, problem: Problem, now: datetime) -> RolloutStatus:
    """The status frozen but for the InvalidSpec condition, which is written again when its message changes (contract 3.5)."""
    message = f'The Rollout "{name}" is invalid: {problem}'
    former = before.condition(INVALID_SPEC)
    condition = Condition(type=INVALID_SPEC, status="True", reason=INVALID_SPEC, message=message)
    always = former is not None and former.message != message
    return replace(before, conditions=written(before.conditions, condition, now, always=always))


def refused(rollout_status: RolloutStatus, name: str, generation: str, problem: Problem, now: datetime) -> Decision:
    """The same for a manifest that cannot even be read."""
    status = invalid_status(rollout_status, name, problem, now)
    condition = status.condition(INVALID_SPEC)
    message = f"InvalidSpec: {condition.message}" if condition else ""
    return Decision((), replace(status, observed_generation=generation, phase=Phase.DEGRADED, message=message))


def fill_in_replicas(turn: Turn) -> Turn:
    """An HPA needs a number: it is written where none was given, and the pass ends (contract 1.1)."""
    if turn.seen.spec.replicas_given:
        return turn
    rollout = turn.seen.rollout
    return turn.act(Replace(ROLLOUTS, {**rollout, "spec": {**rollout["spec"], "replicas": 1}})).end()


def speak_of_pauses(turn: Turn) -> Turn:
    """Conditions about pausing and retrying come before everything else, in a pass of their own (contract 3.6)."""
    if turn.before.observed_generation != turn.seen.generation:
        return turn
    conditions = turn.before.conditions
    for condition in _pause_words(turn):
        conditions = written(conditions, condition, turn.now)
    if conditions == turn.before.conditions:
        return turn
    status = replace(turn.before, conditions=conditions)
    return turn.end(stamped(turn, status, status.duration))


def _pause_words(turn: Turn) -> tuple[Condition, ...]:
    before = turn.before
    progress, paused_condition = before.condition(PROGRESSING), before.condition(PAUSED)
    paused = bool(before.pauses) or turn.seen.spec.paused
    reason = progress.reason if progress else ""
    done = before.condition(COMPLETED)
    words: tuple[Condition, ...] = ()
    if paused != (reason == PAUSED_REASON) and reason != ABORTED and not (done and done.status == "True"):
        name, text = (PAUSED_REASON, "Rollout is paused") if paused else ("RolloutResumed", "Rollout is resumed")
        words += (Condition(type=PROGRESSING, status="Unknown", reason=name, message=text),)
    if not before.abort and reason == ABORTED:
        words += (Condition(type=PROGRESSING, status="Unknown", reason="RolloutRetry", message="Retrying Rollout after abort"),)
    known = paused_condition is not None and paused_condition.status == "True"
    if paused != known and reason != ABORTED:
        value = "True" if paused else "False"
        words += (Condition(type=PAUSED, status=value, reason=PAUSED_REASON, message="Rollout is paused"),)
    return words


def follow_scale(turn: Turn) -> Turn:
    """Another number of replicas: only sizes move in this pass (contract 3.1, 4.12).

    A new template goes first, so that the new version is never sized by the steps of the former attempt.
    """
    changed = canary.changed(turn) if turn.seen.spec.canary else bluegreen.changed(turn)
    stale = [r for r in (turn.seen.new, turn.seen.stable) if r and r.spec > 0 and r.desired not in (None, turn.seen.spec.replicas)]
    if changed or not stale:
        return turn
    turn = _resized(turn)
    return turn.end(stamped(turn, _counts(turn), turn.before.duration))


def _resized(turn: Turn) -> Turn:
    strategy = turn.seen.spec.blue_green
    if strategy is None:
        return canary.scale_all(turn)[1]
    return scale_blue_green_others(scale_blue_green_new(scale_blue_green_stable(drop_deadlines(turn)), strategy), strategy)


def _counts(turn: Turn) -> RolloutStatus:
    everything = turn.seen.replica_sets
    active = turn.seen.with_hash(turn.before.blue_green.active_selector) if turn.seen.spec.blue_green else None
    counted = (active,) if active else everything
    return replace(
        turn.before,
        replicas=sum(r.actual for r in everything),
        available=sum(r.available for r in counted),
        hpa_replicas=sum(r.actual for r in counted),
    )


FIRST: tuple[Beat, ...] = (fill_in_replicas, refuse, create_missing, note_found, recall_runs, speak_of_pauses, follow_scale)
