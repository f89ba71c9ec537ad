"""One template in one pass: its ReplicaSet, its Service, and how it stands (contract 8.2)."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from reconciler.experiments.facts import ExperimentFacts, ExperimentWrite, ending, lasted, replica_set_name
from reconciler.experiments.model import (
    Experiment,
    ExperimentTemplate,
    PodCounts,
    TemplateCode,
    TemplateStatus,
    marks_of,
    template_of,
)
from reconciler.kernel.identity import Manifest, ObjectRef, labels_of, name_of, namespace_of, uid_of
from reconciler.kernel.moment import parse_moment, render_moment
from reconciler.kernel.plan import Create, Emit, Patch, Remove
from reconciler.kernel.resources import EXPERIMENTS, REPLICA_SETS, SERVICES
from reconciler.kernel.well_known import HASH_LABEL, SCALE_DOWN_DEADLINE
from reconciler.rollouts.pods.replica_set import ReplicaSet
from reconciler.rollouts.replicas.hash import template_hash

MOMENT = timedelta(milliseconds=1)
LOOK_AGAIN = timedelta(seconds=2)


@dataclass(frozen=True, slots=True)
class TemplateStep:
    """What one pass does for a template, how the template stands then, and when to look again."""

    status: TemplateStatus
    writes: tuple[ExperimentWrite, ...] = ()
    wake_at: datetime | None = None


def step_template(facts: ExperimentFacts, template: ExperimentTemplate, now: datetime) -> TemplateStep:
    """One look at one template."""
    before = facts.experiment.status.template(template.name)
    closing = before.completed or ending(facts.experiment)
    wanted = 0 if closing else template.replicas
    found = facts.replica_set(template.name)
    step = _missing(facts, template, closing) if found is None else _standing(facts, template, found, wanted, now)
    acted = bool(step.writes) and about(template.name) not in facts.refusals
    moved = now if acted or step.status.counts != before.counts or before.moved is None else before.moved
    return _judged(facts, template, replace(step, status=replace(step.status, moved=moved)), wanted, now)


def about(template: str) -> str:
    return f"template {template}"


def owner_of(experiment: Experiment) -> Manifest:
    """The owner reference of everything that an experiment makes."""
    return {
        "apiVersion": EXPERIMENTS.api_version,
        "kind": EXPERIMENTS.kind,
        "name": experiment.name,
        "uid": uid_of(experiment.manifest),
        "controller": True,
        "blockOwnerDeletion": True,
    }


def _missing(facts: ExperimentFacts, template: ExperimentTemplate, closing: bool) -> TemplateStep:
    """A ReplicaSet without pods, which later passes scale; a foreign one of that name changes the name instead."""
    before = facts.experiment.status.template(template.name)
    status = replace(before, counts=PodCounts(), service="", hash="")
    name = replica_set_name(facts.experiment.name, template.name, before.collisions)
    other = facts.wanted_replica_sets.get(name)
    if closing or (other is not None and facts.is_own(other, template.name)):
        return TemplateStep(status)  # nothing to make, or the former one is still on its way out
    if other is not None:
        return TemplateStep(replace(status, collisions=(before.collisions or 0) + 1))
    manifest = replica_set_of(facts.experiment, template, before.collisions)
    failure = f"Failed to create ReplicaSet for template '{template.name}'"
    return TemplateStep(status, (ExperimentWrite(about(template.name), failure, Create(REPLICA_SETS, manifest)),))


def replica_set_of(experiment: Experiment, template: ExperimentTemplate, collisions: int | None) -> Manifest:
    """The ReplicaSet of a template, with a hash of its own."""
    metadata, selector = template.template.get("metadata") or {}, template.selector
    labels = {**(metadata.get("labels") or {}), HASH_LABEL: _hash(template, collisions)}
    return {
        "apiVersion": REPLICA_SETS.api_version,
        "kind": REPLICA_SETS.kind,
        "metadata": {
            "name": replica_set_name(experiment.name, template.name, collisions),
            "namespace": experiment.namespace,
            "labels": labels,
            "annotations": dict(marks_of(experiment.name, template.name)),
            "ownerReferences": [owner_of(experiment)],
        },
        "spec": {
            "replicas": 0,
            "minReadySeconds": template.min_ready_seconds,
            "selector": {**selector, "matchLabels": {**(selector.get("matchLabels") or {}), HASH_LABEL: labels[HASH_LABEL]}},
            "template": {**template.template, "metadata": {**metadata, "labels": labels}},
        },
    }


def _hash(template: ExperimentTemplate, collisions: int | None) -> str:
    """A hash that the pod template inherited is another version's: it is not hashed, and its own must differ, or the Services of that
    version would select these pods too."""
    metadata = template.template.get("metadata") or {}
    labels = dict(metadata.get("labels") or {})
    inherited = labels.pop(HASH_LABEL, "")
    whole = {**template.template, "metadata": {**metadata, "labels": labels}}
    return next(own for count in (collisions, 0, None) if (own := template_hash(whole, count)) != inherited)


def _standing(facts: ExperimentFacts, template: ExperimentTemplate, found: ReplicaSet, wanted: int, now: datetime) -> TemplateStep:
    counts = PodCounts(found.actual, found.ready, found.available)
    service = facts.service(template, service_name(template, found.name)) if template.service is not None else None
    before = facts.experiment.status.template(template.name)
    words = (name_of(service), found.hash) if service is not None else ("", "")
    status = replace(before, counts=counts, service=words[0], hash=words[1])
    size = sized(facts, found, wanted, now)
    served = tuple(_service_writes(facts, template, found, wanted))
    return TemplateStep(status, (*served, *size.writes), size.wake_at)


def service_name(template: ExperimentTemplate, replica_set: str) -> str:
    """The name it was given, else that of the ReplicaSet."""
    return template.service or replica_set


@dataclass(frozen=True, slots=True)
class Sizing:
    """What brings a ReplicaSet to its size, and when there is more to do."""

    writes: tuple[ExperimentWrite, ...] = ()
    wake_at: datetime | None = None


def sized(facts: ExperimentFacts, found: ReplicaSet, wanted: int, now: datetime) -> Sizing:
    """Up at once; down to nothing only after the delay, which a deadline on the ReplicaSet remembers.

    Traffic leaves before the pods do: while its Rollout cannot route, or is suspended, users are still here, and nothing goes.
    """
    experiment = facts.experiment
    if wanted == 0 and facts.carries(template_of(found.manifest)):
        return Sizing()
    if wanted == 0 and found.spec > 0 and experiment.spec.scale_down_delay > 0:
        if found.deadline is None:
            until = now + timedelta(seconds=experiment.spec.scale_down_delay)
            mark = {"metadata": {"annotations": {SCALE_DOWN_DEADLINE: render_moment(until)}}}
            return Sizing((_sized(experiment, found, wanted, mark),), until + MOMENT)
        deadline = _moment(found.deadline)
        if deadline is not None and deadline > now:
            return Sizing(wake_at=deadline)
    if found.spec == wanted and not (wanted and found.deadline is not None):
        return Sizing()
    body: Manifest = {"spec": {"replicas": wanted}}
    if found.deadline is not None:
        body["metadata"] = {"annotations": {SCALE_DOWN_DEADLINE: None}}
    direction = "up" if wanted > found.spec else "down"
    words = f"Scaled {direction} ReplicaSet {found.name} from {found.spec} to {wanted}"
    told = Emit(experiment.manifest, "ScalingReplicaSet", words) if wanted != found.spec else None
    return Sizing((_sized(experiment, found, wanted, body, told),))


def _sized(experiment: Experiment, found: ReplicaSet, wanted: int, body: Manifest, told: Emit | None = None) -> ExperimentWrite:
    template = template_of(found.manifest)
    failure = f"Unable to scale ReplicaSet for template '{template}' to desired replica count '{wanted}'"
    ref = ObjectRef(REPLICA_SETS, experiment.namespace, found.name)
    return ExperimentWrite(about(template), failure, Patch(ref, body), told)


def _moment(text: str) -> datetime | None:
    """The deadline; one that cannot be read holds nothing up."""
    try:
        return parse_moment(text)
    except ValueError:
        return None


def _service_writes(facts: ExperimentFacts, template: ExperimentTemplate, found: ReplicaSet, wanted: int) -> Iterator[ExperimentWrite]:
    """The Service comes with the pods and goes after the last of them; without a port there is none."""
    if template.service is None:
        return
    name, ports = service_name(template, found.name), service_ports(template)
    if wanted and ports and name not in facts.wanted_services:
        manifest = _service(facts.experiment, template, found, ports)
        failure = f"Failed to create Service {name} for template '{template.name}'"
        yield ExperimentWrite(about(template.name), failure, Create(SERVICES, manifest))
    service = facts.service(template, name)
    if not wanted and found.available == 0 and found.spec == 0 and service is not None:
        yield service_removal(template.name, service)


def service_removal(template: str, service: Manifest) -> ExperimentWrite:
    removal = Remove(ObjectRef(SERVICES, namespace_of(service), name_of(service)), uid_of(service))
    return ExperimentWrite(about(template), f"Failed to delete Service for template '{template}'", removal)


def service_ports(template: ExperimentTemplate) -> list[Manifest]:
    """One for each port of a container."""
    containers = (template.template.get("spec") or {}).get("containers") or []
    return [_port(port) for container in containers for port in container.get("ports") or []]


def _port(port: Manifest) -> Manifest:
    name = {"name": port["name"]} if port.get("name") else {}
    number = port.get("containerPort")
    return {**name, "protocol": port.get("protocol") or "TCP", "port": number, "targetPort": number}


def _service(experiment: Experiment, template: ExperimentTemplate, found: ReplicaSet, ports: list[Manifest]) -> Manifest:
    return {
        "apiVersion": SERVICES.api_version,
        "kind": SERVICES.kind,
        "metadata": {
            "name": service_name(template, found.name),
            "namespace": experiment.namespace,
            "annotations": dict(marks_of(experiment.name, template.name)),
            "ownerReferences": [owner_of(experiment)],
        },
        "spec": {"selector": dict(labels_of(found.manifest)), "ports": ports},
    }


def _judged(facts: ExperimentFacts, template: ExperimentTemplate, step: TemplateStep, wanted: int, now: datetime) -> TemplateStep:
    """How it stands; what is final stays (contract 8.2 item 5)."""
    status = step.status
    if status.completed or status.moved is None:
        return step
    late = status.moved + timedelta(seconds=facts.experiment.spec.progress_deadline)
    code, message = _code(facts, template, status, wanted, now)
    # Nothing tells us when another experiment gives a name back.
    again = min(late + MOMENT, now + LOOK_AGAIN) if _lent(facts, template, wanted) else late + MOMENT
    wake_at = step.wake_at or (again if code is TemplateCode.PROGRESSING else None)
    return replace(step, status=replace(status, code=code, message=message), wake_at=wake_at)


def _code(
    facts: ExperimentFacts, template: ExperimentTemplate, status: TemplateStatus, wanted: int, now: datetime
) -> tuple[TemplateCode, str]:
    refusal, deadline = facts.refusals.get(about(template.name)), facts.experiment.spec.progress_deadline
    words = refusal.words if refusal is not None else _taken(facts, template, wanted)
    if words and (refusal is None or refusal.final):
        return TemplateCode.ERROR, words
    over = lasted(facts.experiment, now) or ending(facts.experiment)
    lent = _lent(facts, template, wanted)
    if status.counts.available == wanted and facts.replica_set(template.name) is not None and not lent:
        return (TemplateCode.SUCCESSFUL if over else TemplateCode.RUNNING), ""
    if status.moved is not None and now > status.moved + timedelta(seconds=deadline):
        return TemplateCode.FAILED, f"Template '{template.name}' exceeded its progressDeadlineSeconds ({deadline})"
    return (TemplateCode.SUCCESSFUL, "") if ending(facts.experiment) else (TemplateCode.PROGRESSING, words or lent)


def _taken(facts: ExperimentFacts, template: ExperimentTemplate, wanted: int) -> str:
    """A foreign Service has the name that this template's needs, and no experiment will give it back."""
    found = _in_the_way(facts, template, wanted)
    if found is None or _is_lent(found, facts.experiment):
        return ""
    words = f"Failed to create Service {name_of(found)} for template '{template.name}'"
    return f"{words}: it exists and is not of this template; choose another name"


def _lent(facts: ExperimentFacts, template: ExperimentTemplate, wanted: int) -> str:
    """Another experiment has a Service of that name, often that of the version before: it gives it back when its pods have gone."""
    found = _in_the_way(facts, template, wanted)
    return f"Service {name_of(found)} is still of another experiment" if found is not None and _is_lent(found, facts.experiment) else ""


def _in_the_way(facts: ExperimentFacts, template: ExperimentTemplate, wanted: int) -> Manifest | None:
    """The Service that has the name which this template's needs, and is not its own."""
    found = facts.replica_set(template.name)
    if template.service is None or found is None or not wanted or not service_ports(template):
        return None
    name = service_name(template, found.name)
    return None if facts.service(template, name) is not None else facts.wanted_services.get(name)


def _is_lent(service: Manifest, experiment: Experiment) -> bool:
    """True of what another experiment made; two templates of one never give each other anything back."""
    owners = service["metadata"].get("ownerReferences") or []
    others = (owner for owner in owners if owner.get("controller") and owner.get("uid") != uid_of(experiment.manifest))
    return any(owner.get("kind") == EXPERIMENTS.kind for owner in others)
