"""The Deployment a rollout borrows its template from, sized down as the rollout takes over (contract 1.6)."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from reconciler.kernel.identity import Manifest, Resource
from reconciler.kernel.plan import Replace
from reconciler.kernel.resources import DEPLOYMENTS, POD_TEMPLATES, REPLICA_SETS
from reconciler.kernel.well_known import HASH_LABEL
from reconciler.rollouts.passes import Pass
from reconciler.rollouts.pods.replica_set import ReplicaSet
from reconciler.rollouts.spec.model import RolloutSpec, WorkloadRef
from reconciler.rollouts.status.model import Phase

REFERENTS: Mapping[tuple[str, str], Resource] = {
    ("apps", "Deployment"): DEPLOYMENTS,
    ("apps", "ReplicaSet"): REPLICA_SETS,
    ("", "PodTemplate"): POD_TEMPLATES,
}


def scale_after_success(pass_: Pass) -> Pass:
    """`onsuccess`: nothing left of the Deployment once the first revision was healthy."""
    if not _first_revision(pass_, "onsuccess") or pass_.before.phase != Phase.HEALTHY:
        return pass_
    return _scaled(pass_, 0)


def scale_along(pass_: Pass, target: Callable[[Pass, ReplicaSet], int]) -> Pass:
    """`progressively`: the Deployment holds what the rollout has not ready yet, up or down; `target` are the new version's pods."""
    if not _first_revision(pass_, "progressively"):
        return pass_
    if pass_.before.phase == Phase.HEALTHY:
        return _scaled(pass_, 0)
    if pass_.before.ready > 0 or _shrinks(pass_, target):
        return _scaled(pass_, max(0, pass_.facts.spec.replicas - pass_.before.ready))
    return pass_


def _shrinks(pass_: Pass, target: Callable[[Pass, ReplicaSet], int]) -> bool:
    """True when the new version loses pods now."""
    new = pass_.facts.new
    return new is not None and target(pass_, new) < new.spec


def _first_revision(pass_: Pass, mode: str) -> bool:
    """A later revision never touches the Deployment."""
    reference, referent = pass_.facts.spec.workload_ref, pass_.facts.found.referent
    chosen = reference is not None and reference.kind == "Deployment" and reference.scale_down == mode
    return chosen and referent is not None and pass_.facts.revision == 1


def _scaled(pass_: Pass, replicas: int) -> Pass:
    referent = pass_.facts.found.referent
    if referent is None or (referent.get("spec") or {}).get("replicas", 1) == replicas:
        return pass_
    return pass_.act(Replace(DEPLOYMENTS, {**referent, "spec": {**referent["spec"], "replicas": replicas}}))


def borrowed(spec: RolloutSpec, referent: Manifest) -> RolloutSpec:
    """The spec with the referent's pod template, and its selector where the rollout has none (contract 1.6)."""
    if referent.get("kind") == "PodTemplate":
        return replace(spec, template=referent.get("template") or {})
    inside = referent.get("spec") or {}
    return replace(spec, template=inside.get("template") or {}, selector=spec.selector or inside.get("selector") or {})


def without_hash(replica_set: Manifest) -> Manifest:
    """A ReplicaSet as the object whose template it was made from: without the label of its version."""
    spec = replica_set["spec"]
    template, selector = spec.get("template") or {}, spec.get("selector") or {}
    inner = template.get("metadata") or {}
    bare = {**template, "metadata": {**inner, "labels": _bare(inner.get("labels"))}}
    return {"spec": {"template": bare, "selector": {**selector, "matchLabels": _bare(selector.get("matchLabels"))}}}


def _bare(labels: Mapping[str, str] | None) -> Manifest:
    return {key: value for key, value in (labels or {}).items() if key != HASH_LABEL}


def referent_of(reference: WorkloadRef) -> Resource | None:
    """The resource a workloadRef means; None for kinds outside the contract's table."""
    return REFERENTS.get((reference.api_version.rpartition("/")[0], reference.kind))
