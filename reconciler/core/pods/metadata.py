"""Labels and annotations that pods wear while they play a role (contract 10.4, "Ephemeral metadata")."""

from collections.abc import Iterator

from reconciler.core.replicas.template import ephemeral_of, replace_metadata, with_ephemeral
from reconciler.core.turn.turn import Turn
from reconciler.model.identity import controller_uid
from reconciler.model.plan import Replace
from reconciler.model.resources import PODS, REPLICA_SETS
from reconciler.model.rollout import PodMetadata, RolloutSpec
from reconciler.model.workload import ReplicaSet

NONE = PodMetadata()


def roles(spec: RolloutSpec) -> tuple[PodMetadata | None, PodMetadata | None]:
    """What (new, stable) pods wear; None where nothing is configured."""
    if spec.canary:
        return spec.canary.canary_metadata, spec.canary.stable_metadata
    if spec.blue_green:
        return spec.blue_green.preview_metadata, spec.blue_green.active_metadata
    return None, None


def wears_metadata(spec: RolloutSpec) -> bool:
    return any(role is not None for role in roles(spec))


def dress_pods(turn: Turn) -> Turn:
    """Templates first, then the pods that exist already, in place: nothing restarts, and only keys once injected are removed."""
    if not wears_metadata(turn.seen.spec):
        return turn
    for replica_set, wanted in _wardrobe(turn):
        turn = turn.act(*_dressed(turn, replica_set, wanted))
    return turn


def _wardrobe(turn: Turn) -> Iterator[tuple[ReplicaSet, PodMetadata]]:
    fresh, settled = roles(turn.seen.spec)
    done = turn.before.promoted or turn.seen.stable is None
    if turn.seen.new is not None:
        yield turn.seen.new, (settled if done else fresh) or NONE
    if turn.seen.moving and turn.seen.stable is not None:
        yield turn.seen.stable, settled or NONE
    for other in turn.seen.others:
        yield other, NONE


def _dressed(turn: Turn, replica_set: ReplicaSet, wanted: PodMetadata) -> Iterator[Replace]:
    former, manifest = ephemeral_of(replica_set.manifest), replica_set.manifest
    changed = with_ephemeral(manifest, wanted.labels, wanted.annotations)
    if changed is not manifest:
        yield Replace(REPLICA_SETS, changed)
    if replica_set.spec == 0:
        return
    worn = {"labels": wanted.labels, "annotations": wanted.annotations}
    for pod in turn.seen.found.pods:
        if controller_uid(pod) != replica_set.uid:
            continue
        redressed = replace_metadata(pod, former, worn)
        if redressed != pod:
            yield Replace(PODS, redressed)
