"""What PromQL computes with: scalars, strings, instant vectors and range vectors."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from reconciler_sandbox.metrics.labels import Labels


class BadQuery(Exception):
    """The query does not parse or asks for something that this evaluator does not have; the message names it."""


class ExecutionFailed(Exception):
    """The query is well formed but cannot be computed on these series, e.g. ambiguous vector matching."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One element of an instant vector."""

    labels: Labels
    value: float


@dataclass(frozen=True, slots=True)
class Window:
    """One series of a range vector: its samples in (start, end], times in ms."""

    labels: Labels
    points: tuple[tuple[int, float], ...]
    start: int
    end: int


Vector = list[Sample]
Matrix = list[Window]
Value = float | str | Vector | Matrix


def exact_sum(numbers: Iterable[float]) -> float:
    """Neumaier's compensated sum, as Prometheus adds."""
    total = compensation = 0.0
    for number in numbers:
        added = total + number
        if abs(total) >= abs(number):
            compensation += (total - added) + number
        else:
            compensation += (number - added) + total
        total = added
    # After an overflow or an infinity the compensation is NaN, and the plain sum is the answer.
    return total if total in (float("inf"), float("-inf")) else total + compensation


def smallest(numbers: Iterable[float]) -> float:
    """The minimum; NaN only if nothing else is there."""
    return _extreme(numbers, lambda number, found: number < found)


def largest(numbers: Iterable[float]) -> float:
    """The maximum; NaN only if nothing else is there."""
    return _extreme(numbers, lambda number, found: number > found)


def _extreme(numbers: Iterable[float], better: Callable[[float, float], bool]) -> float:
    found = float("nan")
    for number in numbers:
        if found != found or better(number, found):
            found = number
    return found
