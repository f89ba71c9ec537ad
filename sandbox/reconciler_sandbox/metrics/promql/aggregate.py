"""Aggregation operators: sum, avg, min, max, count, group, quantile, stddev, stdvar, topk, bottomk, count_values."""

import math
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal

from reconciler_sandbox.metrics.labels import NAME, Labels, drop, keep, labels
from reconciler_sandbox.metrics.promql.values import BadQuery, ExecutionFailed, Sample, Vector, exact_sum, largest, quantile, smallest

Grouping = Callable[[Labels], Labels]


def grouping(names: Sequence[str] | None, *, without: bool) -> Grouping:
    """Which labels a group keeps: those of `by`, all but those of `without`, none if neither is written."""
    if without:
        return lambda label_set: drop(label_set, (*(names or ()), NAME))
    return lambda label_set: keep(label_set, names or ())


def aggregate(operator: str, vector: Vector, group: Grouping, parameter: float | None) -> Vector:
    """One sample for each group, or the chosen samples themselves for topk and bottomk."""
    groups: dict[Labels, Vector] = {}
    for sample in vector:
        groups.setdefault(group(sample.labels), []).append(sample)
    if operator in CHOICES:
        return [sample for members in groups.values() for sample in _choose(operator, members, parameter)]
    if operator == "quantile":
        fraction = math.nan if parameter is None else parameter
        return [Sample(of, quantile(fraction, _values(members))) for of, members in groups.items()]
    if operator not in REDUCTIONS:
        raise BadQuery(f'unsupported aggregation "{operator}"')
    return [Sample(of, REDUCTIONS[operator](_values(members))) for of, members in groups.items()]


def count_values(vector: Vector, names: Sequence[str] | None, label: object, *, without: bool) -> Vector:
    """How many samples have each value, which a label tells. Raises ExecutionFailed for what is no name of a label."""
    if not isinstance(label, str) or not label:
        raise ExecutionFailed(f'invalid label name "{label}"')
    group = grouping(names if without else [*(names or ()), label], without=without)
    told = [Sample(labels({**dict(sample.labels), label: number_text(sample.value)}), sample.value) for sample in vector]
    return aggregate("count", told, group, None)


def number_text(value: float) -> str:
    """A number without an exponent, and as short as it can be told from others."""
    if math.isnan(value) or math.isinf(value):
        return "NaN" if math.isnan(value) else ("+Inf" if value > 0 else "-Inf")
    text = format(Decimal(repr(value)), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def average(numbers: Sequence[float]) -> float:
    return exact_sum(number / len(numbers) for number in numbers) if math.isinf(exact_sum(numbers)) else exact_sum(numbers) / len(numbers)


def variance(numbers: Sequence[float]) -> float:
    """The population's variance, by Welford's running mean as Prometheus has it: equal numbers have none at all."""
    middle = squares = 0.0
    for count, number in enumerate(numbers, 1):
        away = number - middle
        middle += away / count
        squares += away * (number - middle)
    return squares / len(numbers)


def _values(members: Vector) -> list[float]:
    return [sample.value for sample in members]


def _choose(operator: str, members: Vector, parameter: float | None) -> Vector:
    """The first `parameter` members in order of value; NaN comes last."""
    if parameter is None or math.isnan(parameter):
        raise ExecutionFailed(f"the parameter of {operator} is not a number")
    sign = CHOICES[operator]
    ordered = sorted(members, key=lambda sample: (math.isnan(sample.value), sign * sample.value))
    return ordered[: max(0, int(min(parameter, len(ordered))))]


CHOICES: Mapping[str, int] = {"topk": -1, "bottomk": 1}
REDUCTIONS: Mapping[str, Callable[[Sequence[float]], float]] = {
    "sum": exact_sum,
    "avg": average,
    "min": smallest,
    "max": largest,
    "count": lambda numbers: float(len(numbers)),
    "group": lambda numbers: 1.0,
    "stddev": lambda numbers: math.sqrt(variance(numbers)),
    "stdvar": variance,
}
OPERATORS = frozenset({*REDUCTIONS, *CHOICES, "quantile", "count_values"})
