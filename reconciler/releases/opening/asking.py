"""What each workload of a tip asks for, in the words of a release."""

from collections.abc import Callable, Iterator, Mapping

from reconciler.releases.identity import identity_hash
from reconciler.releases.model import Change, Named
from reconciler.releases.opening.content import content_of
from reconciler.releases.opening.opening import Asked
from reconciler.sources.changes import WorkloadChange, change_of
from reconciler.sources.documents import Parsed
from reconciler.sources.edits import Direct, Outcome, ProposedEdit, words
from reconciler.sources.images import container_images
from reconciler.sources.inventory import workload_key
from reconciler.sources.model import ChangedField, Commit, WorkloadId
from reconciler.sources.settings import SourceSettings
from reconciler.sources.templates import Workload, workloads

RELEASED = ("Rollout", "Deployment")
SHOWN = 50
Adopted = Callable[[str, str], bool]
"""True when a policy has the plain Deployment (namespace, name) released by a Rollout of ours."""


def released_workloads(parsed: Parsed, adopted: Adopted) -> Iterator[Workload]:
    """The workloads whose changes are releases: Rollouts, and Deployments that a policy adopts."""
    for id, workload in workloads(parsed).items():
        if _contested(parsed, workload):
            continue
        if id.kind == "Rollout" or (id.kind == "Deployment" and adopted(id.namespace, id.name)):
            yield workload


def identities(parsed: Parsed) -> Mapping[str, str]:
    """The identity of every workload that may be released, by the key of its Rollout."""
    return {
        workload_key(id.namespace, "Rollout", id.name): identity_hash(parsed, workload)
        for id, workload in workloads(parsed).items()
        if id.kind in RELEASED and not _contested(parsed, workload)
    }


def _contested(parsed: Parsed, workload: Workload) -> bool:
    return parsed.contested(workload.owner) or parsed.contested(workload.template)


def asked_by(parsed: Parsed, workload: Workload, settings: SourceSettings, commit: Commit) -> Asked:
    """What one workload asks for at this tip; its Rollout bears its name, also when we are the ones to make it."""
    kind, namespace, name = workload.template.key
    return Asked(
        namespace=namespace,
        workload=Named(kind="Rollout", name=workload.id.name),
        template=Named(kind=kind, name=name),
        source=settings.name,
        environment=settings.environment,
        identity=identity_hash(parsed, workload),
        images={container: text for container, _, text in container_images(workload.template.manifest)},
        commit=commit,
        content=content_of(parsed, workload),
        companion=settings.companion,
    )


def source_id(parsed: Parsed, namespace: str, name: str) -> WorkloadId:
    """How the source itself names the workload of a release: its Rollout, or the Deployment where the source holds no Rollout."""
    rollout = WorkloadId("Rollout", namespace, name)
    return rollout if rollout in workloads(parsed) else WorkloadId("Deployment", namespace, name)


def moved(proven: Parsed, tip: Parsed, id: WorkloadId) -> tuple[Change, ...]:
    """Every value of the workload's template and config that moved since the proven version, where it stands now."""
    change = change_of(proven, tip, id)
    return tuple(kept_change(field) for field in _fields(change))[:SHOWN] if change else ()


def taken_back_by(outcome: Outcome) -> tuple[Change, ...]:
    """The values that an edit would take back, as the changes that set them: where files are rendered these are their true places."""
    match outcome:
        case Direct(edit) | ProposedEdit(edit):
            return tuple(kept_change(ChangedField(f.new, f.old, f.after, f.before)) for f in edit.fields)[:SHOWN]
        case _:
            return ()


def revertability(outcome: Outcome) -> tuple[str, str]:
    """How Git could be brought back if this release fails, found out before it starts (ADR 0015): direct, proposal or manual, and why."""
    match outcome:
        case Direct():
            return "direct", ""
        case ProposedEdit():
            return "proposal", words(outcome)
        case _:
            return "manual", words(outcome)


def _fields(change: WorkloadChange) -> tuple[ChangedField, ...]:
    return (*change.fields, *(field for config in change.config for field in config.fields))


def kept_change(field: ChangedField) -> Change:
    """One value that moved, as a Release keeps it."""
    place = field.location
    return Change(file=place.file, line=place.line, field=place.field, old=field.old or "", new=field.new or "")
