"""Prometheus's words: request parameters in, result documents out."""

import math
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

import promql_parser

from reconciler_sandbox.metrics.labels import Labels
from reconciler_sandbox.metrics.promql.evaluate import Points
from reconciler_sandbox.metrics.promql.values import BadQuery, Sample, Value, Window

Json = dict[str, Any]


def moment(text: str, name: str) -> int:
    """A time in ms from Unix seconds or RFC 3339; raises BadQuery naming the parameter."""
    try:
        seconds = float(text)
    except ValueError:
        seconds = _calendar(text, name)
    if not math.isfinite(seconds):
        raise BadQuery(f'invalid parameter "{name}": cannot parse "{text}" to a valid timestamp')
    return round(seconds * 1000)


def step(text: str) -> int:
    """A duration in ms from seconds or PromQL's `1m30s`; raises BadQuery."""
    try:
        milliseconds = round(float(text) * 1000)
    except ValueError:
        milliseconds = _duration(text)
    except OverflowError as error:
        raise BadQuery(f'invalid parameter "step": "{text}" is out of range') from error
    if milliseconds <= 0:
        raise BadQuery('invalid parameter "step": zero or negative query resolution step widths are not accepted. Try a positive integer')
    return milliseconds


def success(result_type: str, result: Any) -> Json:
    return {"status": "success", "data": {"resultType": result_type, "result": result}}


def failure(error_type: str, message: str) -> Json:
    return {"status": "error", "errorType": error_type, "error": message}


def instant_document(value: Value, time: int, *, matrix: bool = False) -> Json:
    """The answer of `/api/v1/query`: scalar, string, vector, or the matrix of a bare range selector."""
    if isinstance(value, float):
        return success("scalar", [time / 1000, number(value)])
    if isinstance(value, str):
        return success("string", [time / 1000, value])
    if matrix or (value and isinstance(value[0], Window)):
        windows = [element for element in value if isinstance(element, Window)]
        return success("matrix", [_series(window.labels, window.points) for window in windows])
    samples = [element for element in value if isinstance(element, Sample)]
    return success("vector", [{"metric": dict(sample.labels), "value": [time / 1000, number(sample.value)]} for sample in samples])


def range_document(series: list[tuple[Labels, Points]]) -> Json:
    """The answer of `/api/v1/query_range`."""
    return success("matrix", [_series(labels, points) for labels, points in series])


def number(value: float) -> str:
    """As Prometheus writes numbers: shortest exact digits, never an exponent."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return format(Decimal(repr(value)), "f").removesuffix(".0")


def _series(labels: Labels, points: Any) -> Json:
    return {"metric": dict(labels), "values": [[time / 1000, number(value)] for time, value in points]}


def _calendar(text: str, name: str) -> float:
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError as error:
        raise BadQuery(f'invalid parameter "{name}": cannot parse "{text}" to a valid timestamp') from error
    if parsed.tzinfo is None:
        raise BadQuery(f'invalid parameter "{name}": cannot parse "{text}" to a valid timestamp')
    return parsed.timestamp()


def _duration(text: str) -> int:
    try:
        return round(promql_parser.parse_duration(text).total_seconds() * 1000)
    except ValueError as error:
        raise BadQuery(f'invalid parameter "step": cannot parse "{text}" to a valid duration') from error


def parameter(parameters: Mapping[str, str], name: str) -> str:
    """A parameter that must be there; raises BadQuery."""
    if not parameters.get(name):
        raise BadQuery(f'invalid parameter "{name}": missing')
    return parameters[name]
