"""What is served: the documents of groups and versions, and an OpenAPI v3 index with stubs.

The OpenAPI documents name each kind's PATCH with its `fieldValidation` parameter and nothing else: that is what makes kubectl
leave validation to the server.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from reconciler_sandbox.apiserver.kinds import Kind, Registry

Manifest = dict[str, Any]
VERSION = {
    "major": "1",
    "minor": "36",
    "gitVersion": "v1.36.0-sandbox",
    "gitCommit": "",
    "gitTreeState": "clean",
    "buildDate": "1970-01-01T00:00:00Z",
    "goVersion": "",
    "compiler": "",
    "platform": "linux/amd64",
}
PATCH_OPTIONS = ("dryRun", "fieldManager", "fieldValidation", "force")
# What a subresource reads or writes, if not the object itself: group, version, kind; and the verbs of those without GET.
OTHER_KINDS: Mapping[str, tuple[str, str, str]] = {
    "scale": ("autoscaling", "v1", "Scale"),
    "eviction": ("policy", "v1", "Eviction"),
    "binding": ("", "v1", "Binding"),
}
OTHER_VERBS: Mapping[str, tuple[str, ...]] = {
    "eviction": ("create",),
    "binding": ("create",),
    "log": ("get",),
    "finalize": ("update",),
}
# The first part of a path → how many may follow in a document's path.
DEPTHS: Mapping[str, int] = {"version": 0, "api": 1, "apis": 2, "openapi": 4}
SUBRESOURCE_VERBS = ("get", "patch", "update")


@dataclass(frozen=True, slots=True)
class Document:
    """One discovery document with its validator."""

    body: bytes
    etag: str


class Discovery:
    """Renders discovery documents and keeps them until the registry changes."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._documents: dict[str, Document] = {}
        self._generation = registry.generation

    def find(self, path: str) -> Document | None:
        """The document at a path; None if there is none."""
        if self._generation != self._registry.generation:
            self._documents.clear()
            self._generation = self._registry.generation
        known = self._documents.get(path)
        if known is not None or not _is_document(path):
            return known
        made = self._render(path)
        if made is not None:
            self._documents[path] = made
        return made

    def _render(self, path: str) -> Document | None:
        parts = path.strip("/").split("/")
        render = RENDERERS.get((parts[0], len(parts)))
        made = render(self._registry, parts) if render else None
        if parts[:2] == ["openapi", "v3"] and len(parts) > 2:
            made = _openapi_document(self._registry, parts[2:])
        return None if made is None else _document(made)


def _is_document(path: str) -> bool:
    """Whether a path can be one of these at all: most GETs are for objects."""
    root, *rest = path.strip("/").split("/")
    return len(rest) <= DEPTHS.get(root, -1)


def _document(content: Manifest) -> Document:
    body = orjson.dumps(content)
    return Document(body, f'"{hashlib.sha256(body).hexdigest()[:32].upper()}"')


def _api_versions(registry: Registry, parts: Sequence[str]) -> Manifest:
    return {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []}


def _groups(registry: Registry, parts: Sequence[str]) -> Manifest:
    groups = [_group(name, versions) for name, versions in registry.groups().items() if name]
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}


def _group(name: str, versions: Mapping[str, Any]) -> Manifest:
    listed = [{"groupVersion": f"{name}/{version}", "version": version} for version in versions]
    return {"name": name, "versions": listed, "preferredVersion": listed[0]}


def _one_group(registry: Registry, parts: Sequence[str]) -> Manifest | None:
    versions = registry.groups().get(parts[1])
    return None if versions is None or not parts[1] else {"kind": "APIGroup", "apiVersion": "v1", **_group(parts[1], versions)}


def _resources(registry: Registry, parts: Sequence[str]) -> Manifest | None:
    group, version = ("", parts[1]) if parts[0] == "api" else (parts[1], parts[2])
    kinds = registry.groups().get(group, {}).get(version)
    if not kinds:
        return None
    listed = [resource for kind in kinds for resource in (_resource(kind), *_subresources(kind))]
    return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": kinds[0].api_version, "resources": listed}


def _resource(kind: Kind) -> Manifest:
    optional = {"shortNames": list(kind.short_names), "categories": list(kind.categories)}
    return {
        "name": kind.plural,
        "singularName": singular(kind),
        "namespaced": kind.namespaced,
        "kind": kind.kind,
        "verbs": list(kind.verbs),
        **{name: value for name, value in optional.items() if value},
    }


def singular(kind: Kind) -> str:
    """The singular name, which kubectl accepts in place of the plural."""
    return kind.singular or kind.kind.lower()


def _subresources(kind: Kind) -> list[Manifest]:
    found = []
    for name in kind.subresources:
        group, version, answered = OTHER_KINDS.get(name, (kind.group, kind.version, kind.kind))
        other = {"group": group, "version": version} if name in OTHER_KINDS else {}
        verbs = list(OTHER_VERBS.get(name, SUBRESOURCE_VERBS))
        found.append(
            {"name": f"{kind.plural}/{name}", "singularName": "", "namespaced": kind.namespaced, "kind": answered, **other, "verbs": verbs}
        )
    return found


def _group_versions(registry: Registry) -> Mapping[str, Sequence[Kind]]:
    """API path without its first slash → kinds."""
    groups = registry.groups()
    return {
        f"apis/{group}/{version}" if group else f"api/{version}": kinds
        for group, versions in groups.items()
        for version, kinds in versions.items()
    }


def _openapi_index(registry: Registry, parts: Sequence[str]) -> Manifest:
    paths = {}
    for path, kinds in _group_versions(registry).items():
        digest = hashlib.sha256(orjson.dumps(_openapi(path, kinds))).hexdigest()[:32].upper()
        paths[path] = {"serverRelativeURL": f"/openapi/v3/{path}?hash={digest}"}
    return {"paths": paths}


def _openapi_document(registry: Registry, parts: Sequence[str]) -> Manifest | None:
    path = "/".join(parts)
    kinds = _group_versions(registry).get(path)
    return None if kinds is None else _openapi(path, kinds)


def _openapi(path: str, kinds: Sequence[Kind]) -> Manifest:
    return {
        "openapi": "3.0.0",
        "info": {"title": "Kubernetes", "version": VERSION["gitVersion"]},
        "paths": {_object_path(path, kind): {"patch": _patch_operation(kind)} for kind in kinds if "patch" in kind.verbs},
        "components": {"schemas": {}},
    }


def _object_path(path: str, kind: Kind) -> str:
    return f"/{path}/namespaces/{{namespace}}/{kind.plural}/{{name}}" if kind.namespaced else f"/{path}/{kind.plural}/{{name}}"


def _patch_operation(kind: Kind) -> Manifest:
    return {
        "x-kubernetes-action": "patch",
        "x-kubernetes-group-version-kind": {"group": kind.group, "version": kind.version, "kind": kind.kind},
        "parameters": [{"name": name, "in": "query", "schema": {"type": "string", "uniqueItems": True}} for name in PATCH_OPTIONS],
        "responses": {"200": {"description": "OK"}},
    }


RENDERERS: Mapping[tuple[str, int], Callable[[Registry, Sequence[str]], Manifest | None]] = {
    ("version", 1): lambda registry, parts: dict(VERSION),
    ("api", 1): _api_versions,
    ("apis", 1): _groups,
    ("api", 2): _resources,
    ("apis", 2): _one_group,
    ("apis", 3): _resources,
    ("openapi", 2): lambda registry, parts: _openapi_index(registry, parts) if parts[1] == "v3" else None,
}
