"""A run made ready to be measured and judged: its metrics as far as they can be known without secrets, checked (contract 6.5)."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from reconciler.analysis.arguments import substitute, with_placeholders
from reconciler.analysis.judge import RunTerms
from reconciler.analysis.manifest import parse_metrics
from reconciler.analysis.model import AnalysisRun
from reconciler.analysis.validate import InvalidAnalysis, rehearsed, retained, validate


@dataclass(frozen=True, slots=True)
class Prepared:
    """What a run is judged by, and how many measurements are kept of each metric."""

    terms: RunTerms
    kept: Mapping[str, int]


def prepare(run: AnalysisRun, supported: Collection[str]) -> Prepared:
    """The run, checked. Raises Unresolved, InvalidMetric or InvalidAnalysis."""
    metrics = parse_metrics(substitute(run.metrics, with_placeholders(run.arguments)))
    problem = validate(metrics, supported)
    if problem:
        raise InvalidAnalysis(problem)
    terms = RunTerms(metrics=metrics, dry_run=rehearsed(run.dry_run, metrics), requested_end=run.terminate)
    return Prepared(terms, retained(run.retention, metrics))
