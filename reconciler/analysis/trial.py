"""A run that no rollout asks for: templates that a person tries with arguments given by hand, and when it is looked at. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from reconciler.analysis.arguments import Unresolved, literals, merge_arguments
from reconciler.analysis.due import Task, due
from reconciler.analysis.judge import RunTerms
from reconciler.analysis.model import AnalysisStatus
from reconciler.analysis.runs import run_spec
from reconciler.analysis.templates import CLUSTER, InvalidTemplates, combine
from reconciler.kernel.identity import Manifest, name_of
from reconciler.kernel.resources import ANALYSIS_RUNS


@dataclass(frozen=True, slots=True)
class TrialArguments:
    """What a person gives by hand, and what a Rollout lends: that only where a template declares it and nothing is given."""

    given: Mapping[str, str]
    lent: Mapping[str, str] = field(default_factory=dict)


def trial_run(template: Manifest, templates: Sequence[Manifest], asked: TrialArguments, metadata: Manifest) -> Manifest:
    """The run of one template and those it names. Raises InvalidTemplates, and Unresolved for an argument that is wrong or missing."""
    combined = combine(templates, {"templates": [{"templateName": name_of(template), "clusterScope": template.get("kind") == CLUSTER}]})
    if isinstance(combined, str):
        raise InvalidTemplates(combined)
    declared = {str(argument.get("name")): argument for argument in combined.arguments}
    for name in asked.given:
        _check_given(name, declared)
    named = [{"name": name, "value": value} for name, value in {**asked.lent, **asked.given}.items()]
    arguments = merge_arguments(named, [_open(argument) for argument in combined.arguments])
    return {
        "apiVersion": ANALYSIS_RUNS.api_version,
        "kind": ANALYSIS_RUNS.kind,
        "metadata": metadata,
        "spec": run_spec(combined, arguments),
    }


def lent_by(rollout: Manifest, template: Manifest) -> dict[str, str] | None:
    """The arguments of the first analysis of a Rollout that names a template, as its newest version would give them; None: none does.

    Raises Unresolved for a path that leads nowhere.
    """
    status = rollout.get("status") or {}
    hashes = {"Latest": str(status.get("currentPodHash") or ""), "Stable": str(status.get("stableRS") or "")}
    strategy = (rollout.get("spec") or {}).get("strategy")
    analysis = next((one for one in analyses_in(strategy) if _names(one, template)), None)
    if analysis is None:
        return None
    return {str(one["name"]): str(one["value"]) for one in literals(analysis.get("args") or [], rollout, hashes)}


def analyses_in(part: Any) -> Iterator[Manifest]:
    """Whatever in a strategy names templates: the background analysis, those of steps, before and after a promotion."""
    if isinstance(part, dict) and isinstance(part.get("templates"), list):
        yield part
    members = part.values() if isinstance(part, dict) else part if isinstance(part, list) else ()
    for member in members:
        yield from analyses_in(member)


def _names(analysis: Manifest, template: Manifest) -> bool:
    wanted = (name_of(template), template.get("kind") == CLUSTER)
    named = [one for one in analysis["templates"] if isinstance(one, dict)]
    return wanted in [(one.get("templateName"), bool(one.get("clusterScope"))) for one in named]


def _check_given(name: str, declared: Mapping[str, Manifest]) -> None:
    if name not in declared:
        raise Unresolved(f"args.{name} is not declared; declared are: {', '.join(declared) or 'none'}")
    if _of_secret(declared[name]):
        raise Unresolved(f"args.{name} comes from a Secret, which wins over a value that is given")


def _open(argument: Manifest) -> Manifest:
    """The declaration without what only a rollout could fill in."""
    return argument if _of_secret(argument) else {key: value for key, value in argument.items() if key != "valueFrom"}


def _of_secret(argument: Manifest) -> bool:
    return bool((argument.get("valueFrom") or {}).get("secretKeyRef"))


def at_once(terms: RunTerms) -> RunTerms:
    """The same terms without the delays before first measurements."""
    return replace(terms, metrics=tuple(replace(metric, initial_delay=None) for metric in terms.metrics))


def first_tasks(terms: RunTerms, status: AnalysisStatus, now: datetime) -> tuple[Task, ...]:
    """What is due, as far as it leads to one answer of each metric."""
    return tuple(task for task in due(terms, status, now) if _open_yet(status, task.metric.name))


def first_look(terms: RunTerms, status: AnalysisStatus, now: datetime) -> datetime | None:
    """When a first answer is to be looked for again; None when each metric has one, or the run is over."""
    if status.phase is not None and status.phase.completed:
        return None
    open_ones = [metric.name for metric in terms.metrics if _open_yet(status, metric.name)]
    return min((_resumed(status, name, now) for name in open_ones), default=None)


def _open_yet(status: AnalysisStatus, metric: str) -> bool:
    result = status.result(metric)
    return result is None or result.last is None or result.unfinished is not None


def _resumed(status: AnalysisStatus, metric: str, now: datetime) -> datetime:
    result = status.result(metric)
    awaited = result.unfinished if result is not None else None
    return (awaited.resume_at or now) if awaited is not None else now
