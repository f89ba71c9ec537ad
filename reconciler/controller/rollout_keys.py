"""Which rollouts an object concerns, told from manifests alone."""

from collections.abc import Iterable, Iterator

from reconciler.core.pods.claim import matches
from reconciler.model.identity import Manifest, Resource, annotations_of, labels_of, name_of, namespace_of
from reconciler.model.resources import (
    ANALYSIS_RUNS,
    ANALYSIS_TEMPLATES,
    CLUSTER_ANALYSIS_TEMPLATES,
    DEPLOYMENTS,
    REPLICA_SETS,
    ROLLOUTS,
    SERVICES,
)
from reconciler.model.workload import HASH_LABEL, MANAGED_BY

Place = tuple[str, str]
SERVICE_FIELDS = ("canaryService", "stableService", "activeService", "previewService")


def concerned(resource: Resource, manifest: Manifest, rollouts: Iterable[Manifest]) -> Iterator[Place]:
    """(namespace, name) of every rollout an event may matter to; `rollouts` are those of the object's namespace."""
    namespace = namespace_of(manifest)
    if resource == ROLLOUTS:
        yield namespace, name_of(manifest)
    elif resource in (REPLICA_SETS, ANALYSIS_RUNS):
        yield from _owners(namespace, manifest)
    if resource == SERVICES and MANAGED_BY in annotations_of(manifest):
        yield namespace, annotations_of(manifest)[MANAGED_BY]
    for rollout in rollouts:
        if _refers(rollout, resource, manifest):
            yield namespace_of(rollout), name_of(rollout)


def _owners(namespace: str, manifest: Manifest) -> Iterator[Place]:
    for owner in manifest["metadata"].get("ownerReferences") or []:
        if owner.get("controller") and owner.get("kind") == "Rollout":
            yield namespace, str(owner["name"])


def _refers(rollout: Manifest, resource: Resource, manifest: Manifest) -> bool:
    if resource == SERVICES:
        return name_of(manifest) in _service_names(rollout)
    if resource in (ANALYSIS_TEMPLATES, CLUSTER_ANALYSIS_TEMPLATES):
        return _measures(rollout)
    if resource == DEPLOYMENTS:
        return _borrows(rollout, manifest)
    return resource == REPLICA_SETS and (_borrows(rollout, manifest) or _orphan_of(rollout, manifest))


def _strategy(rollout: Manifest) -> Manifest:
    strategy = (rollout.get("spec") or {}).get("strategy") or {}
    found: Manifest = strategy.get("canary") or strategy.get("blueGreen") or {}
    return found


def _service_names(rollout: Manifest) -> set[str]:
    strategy = _strategy(rollout)
    return {strategy[field] for field in SERVICE_FIELDS if strategy.get(field)}


def _measures(rollout: Manifest) -> bool:
    """Whether it runs any analysis: templates refer to templates, so every one of them may matter."""
    strategy = _strategy(rollout)
    configured = any(strategy.get(key) for key in ("analysis", "prePromotionAnalysis", "postPromotionAnalysis"))
    return configured or any(step.get("analysis") for step in strategy.get("steps") or ())


def _borrows(rollout: Manifest, manifest: Manifest) -> bool:
    reference = (rollout.get("spec") or {}).get("workloadRef") or {}
    return bool(reference) and reference.get("kind") == manifest.get("kind") and reference.get("name") == name_of(manifest)


def _orphan_of(rollout: Manifest, manifest: Manifest) -> bool:
    owned = any(owner.get("controller") for owner in manifest["metadata"].get("ownerReferences") or [])
    selector = (rollout.get("spec") or {}).get("selector") or {}
    return not owned and HASH_LABEL in labels_of(manifest) and matches(selector, labels_of(manifest))
