"""The ReplicaSet of the wanted version: created when missing, kept in step with the Rollout (contract 10.2, 10.4)."""

from dataclasses import replace

from reconciler.kernel.identity import Manifest, annotations_of, name_of, namespace_of
from reconciler.kernel.plan import Create, Patch, Replace
from reconciler.kernel.resources import REPLICA_SETS, ROLLOUTS
from reconciler.kernel.well_known import REVISION, WORKLOAD_GENERATION
from reconciler.rollouts.passes import Pass, reference
from reconciler.rollouts.pods.replica_set import ReplicaSet
from reconciler.rollouts.replicas.history import follow, next_revision, revision_of
from reconciler.rollouts.replicas.template import anti_affinity_of, new_replica_set, set_anti_affinity
from reconciler.rollouts.status.conditions import PROGRESSING, written
from reconciler.rollouts.status.events import updated_text
from reconciler.rollouts.status.model import Condition


def create_missing(pass_: Pass) -> Pass:
    """The new version's ReplicaSet, still without pods; the pass ends (contract 10.4).

    A foreign ReplicaSet of that name changes the hash instead.
    """
    if pass_.facts.new is not None:
        return pass_
    if pass_.facts.found.namesake is not None:
        return pass_.end(replace(pass_.before, collisions=(pass_.before.collisions or 0) + 1))
    manifest = wanted_replica_set(pass_)
    name, revision = name_of(manifest), revision_of(manifest)
    created = pass_.act(Create(REPLICA_SETS, manifest)).tell("RolloutUpdated", updated_text(revision))
    told = created.tell("NewReplicaSetCreated", f"Created ReplicaSet {name} (revision {revision})")
    return _with_progress(told, "True", "NewReplicaSetCreated", f'Created new replica set "{name}"')


def wanted_replica_set(pass_: Pass) -> Manifest:
    facts, spec = pass_.facts, pass_.facts.spec
    return new_replica_set(
        rollout=facts.rollout,
        template=spec.template,
        selector=spec.selector,
        hash=facts.hash,
        revision=next_revision(r.manifest for r in facts.replica_sets),
        replicas=spec.replicas,
        min_ready_seconds=spec.min_ready_seconds,
        stable_hash=pass_.before.stable_hash,
    )


def _with_progress(pass_: Pass, status: str, reason: str, message: str) -> Pass:
    condition = Condition(type=PROGRESSING, status=status, reason=reason, message=message)
    return pass_.end(replace(pass_.before, conditions=written(pass_.before.conditions, condition, pass_.now)))


def note_found(pass_: Pass) -> Pass:
    """The first word about progress when the ReplicaSet was there already (contract 3.5)."""
    new = pass_.facts.new
    if new is None or pass_.before.condition(PROGRESSING) is not None:
        return pass_
    return _with_progress(pass_, "True", "FoundNewReplicaSet", f'Found new replica set "{new.name}"')


def follow_revision(pass_: Pass) -> Pass:
    """The new ReplicaSet's annotations, then the Rollout's; writing the Rollout ends the pass (contract 10.4, 3.1)."""
    new = pass_.facts.new
    if new is None:
        return pass_
    others = (r.manifest for r in pass_.facts.replica_sets if r.name != new.name)
    annotated = follow(new.manifest, pass_.facts.rollout, next_revision(others))
    pass_ = _sync(pass_, new, annotated)
    annotations = _rollout_annotations(pass_, revision_of(annotated))
    if annotations == annotations_of(pass_.facts.rollout):
        return pass_
    # A version that was created was told with its revision; one that came back is told now.
    return _annotate(pass_, annotations, revision_of(annotated) if annotated is not new.manifest else None)


def _sync(pass_: Pass, new: ReplicaSet, annotated: Manifest) -> Pass:
    """Annotations, minReadySeconds and a stale injected anti-affinity of the new ReplicaSet (contract 10.4, 10.5)."""
    body: Manifest = {}
    if annotated is not new.manifest:
        before = annotations_of(new.manifest)
        body["metadata"] = {"annotations": {k: v for k, v in annotations_of(annotated).items() if before.get(k) != v}}
    seconds = pass_.facts.spec.min_ready_seconds
    if int(new.manifest["spec"].get("minReadySeconds") or 0) != seconds:
        body["spec"] = {"minReadySeconds": seconds}
    if body:
        body = _with_anti_affinity(pass_, new, body)
    return pass_.act(Patch(reference(REPLICA_SETS, new.manifest), body)) if body else pass_


def _with_anti_affinity(pass_: Pass, new: ReplicaSet, body: Manifest) -> Manifest:
    """A stale injected term leaves the template only beside another write: no write of its own, no restart of pods (contract 10.5)."""
    template = new.manifest["spec"]["template"]
    avoided = "" if pass_.before.stable_hash == new.hash else pass_.before.stable_hash
    spread = set_anti_affinity(template, anti_affinity_of(pass_.facts.rollout), namespace_of(pass_.facts.rollout), avoided)
    if spread == template:
        return body
    affinity = {"affinity": (spread.get("spec") or {}).get("affinity")}
    return {**body, "spec": {**body.get("spec", {}), "template": {"spec": affinity}}}


def _rollout_annotations(pass_: Pass, revision: int) -> Manifest:
    annotations = {**annotations_of(pass_.facts.rollout), REVISION: str(revision)}
    referent = pass_.facts.found.referent
    if pass_.facts.spec.workload_ref is None or referent is None:
        return annotations
    return {**annotations, WORKLOAD_GENERATION: str(referent["metadata"].get("generation", ""))}


def _annotate(pass_: Pass, annotations: Manifest, told: int | None) -> Pass:
    """The whole Rollout as it was read, without the template it borrows, so that a write in between wins (contract 0.2)."""
    rollout = pass_.facts.rollout
    written_ = pass_.act(Replace(ROLLOUTS, {**rollout, "metadata": {**rollout["metadata"], "annotations": annotations}}))
    if told is not None and annotations.get(REVISION) != annotations_of(rollout).get(REVISION):
        written_ = written_.tell("RolloutUpdated", updated_text(told))
    return written_.end()
