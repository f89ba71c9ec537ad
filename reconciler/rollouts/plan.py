"""The future of one rollout as a pure function: same facts, same time, same plan."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from reconciler.kernel.identity import namespace_of
from reconciler.kernel.plan import Action, Patch, Replace
from reconciler.kernel.problem import Problem
from reconciler.kernel.resources import ANALYSIS_RUNS, EXPERIMENTS, REPLICA_SETS, ROLLOUTS, SERVICES
from reconciler.rollouts import bluegreen, canary
from reconciler.rollouts.analyses import FAILED, recall_runs
from reconciler.rollouts.experiments import recall_experiment
from reconciler.rollouts.facts import RolloutFacts
from reconciler.rollouts.finish import finished, fresh_status, stamped
from reconciler.rollouts.passes import Pass, RolloutPlan, begin
from reconciler.rollouts.pods.creation import create_missing, note_found
from reconciler.rollouts.pods.olds import scale_blue_green_others
from reconciler.rollouts.pods.scaling import drop_deadlines, scale_blue_green_new, scale_blue_green_stable
from reconciler.rollouts.position import run_phase
from reconciler.rollouts.status.conditions import (
    ABORTED,
    COMPLETED,
    CREATE_ERROR,
    INVALID_SPEC,
    PAUSED,
    PAUSED_REASON,
    PROGRESSING,
    TIMED_OUT,
    Conditions,
    without,
    written,
)
from reconciler.rollouts.status.model import Condition, Phase, RolloutStatus
from reconciler.rollouts.traffic.routed import give_back

PassStep = Callable[[Pass], Pass]
RETRY_REFERENCES = timedelta(seconds=20)


def plan(observed: RolloutFacts, now: datetime) -> RolloutPlan:
    """What to do next for one rollout: the steps of its strategy, until one ends the pass."""
    pass_ = begin(observed, now)
    homeward = observed.spec.canary is not None and going_home(pass_)
    for step in (*FIRST, *(canary.STEPS_OF_PASS if observed.spec.canary else bluegreen.STEPS_OF_PASS)):
        pass_ = step(pass_)
        if pass_.ended:
            break
    decision = pass_.decision()
    return replace(decision, beside=tuple(effect for effect in decision.effects if _beside(pass_, effect))) if homeward else decision


def _beside(pass_: Pass, effect: Action) -> bool:
    """Sizes, runs and the canary's Service: what follows them in a pass was decided on the pods that are there, not on these writes."""
    if isinstance(effect, Replace):
        return effect.resource == REPLICA_SETS
    if not isinstance(effect, Patch):
        return False
    of_the_canary = pass_.facts.spec.canary is not None and effect.ref.name == pass_.facts.spec.canary.canary_service
    return effect.ref.resource in (REPLICA_SETS, ANALYSIS_RUNS, EXPERIMENTS) or (effect.ref.resource == SERVICES and of_the_canary)


def creation_refused(observed: RolloutFacts, now: datetime, reason: str) -> RolloutPlan:
    """What is known of an attempt whose ReplicaSet the API refuses: it has begun, and its deadline runs (contract 3.2, 3.5, 3.6)."""
    text = f'Failed to create new replica set "{observed.name}-{observed.hash}": {reason}'
    pass_ = begin(observed, now).tell(CREATE_ERROR, text, warning=True)
    begun = canary.reset_when_changed(pass_) if observed.spec.canary else bluegreen.reset_when_changed(pass_)
    ended = begun if begun.ended else _stood_still(pass_)
    former = None if begun.ended else observed.status.condition(PROGRESSING)
    if ended.status is None:
        return ended.decision()
    conditions = _with_refusal(ended.status.conditions, former, text, now)
    status = replace(ended.status, conditions=conditions)
    return replace(ended, status=stamped(ended, status, status.duration)).decision()


def _stood_still(pass_: Pass) -> Pass:
    if pass_.facts.spec.blue_green:
        return bluegreen.finish(pass_)
    return finished(pass_, replace(fresh_status(pass_), step_index=0 if pass_.facts.spec.steps else None))


def _with_refusal(conditions: Conditions, former: Condition | None, text: str, now: datetime) -> Conditions:
    """The refusal as the word about progress, at the time of the first one, or the deadline would never pass. An abort outranks it."""
    current = next((condition for condition in conditions if condition.type == PROGRESSING), None)
    if current is not None and current.reason in (ABORTED, TIMED_OUT):
        return conditions
    if former is not None and former.reason == CREATE_ERROR:
        return (*without(conditions, PROGRESSING), former)
    return written(conditions, Condition(type=PROGRESSING, status="False", reason=CREATE_ERROR, message=text), now)


def greet(pass_: Pass) -> Pass:
    """A rollout that has no status yet is told to be known, once (contract 3.9)."""
    if pass_.before.observed_generation or pass_.before.conditions:
        return pass_
    place = f"{namespace_of(pass_.facts.rollout)}/{pass_.facts.name}"
    return pass_.tell("RolloutAddedToInformer", f"Rollout resource added to informer: {place}")


def refuse(pass_: Pass) -> Pass:
    """An invalid rollout: it says so and stands still (contract 12). What is missing for the way forward does not stop the way home."""
    found = pass_.facts.found
    problem = found.problem if going_home(pass_) else found.unmet or found.problem
    if problem is None:
        return pass_
    pass_ = pass_.wake(pass_.now + RETRY_REFERENCES) if problem.passing else pass_
    status = invalid_status(pass_.before, pass_.facts.name, problem, pass_.now)
    return pass_.end(stamped(pass_, status, status.duration))


def going_home(pass_: Pass) -> bool:
    """True while users are brought back to the stable version: its template is asked for again, or the attempt on record is aborted, or an
    analysis of it failed. What is left to do then needs no more than what runs already.
    """
    facts = pass_.facts
    if facts.status.stable_hash and facts.new_hash == facts.status.stable_hash:
        return has_changed(pass_) or not _is_home(pass_)
    return not has_changed(pass_) and (pass_.aborted or any(run_phase(run) in FAILED for run in recall_runs(pass_).runs.all))


def _is_home(pass_: Pass) -> bool:
    """True when the version that is asked for has every pod and every user."""
    facts, weights = pass_.facts, pass_.before.canary.weights
    whole = facts.new is not None and facts.new.spec == facts.spec.replicas
    return whole and not any(other.spec > 0 for other in facts.others) and (weights is None or weights.canary.weight == 0)


def has_changed(pass_: Pass) -> bool:
    """True when the rollout asks for another attempt than the one on record."""
    return canary.changed(pass_) if pass_.facts.spec.canary else bluegreen.changed(pass_)


def invalid_status(before: RolloutStatus, name: str, problem: Problem, now: datetime) -> RolloutStatus:
    """The status frozen but for the InvalidSpec condition, which is written again when its message changes (contract 3.5)."""
    message = f'The Rollout "{name}" is invalid: {problem}'
    former = before.condition(INVALID_SPEC)
    condition = Condition(type=INVALID_SPEC, status="True", reason=INVALID_SPEC, message=message)
    always = former is not None and former.message != message
    return replace(before, conditions=written(before.conditions, condition, now, always=always))


def refused(rollout_status: RolloutStatus, name: str, generation: str, problem: Problem, now: datetime) -> RolloutPlan:
    """The same for a manifest that cannot even be read."""
    status = invalid_status(rollout_status, name, problem, now)
    condition = status.condition(INVALID_SPEC)
    message = f"InvalidSpec: {condition.message}" if condition else ""
    return RolloutPlan((), replace(status, observed_generation=generation, phase=Phase.DEGRADED, message=message))


def fill_in_replicas(pass_: Pass) -> Pass:
    """An HPA needs a number: it is written where none was given, and the pass ends (contract 1.1)."""
    if pass_.facts.spec.replicas_given:
        return pass_
    rollout = pass_.facts.rollout
    return pass_.act(Replace(ROLLOUTS, {**rollout, "spec": {**rollout["spec"], "replicas": 1}})).end()


def speak_of_pauses(pass_: Pass) -> Pass:
    """Conditions about pausing and retrying come before everything else, in a pass of their own (contract 3.6)."""
    if pass_.before.observed_generation != pass_.facts.generation:
        return pass_
    conditions = pass_.before.conditions
    for condition in _pause_words(pass_):
        conditions = written(conditions, condition, pass_.now)
    if conditions == pass_.before.conditions:
        return pass_
    status = replace(pass_.before, conditions=conditions)
    return pass_.end(stamped(pass_, status, status.duration))


def _pause_words(pass_: Pass) -> tuple[Condition, ...]:
    before = pass_.before
    progress, paused_condition = before.condition(PROGRESSING), before.condition(PAUSED)
    paused = bool(before.pauses) or pass_.facts.spec.paused
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


def follow_scale(pass_: Pass) -> Pass:
    """Another number of replicas: only sizes move in this pass (contract 3.1, 4.12).

    A new template goes first, so that the new version is never sized by the steps of the former attempt.
    """
    stale = [r for r in (pass_.facts.new, pass_.facts.stable) if r and r.spec > 0 and r.desired not in (None, pass_.facts.spec.replicas)]
    if has_changed(pass_) or not stale:
        return pass_
    pass_ = _resized(pass_)
    return pass_.end(stamped(pass_, _counts(pass_), pass_.before.duration))


def _resized(pass_: Pass) -> Pass:
    strategy = pass_.facts.spec.blue_green
    if strategy is None:
        return canary.scale_all(pass_)[1]
    return scale_blue_green_others(scale_blue_green_new(scale_blue_green_stable(drop_deadlines(pass_)), strategy), strategy)


def _counts(pass_: Pass) -> RolloutStatus:
    everything = pass_.facts.replica_sets
    active = pass_.facts.with_hash(pass_.before.blue_green.active_selector) if pass_.facts.spec.blue_green else None
    counted = (active,) if active else everything
    return replace(
        pass_.before,
        replicas=sum(r.actual for r in everything),
        available=sum(r.available for r in counted),
        hpa_replicas=sum(r.actual for r in counted),
    )


FIRST: tuple[PassStep, ...] = (
    fill_in_replicas,
    greet,
    give_back,
    refuse,
    create_missing,
    note_found,
    recall_runs,
    recall_experiment,
    speak_of_pauses,
    follow_scale,
)
