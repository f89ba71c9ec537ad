"""An analysis that a person tries: each measurement with its condition worked out, the limits that are left, and the verdict. Pure.

How metrics and runs stand is the judge's word (`analysis.judge`); this says it, and what one look alone cannot decide.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from reconciler.analysis.advance import Answer
from reconciler.analysis.conditions import Working
from reconciler.analysis.founded import COUNTS, JOB_KIND, is_founded
from reconciler.analysis.judge import RunTerms, exceeded
from reconciler.analysis.manifest import render_measurement
from reconciler.analysis.model import UNLIMITED_FAILURES, AnalysisStatus, Measurement, Metric, MetricResult, RunPhase
from reconciler.kernel.moment import render_moment
from reconciler.views.view import View


class TrialVerdict(StrEnum):
    """How a tried analysis stands."""

    PASSED = "passed"
    FAILED = "failed"
    INCONCLUSIVE = "inconclusive"
    ERROR = "error"
    UNDECIDED = "undecided"


VERDICTS: Mapping[RunPhase | None, TrialVerdict] = {
    RunPhase.SUCCESSFUL: TrialVerdict.PASSED,
    RunPhase.FAILED: TrialVerdict.FAILED,
    RunPhase.INCONCLUSIVE: TrialVerdict.INCONCLUSIVE,
    RunPhase.ERROR: TrialVerdict.ERROR,
}


AGAINST = (
    (RunPhase.ERROR, TrialVerdict.ERROR),
    (RunPhase.FAILED, TrialVerdict.UNDECIDED),
    (RunPhase.INCONCLUSIVE, TrialVerdict.UNDECIDED),
    (RunPhase.RUNNING, TrialVerdict.UNDECIDED),
)
"""What a last measurement within the limits of its metric says of the whole."""


class WorkedCondition(View, frozen=True):
    """A condition as written, with its values in it, and what it came to; null: it could not be evaluated."""

    condition: str
    text: str
    worked: str
    answer: bool | None


class TriedMeasurement(View, frozen=True):
    """One answer."""

    at: str
    phase: str
    value: str
    founded: bool
    """It held data: an empty answer, NaN and the query's own fallback are none, and no evidence of a release."""
    message: str
    conditions: tuple[WorkedCondition, ...]


class LimitLeft(View, frozen=True):
    """How much of one limit is used; `allowed` null: there is none."""

    limit: str
    used: int
    allowed: int | None


class TriedMetric(View, frozen=True):
    """One metric with all its answers."""

    name: str
    provider: str
    phase: str
    dry_run: bool
    question: str
    """What was asked, as its provider says it."""
    measurements: tuple[TriedMeasurement, ...]
    limits: tuple[LimitLeft, ...]
    count: int
    """Measurements that count, of `wanted`; null: it goes on for as long as it is let."""
    wanted: int | None
    message: str


class TriedAnalysis(View, frozen=True):
    """A tried analysis; `complete` when the judge waits for nothing more."""

    template: str
    verdict: TrialVerdict
    complete: bool
    reason: str
    metrics: tuple[TriedMetric, ...]


@dataclass(frozen=True, slots=True)
class Tried:
    """What is known of a trial: its terms, how it stands, and every answer so far."""

    template: str
    terms: RunTerms
    status: AnalysisStatus
    answers: Sequence[Answer]


def tried_analysis(tried: Tried) -> TriedAnalysis:
    """The whole trial for people and programs."""
    status = tried.status
    verdict, reason = _verdict(tried)
    return TriedAnalysis(
        template=tried.template,
        verdict=verdict,
        complete=status.phase is not None and status.phase.completed,
        reason=reason,
        metrics=tuple(_metric(tried, metric) for metric in tried.terms.metrics),
    )


def tried_measurement(answer: Answer) -> TriedMeasurement | None:
    """One answer, once it has come."""
    return _measured(answer.task.metric, answer.measurement, answer.workings) if answer.finished and answer.measurement else None


def _verdict(tried: Tried) -> tuple[TrialVerdict, str]:
    """The judge's verdict; while it waits for more, what speaks against the metrics so far."""
    status = tried.status
    counting = [result for result in status.results if result.name not in tried.terms.dry_run]
    if status.phase is not None and status.phase.completed:
        unfounded = _unfounded(tried, counting) if status.phase is RunPhase.SUCCESSFUL else ""
        if unfounded:
            return TrialVerdict.UNDECIDED, f"{unfounded}: {status.phase}, and no evidence of a release"
        return VERDICTS[status.phase], status.message or "every metric ended well"
    latest = [(result.name, result.last) for result in counting if result.last is not None]
    for phase, verdict in AGAINST:
        name, last = next(((name, last) for name, last in latest if last.phase is phase), ("", None))
        if last is not None:
            said = f": {last.message}" if last.message else ", within its limits"
            return verdict, f'metric "{name}" is not decided: its last measurement is {phase}{said}'
    unasked = next((metric.name for metric in tried.terms.metrics if status.result(metric.name) is None), "")
    if unasked:
        return TrialVerdict.UNDECIDED, f'metric "{unasked}" has no measurement yet'
    return TrialVerdict.PASSED, "so far: every measurement is Successful, and more would follow"


def _unfounded(tried: Tried, counting: Sequence[MetricResult]) -> str:
    """The metric that ended well without data: never measured, only by errors, or by answers that held none."""
    known = {result.name: result for result in counting}
    for metric in tried.terms.metrics:
        if metric.name in tried.terms.dry_run:
            continue
        result = known.get(metric.name)
        if result is None or result.count == 0:
            return f'metric "{metric.name}" was never measured'
        if not any(is_founded(render_measurement(one), by_value=metric.kind != JOB_KIND) for one in result.measurements):
            return f'metric "{metric.name}" had no data of its own'
    return ""


def _metric(tried: Tried, metric: Metric) -> TriedMetric:
    result = tried.status.result(metric.name) or MetricResult(name=metric.name, phase=RunPhase.PENDING)
    shown = (tried_measurement(answer) for answer in tried.answers if answer.task.metric.name == metric.name)
    broken = exceeded(metric, result)
    return TriedMetric(
        name=metric.name,
        provider=metric.kind,
        phase=str(result.phase),
        dry_run=metric.name in tried.terms.dry_run,
        question=" ".join(" ".join(text for key, text in result.metadata.items() if key not in COUNTS.values()).split()),
        measurements=tuple(one for one in shown if one is not None),
        limits=tuple(_limits(metric, result)),
        count=result.count,
        wanted=metric.effective_count,
        message=broken[1] if broken else result.message,
    )


def _measured(metric: Metric, measurement: Measurement, workings: Iterable[Working]) -> TriedMeasurement:
    at = measurement.finished or measurement.started
    return TriedMeasurement(
        at=render_moment(at) if at else "",
        phase=str(measurement.phase),
        value=measurement.value,
        founded=is_founded(render_measurement(measurement), by_value=metric.kind != JOB_KIND),
        message=measurement.message,
        conditions=tuple(WorkedCondition(condition=w.condition, text=w.text, worked=w.worked, answer=w.answer) for w in workings),
    )


def _limits(metric: Metric, result: MetricResult) -> Iterable[LimitLeft]:
    failures, in_a_row = metric.allowed_failures, metric.consecutive_failure_limit
    yield LimitLeft(limit="failureLimit", used=result.failed, allowed=None if failures == UNLIMITED_FAILURES else failures)
    if in_a_row is not None:
        yield LimitLeft(limit="consecutiveFailureLimit", used=result.consecutive_failure, allowed=in_a_row)
    yield LimitLeft(limit="inconclusiveLimit", used=result.inconclusive, allowed=metric.inconclusive_limit)
    yield LimitLeft(limit="consecutiveErrorLimit", used=result.consecutive_error, allowed=metric.consecutive_error_limit)
    if metric.consecutive_success_limit:
        yield LimitLeft(limit="consecutiveSuccessLimit", used=result.consecutive_success, allowed=metric.consecutive_success_limit)
