"""The ReplicaSet of the wanted version: created when missing, kept in step with the Rollout (contract 10.2, 10.4)."""

from dataclasses import replace

from reconciler.core.replicas.history import follow, next_revision, revision_of
from reconciler.core.replicas.template import anti_affinity_of, new_replica_set, set_anti_affinity
from reconciler.core.status.conditions import PROGRESSING, written
from reconciler.core.turn.turn import Turn, reference
from reconciler.model.identity import Manifest, annotations_of, name_of, namespace_of
from reconciler.model.plan import Create, Patch, Replace
from reconciler.model.resources import REPLICA_SETS, ROLLOUTS
from reconciler.model.rollout_status import Condition
from reconciler.model.workload import REVISION, WORKLOAD_GENERATION, ReplicaSet


def create_missing(turn: Turn) -> Turn:
    """The new version's ReplicaSet, still without pods; the pass ends (contract 10.4).

    A foreign ReplicaSet of that name changes the hash instead.
    """
    if turn.seen.new is not None:
        return turn
    if turn.seen.found.namesake is not None:
        return turn.end(replace(turn.before, collisions=(turn.before.collisions or 0) + 1))
    manifest = wanted_replica_set(turn)
    name, revision = name_of(manifest), revision_of(manifest)
    created = turn.act(Create(REPLICA_SETS, manifest))
    told = created.tell("NewReplicaSetCreated", f"Created ReplicaSet {name} (revision {revision})")
    return _with_progress(told, "True", "NewReplicaSetCreated", f'Created new replica set "{name}"')


def creation_failed(turn: Turn, reason: str) -> Turn:
    """What to say when the API refused the new ReplicaSet (contract 3.5)."""
    text = f'Failed to create new replica set "{turn.seen.name}-{turn.seen.hash}": {reason}'
    told = turn.tell("ReplicaSetCreateError", text, warning=True)
    return _with_progress(told, "False", "ReplicaSetCreateError", text)


def wanted_replica_set(turn: Turn) -> Manifest:
    seen, spec = turn.seen, turn.seen.spec
    return new_replica_set(
        rollout=seen.rollout,
        template=spec.template,
        selector=spec.selector,
        hash=seen.hash,
        revision=next_revision(r.manifest for r in seen.replica_sets),
        replicas=spec.replicas,
        min_ready_seconds=spec.min_ready_seconds,
        stable_hash=turn.before.stable_hash,
    )


def _with_progress(turn: Turn, status: str, reason: str, message: str) -> Turn:
    condition = Condition(type=PROGRESSING, status=status, reason=reason, message=message)
    return turn.end(replace(turn.before, conditions=written(turn.before.conditions, condition, turn.now)))


def note_found(turn: Turn) -> Turn:
    """The first word about progress when the ReplicaSet was there already (contract 3.5)."""
    new = turn.seen.new
    if new is None or turn.before.condition(PROGRESSING) is not None:
        return turn
    return _with_progress(turn, "True", "FoundNewReplicaSet", f'Found new replica set "{new.name}"')


def follow_revision(turn: Turn) -> Turn:
    """The new ReplicaSet's annotations, then the Rollout's; writing the Rollout ends the pass (contract 10.4, 3.1)."""
    new = turn.seen.new
    if new is None:
        return turn
    others = (r.manifest for r in turn.seen.replica_sets if r.name != new.name)
    followed = follow(new.manifest, turn.seen.rollout, next_revision(others))
    turn = _sync(turn, new, followed)
    annotations = _rollout_annotations(turn, revision_of(followed))
    if annotations == annotations_of(turn.seen.rollout):
        return turn
    return _annotate(turn, annotations, revision_of(followed))


def _sync(turn: Turn, new: ReplicaSet, followed: Manifest) -> Turn:
    """Annotations, minReadySeconds and a stale injected anti-affinity of the new ReplicaSet (contract 10.4, 10.5)."""
    body: Manifest = {}
    if followed is not new.manifest:
        before = annotations_of(new.manifest)
        body["metadata"] = {"annotations": {k: v for k, v in annotations_of(followed).items() if before.get(k) != v}}
    seconds = turn.seen.spec.min_ready_seconds
    if int(new.manifest["spec"].get("minReadySeconds") or 0) != seconds:
        body["spec"] = {"minReadySeconds": seconds}
    if body:
        body = _with_anti_affinity(turn, new, body)
    return turn.act(Patch(reference(REPLICA_SETS, new.manifest), body)) if body else turn


def _with_anti_affinity(turn: Turn, new: ReplicaSet, body: Manifest) -> Manifest:
    """A stale injected term leaves the template only beside another write: no write of its own, no restart of pods (contract 10.5)."""
    template = new.manifest["spec"]["template"]
    avoided = "" if turn.before.stable_hash == new.hash else turn.before.stable_hash
    spread = set_anti_affinity(template, anti_affinity_of(turn.seen.rollout), namespace_of(turn.seen.rollout), avoided)
    if spread == template:
        return body
    affinity = {"affinity": (spread.get("spec") or {}).get("affinity")}
    return {**body, "spec": {**body.get("spec", {}), "template": {"spec": affinity}}}


def _rollout_annotations(turn: Turn, revision: int) -> Manifest:
    annotations = {**annotations_of(turn.seen.rollout), REVISION: str(revision)}
    referent = turn.seen.found.referent
    if turn.seen.spec.workload_ref is None or referent is None:
        return annotations
    return {**annotations, WORKLOAD_GENERATION: str(referent["metadata"].get("generation", ""))}


def _annotate(turn: Turn, annotations: Manifest, revision: int) -> Turn:
    """The whole Rollout as it was read, without the template it borrows, so that a write in between wins (contract 0.2)."""
    rollout = turn.seen.rollout
    written_ = turn.act(Replace(ROLLOUTS, {**rollout, "metadata": {**rollout["metadata"], "annotations": annotations}}))
    if annotations.get(REVISION) != annotations_of(rollout).get(REVISION):
        written_ = written_.tell("RolloutUpdated", f"Rollout updated to revision {revision}")
    return written_.end()
