"""The future of one experiment as a pure function: same facts, same time, same plan (contract 8)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from reconciler.analysis.model import RunPhase
from reconciler.experiments.analyses import AnalysisStep, step_analysis
from reconciler.experiments.assess import assess, of_templates
from reconciler.experiments.facts import ExperimentFacts, ExperimentWrite, ends_at
from reconciler.experiments.model import Experiment, ExperimentStatus, template_of
from reconciler.experiments.templates import Sizing, TemplateStep, service_name, service_removal, sized, step_template
from reconciler.kernel.identity import Manifest, controller_uid, name_of, namespace_of
from reconciler.kernel.plan import Emit
from reconciler.kernel.problem import Problem
from reconciler.kernel.resources import ROLLOUTS
from reconciler.rollouts.status.conditions import ALL_AVAILABLE, INVALID_SPEC, PROGRESSING, Conditions, without, written
from reconciler.rollouts.status.model import Condition

BAD = frozenset({RunPhase.FAILED, RunPhase.ERROR, RunPhase.INCONCLUSIVE})


@dataclass(frozen=True, slots=True)
class ExperimentPlan:
    """The effects of one pass in order, then the status, then the events that say what it means; and when to look again."""

    writes: tuple[ExperimentWrite, ...]
    status: ExperimentStatus
    events: tuple[Emit, ...] = ()
    wake_at: datetime | None = None


def plan(facts: ExperimentFacts, now: datetime) -> ExperimentPlan:
    """What to do next for one experiment."""
    experiment, spec = facts.experiment, facts.experiment.spec
    templates = [step_template(facts, template, now) for template in spec.templates]
    analyses = [step_analysis(facts, analysis) for analysis in spec.analyses]
    status = _status(experiment, templates, analyses, now)
    left = _left(facts, now)
    looks = [*(step.wake_at for step in templates), *(size.wake_at for size in left), _end(experiment, status, now)]
    writes = [*(step.writes for step in templates), *(step.writes for step in analyses), *(size.writes for size in left)]
    return ExperimentPlan(
        writes=tuple(write for part in writes for write in part),
        status=status,
        events=tuple(_events(experiment, status)),
        wake_at=min((look for look in looks if look is not None), default=None),
    )


def refused(experiment: Manifest, before: Conditions, problem: Problem, now: datetime) -> Conditions:
    """The conditions of an experiment that is not carried out as long as it is written like this."""
    message = f'The Experiment "{name_of(experiment)}" is invalid: {problem}'
    former = next((condition for condition in before if condition.type == INVALID_SPEC), None)
    condition = Condition(type=INVALID_SPEC, status="True", reason=INVALID_SPEC, message=message)
    return written(before, condition, now, always=former is not None and former.message != message)


def _end(experiment: Experiment, status: ExperimentStatus, now: datetime) -> datetime | None:
    """When its duration is over. A moment that this pass has seen pass asks for no other look: a required analysis may take longer."""
    end = ends_at(experiment, status.available_at)
    seen = end is not None and end <= now and experiment.status.available_at is not None
    return None if status.finished or seen else end


def _status(experiment: Experiment, templates: Sequence[TemplateStep], analyses: Sequence[AnalysisStep], now: datetime) -> ExperimentStatus:
    before = experiment.status
    stands, measured = tuple(step.status for step in templates), tuple(step.status for step in analyses)
    phase, message = assess(experiment, stands, measured)
    served = before.phase is not None and of_templates(stands)[0] is RunPhase.RUNNING
    status = ExperimentStatus(
        phase=phase,
        message=message,
        available_at=before.available_at or (now if served else None),
        templates=stands,
        runs=tuple(run for run in measured if run.run or run.phase or run.message),
        conditions=without(before.conditions, INVALID_SPEC),
    )
    return replace(status, conditions=_conditions(experiment, status, now))


def _conditions(experiment: Experiment, status: ExperimentStatus, now: datetime) -> Conditions:
    """Progressing: done, serving, or moving (contract 8.6)."""
    before, name = experiment.status, experiment.name
    if status.phase is RunPhase.SUCCESSFUL:
        words = ("False", "ExperimentCompleted", f'Experiment "{name}" has successfully ran and completed.')
    elif status.phase is RunPhase.RUNNING:
        words = ("True", ALL_AVAILABLE, f'Experiment "{name}" is running.')
    elif [template.counts for template in status.templates] != [before.template(t.name).counts for t in status.templates]:
        words = ("True", "ReplicaSetUpdated", f'Experiment "{name}" is progressing.')
    else:
        return status.conditions
    condition = Condition(type=PROGRESSING, status=words[0], reason=words[1], message=words[2])
    return written(status.conditions, condition, now)


def _events(experiment: Experiment, status: ExperimentStatus) -> Iterator[Emit]:
    """What changed, in the reference's words; what an analysis says is told on the Rollout too (contract 8.6)."""
    before, about = experiment.status, experiment.manifest
    for template in status.templates:
        code = before.template(template.name).code
        if template.code is not None and template.code != code:
            words = f"Template '{template.name}' transitioned from {code or ''} -> {template.code}"
            yield Emit(about, f"Template{template.code}", _with(words, template.message), template.code.bad)
    for run in status.runs:
        phase = before.run(run.name).phase
        if run.phase is not None and run.phase != phase:
            words = _with(f"AnalysisRun '{run.name}' transitioned from {phase or ''} -> {run.phase}", run.message)
            yield Emit(about, f"AnalysisRun{run.phase}", words, run.phase in BAD)
            yield from (Emit(rollout, f"AnalysisRun{run.phase}", words, True) for rollout in _rollouts(about))
    if status.phase != before.phase:
        words = f"Experiment transitioned from {before.phase or ''} -> {status.phase}"
        yield Emit(about, f"Experiment{status.phase}", _with(words, status.message), status.phase in BAD)


def _with(words: str, message: str) -> str:
    return f"{words}: {message}" if message else words


def _rollouts(manifest: Manifest) -> Iterator[Manifest]:
    """The Rollout whose step this experiment is, as far as an event needs to know it."""
    for owner in manifest["metadata"].get("ownerReferences") or []:
        if owner.get("kind") == ROLLOUTS.kind and owner.get("uid") == controller_uid(manifest):
            metadata = {"name": owner["name"], "namespace": namespace_of(manifest), "uid": owner["uid"]}
            yield {"apiVersion": ROLLOUTS.api_version, "kind": ROLLOUTS.kind, "metadata": metadata}


def _left(facts: ExperimentFacts, now: datetime) -> list[Sizing]:
    """What belongs to templates that were taken out of the spec, and Services whose names changed: they go like those of an end."""
    names = {template.name for template in facts.experiment.spec.templates}
    former = [r for r in facts.replica_sets if template_of(r.manifest) and template_of(r.manifest) not in names and not r.deleting]
    serving = {template_of(replica_set.manifest) for replica_set in former if replica_set.available}
    kept = _named(facts)
    gone = [service for service in facts.services if name_of(service) not in kept and template_of(service) not in serving]
    services = Sizing(tuple(service_removal(template_of(service), service) for service in gone))
    return [*(sized(facts, replica_set, 0, now) for replica_set in former), services]


def _named(facts: ExperimentFacts) -> frozenset[str]:
    """The Services that templates want, or that belong to one whose ReplicaSet is not known at the moment."""
    found = [(template, facts.replica_set(template.name)) for template in facts.experiment.spec.templates if template.service is not None]
    unknown = {template.name for template, replica_set in found if replica_set is None}
    waiting = (name_of(service) for service in facts.services if template_of(service) in unknown)
    return frozenset([*(service_name(template, replica_set.name) for template, replica_set in found if replica_set is not None), *waiting])
