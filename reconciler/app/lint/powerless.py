"""Metrics that work and cannot do what they are there for: they never fail, or take a total failure for a success."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime

from reconciler.analysis.conditions import Conditions, assess
from reconciler.analysis.manifest import InvalidMetric, parse_metrics
from reconciler.analysis.model import UNLIMITED_FAILURES, Metric, RunPhase
from reconciler.app.lint.finding import Remark, Remarks, Severity
from reconciler.expr.values import Value
from reconciler.kernel.identity import Manifest

NOW = datetime(2026, 1, 1, tzinfo=UTC)
"""A condition may ask for the time; none of ours depends on which it is."""
NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
FALLBACK = re.compile(rf"\bor\b\s*(?:(?:on|ignoring)\s*\([^)]*\)\s*)?\(*\s*vector\s*\(\s*({NUMBER})\s*\)\s*\)*\s*$", re.IGNORECASE)
FILTER = re.compile(rf"(>=|<=|==|!=|>|<)\s*({NUMBER})\s*\)*\s*$")
STRANGE = ("count", "failureLimit", "consecutiveSuccessLimit")
FAR = 1e9


def powerless_remarks(field: str, written: Manifest, filled: Manifest) -> Remarks:
    """What one metric cannot do; `filled` is the metric as far as its arguments are known."""
    try:
        (metric,) = parse_metrics((filled,))
    except InvalidMetric:
        return  # told by the rules of the controller itself
    yield from _conditions(field, metric)
    if not any(name in written and name not in filled for name in STRANGE):  # a number that only the Rollout knows
        yield from _limits(field, metric)
    query = str((metric.providers.get("prometheus") or {}).get("query") or "")
    yield from _fallback(f"{field}.provider.prometheus.query", query, Conditions(metric.success_condition, metric.failure_condition))


def _conditions(field: str, metric: Metric) -> Remarks:
    conditions = {"successCondition": metric.success_condition, "failureCondition": metric.failure_condition}
    if not any(conditions.values()) and metric.kind != "job":
        yield _warning(field, "can never fail: without successCondition or failureCondition whatever is measured is a success")
    for name, text in conditions.items():
        if text and not re.search(r"\bresult\b", text):
            yield _warning(f"{field}.{name}", "never looks at `result`: it says the same whatever is measured")


def _limits(field: str, metric: Metric) -> Remarks:
    count, allowed = metric.effective_count, metric.failure_limit or 0
    place = f"{field}.failureLimit"
    if metric.consecutive_success_limit:
        return  # who needs a row of successes is not proven by running out of failures
    if allowed == UNLIMITED_FAILURES:
        yield _warning(place, "can never fail: -1 allows any number of failures")
    elif count is not None and allowed >= count:
        yield _warning(place, f"can never fail: it fails on failure {allowed + 1}, and measures {count} times")
    elif count is not None and count > 1 and allowed == count - 1:
        yield _warning(place, f"fails only if all {count} measurements fail: one good answer of {count} passes; allow fewer failures")


def _fallback(field: str, query: str, conditions: Conditions) -> Remarks:
    """A query that answers by itself where there is nothing to answer, with a value that the conditions take for a success."""
    found = FALLBACK.search(query)
    if found is None or not _succeeds(conditions, [float(found[1])]):
        return
    hidden = next((value for value in _hidden(query[: found.start()]) if _fails(conditions, [value])), None)
    if hidden is not None:
        yield _warning(
            field,
            f"counts a total failure as a success: {hidden:g} would fail, and the query answers its fallback, vector({found[1]}), instead",
        )


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


def _warning(field: str, message: str) -> Remark:
    return Remark(field, message, Severity.WARNING)
