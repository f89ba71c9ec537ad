"""By which words Rollouts and ReplicaSets are found without looking at all of them."""

from reconciler.kernel.identity import Manifest, ObjectRef, controller_uid, namespace_of
from reconciler.rollouts.traffic.marks import owners
from reconciler.rollouts.traffic.named import routed_refs
from reconciler.rollouts.traffic.router import Owner, Routers

SERVICE_FIELDS = ("canaryService", "stableService", "activeService", "previewService")


def orphan_word(namespace: str) -> str:
    """What has no controller in a namespace, and so may be adopted."""
    return f"orphan {namespace}"


def orphan_words(manifest: Manifest) -> tuple[str, ...]:
    return () if controller_uid(manifest) else (orphan_word(namespace_of(manifest)),)


def borrower_word(kind: str, namespace: str, name: str) -> str:
    """Rollouts that borrow the template of this object."""
    return f"borrows {kind} {namespace}/{name}"


def service_word(namespace: str, name: str) -> str:
    """Rollouts that name this Service."""
    return f"service {namespace}/{name}"


def route_word(ref: ObjectRef) -> str:
    """Rollouts that move the traffic of this object."""
    return f"routes {ref}"


def routed_words(routers: Routers, rollout: Manifest) -> tuple[str, ...]:
    """A Rollout is listed under the objects that its routers need."""
    return tuple(route_word(ref) for ref in routed_refs(routers, rollout))


def held_word(owner: Owner) -> str:
    """Objects of routers that hold something of this Rollout."""
    return f"held by {owner}"


def held_words(manifest: Manifest) -> tuple[str, ...]:
    return tuple(held_word(owner) for owner in owners(manifest))


def rollout_words(rollout: Manifest) -> tuple[str, ...]:
    """A Rollout is listed under what it refers to by name (contract 1.6, 1.4)."""
    spec, namespace = _object(rollout.get("spec")), namespace_of(rollout)
    reference, strategy = _object(spec.get("workloadRef")), _object(spec.get("strategy"))
    fields = _object(strategy.get("canary")) or _object(strategy.get("blueGreen"))
    services = dict.fromkeys(service_word(namespace, str(fields[field])) for field in SERVICE_FIELDS if fields.get(field))
    borrowed = (borrower_word(str(reference.get("kind")), namespace, str(reference.get("name"))),) if reference else ()
    return (*borrowed, *services)


def _object(value: object) -> Manifest:
    return value if isinstance(value, dict) else {}
