"""What one manifest refers to by name: the ConfigMaps and Secrets of its pod template, and the object it borrows its template from."""

from collections.abc import Iterator, Mapping
from typing import Any

from reconciler.kernel.identity import Manifest
from reconciler.sources.images import template_of
from reconciler.sources.kinds import kind_key

Named = tuple[str, str, str]
"""Kind, namespace and name, as manifests write them."""


def config_of(manifest: Manifest, namespace: str) -> tuple[Named, ...]:
    """The ConfigMaps and Secrets that the pod template refers to, in order of kind and name."""
    template = template_of(manifest)
    return tuple((kind, namespace, name) for kind, name in sorted(set(_references(template)))) if template else ()


def lender_of(manifest: Manifest, namespace: str) -> Named | None:
    """The object whose pod template a Rollout borrows; None for one that has its own."""
    if kind_key(manifest) != "Rollout" or template_of(manifest) is not None:
        return None
    reference = _mapping(_mapping(manifest.get("spec")).get("workloadRef"))
    return str(reference.get("kind")), namespace, str(reference.get("name"))


def _references(template: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    spec = _mapping(template.get("spec"))
    for container in (*_items(spec, "initContainers"), *_items(spec, "containers")):
        yield from _environment_references(container)
    for volume in _items(spec, "volumes"):
        yield from _volume_references(volume)
        for part in _items(_mapping(volume.get("projected")), "sources"):
            yield from _volume_references(part)


def _environment_references(container: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for whole in _items(container, "envFrom"):
        yield from _named(whole, ("ConfigMap", "configMapRef", "name"), ("Secret", "secretRef", "name"))
    for variable in _items(container, "env"):
        value = _mapping(variable.get("valueFrom"))
        yield from _named(value, ("ConfigMap", "configMapKeyRef", "name"), ("Secret", "secretKeyRef", "name"))


def _volume_references(volume: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield from _named(volume, ("ConfigMap", "configMap", "name"), ("Secret", "secret", "secretName"), ("Secret", "secret", "name"))


def _named(holder: Mapping[str, Any], *shapes: tuple[str, str, str]) -> Iterator[tuple[str, str]]:
    for kind, field, key in shapes:
        name = _mapping(holder.get(field)).get(key)
        if name:
            yield kind, str(name)


def _items(holder: Mapping[str, Any], field: str) -> list[Mapping[str, Any]]:
    value = holder.get(field)
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
