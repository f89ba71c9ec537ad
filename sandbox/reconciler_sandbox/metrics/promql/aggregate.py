"""Aggregation operators: sum, avg, min, max, count."""

import math
from collections.abc import Callable, Mapping, Sequence

from reconciler_sandbox.metrics.labels import NAME, Labels, drop, keep
from reconciler_sandbox.metrics.promql.values import BadQuery, Sample, Vector, exact_sum, largest, smallest

Grouping = Callable[[Labels], Labels]


def grouping(names: Sequence[str] | None, *, without: bool) -> Grouping:
    """Which labels a group keeps: those of `by`, all but those of `without`, none if neither is written."""
    if without:
        return lambda label_set: drop(label_set, (*(names or ()), NAME))
    return lambda label_set: keep(label_set, names or ())


def aggregate(operator: str, vector: Vector, group: Grouping) -> Vector:
    """One sample for each group. Raises BadQuery for an operator we do not have."""
    groups: dict[Labels, Vector] = {}
    for sample in vector:
        groups.setdefault(group(sample.labels), []).append(sample)
    if operator not in REDUCTIONS:
        raise BadQuery(f'unsupported aggregation "{operator}"')
    return [Sample(of, REDUCTIONS[operator]([sample.value for sample in members])) for of, members in groups.items()]


def average(numbers: Sequence[float]) -> float:
    return exact_sum(number / len(numbers) for number in numbers) if math.isinf(exact_sum(numbers)) else exact_sum(numbers) / len(numbers)


REDUCTIONS: Mapping[str, Callable[[Sequence[float]], float]] = {
    "sum": exact_sum,
    "avg": average,
    "min": smallest,
    "max": largest,
    "count": lambda numbers: float(len(numbers)),
}
