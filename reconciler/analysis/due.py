"""Which measurements are due, and when to look again (contract 6.5 item 3)."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from reconciler.analysis.judge import RunTerms, ending
from reconciler.analysis.model import ERROR_PAUSE, AnalysisStatus, Measurement, Metric, MetricResult, RunPhase

AT_ONCE = datetime.min.replace(tzinfo=UTC)


class Move(StrEnum):
    """What to do about one metric."""

    MEASURE = "measure"
    RESUME = "resume"
    TERMINATE = "terminate"


@dataclass(frozen=True, slots=True)
class Task:
    """One move. `measurement` is the awaited one, if any; `number` counts the metric's measurements from 1, errors included."""

    metric: Metric
    move: Move
    measurement: Measurement | None
    number: int


def due(terms: RunTerms, status: AnalysisStatus, now: datetime) -> tuple[Task, ...]:
    """The moves to make now, in the order of the metrics."""
    tasks = []
    ends = ending(terms, status)
    for metric in terms.metrics:
        result = status.result(metric.name)
        moment = _moment(metric, result, status, now, ends=ends)
        if moment is not None and moment <= now:
            tasks.append(_task(metric, result, ends))
    return tuple(tasks)


def next_look(terms: RunTerms, status: AnalysisStatus, now: datetime) -> datetime | None:
    """When the next move is due; None when the run is over. A moment in the past means: at once."""
    if status.phase is not None and status.phase.completed:
        return None
    ends = ending(terms, status)
    moments = [_moment(metric, status.result(metric.name), status, now, ends=ends) for metric in terms.metrics]
    return min((moment for moment in moments if moment is not None), default=None)


def _task(metric: Metric, result: MetricResult | None, ends: bool) -> Task:
    number = result.count + result.error + 1 if result else 1
    unfinished = result.unfinished if result else None
    if unfinished is None:
        return Task(metric, Move.MEASURE, None, number)
    return Task(metric, Move.TERMINATE if ends else Move.RESUME, unfinished, number)


def _moment(metric: Metric, result: MetricResult | None, status: AnalysisStatus, now: datetime, *, ends: bool) -> datetime | None:
    if result is not None and result.phase.completed:
        return None
    last = result.last if result else None
    if last is not None and last.finished is None:
        return AT_ONCE if ends else last.resume_at or AT_ONCE
    if ends:
        return None
    if result is None or last is None or last.finished is None:
        return _first(metric, status, now)
    return _next_of(metric, result, last, now)


def _first(metric: Metric, status: AnalysisStatus, now: datetime) -> datetime | None:
    """An initial delay counts from the end of the run's first pass."""
    if not metric.initial_delay:
        return AT_ONCE
    return _later(status.started, metric.initial_delay, now) if status.started else None


def _next_of(metric: Metric, result: MetricResult, last: Measurement, now: datetime) -> datetime | None:
    if last.finished is None or (metric.effective_count is not None and result.count >= metric.effective_count):
        return None
    return _later(last.finished, ERROR_PAUSE if last.phase is RunPhase.ERROR else metric.interval or ERROR_PAUSE, now)


def _later(moment: datetime, span: timedelta, now: datetime) -> datetime:
    """So long after a moment. One that is further ahead than that was written by a clock that was wrong: it is waited for no longer."""
    return AT_ONCE if moment > now + span else moment + span
