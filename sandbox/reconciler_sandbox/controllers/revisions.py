"""ReplicaSets as the revisions of a Deployment: how one is made, marked and recognised."""

from collections.abc import Sequence

from reconciler_sandbox.controllers.objects import Manifest, annotations_of, labels_of, name_of, reference_to
from reconciler_sandbox.controllers.progress import Fleet
from reconciler_sandbox.controllers.rolling import (
    DESIRED,
    HASH_LABEL,
    MAXIMUM,
    REVISION,
    Bounds,
    asked,
    counted,
    revision_of,
    template_hash,
    total,
)

OWN_ANNOTATIONS = {"kubectl.kubernetes.io/last-applied-configuration", REVISION, DESIRED, MAXIMUM}


def new_replica_set(deployment: Manifest, old: Sequence[Manifest], bounds: Bounds, collisions: int) -> Manifest:
    """The ReplicaSet of the Deployment's current template, as large as the surge allows now."""
    template = deployment["spec"]["template"]
    label = {HASH_LABEL: template_hash(template, collisions)}
    selector = deployment["spec"]["selector"]
    labels = {**labels_of(template), **label}
    return {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": {
            "name": f"{name_of(deployment)}-{label[HASH_LABEL]}",
            "namespace": deployment["metadata"]["namespace"],
            "labels": labels,
            "annotations": {
                **_inherited(deployment),
                **size_marks(bounds),
                REVISION: str(max((revision_of(r) for r in old), default=0) + 1),
            },
            "ownerReferences": [reference_to(deployment, "apps/v1", "Deployment")],
        },
        "spec": {
            "replicas": max(0, min(bounds.maximum - total(old), bounds.replicas)),
            "minReadySeconds": deployment["spec"].get("minReadySeconds", 0),
            "selector": {**selector, "matchLabels": {**(selector.get("matchLabels") or {}), **label}},
            "template": {**template, "metadata": {**(template.get("metadata") or {}), "labels": labels}},
        },
    }


def newest_changes(deployment: Manifest, newest: Manifest, revision: int) -> Manifest:
    """What the newest ReplicaSet still lacks of its Deployment: annotations, a revision above all others, minReadySeconds."""
    annotations = {name: text for name, text in _inherited(deployment).items() if annotations_of(newest).get(name) != text}
    if revision_of(newest) < revision:
        annotations[REVISION] = str(revision)
    change: Manifest = {"metadata": {"annotations": annotations}} if annotations else {}
    minimum = deployment["spec"].get("minReadySeconds", 0)
    if newest["spec"].get("minReadySeconds", 0) != minimum:
        change["spec"] = {"minReadySeconds": minimum}
    return change


def _inherited(deployment: Manifest) -> dict[str, str]:
    return {name: text for name, text in annotations_of(deployment).items() if name not in OWN_ANNOTATIONS}


def size_marks(bounds: Bounds) -> dict[str, str]:
    """The annotations that say for which Deployment size a ReplicaSet was scaled."""
    return {DESIRED: str(bounds.replicas), MAXIMUM: str(bounds.maximum)}


def is_resized(deployment: Manifest, fleet: Fleet) -> bool:
    """Whether the Deployment's replicas changed since its active ReplicaSets were scaled."""
    wanted = str(deployment["spec"].get("replicas", 1))
    return any(asked(r) > 0 and annotations_of(r).get(DESIRED, wanted) != wanted for r in fleet.everyone)


def is_saturated(replica_set: Manifest, bounds: Bounds) -> bool:
    """Whether the newest ReplicaSet alone carries the whole Deployment."""
    sized_for = annotations_of(replica_set).get(DESIRED) == str(bounds.replicas)
    return sized_for and asked(replica_set) == bounds.replicas == counted([replica_set], "availableReplicas")
