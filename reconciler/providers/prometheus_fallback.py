"""PromQL that answers without data, as `or vector(N)` does: where a query answers by itself, a total failure may look like a success."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from reconciler.analysis.conditions import Conditions, assess
from reconciler.analysis.model import RunPhase
from reconciler.expr.values import Value
from reconciler.kernel.problem import Problem
from reconciler.providers.promql import understand

NOW = datetime(2026, 1, 1, tzinfo=UTC)
"""A condition may ask for the time; none of ours depends on which it is."""
NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
FALLBACK = re.compile(rf"\bor\b\s*(?:(?:on|ignoring)\s*\([^)]*\)\s*)?\(*\s*vector\s*\(\s*({NUMBER})\s*\)\s*\)*\s*$", re.IGNORECASE)
FILTER = re.compile(rf"(>=|<=|==|!=|>|<)\s*({NUMBER})\s*\)*\s*$")
FAR = 1e9


def fallback_doubts(query: str, conditions: Conditions) -> Iterator[Problem]:
    """A query that answers by itself where there is nothing to answer, with a value that the conditions take for a success."""
    found = _fallback(query)
    if found is None or not _succeeds(conditions, [found.value]):
        return
    hidden = next((value for value in _hidden(found.bare) if _fails(conditions, [value])), None)
    if hidden is not None:
        words = f"counts a total failure as a success: {hidden:g} would fail, and the query answers {found.words}, instead"
    else:
        words = (
            f"says success in silence: without data it answers {found.words}, which passes, and which proves no version. "
            "Ask for a share of all requests, whose divisor has no fallback"
        )
    yield Problem("prometheus.query", words)


@dataclass(frozen=True, slots=True)
class _Fallback:
    """What a query answers without data, in words too, and the query without that."""

    value: float
    words: str
    bare: str


def _fallback(query: str) -> _Fallback | None:
    """By its end where it has one, or else by what the parser makes of it."""
    found = FALLBACK.search(query)
    if found is not None:
        return _Fallback(float(found[1]), f"its fallback, vector({found[1]})", query[: found.start()])
    understood = understand(query)
    if understood is None or understood.fallback is None:
        return None
    return _Fallback(understood.fallback, f"its fallback, {understood.fallback:g}", understood.bare)


def _hidden(query: str) -> Iterator[float]:
    """Values that never reach the conditions: those that a comparison filters out, and 0, which a series that is missing stands for."""
    yield 0.0
    found = FILTER.search(query)
    if found is None:
        return
    sign, limit = found[1], float(found[2])
    below, above = (limit - 1, -FAR), (limit + 1, FAR)
    dropped = {">": (limit, *below), ">=": below, "<": (limit, *above), "<=": above, "==": (*below, *above), "!=": (limit,)}
    yield from dropped[sign]


def _succeeds(conditions: Conditions, result: Value) -> bool:
    return assess(conditions, result, NOW).phase is RunPhase.SUCCESSFUL


def _fails(conditions: Conditions, result: Value) -> bool:
    return assess(conditions, result, NOW).phase is RunPhase.FAILED
