"""Service selectors: which version a Service selects, and when it may move to another (contract 5.3)."""

from collections.abc import Mapping
from dataclasses import replace

from reconciler.kernel.identity import Manifest, annotations_of
from reconciler.kernel.plan import Patch, PatchStyle
from reconciler.kernel.resources import SERVICES
from reconciler.kernel.well_known import HASH_LABEL, MANAGED_BY
from reconciler.rollouts.passes import Pass, reference
from reconciler.rollouts.pods.replica_set import ReplicaSet
from reconciler.rollouts.pods.sizes import capable
from reconciler.rollouts.spec.model import Canary


def switch(pass_: Pass, name: str, hash: str) -> Pass:
    """The Service selects this version and is marked as ours; nothing is written when it is so already."""
    service = pass_.facts.found.services.get(name)
    if service is None or not hash:
        return pass_
    selected, owned = pass_.selectors.get(name, ""), MANAGED_BY in annotations_of(service)
    if selected == hash and owned:
        return pass_
    body: Manifest = {"spec": {"selector": {HASH_LABEL: hash}}}
    if not owned:
        body["metadata"] = {"annotations": {MANAGED_BY: pass_.facts.name}}
    moved = replace(pass_, selectors={**pass_.selectors, name: hash}).act(Patch(reference(SERVICES, service), body, PatchStyle.STRATEGIC))
    if selected == hash:
        return moved
    return moved.tell("SwitchService", f"Switched selector for service '{name}' from '{selected}' to '{hash}'")


def switch_when_able(pass_: Pass, name: str, target: ReplicaSet | None) -> Pass:
    """A switch that waits for pods: a Service not ours yet needs all of them, one that is ours needs one (contract 13.37)."""
    service = pass_.facts.found.services.get(name)
    if service is None or target is None:
        return pass_
    adopted = MANAGED_BY in annotations_of(service)
    if pass_.selectors.get(name, "") != target.hash and not _serves(target, whole=not adopted):
        return pass_
    return switch(pass_, name, target.hash)


def _serves(target: ReplicaSet, *, whole: bool) -> bool:
    if whole:
        return target.spec > 0 and target.available >= target.spec
    return target.available > 0


def point_services(pass_: Pass) -> Pass:
    """The stable Service to the stable version, the canary Service to the new one (contract 4.1 step 9)."""
    canary = pass_.facts.spec.canary
    if canary is None:
        return pass_
    pass_ = _point_pair(pass_, canary)
    pass_ = switch_when_able(pass_, canary.stable_service, pass_.facts.stable)
    if pass_.aborted:
        return pass_ if canary.routing else switch_when_able(pass_, canary.canary_service, pass_.facts.stable)
    if rolling_back_dynamically(pass_):
        return pass_
    return switch_when_able(pass_, canary.canary_service, pass_.facts.new)


def _point_pair(pass_: Pass, canary: Canary) -> Pass:
    """Ping and pong: the canary's side to the new version, the other one to stable (contract 4.1 step 8, 13.48).

    A side without weight needs no pod to move, so that pods whose readiness waits for their Service become ready. One with weight
    keeps the pods it has until the new version has one.
    """
    new, pair = pass_.facts.new, canary.ping_pong
    if pair is None:
        return pass_
    ahead, home = pair.sides(pass_.before.canary.stable_ping_pong)
    pass_ = switch_when_able(pass_, home, pass_.facts.stable)
    if new is None or pass_.before.promoted:
        return pass_
    weights = pass_.before.canary.weights
    if weights is not None and weights.canary.weight > 0 and new.available == 0:
        return pass_
    return switch(pass_, ahead, new.hash)


def rolling_back_dynamically(pass_: Pass) -> bool:
    """Back to a stable version that dynamicStableScale made small: its pods come first, its requests later (contract 4.8, 9.1 row 1)."""
    canary, new, weights = pass_.facts.spec.canary, pass_.facts.new, pass_.before.canary.weights
    if canary is None or not canary.dynamic or new is None or weights is None or not pass_.before.promoted:
        return False
    elsewhere = weights.canary.hash not in ("", new.hash)
    return elsewhere and not capable(new.available, pass_.facts.spec.replicas, replace(canary, threshold=None))


def released(service: Manifest, owner: str | None, wanted: bool) -> Mapping[str, object] | None:
    """The patch that gives a Service back when its rollout is gone or no longer names it; None when it stays (contract 5.3).

    `owner` is the managed-by annotation. A Service with a hash but no owner is another program's and stays as it is (contract 13.64).
    """
    if owner is None or wanted:
        return None
    return {"metadata": {"annotations": {MANAGED_BY: None}}, "spec": {"selector": {HASH_LABEL: None}}}
