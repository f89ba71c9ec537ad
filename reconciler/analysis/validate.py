"""What is wrong with the metrics of a run, in the contract's words (contract 6.8), and which metrics rules of a run mean."""

from collections.abc import Collection, Iterable, Sequence

from reconciler.analysis.model import DEFAULT_RETENTION, PLUGIN, UNLIMITED_FAILURES, Metric, Retention
from reconciler.expr.patterns import InvalidPattern, compile_pattern
from reconciler.kernel.errors import Terminal


class InvalidAnalysis(Terminal):
    """The run's spec breaks a rule."""


def validate(metrics: Sequence[Metric], supported: Collection[str]) -> str | None:
    """The first broken rule, or None."""
    if not metrics:
        return "no metrics specified"
    seen: set[str] = set()
    for index, metric in enumerate(metrics):
        problem = f"duplicate name '{metric.name}'" if metric.name in seen else _problem(metric, supported)
        if problem:
            return f"metrics[{index}]: {problem}"
        seen.add(metric.name)
    return None


def _problem(metric: Metric, supported: Collection[str]) -> str | None:
    return _limits(metric) or _amounts(metric) or _provider(metric, supported)


def _limits(metric: Metric) -> str | None:
    failures, streak, in_a_row = metric.failure_limit or 0, metric.consecutive_success_limit, metric.consecutive_failure_limit
    endless = failures == UNLIMITED_FAILURES and streak == 0 and in_a_row is None
    rules = (
        (streak < 0, "consecutiveSuccessLimit must be >= 0"),
        (failures < UNLIMITED_FAILURES, "failureLimit must be >= 0, or -1 to be disabled"),
        (endless, "failureLimit and consecutiveSuccessLimit cannot both be disabled"),
        ((in_a_row or 0) < 0, "consecutiveFailureLimit must be >= 0"),
        (metric.inconclusive_limit < 0, "inconclusiveLimit must be >= 0"),
        (metric.consecutive_error_limit < 0, "consecutiveErrorLimit must be >= 0"),
    )
    return next((words for broken, words in rules if broken), None)


def _amounts(metric: Metric) -> str | None:
    count, failures, streak = metric.count, metric.failure_limit or 0, metric.consecutive_success_limit
    if count <= 0:
        return None if count == 0 else "count must be >= 0"
    unlimited = failures == UNLIMITED_FAILURES
    both = f"count ({count}) must be >= failureLimit + consecutiveSuccessLimit ({failures} + {streak}) if both >= 0"
    rules = (
        (not unlimited and count < failures + streak, both),
        (unlimited and count < streak, f"count ({count}) must be >= consecutiveSuccessLimit ({streak}) if failureLimit is disabled"),
        (count < metric.inconclusive_limit, "count must be >= inconclusiveLimit"),
        (count > 1 and not metric.interval, "interval must be specified when count > 1"),
    )
    return next((words for broken, words in rules if broken), None)


def _provider(metric: Metric, supported: Collection[str]) -> str | None:
    if not metric.providers:
        return "no provider specified"
    if len(metric.providers) > 1:
        return "multiple providers specified"
    if metric.kind in supported:
        return None
    if not metric.kind.startswith(PLUGIN):
        return f'provider "{metric.kind}" is not supported yet'
    name = metric.kind.removeprefix(PLUGIN)
    return f'metric plugin "{name}" is not installed: no Python package beside the daemon has an entry point "{name}" for metrics'


def rehearsed(rules: Sequence[str], metrics: Sequence[Metric]) -> frozenset[str]:
    """The metrics that only rehearse. Raises InvalidAnalysis when a rule means none (contract 6.5)."""
    return frozenset(name for index, rule in enumerate(rules) for name in _meant(f"dryRun[{index}]", rule, metrics))


def retained(rules: Sequence[Retention], metrics: Sequence[Metric]) -> dict[str, int]:
    """How many measurements to keep, by metric. Raises InvalidAnalysis when a rule means none."""
    kept = {metric.name: DEFAULT_RETENTION for metric in metrics}
    for index, rule in enumerate(rules):
        for name in _meant(f"measurementRetention[{index}]", rule.pattern, metrics):
            kept[name] = rule.limit if rule.limit > 0 else DEFAULT_RETENTION
    return kept


def _meant(place: str, rule: str, metrics: Iterable[Metric]) -> list[str]:
    try:
        pattern = compile_pattern(rule)
        names = [metric.name for metric in metrics if pattern.search(metric.name)]
    except InvalidPattern:
        names = []
    if not names:
        raise InvalidAnalysis(f"{place}: Rule didn't match any metric name(s)")
    return names
