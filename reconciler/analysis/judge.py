"""Counting measurements and deciding how metrics and their run stand (contract 6.5, 6.6)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import NamedTuple

from reconciler.analysis.model import UNLIMITED_FAILURES, AnalysisStatus, Measurement, Metric, MetricResult, RunPhase, Summary

SEVERITY = (RunPhase.SUCCESSFUL, RunPhase.RUNNING, RunPhase.PENDING, RunPhase.INCONCLUSIVE, RunPhase.ERROR, RunPhase.FAILED)
TERMINATED = "Run Terminated"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunTerms:
    """What a run is judged by: its metrics, which of them only rehearse, and whether it was asked to end."""

    metrics: tuple[Metric, ...]
    dry_run: frozenset[str] = field(default_factory=frozenset)
    requested_end: bool = False


def ending(terms: RunTerms, status: AnalysisStatus) -> bool:
    """True when no new measurement begins: the run was asked to end, or one metric that counts has gone bad (contract 6.5)."""
    return terms.requested_end or any(result.phase.bad and result.name not in terms.dry_run for result in status.results)


def record(result: MetricResult, measurement: Measurement) -> MetricResult:
    """The result with one more answer, or with the awaited one come in. Errors do not count as measurements (contract 13.24)."""
    earlier = result.measurements[:-1] if result.unfinished else result.measurements
    grown = replace(result, measurements=(*earlier, measurement))
    return grown if measurement.finished is None else _counted(grown, measurement.phase)


def _counted(result: MetricResult, phase: RunPhase) -> MetricResult:
    broken_off = replace(result, consecutive_success=0, consecutive_error=0, consecutive_failure=0)
    match phase:
        case RunPhase.SUCCESSFUL:
            return replace(
                broken_off, count=result.count + 1, successful=result.successful + 1, consecutive_success=result.consecutive_success + 1
            )
        case RunPhase.FAILED:
            failures = result.consecutive_failure + 1
            return replace(broken_off, count=result.count + 1, failed=result.failed + 1, consecutive_failure=failures)
        case RunPhase.INCONCLUSIVE:
            return replace(broken_off, count=result.count + 1, inconclusive=result.inconclusive + 1)
        case RunPhase.ERROR:  # says nothing of the version: failures before and after it are in a row
            errors, failures = result.consecutive_error + 1, result.consecutive_failure
            return replace(broken_off, error=result.error + 1, consecutive_error=errors, consecutive_failure=failures)
        case _:
            raise ValueError(f"a finished measurement cannot be {phase}")


class BrokenLimit(NamedTuple):
    """A limit that is broken: the phase it leads to, the words for it, and its name."""

    phase: RunPhase
    words: str
    limit: str


def exceeded(metric: Metric, result: MetricResult) -> BrokenLimit | None:
    """The limit that is broken; of several the last one in the contract's order (contract 6.6, 13.25), ours in its place."""
    in_a_row = UNLIMITED_FAILURES if metric.consecutive_failure_limit is None else metric.consecutive_failure_limit
    limits = (
        (RunPhase.FAILED, "failed", result.failed, "failureLimit", metric.allowed_failures),
        (RunPhase.FAILED, "consecutiveFailures", result.consecutive_failure, "consecutiveFailureLimit", in_a_row),
        (RunPhase.INCONCLUSIVE, "inconclusive", result.inconclusive, "inconclusiveLimit", metric.inconclusive_limit),
        (RunPhase.ERROR, "consecutiveErrors", result.consecutive_error, "consecutiveErrorLimit", metric.consecutive_error_limit),
    )
    broken = [
        BrokenLimit(phase, f"{what} ({count}) > {name} ({limit})", name)
        for phase, what, count, name, limit in limits
        if count > limit and limit != UNLIMITED_FAILURES
    ]
    return broken[-1] if broken else None


def assess_metric(metric: Metric, result: MetricResult, *, ending: bool) -> RunPhase:
    """How a metric stands; a final phase stays."""
    if result.phase.completed:
        return result.phase
    if result.last is None:
        return RunPhase.SUCCESSFUL if ending else RunPhase.PENDING
    if result.unfinished:
        return RunPhase.RUNNING
    broken = exceeded(metric, result)
    return broken[0] if broken else _within_limits(metric, result, ending)


def _within_limits(metric: Metric, result: MetricResult, ending: bool) -> RunPhase:
    streak = metric.consecutive_success_limit
    if 0 < streak <= result.consecutive_success:
        return RunPhase.SUCCESSFUL
    if metric.effective_count is not None and result.count >= metric.effective_count:
        if not streak:
            return RunPhase.SUCCESSFUL
        return RunPhase.FAILED if metric.failure_limit == UNLIMITED_FAILURES else RunPhase.INCONCLUSIVE
    return RunPhase.SUCCESSFUL if ending else RunPhase.RUNNING


def judge(terms: RunTerms, status: AnalysisStatus, *, was_ending: bool, now: datetime) -> AnalysisStatus:
    """The status after a pass. `was_ending` says that awaited measurements were told to end in this pass already.

    A metric that goes bad ends the run at once, unless another one's answer is still awaited: that one is ended in the next pass.
    """
    results = _assess_all(terms, status.results, was_ending)
    judged = replace(status, results=results)
    ends = was_ending or (ending(terms, judged) and not _awaited(results))
    if ends and not was_ending:
        results = _assess_all(terms, results, ends)
    phase, message = _outcome(terms, results, ends)
    return replace(
        status,
        results=results,
        phase=phase,
        message=message,
        started=status.started or now,
        completed=now if phase.completed else None,
        summary=_summary(terms, results, rehearsed=False),
        dry_run_summary=_summary(terms, results, rehearsed=True) if terms.dry_run else None,
    )


def _assess_all(terms: RunTerms, results: Iterable[MetricResult], ends: bool) -> tuple[MetricResult, ...]:
    metrics = {metric.name: metric for metric in terms.metrics}
    return tuple(_assessed(metrics, result, ends) for result in results)


def _assessed(metrics: Mapping[str, Metric], result: MetricResult, ends: bool) -> MetricResult:
    metric = metrics.get(result.name)
    if metric is None:
        return result
    if metric.consecutive_failure_limit is None:
        result = replace(result, consecutive_failure=0)  # not written where nothing asks for it: the reference's CRD knows no such field
    phase = assess_metric(metric, result, ending=ends)
    if phase == result.phase:
        return result
    return replace(result, phase=phase, message=_words(metric, result, phase))


def _words(metric: Metric, result: MetricResult, phase: RunPhase) -> str:
    """A metric's own message when its phase changes."""
    broken = exceeded(metric, result)
    if result.dry_run and phase.bad and broken:
        return f"Metric assessed {phase} due to {broken[1]}"
    return result.last.message if result.last else ""


def _awaited(results: Iterable[MetricResult]) -> bool:
    return any(result.unfinished and not result.phase.completed for result in results)


def _outcome(terms: RunTerms, results: tuple[MetricResult, ...], ends: bool) -> tuple[RunPhase, str]:
    by_name = {result.name: result for result in results}
    found = [by_name.get(metric.name) for metric in terms.metrics]
    if not ends and any(result is None or not result.phase.completed for result in found):
        return RunPhase.RUNNING, ""
    worst, message = RunPhase.SUCCESSFUL, TERMINATED if terms.requested_end else ""
    for metric in terms.metrics:
        result = by_name.get(metric.name)
        if result is None or not result.phase.completed or metric.name in terms.dry_run:
            continue
        if SEVERITY.index(result.phase) > SEVERITY.index(worst):
            worst, message = result.phase, _reason(metric, result) or message
    return worst, message


def _reason(metric: Metric, result: MetricResult) -> str:
    broken = exceeded(metric, result)
    if broken is None:
        return ""
    reason = f'Metric "{metric.name}" assessed {result.phase} due to {broken[1]}'
    said = result.last.message if result.last else ""
    return f'{reason}: "Error Message: {said}"' if said else reason


def _summary(terms: RunTerms, results: tuple[MetricResult, ...], *, rehearsed: bool) -> Summary:
    """Metrics by their end; those that count and those that only rehearse are summed apart."""
    names = [metric.name for metric in terms.metrics if (metric.name in terms.dry_run) is rehearsed]
    ends = [result.phase for result in results if result.name in names and result.phase.completed]
    return Summary(
        count=len(names),
        successful=ends.count(RunPhase.SUCCESSFUL),
        failed=ends.count(RunPhase.FAILED),
        inconclusive=ends.count(RunPhase.INCONCLUSIVE),
        error=ends.count(RunPhase.ERROR),
    )
