"""What was measured, copied out of AnalysisRuns before they are cleaned up."""

import re
from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any

from msgspec.structs import replace

from reconciler.analysis.founded import ANSWERED, JOB_KIND, THIN, founded_by_phase
from reconciler.kernel.identity import Manifest, name_of
from reconciler.kernel.redaction import Redactor
from reconciler.releases.model import Evidence

SHOWN = 10
QUERY_LIMIT = 2000
MOST_ROWS = 2000
MOST_TEXT = 200_000
"""Characters of queries, conditions, values and messages that one attempt keeps."""
BARE = 80
BAD = frozenset({"Failed", "Error", "Inconclusive"})
JOB = "a Job"
NUMBER = re.compile(r"(?<![\w.])\d+(?:\.\d+)?(?:e[+-]?\d+)?(?![\w.])", re.IGNORECASE)
RESOLVED = re.compile(r"Resolved\w+Query")
"""Where a provider says what it asked (contract 7.1)."""
LIMITS = ("failureLimit", "consecutiveFailureLimit")
ARGUMENT = re.compile(r"\{\{\s*args\.([\w-]+)\s*\}\}")


def evidence_of(run: Manifest) -> tuple[Evidence, ...]:
    """One row per metric that was asked at least once or has ended; arguments stand in its condition, values of Secrets do not."""
    spec = run.get("spec") or {}
    metrics = {str(metric.get("name")): metric for metric in spec.get("metrics") or []}
    known = {str(a.get("name")): str(a["value"]) for a in spec.get("args") or [] if a.get("value") is not None and not a.get("valueFrom")}
    results = (run.get("status") or {}).get("metricResults") or []
    return tuple(_row(run, result, _filled(metrics.get(str(result.get("name")), {}), known)) for result in results)


def samples(evidence: tuple[Evidence, ...]) -> int:
    """How many measurements held data."""
    return sum(row.founded for row in evidence)


def passes(evidence: tuple[Evidence, ...]) -> int:
    """How many measurements passed, and held data."""
    return sum(row.passed for row in evidence)


def requests_of(evidence: Sequence[Evidence], metric: str) -> float:
    """How many requests a metric counted that measures how many there were so far: the most of its values; 0 without any."""
    values = (word for row in evidence if row.metric == metric for value in row.values for word in NUMBER.findall(value))
    return max((found for found in map(float, values) if isfinite(found)), default=0.0)


def fitting(known: Sequence[Evidence], fresh: Sequence[Evidence]) -> tuple[Evidence, ...]:
    """The rows that go on record beside those that are there: an object of the API has a limit, and a verdict must never wait for it.

    Rows that ended badly keep their texts first; the others keep their counts, by which a version is judged. Past `MOST_ROWS` none is
    added: a run without a row proves nothing.
    """
    ranked = sorted(range(len(fresh)), key=lambda index: fresh[index].phase not in BAD)[: max(0, MOST_ROWS - len(known))]
    room, kept = MOST_TEXT - sum(map(_length, known)), {}
    for index in ranked:
        row = fresh[index]
        kept[index] = row if _length(row) <= room else replace(row, condition="", query="", values=(), message=row.message[:BARE])
        room -= _length(kept[index])
    return tuple(kept[index] for index in sorted(kept))


def _length(row: Evidence) -> int:
    return sum(map(len, (row.condition, row.query, row.message, *row.values)))


def _filled(metric: Manifest, known: Mapping[str, str]) -> Manifest:
    """The texts of a metric that people read, with its arguments in place."""
    named = ("successCondition", "failureCondition", *LIMITS)
    texts = {name: ARGUMENT.sub(lambda tag: known.get(tag[1], tag[0]), str(metric[name])) for name in named if metric.get(name) is not None}
    return {**metric, **texts}


def _row(run: Manifest, result: Manifest, metric: Manifest) -> Evidence:
    measurements = result.get("measurements") or []
    by_value, counted = JOB_KIND not in (metric.get("provider") or {}), not result.get("dryRun")
    founded = founded_by_phase(result, by_value=by_value) if counted else {}
    return Evidence(
        run=name_of(run),
        metric=str(result.get("name", "")),
        phase=str(result.get("phase", "")),
        condition=_condition(metric),
        query=str(_query(result, metric))[:QUERY_LIMIT],
        values=tuple(str(m["value"])[:200] for m in measurements[-SHOWN:] if m.get("phase") in ANSWERED and m.get("value")),
        successful=int(result.get("successful") or 0),
        failed=int(result.get("failed") or 0),
        inconclusive=int(result.get("inconclusive") or 0),
        error=int(result.get("error") or 0),
        founded=sum(founded.values()),
        passed=founded.get("Successful", 0),
        failed_on_data=founded.get("Failed", 0) > 0,
        thin=sum((m.get("metadata") or {}).get(THIN) == "true" for m in measurements) if counted else 0,
        limit=_limit(metric),
        message=str(result.get("message") or _last_message(measurements))[:500],
    )


def _limit(metric: Manifest) -> str:
    """What it stood of failures: in all, or where that is not said, in a row."""
    total, in_a_row = (metric.get(name) for name in LIMITS)
    return f"{LIMITS[1]} {in_a_row}" if in_a_row is not None and total is None else f"{LIMITS[0]} {total or 0}"


def _condition(metric: Manifest) -> str:
    success, failure = metric.get("successCondition"), metric.get("failureCondition")
    parts = [f"succeeds when {success}" if success else "", f"fails when {failure}" if failure else ""]
    return "; ".join(part for part in parts if part)


def _query(result: Manifest, metric: Manifest) -> Any:
    """What was asked, of any provider: as the provider says it was resolved, else as it was written."""
    resolved = next((text for key, text in (result.get("metadata") or {}).items() if RESOLVED.fullmatch(key)), "")
    provider = metric.get("provider") or {}
    config = next((one for one in provider.values() if isinstance(one, dict)), {})
    plain = config.get("query") or config.get("url")
    return Redactor().text(re.sub(r"\s+", " ", str(resolved or plain or (JOB if "job" in provider else ""))).strip())


def _last_message(measurements: list[Manifest]) -> str:
    return str(measurements[-1].get("message", "")) if measurements else ""
