"""Plug-ins of canary steps: which of them are asked now, and what their answers mean for the rollout (contract 4.3).

A call has effects elsewhere, so it is no fact and no action: a pass that needs an answer says so (`Pass.ask`) and is decided again with it.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import assert_never

from reconciler.kernel.duration import parse_duration, words_of
from reconciler.kernel.identity import uid_of
from reconciler.kernel.plan import Emit
from reconciler.rollouts.passes import Pass
from reconciler.rollouts.plugin import Operation, Reply, StepAnswer, StepCall, StepPhase, SwitchedOff, Unanswered
from reconciler.rollouts.position import current_step, index_of
from reconciler.rollouts.spec.model import PluginStep
from reconciler.rollouts.status.model import StepPluginStatus

LEAST, USUAL, SLACK = timedelta(seconds=10), timedelta(seconds=30), timedelta(seconds=5)
"""A plug-in that wants to be asked again sooner than the first waits for the second; the third comes on top of every wait."""


def run_plugins(pass_: Pass) -> Pass:
    """Ask what is due: to run the current step; on an abort to take back what was done; once promoted to end what still runs."""
    if pass_.facts.spec.canary is None:
        return pass_
    if pass_.before.promote_full or pass_.before.promoted:
        return _wind_up(pass_, Operation.TERMINATE, (StepPhase.RUNNING,))
    if pass_.aborted:
        return _wind_up(pass_, Operation.ABORT, (StepPhase.RUNNING, StepPhase.SUCCESSFUL))
    if _is_retried(pass_):
        return replace(pass_, plugins=()).wake(pass_.now)
    return _run(pass_)


def has_run(pass_: Pass) -> bool:
    """True when the plug-in of the current step is done with it, or switched off."""
    entry = _entry(pass_, index_of(pass_), Operation.RUN)
    return entry is not None and (entry.disabled or _is_over(entry))


def is_at_work(pass_: Pass) -> bool:
    """True while the plug-in of the current step says that it goes on: that takes as long as it takes."""
    step, entry = current_step(pass_), _entry(pass_, index_of(pass_), Operation.RUN)
    return step is not None and step.plugin is not None and entry is not None and entry.phase == StepPhase.RUNNING


def _is_retried(pass_: Pass) -> bool:
    """A retry after an abort runs every step again, once the status tells the new try from the old one: keys of calls are made of it."""
    return pass_.before.aborted_at is not None or any(entry.operation == Operation.ABORT for entry in pass_.plugins)


def _run(pass_: Pass) -> Pass:
    step, index = current_step(pass_), index_of(pass_)
    if step is None or step.plugin is None or step.pause is not None or _stands_still(pass_) or has_run(pass_):
        return pass_
    known = _entry(pass_, index, Operation.RUN)
    due = _due(known)
    if known is not None and due is not None and pass_.now < due:
        return pass_.wake(due)
    if any(not isinstance(effect, Emit) for effect in pass_.effects):
        # The step before this one may still be on its way to the cluster: what a plug-in finds there must be what was promised to it.
        return pass_.wake(pass_.now)
    call = _call(pass_, Operation.RUN, index, step.plugin)
    reply = pass_.facts.found.replies.get((Operation.RUN, index))
    return pass_.ask((call,)) if reply is None else _ran(pass_, call, reply)


def _stands_still(pass_: Pass) -> bool:
    """A rollout that waits for a person, or has nothing stable yet, runs no plug-in."""
    return pass_.facts.spec.paused or bool(pass_.before.pauses) or bool(pass_.added_pauses) or not pass_.before.stable_hash


def _ran(pass_: Pass, call: StepCall, reply: Reply) -> Pass:
    match reply:
        case Unanswered(reason):
            return _unanswered(pass_, call, reason)
        case SwitchedOff():
            off = StepPluginStatus(index=call.index, name=call.name, operation=Operation.RUN, phase=StepPhase.SUCCESSFUL, disabled=True)
            return _recorded(pass_, off)
        case StepAnswer():
            entry = _after_run(pass_, call, reply)
            pass_ = _recorded(pass_, entry).wake(_due(entry))
            failed = f"Step Plugin {call.index + 1} ({call.name}) failed: {entry.message}"
            return pass_.abort(failed) if entry.phase == StepPhase.FAILED else pass_
    assert_never(reply)


def _after_run(pass_: Pass, call: StepCall, answer: StepAnswer) -> StepPluginStatus:
    """After an error the plug-in is asked again with what it said before it."""
    known = _entry(pass_, call.index, Operation.RUN)
    wait = answer.again if answer.again is not None and answer.again > LEAST else USUAL
    again = {StepPhase.RUNNING: words_of(wait), StepPhase.ERROR: words_of(USUAL)}
    return StepPluginStatus(
        index=call.index,
        name=call.name,
        operation=Operation.RUN,
        phase=answer.phase,
        message=answer.message,
        started=known.started if known is not None else pass_.now,
        updated=pass_.now,
        finished=pass_.now if answer.phase.over else None,
        backoff=again.get(answer.phase, ""),
        executions=(known.executions if known is not None else 0) + 1,
        status=call.status if answer.phase is StepPhase.ERROR else answer.status,
    )


def _wind_up(pass_: Pass, operation: Operation, phases: tuple[StepPhase, ...]) -> Pass:
    """End, or take back, what ran: each once, the last first. One that cannot be asked holds up those before it, and is asked again."""
    due = tuple(_to_wind_up(pass_, operation, phases))
    unasked = tuple(call for call in due if (operation, call.index) not in pass_.facts.found.replies)
    if unasked:
        return pass_.ask(unasked)
    for call in due:
        reply = pass_.facts.found.replies[operation, call.index]
        if isinstance(reply, Unanswered):
            return _unanswered(pass_, call, reply.reason)
        if isinstance(reply, StepAnswer):
            pass_ = _recorded(pass_, _wound_up(pass_, call, reply))
    return pass_


def _to_wind_up(pass_: Pass, operation: Operation, phases: tuple[StepPhase, ...]) -> Iterator[StepCall]:
    steps = pass_.facts.spec.steps
    for entry in reversed(pass_.plugins):
        step = steps[entry.index] if 0 <= entry.index < len(steps) else None
        if entry.operation != Operation.RUN or entry.phase not in phases or entry.disabled or _is_wound_up(pass_, entry.index):
            continue
        if step is not None and step.plugin is not None and step.plugin.name == entry.name:
            yield _call(pass_, operation, entry.index, step.plugin)


def _is_wound_up(pass_: Pass, index: int) -> bool:
    return any(entry.index == index and entry.operation != Operation.RUN for entry in pass_.plugins)


def _wound_up(pass_: Pass, call: StepCall, answer: StepAnswer) -> StepPluginStatus:
    """What goes on after it was told to end has failed to: there is no second question."""
    phase = StepPhase.FAILED if answer.phase is StepPhase.RUNNING else answer.phase
    return StepPluginStatus(
        index=call.index,
        name=call.name,
        operation=call.operation,
        phase=phase,
        message=answer.message,
        started=pass_.now,
        finished=pass_.now,
    )


def _unanswered(pass_: Pass, call: StepCall, reason: str) -> Pass:
    text = f"Step Plugin {call.index + 1} ({call.name}) cannot {call.operation.lower()}: {reason}"
    return pass_.tell("ReconciliationError", text, warning=True).wake(pass_.now + USUAL)


def _call(pass_: Pass, operation: Operation, index: int, step: PluginStep) -> StepCall:
    known = _entry(pass_, index, Operation.RUN)
    duration = pass_.before.duration
    began = int(duration.started.timestamp()) if duration is not None and duration.started is not None else 0
    return StepCall(
        operation=operation,
        index=index,
        name=step.name,
        config=step.config,
        status=known.status if known is not None else None,
        rollout=pass_.facts.rollout,
        key=f"{uid_of(pass_.facts.rollout)}-{pass_.facts.new_hash}-{index}-{began}",
    )


def _entry(pass_: Pass, index: int, operation: Operation) -> StepPluginStatus | None:
    """What is on record of an operation on a step, if it is of the plug-in that the step still names."""
    steps = pass_.facts.spec.steps
    step = steps[index] if 0 <= index < len(steps) else None
    name = step.plugin.name if step is not None and step.plugin is not None else ""
    return next((e for e in pass_.plugins if (e.index, e.operation, e.name) == (index, operation, name)), None)


def _recorded(pass_: Pass, entry: StepPluginStatus) -> Pass:
    """The entry in its place, and an event when its phase is another; what a completed step says the step's own event says."""
    place = (entry.index, entry.operation)
    former = next((e for e in pass_.plugins if (e.index, e.operation) == place), None)
    kept: Iterable[StepPluginStatus] = (entry if e is former else e for e in pass_.plugins)
    pass_ = replace(pass_, plugins=tuple(kept) if former is not None else (*pass_.plugins, entry))
    silent = entry.disabled or (entry.operation, entry.phase) == (Operation.RUN, StepPhase.SUCCESSFUL)
    if silent or (former is not None and former.phase == entry.phase):
        return pass_
    text = f"Step Plugin {entry.index + 1} ({entry.name}) {entry.operation.lower()}: {entry.phase}"
    return pass_.tell("StepPluginTransition", text, warning=entry.phase in (StepPhase.FAILED, StepPhase.ERROR))


def _due(entry: StepPluginStatus | None) -> datetime | None:
    """When a plug-in that is not done is asked again; None: at once, or never."""
    if entry is None or entry.updated is None or not entry.executions or not entry.backoff:
        return None
    try:
        return entry.updated + parse_duration(entry.backoff) + SLACK
    except (ValueError, OverflowError):
        return entry.updated + USUAL + SLACK


def _is_over(entry: StepPluginStatus) -> bool:
    return entry.phase in (StepPhase.SUCCESSFUL, StepPhase.FAILED)
