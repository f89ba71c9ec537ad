"""Which rollouts an object concerns."""

from collections.abc import Iterator, Sequence

from reconciler.kernel.identity import Manifest, ObjectRef, Resource, annotations_of, controller_uid, labels_of, name_of, namespace_of
from reconciler.kernel.resources import (
    ANALYSIS_RUNS,
    ANALYSIS_TEMPLATES,
    CLUSTER_ANALYSIS_TEMPLATES,
    DEPLOYMENTS,
    EXPERIMENTS,
    REPLICA_SETS,
    ROLLOUTS,
    SERVICES,
)
from reconciler.kernel.well_known import HASH_LABEL, MANAGED_BY
from reconciler.kube.cache import Cache
from reconciler.rollouts.indexes import borrower_word, route_word, service_word
from reconciler.rollouts.pods.claim import matches
from reconciler.rollouts.traffic.leading import led_word
from reconciler.rollouts.traffic.marks import owners

Place = tuple[str, str]
OWN_GROUPS = ("", "apps", "argoproj.io")
"""Groups of which no router writes anything."""


def concerned(resource: Resource, manifest: Manifest, cache: Cache, leading: Sequence[Resource] = ()) -> Iterator[Place]:
    """(namespace, name) of every rollout an event may matter to. Only an orphan and a template are compared with all of them.

    `leading` are the kinds of routers' objects that may lead to this one.
    """
    namespace, name = namespace_of(manifest), name_of(manifest)
    if resource == ROLLOUTS:
        yield namespace, name
    elif resource in (REPLICA_SETS, ANALYSIS_RUNS, EXPERIMENTS):
        yield from _owners(namespace, manifest)
    if resource == SERVICES and MANAGED_BY in annotations_of(manifest):
        yield namespace, annotations_of(manifest)[MANAGED_BY]
    if resource.group not in OWN_GROUPS:
        yield from ((owner.namespace, owner.name) for owner in owners(manifest))
    here = ObjectRef(resource, namespace, name)
    led = [(kind, leader) for kind in leading if resource in leading for leader in cache.indexed(kind, led_word(here))]
    for kind, leader in led:
        yield from map(_place, cache.indexed(ROLLOUTS, route_word(ObjectRef(kind, namespace_of(leader), name_of(leader)))))
    for rollout in _referring(resource, manifest, cache):
        yield _place(rollout)


def _place(rollout: Manifest) -> Place:
    return namespace_of(rollout), name_of(rollout)


def _referring(resource: Resource, manifest: Manifest, cache: Cache) -> Iterator[Manifest]:
    namespace, name = namespace_of(manifest), name_of(manifest)
    if resource == SERVICES:
        yield from cache.indexed(ROLLOUTS, service_word(namespace, name))
    if resource.group not in OWN_GROUPS:
        yield from cache.indexed(ROLLOUTS, route_word(ObjectRef(resource, namespace, name)))
    if resource in (DEPLOYMENTS, REPLICA_SETS):
        yield from cache.indexed(ROLLOUTS, borrower_word(resource.kind, namespace, name))
    if resource in (ANALYSIS_TEMPLATES, CLUSTER_ANALYSIS_TEMPLATES):
        yield from (rollout for rollout in cache.list(ROLLOUTS, namespace) if _measures(rollout))
    if resource == REPLICA_SETS and _is_orphan(manifest):
        yield from (rollout for rollout in cache.list(ROLLOUTS, namespace) if _may_adopt(rollout, manifest))


def _owners(namespace: str, manifest: Manifest) -> Iterator[Place]:
    for owner in manifest["metadata"].get("ownerReferences") or []:
        if owner.get("controller") and owner.get("kind") == "Rollout":
            yield namespace, str(owner["name"])


def _strategy(rollout: Manifest) -> Manifest:
    strategy = (rollout.get("spec") or {}).get("strategy") or {}
    found: Manifest = strategy.get("canary") or strategy.get("blueGreen") or {}
    return found


def _measures(rollout: Manifest) -> bool:
    """True when the rollout runs any analysis: templates refer to templates, so every one of them may matter."""
    strategy = _strategy(rollout)
    configured = any(strategy.get(key) for key in ("analysis", "prePromotionAnalysis", "postPromotionAnalysis"))
    return configured or any(step.get("analysis") for step in strategy.get("steps") or ())


def _is_orphan(manifest: Manifest) -> bool:
    return controller_uid(manifest) is None and HASH_LABEL in labels_of(manifest)


def _may_adopt(rollout: Manifest, orphan: Manifest) -> bool:
    return matches((rollout.get("spec") or {}).get("selector") or {}, labels_of(orphan))
