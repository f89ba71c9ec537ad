"""What would have changed the verdict of an analysis: a value, a limit, one more measurement. Pure.

Each is found by asking the judge again about other facts; what the judge would not change is not told.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from reconciler.analysis.arguments import Unresolved, substitute, with_placeholders
from reconciler.analysis.judge import assess_metric, exceeded, record
from reconciler.analysis.manifest import InvalidMetric, parse_metrics, parse_run
from reconciler.analysis.model import AnalysisRun, Measurement, Metric, MetricResult, RunPhase
from reconciler.expr.text import general
from reconciler.kernel.identity import Manifest, labels_of, name_of
from reconciler.kernel.problem import InvalidField
from reconciler.kernel.well_known import HASH_LABEL
from reconciler.releases.model import EPOCH, Release
from reconciler.views.why.counterfactual_compare import otherwise

if TYPE_CHECKING:
    from reconciler.expr.syntax import SyntaxNode

FURTHEST = 50
"""Measurements that a way to success may still need."""
LONGEST = 60
PASSED = "not failed"
BOUNDS: Mapping[str, tuple[str, str]] = {
    ">=": ("{} or more", "less than {}"),
    ">": ("more than {}", "{} or less"),
    "<=": ("{} or less", "more than {}"),
    "<": ("less than {}", "{} or more"),
}
"""What a value has to be for a comparison with a number to hold, and for it not to."""
MIRRORED: Mapping[str, str] = {">=": "<=", ">": "<", "<=": ">=", "<": ">"}
LIMITS: Mapping[str, tuple[str, str]] = {
    "failureLimit": ("failure_limit", "failed"),
    "consecutiveFailureLimit": ("consecutive_failure_limit", "consecutive_failure"),
    "inconclusiveLimit": ("inconclusive_limit", "inconclusive"),
    "consecutiveErrorLimit": ("consecutive_error_limit", "consecutive_error"),
}
"""By the name of a limit: its field, and the counter it bounds."""
ENDS: Mapping[RunPhase, str] = {
    RunPhase.SUCCESSFUL: "Successful",
    RunPhase.FAILED: "Failed",
    RunPhase.INCONCLUSIVE: "Inconclusive",
    RunPhase.ERROR: "Error",
    RunPhase.RUNNING: "measured further",
}


class ChangeOf(StrEnum):
    """What would have to be another."""

    VALUE = "value"
    LIMIT = "limit"
    MEASUREMENT = "measurement"


@dataclass(frozen=True, slots=True)
class Counterfactual:
    """One thing that would lead a metric elsewhere."""

    change: ChangeOf
    metric: str
    end: str
    """The phase that it leads to, `measured further`, or `not failed` beside a baseline."""
    sentence: str


@dataclass(frozen=True, slots=True)
class _Fact:
    metric: Metric
    result: MetricResult


def counterfactuals(runs: Iterable[Manifest]) -> tuple[Counterfactual, ...]:
    """For the metrics that decided these runs, or that they still measure. A run that cannot be read has none."""
    return tuple(one for run in runs for fact in _facts(run) for one in _otherwise(fact))


def of_release(runs: Iterable[Manifest], release: Release) -> tuple[Counterfactual, ...]:
    """What would have changed the verdict of a release, as far as the runs of its evidence are still there, and beside its baseline."""
    named = {row.run for row in release.status.evidence}
    compared = (Counterfactual(ChangeOf(change), metric, PASSED, said) for change, metric, said in otherwise(release.status.comparison))
    return (*counterfactuals(run for run in runs if name_of(run) in named), *compared)


def of_version(runs: Iterable[Manifest], pod_hash: str) -> tuple[Counterfactual, ...]:
    """The same for all runs of one version."""
    return counterfactuals(run for run in runs if pod_hash and labels_of(run).get(HASH_LABEL) == pod_hash)


def _facts(manifest: Manifest) -> Iterator[_Fact]:
    try:
        run = parse_run(manifest)
        metrics = parse_metrics(substitute(run.metrics, with_placeholders(run.arguments)))
    except (InvalidField, Unresolved, InvalidMetric):
        return
    for metric in metrics:
        result = run.status.result(metric.name)
        if result is not None and not result.dry_run and _tells(run, result):
            yield _Fact(metric, result)


def _tells(run: AnalysisRun, result: MetricResult) -> bool:
    """A metric that speaks against an ended run, or one of a run that goes on."""
    over = run.status.phase is not None and run.status.phase.completed
    return result.phase.bad if over else result.phase is RunPhase.RUNNING and result.unfinished is None


def _otherwise(fact: _Fact) -> Iterator[Counterfactual]:
    if not fact.result.phase.bad:
        yield from _still_open(fact)
        return
    yield from _another_value(fact)
    yield from _another_limit(fact)
    yield from _one_more(fact)


def _another_value(fact: _Fact) -> Iterator[Counterfactual]:
    """The fewest measurements that would have had to succeed, the last ones first."""
    bad = [index for index, one in enumerate(fact.result.measurements) if one.phase is fact.result.phase]
    if not bad or not _is_whole(fact.result):
        return
    for number in range(1, len(bad) + 1):
        turned = frozenset(bad[-number:])
        phase = _judged(fact, (_succeeding(one) if i in turned else one for i, one in enumerate(fact.result.measurements)))
        if phase is fact.result.phase:
            continue
        last = fact.result.measurements[bad[-1]]
        asked = _needed(fact.metric) or "a success"
        had = f"{_cut(last.value)} " if last.value else f"{last.phase} "
        where = "its last measurement" if number == 1 else f"{number} of its {len(bad)} measurements that were {fact.result.phase}"
        shown = f"{asked} instead of {had}in {where}" if number == 1 else f"{asked} in {where}"
        yield _told(fact, ChangeOf.VALUE, phase, f"with {shown}")
        return


def _another_limit(fact: _Fact) -> Iterator[Counterfactual]:
    """The smallest limit that would not have been broken."""
    broken = exceeded(fact.metric, fact.result)
    if broken is None:
        return
    name, (field, counter) = broken.limit, LIMITS[broken.limit]
    before, wanted = getattr(fact.metric, field) or 0, getattr(fact.result, counter)
    if fact.metric.count and wanted + fact.metric.consecutive_success_limit > fact.metric.count:
        return  # such a limit is refused (contract 6.8)
    phase = assess_metric(replace(fact.metric, **{field: wanted}), replace(fact.result, phase=RunPhase.RUNNING), ending=False)
    if phase is not fact.result.phase:
        yield _told(fact, ChangeOf.LIMIT, phase, f"with {name} {wanted} instead of {before}")


def _one_more(fact: _Fact) -> Iterator[Counterfactual]:
    """A success after the last measurement, where the judge would have waited for it."""
    phase = _after(fact, RunPhase.SUCCESSFUL)
    if phase is not fact.result.phase:
        yield _told(fact, ChangeOf.MEASUREMENT, phase, "with one more measurement, a successful one")


def _still_open(fact: _Fact) -> Iterator[Counterfactual]:
    """How far a metric that is still measured is from either end."""
    for phase, word in ((RunPhase.FAILED, "failed"), (RunPhase.SUCCESSFUL, "successful")):
        number = _distance(fact, phase)
        if number:
            more = f"one more {word} measurement" if number == 1 else f"{number} more {word} measurements in a row"
            verb = "leads" if number == 1 else "lead"
            said = f'{more} {verb} metric "{fact.metric.name}" to {ENDS[phase]}'
            yield Counterfactual(ChangeOf.MEASUREMENT, fact.metric.name, ENDS[phase], said)


def _distance(fact: _Fact, phase: RunPhase) -> int:
    """How many measurements in a row end a metric in the phase they have; 0: none within reach do."""
    result = fact.result
    for number in range(1, FURTHEST + 1):
        result = record(result, _answer(phase))
        found = assess_metric(fact.metric, result, ending=False)
        if found.completed:
            return number if found is phase else 0
    return 0


def _after(fact: _Fact, phase: RunPhase) -> RunPhase:
    result = record(replace(fact.result, phase=RunPhase.RUNNING), _answer(phase))
    return assess_metric(fact.metric, result, ending=False)


def _judged(fact: _Fact, measurements: Iterable[Measurement]) -> RunPhase:
    """The phase of a metric that had answered this, judged after each answer as it was then."""
    result = MetricResult(name=fact.result.name)
    for one in measurements:
        result = record(result, one)
        phase = assess_metric(fact.metric, result, ending=False)
        if phase.completed:
            return phase
    return RunPhase.RUNNING


def _told(fact: _Fact, change: ChangeOf, phase: RunPhase, start: str) -> Counterfactual:
    said = f'{start}, metric "{fact.metric.name}" would have been {ENDS[phase]}'
    return Counterfactual(change, fact.metric.name, ENDS[phase], said)


def _is_whole(result: MetricResult) -> bool:
    """True while no measurement has been trimmed: only then can the judge be asked again."""
    return len(result.measurements) == result.count + result.error and result.unfinished is None


def _answer(phase: RunPhase) -> Measurement:
    return Measurement(phase=phase, finished=EPOCH)


def _succeeding(measurement: Measurement) -> Measurement:
    return replace(measurement, phase=RunPhase.SUCCESSFUL)


def _needed(metric: Metric) -> str:
    """`0.95 or more`, where one comparison with a number decides; empty for any other condition."""
    if metric.success_condition and not metric.failure_condition:
        return _bound(metric.success_condition, 0)
    return _bound(metric.failure_condition, 1) if metric.failure_condition and not metric.success_condition else ""


def _bound(condition: str, side: int) -> str:
    from reconciler.expr.syntax import ExpressionError, parse  # a parser that most commands never need is a third of their start

    try:
        node = parse(condition)
    except ExpressionError:
        return ""
    if node.kind != "compare" or len(node.word) != 1 or node.word[0] not in BOUNDS:
        return ""
    left, right = map(_number, node.parts)
    measured = node.parts[0] if left is None else node.parts[1]
    if (left is None) == (right is None) or not _is_value(measured):
        return ""
    operator, limit = (node.word[0], right) if right is not None else (MIRRORED[node.word[0]], left)
    return BOUNDS[operator][side].format(general(float(limit or 0)))


def _is_value(node: "SyntaxNode") -> bool:
    """True of `result` and `result[0]`: what is compared is what people are shown."""
    if node.kind == "chain" and len(node.parts) == 2 and node.parts[1].kind == "index":
        return bool(node.parts[0].word == "result" and node.parts[1].parts[0].word == 0)
    return bool(node.kind == "name" and node.word == "result")


def _number(node: "SyntaxNode") -> Any:
    """The number that a part of a condition is, if it is one."""
    if node.kind == "sign" and node.word == "-":
        inner = _number(node.parts[0])
        return None if inner is None else -inner
    return node.word if node.kind == "constant" and isinstance(node.word, int | float) and not isinstance(node.word, bool) else None


def _cut(value: str) -> str:
    """The value of a measurement; a list of one is that one."""
    try:
        found = json.loads(value)
    except (ValueError, RecursionError):
        found = None
    shown = value[1:-1] if isinstance(found, list) and len(found) == 1 else value
    return shown if len(shown) <= LONGEST else f"{shown[: LONGEST - 1]}…"
