"""Functions of instant vectors and scalars; those of range vectors are in `ranges`."""

import math
from collections.abc import Callable, Mapping, Sequence

from reconciler_sandbox.metrics.labels import nameless
from reconciler_sandbox.metrics.promql.histogram import histogram_quantile
from reconciler_sandbox.metrics.promql.ranges import KEEPS_NAME, RANGE_FUNCTIONS
from reconciler_sandbox.metrics.promql.values import BadQuery, ExecutionFailed, Sample, Value, Vector


def call(name: str, arguments: Sequence[Value], now: float) -> Value:
    """The value of one function call; `now` is the evaluation time in seconds. Raises BadQuery for a function we do not have."""
    if name == "time":
        return now
    if name in RANGE_FUNCTIONS:
        return _over_windows(name, arguments)
    if name in ELEMENTWISE:
        return _each(_vector(arguments[0]), ELEMENTWISE[name])
    if name not in FUNCTIONS:
        raise BadQuery(f'unsupported function "{name}"')
    return FUNCTIONS[name](arguments)


def known(name: str) -> bool:
    return name in RANGE_FUNCTIONS or name in ELEMENTWISE or name in FUNCTIONS or name in ("time", "absent", "absent_over_time")


def _over_windows(name: str, arguments: Sequence[Value]) -> Vector:
    windows = arguments[0]
    assert isinstance(windows, list)
    values = [(window.labels, RANGE_FUNCTIONS[name](window)) for window in windows if not isinstance(window, Sample)]
    kept = [(label_set if name in KEEPS_NAME else nameless(label_set), value) for label_set, value in values if value is not None]
    return distinct([Sample(label_set, value) for label_set, value in kept])


def distinct(vector: Vector) -> Vector:
    """The same vector; raises ExecutionFailed if two samples have the same labels."""
    if len({sample.labels for sample in vector}) != len(vector):
        raise ExecutionFailed("vector cannot contain metrics with the same labelset")
    return vector


def _each(vector: Vector, change: Callable[[float], float]) -> Vector:
    return distinct([Sample(nameless(sample.labels), change(sample.value)) for sample in vector])


def _clamp(arguments: Sequence[Value]) -> Vector:
    lowest, highest = _scalar(arguments[1]), _scalar(arguments[2])
    if lowest > highest:
        return []
    if math.isnan(lowest) or math.isnan(highest):
        return _each(_vector(arguments[0]), lambda value: math.nan)
    return _each(_vector(arguments[0]), lambda value: value if math.isnan(value) else max(lowest, min(highest, value)))


def _clamp_min(arguments: Sequence[Value]) -> Vector:
    return _clamp([arguments[0], arguments[1], math.nan if math.isnan(_scalar(arguments[1])) else math.inf])


def _clamp_max(arguments: Sequence[Value]) -> Vector:
    return _clamp([arguments[0], math.nan if math.isnan(_scalar(arguments[1])) else -math.inf, arguments[1]])


def _round(arguments: Sequence[Value]) -> Vector:
    """To the nearest multiple, halves upwards; the multiple's inverse avoids a rounding error of the division."""
    inverse = 1.0 / _scalar(arguments[1]) if len(arguments) > 1 and _scalar(arguments[1]) else 1.0
    return _each(_vector(arguments[0]), lambda value: _whole(math.floor, value * inverse + 0.5) / inverse)


def _scalar_of(arguments: Sequence[Value]) -> float:
    vector = _vector(arguments[0])
    return vector[0].value if len(vector) == 1 else math.nan


def _histogram(arguments: Sequence[Value]) -> Vector:
    return histogram_quantile(_scalar(arguments[0]), _vector(arguments[1]))


def _whole(rounding: Callable[[float], int], value: float) -> float:
    """Python's floor and ceil raise on NaN and infinities and know no negative zero, Prometheus passes all of them on."""
    return math.copysign(float(rounding(value)), value) if math.isfinite(value) else value


def _vector(value: Value) -> Vector:
    assert isinstance(value, list)
    return [sample for sample in value if isinstance(sample, Sample)]


def _scalar(value: Value) -> float:
    assert isinstance(value, float)
    return value


ELEMENTWISE: Mapping[str, Callable[[float], float]] = {
    "abs": abs,
    "ceil": lambda value: _whole(math.ceil, value),
    "floor": lambda value: _whole(math.floor, value),
}
FUNCTIONS: Mapping[str, Callable[[Sequence[Value]], Value]] = {
    "vector": lambda arguments: [Sample((), _scalar(arguments[0]))],
    "scalar": _scalar_of,
    "clamp": _clamp,
    "clamp_min": _clamp_min,
    "clamp_max": _clamp_max,
    "round": _round,
    "histogram_quantile": _histogram,
}
