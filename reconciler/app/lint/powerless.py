"""Metrics that work and cannot do what they are there for: they never fail, or take a total failure for a success."""

import re
from collections.abc import Iterable

from reconciler.analysis.manifest import InvalidMetric, parse_metrics
from reconciler.analysis.model import PLUGIN, UNLIMITED_FAILURES, Metric
from reconciler.analysis.provider import Doubting
from reconciler.app.lint.finding import Remark, Remarks, Severity
from reconciler.kernel.identity import Manifest
from reconciler.kernel.problem import Problem
from reconciler.providers.registry import PROVIDERS

STRANGE = ("count", "failureLimit", "consecutiveSuccessLimit", "consecutiveFailureLimit")


def powerless_remarks(field: str, written: Manifest, filled: Manifest) -> Remarks:
    """What one metric cannot do; `filled` is the metric as far as its arguments are known."""
    try:
        (metric,) = parse_metrics((filled,))
    except InvalidMetric:
        return  # told by the rules of the controller itself
    yield from _conditions(field, metric)
    if not any(name in written and name not in filled for name in STRANGE):  # a number that only the Rollout knows
        yield from _limits(field, metric)
    yield from (_warning(f"{field}.provider.{doubt.field}", doubt.detail) for doubt in _doubts(metric))


def _conditions(field: str, metric: Metric) -> Remarks:
    conditions = {"successCondition": metric.success_condition, "failureCondition": metric.failure_condition}
    if not any(conditions.values()) and not _judges(metric.kind):
        yield _warning(field, "can never fail: without successCondition or failureCondition whatever is measured is a success")
    for name, text in conditions.items():
        if text and not re.search(r"\bresult\b", text):
            yield _warning(f"{field}.{name}", "never looks at `result`: it says the same whatever is measured")


def _doubts(metric: Metric) -> Iterable[Problem]:
    row = PROVIDERS.get(metric.kind)
    return row.checks.doubts(metric) if row is not None and isinstance(row.checks, Doubting) else ()


def _judges(kind: str) -> bool:
    """True for a provider that says by itself whether a measurement succeeded; a metric plug-in always does."""
    row = PROVIDERS.get(kind)
    return kind == PLUGIN or (row is not None and row.judges)


def _limits(field: str, metric: Metric) -> Remarks:
    count, allowed, in_a_row = metric.effective_count, metric.allowed_failures, metric.consecutive_failure_limit
    place = f"{field}.failureLimit"
    if count is not None and 0 < count <= metric.inconclusive_limit:
        told = f"never triggers: it ends on inconclusive answer {metric.inconclusive_limit + 1}, and measures {count} times"
        yield _warning(f"{field}.inconclusiveLimit", told)
    if metric.consecutive_success_limit:
        return  # who needs a row of successes is not proven by running out of failures
    if in_a_row is not None:
        if count is not None and in_a_row >= count and (allowed == UNLIMITED_FAILURES or allowed >= count):
            told = f"can never fail: it fails on failure {in_a_row + 1} in a row, and measures {count} times"
            yield _warning(f"{field}.consecutiveFailureLimit", told)
        return
    if allowed == UNLIMITED_FAILURES:
        yield _warning(place, "can never fail: -1 allows any number of failures")
    elif count is not None and allowed >= count:
        yield _warning(place, f"can never fail: it fails on failure {allowed + 1}, and measures {count} times")
    elif count is not None and count > 1 and allowed == count - 1:
        yield _warning(place, f"fails only if all {count} measurements fail: one good answer of {count} passes; allow fewer failures")


def _warning(field: str, message: str) -> Remark:
    return Remark(field, message, Severity.WARNING)
