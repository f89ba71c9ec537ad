"""How Prometheus is asked and what its answers hold: a query to path and parameters, the `data` of an answer to numbers (contract 7.1)."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from reconciler.expr.evaluate import moment
from reconciler.expr.syntax import ExpressionError
from reconciler.expr.text import fixed
from reconciler.kernel.duration import parse_duration
from reconciler.kernel.errors import Terminal
from reconciler.kernel.fields import Fields
from reconciler.providers.promql import understand

NO_DATA_FALLBACK = re.compile(r"\s+or\s+(?:on\s*\(\s*\)\s*)?vector\s*\([^()]*\)\s*$")
UNSUPPORTED = "Prometheus metric type not supported"


@dataclass(frozen=True, slots=True)
class Reading:
    """What an answer holds: what conditions see, what people see, and how many series it had (0: no data)."""

    result: float | list[float]
    value: str
    series: int


def read(answer: Any) -> Reading:
    """The numbers in the `data` of an answer. Raises Terminal for what holds none."""
    if not isinstance(answer, dict):
        raise Terminal("prometheus answered without a result")
    kind, result = answer.get("resultType"), answer.get("result")
    try:
        if kind == "scalar":
            value = _sample(result)
            return Reading(value, fixed(value), 1)
        if kind == "vector" and isinstance(result, list):
            return _listed([_sample(series["value"]) for series in result], len(result))
        if kind == "matrix" and isinstance(result, list):
            return _listed([_sample(sample) for series in result for sample in series["values"]], len(result))
    except (TypeError, ValueError, KeyError, IndexError) as error:
        raise Terminal(f"prometheus answered a {kind} we cannot read") from error
    raise Terminal(UNSUPPORTED)


def _listed(numbers: list[float], series: int) -> Reading:
    return Reading(numbers, f"[{','.join(map(fixed, numbers))}]", series)


def _sample(pair: Any) -> float:
    """The number of a `[time, "text"]` pair."""
    text = pair[1]
    if not isinstance(text, str):
        raise TypeError("a sample is written as text")
    return float(text)


def without_fallback(query: str) -> str:
    """What a query answers by data alone, for one that also answers without any, as `or vector(N)` does; empty for any other.

    A query that is no PromQL of Prometheus is known by its end.
    """
    bare = NO_DATA_FALLBACK.sub("", query)
    if bare != query:
        return bare
    understood = understand(query)
    return understood.bare if understood is not None else ""


def instant_or_range(config: Fields, query: str, now: datetime) -> tuple[str, dict[str, str]]:
    """The path and parameters: an instant query at now, or a range."""
    span = config.optional("rangeQuery")
    if span is None:
        return "query", {"query": query, "time": _seconds(now)}
    try:
        step = parse_duration(span.text("step"))
    except ValueError as error:
        raise Terminal(f"failed to parse rangeQuery.step: {error}") from error
    edges = {edge: _seconds(_edge(edge, span.text(edge), now)) for edge in ("start", "end")}
    return "query_range", {"query": query, **edges, "step": f"{step.total_seconds():f}"}


def _edge(name: str, text: str, now: datetime) -> datetime:
    try:
        return moment(text, now)
    except ExpressionError as error:
        raise Terminal(f"failed to parse rangeQuery.{name} {text!r}: {error}") from error


def past_range(query: str, edges: tuple[datetime, datetime], step: timedelta) -> tuple[str, dict[str, str]]:
    """The path and parameters that answer at every step between two past moments."""
    first, last = map(_seconds, edges)
    return "query_range", {"query": query, "start": first, "end": last, "step": f"{step.total_seconds():f}"}


def _seconds(at: datetime) -> str:
    return f"{at.timestamp():.3f}"
