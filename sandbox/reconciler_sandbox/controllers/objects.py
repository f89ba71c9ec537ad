"""Reading and writing the parts that all Kubernetes objects share: names, owners, labels, conditions, times, paths."""

from collections.abc import Callable, Iterable, Mapping
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any, NamedTuple

Manifest = dict[str, Any]


class Key(NamedTuple):
    """Which object a pass is about; cluster-scoped objects have an empty namespace."""

    namespace: str
    name: str


def key_of(manifest: Manifest) -> Key:
    """The key of an object."""
    return Key(manifest["metadata"].get("namespace", ""), manifest["metadata"]["name"])


def name_of(manifest: Manifest) -> str:
    """The object's name."""
    return str(manifest["metadata"]["name"])


def uid_of(manifest: Manifest) -> str:
    """The object's uid."""
    return str(manifest["metadata"]["uid"])


def labels_of(manifest: Manifest) -> dict[str, str]:
    """The labels, empty when absent."""
    return manifest.get("metadata", {}).get("labels") or {}


def annotations_of(manifest: Manifest) -> dict[str, str]:
    """The annotations, empty when absent."""
    return manifest.get("metadata", {}).get("annotations") or {}


def is_deleting(manifest: Manifest) -> bool:
    """Whether somebody asked for the object's deletion."""
    return bool(manifest["metadata"].get("deletionTimestamp"))


def collection(resource: str, namespace: str) -> str:
    """The URL path of a namespaced collection; `resource` is e.g. `apps/v1/replicasets` or `v1/pods`."""
    version, plural = resource.rsplit("/", 1)
    root = "/api" if "/" not in version else "/apis"
    return f"{root}/{version}/namespaces/{namespace}/{plural}"


def everywhere(resource: str) -> str:
    """The URL path of a collection across namespaces."""
    version, plural = resource.rsplit("/", 1)
    root = "/api" if "/" not in version else "/apis"
    return f"{root}/{version}/{plural}"


def one(resource: str, key: Key) -> str:
    """The URL path of one namespaced object."""
    return f"{collection(resource, key.namespace)}/{key.name}"


def controller_reference(manifest: Manifest) -> Manifest | None:
    """The owner reference that says `controller: true`."""
    references = manifest["metadata"].get("ownerReferences") or ()
    return next((reference for reference in references if reference.get("controller")), None)


def is_controlled_by(manifest: Manifest, uid: str) -> bool:
    """Whether the object's controller is the one with this uid."""
    reference = controller_reference(manifest)
    return reference is not None and reference["uid"] == uid


def controller_keys(kind: str, manifest: Manifest) -> Iterable[Key]:
    """The key of the object's controller, if it is of this kind."""
    reference = controller_reference(manifest)
    if reference is not None and reference["kind"] == kind:
        yield Key(manifest["metadata"].get("namespace", ""), reference["name"])


def reference_to(owner: Manifest, api_version: str, kind: str) -> Manifest:
    """An owner reference that makes `owner` the controller."""
    return {
        "apiVersion": api_version,
        "kind": kind,
        "name": name_of(owner),
        "uid": uid_of(owner),
        "controller": True,
        "blockOwnerDeletion": True,
    }


def selector_text(selector: Manifest) -> str:
    """A LabelSelector as the `labelSelector` query value."""
    parts = [f"{key}={value}" for key, value in sorted((selector.get("matchLabels") or {}).items())]
    for expression in selector.get("matchExpressions") or ():
        parts.append(_requirement(expression["key"], expression["operator"], expression.get("values") or []))
    return ",".join(parts)


def _requirement(key: str, operator: str, values: list[str]) -> str:
    joined = ",".join(values)
    return {"In": f"{key} in ({joined})", "NotIn": f"{key} notin ({joined})", "Exists": key, "DoesNotExist": f"!{key}"}[operator]


def carries(labels: Mapping[str, str], wanted: Mapping[str, str]) -> bool:
    """Whether labels hold every wanted pair."""
    return all(labels.get(key) == value for key, value in wanted.items())


def condition_of(manifest: Manifest, kind: str) -> Manifest | None:
    """The status condition of this type."""
    conditions = (manifest.get("status") or {}).get("conditions") or ()
    return next((condition for condition in conditions if condition["type"] == kind), None)


def is_ready(pod: Manifest) -> bool:
    """Whether the pod's Ready condition is True."""
    condition = condition_of(pod, "Ready")
    return condition is not None and condition["status"] == "True"


def is_active(pod: Manifest) -> bool:
    """Whether a pod still counts for its owner: neither finished nor being deleted."""
    return phase_of(pod) not in {"Succeeded", "Failed"} and not is_deleting(pod)


def phase_of(pod: Manifest) -> str:
    """The pod's phase, Pending when not yet written."""
    return str((pod.get("status") or {}).get("phase") or "Pending")


def _machine_time() -> datetime:
    return datetime.now(UTC)


TIME: ContextVar[Callable[[], datetime]] = ContextVar("TIME", default=_machine_time)
"""What tells controllers and nodes the time; a rehearsal under virtual time sets another one before it starts them."""


def now() -> datetime:
    """The current moment, aware."""
    return TIME.get()()


def timestamp(moment: datetime) -> str:
    """RFC 3339 with second precision, as Kubernetes writes it."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def parse_time(text: str) -> datetime:
    """The moment an RFC 3339 text names."""
    return datetime.fromisoformat(text)


def seconds_since(text: str, moment: datetime) -> float:
    """How long ago a Kubernetes timestamp was."""
    return (moment - parse_time(text)).total_seconds()


def without_zeros(counts: Mapping[str, int], always: Iterable[str] = ()) -> dict[str, int | None]:
    """Status counters as a merge patch: zero counters disappear, as in Go's omitempty, except the ones written `always`."""
    kept = set(always)
    return {name: (count if count or name in kept else None) for name, count in counts.items()}
