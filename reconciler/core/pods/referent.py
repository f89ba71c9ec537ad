"""The Deployment a rollout borrows its template from, sized down as the rollout takes over (contract 1.6)."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from reconciler.core.turn.turn import Turn
from reconciler.model.identity import Manifest, Resource
from reconciler.model.plan import Replace
from reconciler.model.resources import DEPLOYMENTS, POD_TEMPLATES, REPLICA_SETS
from reconciler.model.rollout import RolloutSpec, WorkloadRef
from reconciler.model.rollout_status import Phase
from reconciler.model.workload import ReplicaSet

REFERENTS: Mapping[tuple[str, str], Resource] = {
    ("apps", "Deployment"): DEPLOYMENTS,
    ("apps", "ReplicaSet"): REPLICA_SETS,
    ("", "PodTemplate"): POD_TEMPLATES,
}


def scale_after_success(turn: Turn) -> Turn:
    """`onsuccess`: nothing left of the Deployment once the first revision was healthy."""
    if not _first_revision(turn, "onsuccess") or turn.before.phase != Phase.HEALTHY:
        return turn
    return _scaled(turn, 0)


def scale_along(turn: Turn, target: Callable[[Turn, ReplicaSet], int]) -> Turn:
    """`progressively`: the Deployment holds what the rollout has not ready yet, up or down; `target` are the new version's pods."""
    if not _first_revision(turn, "progressively"):
        return turn
    if turn.before.phase == Phase.HEALTHY:
        return _scaled(turn, 0)
    if turn.before.ready > 0 or _shrinks(turn, target):
        return _scaled(turn, max(0, turn.seen.spec.replicas - turn.before.ready))
    return turn


def _shrinks(turn: Turn, target: Callable[[Turn, ReplicaSet], int]) -> bool:
    """Whether the new version loses pods now."""
    new = turn.seen.new
    return new is not None and target(turn, new) < new.spec


def _first_revision(turn: Turn, mode: str) -> bool:
    """A later revision never touches the Deployment."""
    reference, referent = turn.seen.spec.workload_ref, turn.seen.found.referent
    chosen = reference is not None and reference.kind == "Deployment" and reference.scale_down == mode
    return chosen and referent is not None and turn.seen.revision == 1


def _scaled(turn: Turn, replicas: int) -> Turn:
    referent = turn.seen.found.referent
    if referent is None or (referent.get("spec") or {}).get("replicas", 1) == replicas:
        return turn
    return turn.act(Replace(DEPLOYMENTS, {**referent, "spec": {**referent["spec"], "replicas": replicas}}))


def borrowed(spec: RolloutSpec, referent: Manifest) -> RolloutSpec:
    """The spec with the referent's pod template, and its selector where the rollout has none (contract 1.6)."""
    if referent.get("kind") == "PodTemplate":
        return replace(spec, template=referent.get("template") or {})
    inside = referent.get("spec") or {}
    return replace(spec, template=inside.get("template") or {}, selector=spec.selector or inside.get("selector") or {})


def referent_of(reference: WorkloadRef) -> Resource | None:
    """The resource a workloadRef means; None for kinds outside the contract's table."""
    return REFERENTS.get((reference.api_version.rpartition("/")[0], reference.kind))
