"""The analyses of an experiment: their runs made, mirrored and ended (contract 8.3)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from reconciler.analysis.arguments import TAG, Unresolved, merge_arguments
from reconciler.analysis.model import RunPhase
from reconciler.analysis.runs import placed, run_spec, terminate
from reconciler.analysis.templates import CLUSTER, NAMESPACED, combine
from reconciler.experiments.facts import ExperimentFacts, ExperimentWrite, ending, ends_at
from reconciler.experiments.model import ExperimentAnalysis, ExperimentSpec, MeasuredStatus
from reconciler.experiments.templates import owner_of
from reconciler.kernel.identity import Manifest, labels_of, name_of, uid_of
from reconciler.kernel.moment import render_moment
from reconciler.kernel.plan import Create, Emit
from reconciler.kernel.resources import ANALYSIS_RUNS
from reconciler.kernel.well_known import INSTANCE_ID


@dataclass(frozen=True, slots=True)
class AnalysisStep:
    """How an analysis stands after this pass, and what it does for that."""

    status: MeasuredStatus
    writes: tuple[ExperimentWrite, ...] = ()


def asked_of(spec: ExperimentSpec, analysis: ExperimentAnalysis) -> Manifest:
    """One analysis as the noun `analysis` reads them: a reference to its template and the rules of the experiment."""
    reference = {"templateName": analysis.template_name, "clusterScope": analysis.cluster_scope}
    return {"templates": [reference], "dryRun": list(spec.dry_run), "measurementRetention": list(spec.retention)}


def step_analysis(facts: ExperimentFacts, analysis: ExperimentAnalysis) -> AnalysisStep:
    """One look at one analysis."""
    before = facts.experiment.status.run(analysis.name)
    if before.completed:
        return AnalysisStep(before)
    if before.run:
        return _mirrored(facts, analysis, before)
    if facts.experiment.status.available_at is None:
        return AnalysisStep(_verified(facts, analysis, before))
    return AnalysisStep(before) if ending(facts.experiment) else _begun(facts, analysis, before)


def about_analysis(analysis: str) -> str:
    return f"analysis {analysis}"


def _verified(facts: ExperimentFacts, analysis: ExperimentAnalysis, before: MeasuredStatus) -> MeasuredStatus:
    """Nothing is measured before the pods serve, but a template that is not there is said at once."""
    kind = CLUSTER if analysis.cluster_scope else NAMESPACED
    if any(template.get("kind") == kind and name_of(template) == analysis.template_name for template in facts.templates):
        return before
    words = f"{kind} verification failed for analysis '{analysis.name}': {kind} '{analysis.template_name}' not found"
    return replace(before, phase=RunPhase.ERROR, message=words)


def _begun(facts: ExperimentFacts, analysis: ExperimentAnalysis, before: MeasuredStatus) -> AnalysisStep:
    failure = f"Failed to create AnalysisRun for analysis '{analysis.name}'"
    refusal = facts.refusals.get(about_analysis(analysis.name))
    if refusal is not None:
        told = replace(before, phase=RunPhase.ERROR if refusal.final else None, message=refusal.words)
        return AnalysisStep(told)
    try:
        run = _run_of(facts, analysis)
    except Unresolved as error:
        return AnalysisStep(replace(before, phase=RunPhase.ERROR, message=f"{failure}: {error}"))
    status = replace(before, run=name_of(run), phase=RunPhase.PENDING, message="")
    write = ExperimentWrite(about_analysis(analysis.name), failure, Create(ANALYSIS_RUNS, run))
    return AnalysisStep(status, () if uid_of(run) else (write,))


def _run_of(facts: ExperimentFacts, analysis: ExperimentAnalysis) -> Manifest:
    """The run to create, or an unfinished equal one that a pass before this one created and never wrote down. Raises Unresolved."""
    experiment = facts.experiment
    combined = combine(facts.templates, asked_of(experiment.spec, analysis))
    if isinstance(combined, str):
        raise Unresolved(combined)
    arguments = merge_arguments(_literals(analysis.arguments, _known(facts)), combined.arguments)
    wanted, instance = experiment.spec.run_metadata, labels_of(experiment.manifest).get(INSTANCE_ID)
    run = {
        "apiVersion": ANALYSIS_RUNS.api_version,
        "kind": ANALYSIS_RUNS.kind,
        "metadata": {
            "name": f"{experiment.name}-{analysis.name}",
            "namespace": experiment.namespace,
            "labels": {**({INSTANCE_ID: instance} if instance else {}), **(wanted.get("labels") or {})},
            "annotations": dict(wanted.get("annotations") or {}),
            "ownerReferences": [owner_of(experiment)],
        },
        "spec": run_spec(combined, arguments),
    }
    return placed(run, facts.runs)


def _known(facts: ExperimentFacts) -> Mapping[str, str]:
    """What arguments may name of the experiment itself (contract 6.2)."""
    status, known = facts.experiment.status, {}
    for template in facts.experiment.spec.templates:
        replica_set = facts.replica_set(template.name)
        if replica_set is not None:
            known[f"templates.{template.name}.podTemplateHash"] = replica_set.hash
            known[f"templates.{template.name}.replicaset.name"] = replica_set.name
    moments = {"availableAt": status.available_at, "finishedAt": ends_at(facts.experiment, status.available_at)}
    return {**known, **{f"experiment.{name}": render_moment(moment) for name, moment in moments.items() if moment is not None}}


def _literals(arguments: Iterable[Manifest], known: Mapping[str, str]) -> list[Manifest]:
    """The arguments with their values; a `valueFrom` is dropped (contract 6.2). Raises Unresolved."""
    return [{"name": argument.get("name", ""), "value": _value(argument.get("value"), known)} for argument in arguments]


def _value(text: object, known: Mapping[str, str]) -> str | None:
    if text is None:
        return None
    unknown = [tag for tag in TAG.findall(str(text)) if tag.strip() not in known]
    if unknown:
        raise Unresolved(f"failed to resolve {{{{{unknown[0]}}}}}")
    return TAG.sub(lambda found: known[found[1].strip()], str(text))


def _mirrored(facts: ExperimentFacts, analysis: ExperimentAnalysis, before: MeasuredStatus) -> AnalysisStep:
    """The run's phase and message; a run that goes on when this is over is asked to end."""
    run = facts.run(before.run)
    if run is None:
        words = f"AnalysisRun '{before.run}' of analysis '{analysis.name}' is gone"
        return AnalysisStep(before if ending(facts.experiment) else replace(before, phase=RunPhase.ERROR, message=words))
    found = run.get("status") or {}
    phase = next((known for known in RunPhase if known == found.get("phase")), RunPhase.PENDING)
    mirrored = replace(before, phase=phase, message=str(found.get("message") or ""))
    if phase.completed or not ending(facts.experiment) or (run.get("spec") or {}).get("terminate"):
        return AnalysisStep(mirrored)
    told = Emit(facts.experiment.manifest, "AnalysisRunTerminating", f"Terminating {analysis.name} ({name_of(run)})")
    failure = f"AnalysisRun '{name_of(run)}' cannot be told to end"
    return AnalysisStep(mirrored, (ExperimentWrite(about_analysis(analysis.name), failure, terminate(run), told),))
