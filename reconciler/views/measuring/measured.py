"""What was measured against which limit: one series per metric of a run, or of the evidence that a Release kept of it. Pure."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from reconciler.kernel.identity import Manifest, labels_of, name_of
from reconciler.releases.model import Evidence
from reconciler.releases.verdict.evidence import evidence_of
from reconciler.views.track import moment_of

NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
LIMIT = re.compile(r"(?P<sign>>=|<=|>|<)\s*(?P<number>[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)(?![\w.])")
COUNTED = re.compile(r"len\([^()]*\)\s*(?:>=|<=|>|<)\s*\d+")
"""How many values came is no value: a condition about it draws no line."""
BAD = frozenset({"Failed", "Error"})
KINDS = {"Step": "step", "Background": "in the background", "PrePromotion": "before the switch", "PostPromotion": "after promotion"}


@dataclass(frozen=True, slots=True)
class MeasuredPoint:
    """One measurement; `number` is None where it is no number."""

    at: datetime | None
    number: float | None
    text: str
    phase: str


@dataclass(frozen=True, slots=True)
class Limit:
    """One line that a value is held against: `succeeds when result[0] >= 0.95`."""

    number: float
    fails: bool
    """It says when the metric fails; else when it succeeds."""
    sign: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricSeries:
    """One metric of one run."""

    run: str
    kind: str
    """What the run is for: a step, in the background, before or after promotion; empty when only its evidence is left."""
    metric: str
    phase: str
    condition: str
    query: str
    message: str
    samples: tuple[MeasuredPoint, ...]
    limits: tuple[Limit, ...]
    count: int
    failed: int
    inconclusive: int
    unanswered: int
    failure_limit: str


def series_of(runs: Iterable[Manifest]) -> tuple[MetricSeries, ...]:
    """Every metric of these runs, with its measurements as far as the runs keep them."""
    return tuple(series for run in runs for series in _of_run(run))


def _of_run(run: Manifest) -> Iterable[MetricSeries]:
    results = {str(result.get("name")): result for result in (run.get("status") or {}).get("metricResults") or []}
    for row in evidence_of(run):
        measurements = (results.get(row.metric) or {}).get("measurements") or []
        yield _series(row, tuple(map(_sample, measurements)), KINDS.get(labels_of(run).get("rollout-type", ""), ""))


def kept_series(evidence: Iterable[Evidence], runs: Iterable[Manifest]) -> tuple[MetricSeries, ...]:
    """The evidence of a release: from the runs where they are still there, else the last values that were put on record."""
    found, alive = list(series_of(runs)), {name_of(run) for run in runs}
    phases = {True: "Failed", False: "Successful"}
    for row in evidence:
        if row.run not in alive:
            # Which of the kept values failed is not on record: only when all or none did is that known.
            one_sided = row.failed == 0 or row.successful == 0
            phase = phases[row.failed > 0] if one_sided else ""
            found.append(_series(row, tuple(MeasuredPoint(None, number_of(value), value, phase) for value in row.values), ""))
    return tuple(found)


def _series(row: Evidence, samples: tuple[MeasuredPoint, ...], kind: str) -> MetricSeries:
    return MetricSeries(
        run=row.run,
        kind=kind,
        metric=row.metric,
        phase=row.phase,
        condition=row.condition,
        query=row.query,
        message=row.message,
        samples=samples,
        limits=limits_of(row.condition),
        count=row.successful + row.failed + row.inconclusive + row.error,
        failed=row.failed,
        inconclusive=row.inconclusive,
        unanswered=row.error,
        failure_limit=row.limit,
    )


def _sample(measurement: Manifest) -> MeasuredPoint:
    value = str(measurement.get("value") or "")
    at = moment_of(measurement.get("finishedAt") or measurement.get("startedAt"))
    return MeasuredPoint(
        at, number_of(value), value[:200] or str(measurement.get("message") or "")[:200], str(measurement.get("phase") or "")
    )


def number_of(value: str) -> float | None:
    """The number that a value is, or the first of its list; None for anything else, not-a-number included."""
    match = NUMBER.match(value.strip().lstrip("[ "))
    found = float(match[0]) if match else None
    return found if found is not None and abs(found) < 1e15 else None


def limits_of(condition: str) -> tuple[Limit, ...]:
    """The numbers that a condition compares with."""
    found = []
    for part in condition.split("; "):
        found += [Limit(float(match["number"]), part.startswith("fails"), match["sign"]) for match in LIMIT.finditer(COUNTED.sub("", part))]
    return tuple(dict.fromkeys(found))
