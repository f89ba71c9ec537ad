"""By which words Rollouts and what belongs to them are found without looking at all objects of a kind."""

from itertools import accumulate

from reconciler.kernel.identity import Manifest, ObjectRef, Resource, annotations_of, controller_uid, name_of, namespace_of
from reconciler.kernel.well_known import MANAGED_BY
from reconciler.rollouts.traffic.leading import led_words
from reconciler.rollouts.traffic.marks import owners
from reconciler.rollouts.traffic.named import routed_refs
from reconciler.rollouts.traffic.router import Owner, Routers

SERVICE_FIELDS = ("canaryService", "stableService", "activeService", "previewService", "pingService", "pongService")


def orphan_word(namespace: str) -> str:
    """What has no controller in a namespace, and so may be adopted."""
    return f"orphan {namespace}"


def orphan_words(manifest: Manifest) -> tuple[str, ...]:
    return () if controller_uid(manifest) else (orphan_word(namespace_of(manifest)),)


def managed_word(namespace: str, rollout: str) -> str:
    """Services that are marked as this Rollout's."""
    return f"managed by {namespace}/{rollout}"


def service_words(service: Manifest) -> tuple[str, ...]:
    managed = annotations_of(service).get(MANAGED_BY)
    return (managed_word(namespace_of(service), managed),) if managed else ()


def namesake_word(namespace: str, rollout: str) -> str:
    """Analysis runs and Experiments whose names begin like those that this Rollout makes: its own and foreign ones."""
    return f"named {namespace}/{rollout}-"


def run_words(run: Manifest) -> tuple[str, ...]:
    """A run is listed under each beginning of its name that ends before a dash: any of them may be a Rollout's name."""
    first, *others = name_of(run).split("-")
    beginnings = accumulate(others[:-1], lambda known, part: f"{known}-{part}", initial=first) if others else ()
    return tuple(namesake_word(namespace_of(run), beginning) for beginning in beginnings)


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


def route_object_words(routers: Routers, kind: Resource, manifest: Manifest) -> tuple[str, ...]:
    """An object of routers is listed under the Rollouts that it holds something of, and under the objects that it leads to."""
    return (*held_words(manifest), *led_words(routers, kind, manifest))


def rollout_words(rollout: Manifest) -> tuple[str, ...]:
    """A Rollout is listed under what it refers to by name (contract 1.6, 1.4)."""
    spec, namespace = _object(rollout.get("spec")), namespace_of(rollout)
    reference, strategy = _object(spec.get("workloadRef")), _object(spec.get("strategy"))
    fields = _object(strategy.get("canary")) or _object(strategy.get("blueGreen"))
    fields = {**fields, **_object(fields.get("pingPong"))}
    services = dict.fromkeys(service_word(namespace, str(fields[field])) for field in SERVICE_FIELDS if fields.get(field))
    borrowed = (borrower_word(str(reference.get("kind")), namespace, str(reference.get("name"))),) if reference else ()
    return (*borrowed, *services)


def _object(value: object) -> Manifest:
    return value if isinstance(value, dict) else {}
