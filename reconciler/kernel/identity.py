"""What names a thing: resources of an API, objects in it, keys of the queue."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Manifest = dict[str, Any]
"""One Kubernetes object as decoded JSON. Treated as immutable: a change is a new dict."""

Labels = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Resource:
    """One resource type of the API, e.g. apps/v1 deployments. `group` is empty for core; what is `optional` not every cluster serves."""

    group: str
    version: str
    plural: str
    kind: str
    namespaced: bool = True
    optional: bool = field(default=False, compare=False)

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def path(self) -> str:
        """The URL path of the API group, without namespace, e.g. `/apis/apps/v1`."""
        return f"/apis/{self.group}/{self.version}" if self.group else f"/api/{self.version}"


@dataclass(frozen=True, slots=True)
class ObjectRef:
    """One object: where the API keeps it. `namespace` is empty for cluster-scoped kinds."""

    resource: Resource
    namespace: str
    name: str

    def __str__(self) -> str:
        place = f"{self.namespace}/" if self.namespace else ""
        return f"{self.resource.kind} {place}{self.name}"


@dataclass(frozen=True, slots=True)
class Key:
    """What one worker at a time works on: a controller's name and one object."""

    controller: str
    namespace: str
    name: str


def name_of(manifest: Manifest) -> str:
    return str(manifest["metadata"].get("name", ""))


def namespace_of(manifest: Manifest) -> str:
    return str(manifest["metadata"].get("namespace", ""))


def uid_of(manifest: Manifest) -> str:
    return str(manifest["metadata"].get("uid", ""))


def labels_of(manifest: Manifest) -> Mapping[str, str]:
    return manifest["metadata"].get("labels") or {}


def annotations_of(manifest: Manifest) -> Mapping[str, str]:
    return manifest["metadata"].get("annotations") or {}


def controller_of(manifest: Manifest) -> Manifest | None:
    """The reference to the owner that controls this object, if one does."""
    for owner in manifest["metadata"].get("ownerReferences") or []:
        if owner.get("controller"):
            found: Manifest = owner
            return found
    return None


def controller_uid(manifest: Manifest) -> str | None:
    """The uid of the owner that controls this object, if one does."""
    owner = controller_of(manifest)
    return None if owner is None else str(owner["uid"])
