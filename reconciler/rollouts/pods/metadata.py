"""Labels and annotations that pods wear while they play a role (contract 10.4 "Ephemeral metadata")."""

from collections.abc import Iterator, Mapping

from reconciler.kernel.identity import Labels, Manifest, controller_uid
from reconciler.kernel.plan import Replace
from reconciler.kernel.resources import PODS, REPLICA_SETS
from reconciler.rollouts.passes import Pass
from reconciler.rollouts.pods.replica_set import ReplicaSet
from reconciler.rollouts.replicas.template import ephemeral_of, replace_metadata, with_ephemeral
from reconciler.rollouts.spec.model import PodMetadata, RolloutSpec

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


def dress_pods(pass_: Pass) -> Pass:
    """Templates first, then the pods that exist already, in place: nothing restarts, and only keys once injected are removed."""
    if not wears_metadata(pass_.facts.spec):
        return pass_
    for replica_set, wanted in _metadata_by_replica_set(pass_):
        pass_ = pass_.act(*_dressed(pass_, replica_set, wanted))
    return pass_


def _metadata_by_replica_set(pass_: Pass) -> Iterator[tuple[ReplicaSet, PodMetadata]]:
    fresh, steady = roles(pass_.facts.spec)
    done = pass_.before.promoted or pass_.facts.stable is None
    if pass_.facts.new is not None:
        yield pass_.facts.new, (steady if done else fresh) or NONE
    if pass_.facts.moving and pass_.facts.stable is not None:
        yield pass_.facts.stable, steady or NONE
    for other in pass_.facts.others:
        yield other, NONE


def _dressed(pass_: Pass, replica_set: ReplicaSet, wanted: PodMetadata) -> Iterator[Replace]:
    former, manifest = ephemeral_of(replica_set.manifest), replica_set.manifest
    changed = with_ephemeral(manifest, wanted.labels, wanted.annotations)
    if changed is not manifest:
        yield Replace(REPLICA_SETS, changed)
    if replica_set.spec == 0:
        return
    worn = {"labels": wanted.labels, "annotations": wanted.annotations}
    for pod in pass_.facts.found.pods:
        if controller_uid(pod) != replica_set.uid:
            continue
        redressed = replace_metadata(pod, _injected(pod, former, pass_.facts.spec, changed["spec"]["template"]), worn)
        if redressed != pod:
            yield Replace(PODS, redressed)


def _injected(pod: Manifest, former: Mapping[str, Labels], spec: RolloutSpec, template: Manifest) -> Mapping[str, Labels]:
    """What the pod wears of ours: what its template's note tells, and what a role gives that the template has not.

    The note is written first. A process that ends before the pods are written would forget what these wear.
    """
    return {part: {**_left_over(pod, part, spec, template), **former[part]} for part in ("labels", "annotations")}


def _left_over(pod: Manifest, part: str, spec: RolloutSpec, template: Manifest) -> Labels:
    has, owned = pod["metadata"].get(part) or {}, (template.get("metadata") or {}).get(part) or {}
    given = [getattr(role, part) for role in roles(spec) if role is not None]
    return {key: value for role in given for key, value in role.items() if key not in owned and has.get(key) == value}
