"""What was measured, copied out of AnalysisRuns before anybody cleans them up."""

import re
from typing import Any

from reconciler.model.identity import Manifest, name_of
from reconciler.model.release import Evidence

SHOWN = 10
EMPTY = {"", "[]", "NaN", "[NaN]", "null", "{}"}
QUERY_LIMIT = 2000
JOB = "a Job"


def evidence_of(run: Manifest) -> tuple[Evidence, ...]:
    """One row per metric that was asked at least once or has ended."""
    metrics = {str(metric.get("name")): metric for metric in (run.get("spec") or {}).get("metrics") or []}
    results = (run.get("status") or {}).get("metricResults") or []
    return tuple(_row(run, result, metrics.get(str(result.get("name")), {})) for result in results)


def samples(evidence: tuple[Evidence, ...]) -> int:
    """How many measurements came with data: empty vectors, NaN and a query's own "no data" fallback are none."""
    return sum(row.successful + row.failed for row in evidence if not _without_values(row))


def _without_values(row: Evidence) -> bool:
    """A Job answers by its end, not by a value; everything else that answered nothing measured nothing."""
    return row.query != JOB and bool(row.values) and all(value in EMPTY for value in row.values)


def _row(run: Manifest, result: Manifest, metric: Manifest) -> Evidence:
    measurements = result.get("measurements") or []
    return Evidence(
        run=name_of(run),
        metric=str(result.get("name", "")),
        phase=str(result.get("phase", "")),
        condition=_condition(metric),
        query=str(_query(result, metric))[:QUERY_LIMIT],
        values=tuple(
            str(m.get("value", ""))[:200]
            for m in measurements[-SHOWN:]
            if m.get("phase") in ("Successful", "Failed", "Inconclusive") and m.get("value")
        ),
        successful=int(result.get("successful") or 0),
        failed=int(result.get("failed") or 0),
        inconclusive=int(result.get("inconclusive") or 0),
        error=int(result.get("error") or 0),
        limit=f"failureLimit {metric.get('failureLimit') or 0}",
        message=str(result.get("message") or _last_message(measurements))[:500],
    )


def _condition(metric: Manifest) -> str:
    success, failure = metric.get("successCondition"), metric.get("failureCondition")
    parts = [f"succeeds when {success}" if success else "", f"fails when {failure}" if failure else ""]
    return "; ".join(part for part in parts if part)


def _query(result: Manifest, metric: Manifest) -> Any:
    resolved = (result.get("metadata") or {}).get("ResolvedPrometheusQuery")
    provider = metric.get("provider") or {}
    plain = (provider.get("prometheus") or {}).get("query") or (provider.get("web") or {}).get("url")
    return re.sub(r"\s+", " ", str(resolved or plain or (JOB if "job" in provider else ""))).strip()


def _last_message(measurements: list[Manifest]) -> str:
    return str(measurements[-1].get("message", "")) if measurements else ""
