"""What the conditions of a metric make of a measurement's result (table of contract 6.9)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from reconciler.analysis.model import RunPhase
from reconciler.expr.evaluate import holds
from reconciler.expr.syntax import ExpressionError
from reconciler.expr.values import Value
from reconciler.expr.working import working

NO_DATA = "metric result is nil or empty: no data returned from the metric provider"


@dataclass(frozen=True, slots=True)
class Assessed:
    """What the conditions make of a result."""

    phase: RunPhase
    message: str = ""


@dataclass(frozen=True, slots=True)
class Conditions:
    """When a metric succeeds and when it fails; empty means not set."""

    success: str = ""
    failure: str = ""


@dataclass(frozen=True, slots=True)
class Working:
    """How one condition came to its answer: its text, the text with the values in it, and the answer; None: it could not be evaluated."""

    condition: str
    text: str
    worked: str
    answer: bool | None


PHASES: Mapping[tuple[bool | None, bool | None], RunPhase] = {
    (None, None): RunPhase.SUCCESSFUL,
    (True, None): RunPhase.SUCCESSFUL,
    (False, None): RunPhase.FAILED,
    (None, True): RunPhase.FAILED,
    (None, False): RunPhase.SUCCESSFUL,
    (True, True): RunPhase.FAILED,
    (False, True): RunPhase.FAILED,
    (True, False): RunPhase.SUCCESSFUL,
    (False, False): RunPhase.INCONCLUSIVE,
}
"""What (success, failure) make of a measurement; None: the condition is not set."""


def assess(conditions: Conditions, result: Value, now: datetime) -> Assessed:
    """The phase of a measurement (table of contract 6.9); an expression that cannot be evaluated is an Error with its reason."""
    answers: list[bool | None] = []
    for name, text in (("successCondition", conditions.success), ("failureCondition", conditions.failure)):
        try:
            answers.append(holds(text, result, now) if text else None)
        except ExpressionError as error:
            reason = NO_DATA if result is None or result == [] else str(error)
            return Assessed(RunPhase.ERROR, f'could not evaluate {name} "{text}": {reason}')
    return Assessed(PHASES[answers[0], answers[1]])


def workings(conditions: Conditions, result: Value, now: datetime) -> tuple[Working, ...]:
    """Each condition that is set, with the values in it."""
    texts = (("successCondition", conditions.success), ("failureCondition", conditions.failure))
    return tuple(_working(name, text, result, now) for name, text in texts if text)


def _working(name: str, text: str, result: Value, now: datetime) -> Working:
    try:
        return Working(name, text, working(text, result, now), holds(text, result, now))
    except (ExpressionError, RecursionError):  # a condition may hold for an answer that nests too deeply to be shown
        return Working(name, text, "", None)
