"""Everything one decision about an experiment may look at: facts only, gathered before it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from reconciler.analysis.model import RunPhase
from reconciler.experiments.model import Experiment, ExperimentTemplate, marks_of, template_of
from reconciler.kernel.identity import Manifest, annotations_of, controller_uid, name_of, uid_of
from reconciler.kernel.plan import Action, Emit
from reconciler.rollouts.pods.replica_set import ReplicaSet


@dataclass(frozen=True, slots=True)
class RefusedWrite:
    """Why the server did not do what a template or an analysis needs; one that is not `final` may be done later."""

    words: str
    final: bool = True


@dataclass(frozen=True, slots=True)
class ExperimentWrite:
    """One effect with what it is for, so that a refusal is told there: `failure` begins the message, `told` is the event after it."""

    about: str
    failure: str
    action: Action
    told: Emit | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExperimentFacts:
    """One experiment and its surroundings.

    `replica_sets` and `services` are its own; the `wanted_` ones are all that bear a name it wants, foreign ones included; `runs` are those
    that may bear a name it wants and those its status names; `templates` the analysis templates it refers to; `refusals` what the server
    did not do in this very pass, by `about`.
    """

    experiment: Experiment
    replica_sets: tuple[ReplicaSet, ...] = ()
    wanted_replica_sets: Mapping[str, Manifest] = field(default_factory=dict)
    services: tuple[Manifest, ...] = ()
    wanted_services: Mapping[str, Manifest] = field(default_factory=dict)
    carrying: frozenset[str] = frozenset()
    """Services to which its Rollout sends a share of the traffic, as that one has it on record."""
    runs: tuple[Manifest, ...] = ()
    templates: tuple[Manifest, ...] = ()
    refusals: Mapping[str, RefusedWrite] = field(default_factory=dict)

    def replica_set(self, template: str) -> ReplicaSet | None:
        """The pods of a template, unless they are on their way out."""
        mine = (r for r in self.replica_sets if template_of(r.manifest) == template)
        return next((r for r in mine if not r.deleting), None)

    def service(self, template: ExperimentTemplate, name: str) -> Manifest | None:
        """The Service of this name if it is this template's."""
        found = self.wanted_services.get(name)
        return found if found is not None and self.is_own(found, template.name) else None

    def carries(self, template: str) -> bool:
        """True while users are on the pods of a template."""
        return any(name_of(service) in self.carrying for service in self.services if template_of(service) == template)

    def is_own(self, manifest: Manifest, template: str) -> bool:
        """True of what this experiment made for this template."""
        marks = marks_of(self.experiment.name, template)
        owned = controller_uid(manifest) == uid_of(self.experiment.manifest)
        return owned and all(annotations_of(manifest).get(key) == value for key, value in marks.items())

    def run(self, name: str) -> Manifest | None:
        """A run on record, if it is there and this experiment's."""
        mine = (run for run in self.runs if controller_uid(run) == uid_of(self.experiment.manifest))
        return next((run for run in mine if name_of(run) == name), None)


def replica_set_name(experiment: str, template: str, collisions: int | None) -> str:
    """`<experiment>-<template>`, with the count of names that were taken (contract 8.2)."""
    return f"{experiment}-{template}-{collisions}" if collisions else f"{experiment}-{template}"


def lasted(experiment: Experiment, now: datetime) -> bool:
    """True when its duration is over; it counts from the moment all pods served."""
    end = ends_at(experiment, experiment.status.available_at)
    return end is not None and end <= now


def ends_at(experiment: Experiment, available_at: datetime | None) -> datetime | None:
    if available_at is None or experiment.spec.duration is None:
        return None
    return available_at + experiment.spec.duration


def ending(experiment: Experiment) -> bool:
    """True when the persisted status, or a person, says that this is over: nothing more is begun (contract 8.2)."""
    spec, status = experiment.spec, experiment.status
    templates = (status.template(template.name) for template in spec.templates)
    runs = (status.run(analysis.name) for analysis in spec.analyses)
    return (
        spec.terminate
        or status.finished
        or any(template.code is not None and template.code.bad for template in templates)
        or any(run.phase is not None and run.phase.bad for run in runs)
        or required_done(experiment, {run.name: run.phase for run in status.runs})
    )


def required_done(experiment: Experiment, phases: Mapping[str, RunPhase | None]) -> bool:
    """True when there are required analyses and every one of them succeeded."""
    required = [analysis.name for analysis in experiment.spec.analyses if analysis.required]
    return bool(required) and all(phases.get(name) == RunPhase.SUCCESSFUL for name in required)
