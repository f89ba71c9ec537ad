"""One pass of a run, without its I/O: answers in, the next status out (contract 6.5 items 5 and 6)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from reconciler.analysis.cleanup import trimmed
from reconciler.analysis.conditions import Working
from reconciler.analysis.due import Task, next_look
from reconciler.analysis.founded import JOB_KIND
from reconciler.analysis.judge import RunTerms, ending, judge, record
from reconciler.analysis.model import AnalysisStatus, Measurement, MetricResult, RunPhase

UNANSWERED_PAUSE = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a task brought; None when nothing is known and it must be asked again. `metadata` describes the metric's question.

    `workings` say how its conditions came to their answers, where that was asked for.
    """

    task: Task
    measurement: Measurement | None
    metadata: Mapping[str, str] = field(default_factory=dict)
    workings: tuple[Working, ...] = ()

    @property
    def finished(self) -> bool:
        """True once the measurement has its end."""
        return self.measurement is not None and self.measurement.finished is not None


@dataclass(frozen=True, slots=True)
class Advance:
    """The status after a pass, the metrics whose measurements were more than is kept, and when to look again."""

    status: AnalysisStatus
    overfull: tuple[str, ...]
    wake_at: datetime | None


def advance(terms: RunTerms, status: AnalysisStatus, answers: Sequence[Answer], kept: Mapping[str, int], now: datetime) -> Advance:
    """Record the answers, judge, and keep only as many measurements as asked (`kept`, by metric)."""
    unanswered = any(answer.measurement is None for answer in answers)
    was_ending = ending(terms, status) and not unanswered
    counted = judge(terms, _recorded(terms, status, answers), was_ending=was_ending, now=now)
    overfull = tuple(r.name for r in counted.results if r.name in kept and len(r.measurements) > kept[r.name])
    jobs = {metric.name for metric in terms.metrics if metric.kind == JOB_KIND}
    after = replace(counted, results=trimmed(counted.results, kept, jobs))
    wake_at = now + UNANSWERED_PAUSE if unanswered else next_look(terms, after, now)
    return Advance(after, overfull, wake_at)


def refused(status: AnalysisStatus, message: str) -> AnalysisStatus:
    """The status of a run that cannot be carried out: an Error that was never completed (contract 6.5, 13.50)."""
    return replace(status, phase=RunPhase.ERROR, message=message)


def _recorded(terms: RunTerms, status: AnalysisStatus, answers: Sequence[Answer]) -> AnalysisStatus:
    results = {result.name: result for result in status.results}
    for answer in answers:
        if answer.measurement is None:
            continue
        name = answer.task.metric.name
        before = results.get(name) or MetricResult(name=name, dry_run=name in terms.dry_run, metadata=answer.metadata)
        results[name] = record(before, answer.measurement)
    return replace(status, results=tuple(results.values()))
