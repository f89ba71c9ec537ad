"""Service selectors: which version a Service selects, and when it may move to another (contract 5.3)."""

from collections.abc import Mapping
from dataclasses import replace

from reconciler.core.pods.sizes import capable
from reconciler.core.turn.turn import Turn, reference
from reconciler.model.identity import Manifest, annotations_of
from reconciler.model.plan import Patch, PatchStyle
from reconciler.model.resources import SERVICES
from reconciler.model.workload import HASH_LABEL, MANAGED_BY, ReplicaSet


def switch(turn: Turn, name: str, hash: str) -> Turn:
    """The Service selects this version and is marked as ours; nothing is written when it is so already."""
    service = turn.seen.found.services.get(name)
    if service is None or not hash:
        return turn
    selected, owned = turn.selectors.get(name, ""), MANAGED_BY in annotations_of(service)
    if selected == hash and owned:
        return turn
    body: Manifest = {"spec": {"selector": {HASH_LABEL: hash}}}
    if not owned:
        body["metadata"] = {"annotations": {MANAGED_BY: turn.seen.name}}
    moved = replace(turn, selectors={**turn.selectors, name: hash}).act(Patch(reference(SERVICES, service), body, PatchStyle.STRATEGIC))
    if selected == hash:
        return moved
    return moved.tell("SwitchService", f"Switched selector for service '{name}' from '{selected}' to '{hash}'")


def switch_when_able(turn: Turn, name: str, target: ReplicaSet | None) -> Turn:
    """A switch that waits for pods: a Service not ours yet needs all of them, one that is ours needs one (13.37)."""
    service = turn.seen.found.services.get(name)
    if service is None or target is None:
        return turn
    adopted = MANAGED_BY in annotations_of(service)
    if turn.selectors.get(name, "") != target.hash and not _serves(target, whole=not adopted):
        return turn
    return switch(turn, name, target.hash)


def _serves(target: ReplicaSet, *, whole: bool) -> bool:
    if whole:
        return target.spec > 0 and target.available >= target.spec
    return target.available > 0


def point_services(turn: Turn) -> Turn:
    """The stable Service to the stable version, the canary Service to the new one (contract 4.1 step 9)."""
    canary = turn.seen.spec.canary
    if canary is None:
        return turn
    turn = switch_when_able(turn, canary.stable_service, turn.seen.stable)
    if turn.aborted:
        return turn if canary.routing else switch_when_able(turn, canary.canary_service, turn.seen.stable)
    if rolling_back_dynamically(turn):
        return turn
    return switch_when_able(turn, canary.canary_service, turn.seen.new)


def rolling_back_dynamically(turn: Turn) -> bool:
    """Back to a stable version that dynamicStableScale made small: its pods come first, its requests later (contract 4.8, 9.1 row 1)."""
    canary, new, weights = turn.seen.spec.canary, turn.seen.new, turn.before.canary.weights
    if canary is None or not canary.dynamic or new is None or weights is None or not turn.before.promoted:
        return False
    elsewhere = weights.canary.hash not in ("", new.hash)
    return elsewhere and not capable(new.available, turn.seen.spec.replicas, replace(canary, threshold=None))


def released(service: Manifest, owner: str | None, wanted: bool) -> Mapping[str, object] | None:
    """The patch that gives a Service back when its rollout is gone or no longer names it; None when it stays (contract 5.3).

    `owner` is the managed-by annotation. A Service with a hash but no owner is somebody else's and stays as it is (13.64).
    """
    if owner is None or wanted:
        return None
    return {"metadata": {"annotations": {MANAGED_BY: None}}, "spec": {"selector": {HASH_LABEL: None}}}
