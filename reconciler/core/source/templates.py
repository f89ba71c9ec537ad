"""What of a source belongs to one workload: the pod template, and the ConfigMaps and Secrets that the template refers to."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from reconciler.core.source.differences import canonical
from reconciler.core.source.documents import Located, Parsed
from reconciler.core.source.images import template_of
from reconciler.model.source import WorkloadId

CONFIG_PARTS = ("data", "stringData", "binaryData")


@dataclass(frozen=True, slots=True)
class Workload:
    """One workload of a source. `template` is where the pod template lives: another object for a Rollout with `workloadRef`."""

    id: WorkloadId
    owner: Located
    template: Located

    @property
    def pod_template(self) -> Mapping[str, Any]:
        return template_of(self.template.manifest) or {}


def workloads(parsed: Parsed) -> Mapping[WorkloadId, Workload]:
    """Every workload with a pod template in this source. A Deployment that a Rollout refers to belongs to the Rollout."""
    found = {workload.id: workload for located in parsed.manifests if (workload := _workload(parsed, located))}
    lent = {workload.template.key for workload in found.values() if workload.template is not workload.owner}
    return {id: workload for id, workload in found.items() if workload.template is not workload.owner or workload.owner.key not in lent}


def referenced_config(parsed: Parsed, workload: Workload) -> tuple[Located, ...]:
    """The ConfigMaps and Secrets of this source that the template refers to, in order of kind and name."""
    namespace = workload.template.key[1]
    names = sorted(set(_references(workload.pod_template)))
    return tuple(located for kind, name in names if (located := parsed.find(kind, namespace, name)))


def content_hash(located: Located) -> str:
    """The hash of what a ConfigMap or Secret holds; labels and annotations do not count."""
    content = {part: located.manifest[part] for part in CONFIG_PARTS if located.manifest.get(part)}
    return hashlib.sha256(canonical(content).encode()).hexdigest()


def config_hash(parsed: Parsed, workload: Workload) -> str:
    """One hash over all referenced config of this source; empty when there is none (docs/configuration.md, "config hash")."""
    config = referenced_config(parsed, workload)
    if not config:
        return ""
    return hashlib.sha256(canonical([(*located.key, content_hash(located)) for located in config]).encode()).hexdigest()


def identity(parsed: Parsed, workload: Workload) -> str:
    """What this workload asks to run: equal for equal template and config, whichever commit or file asks."""
    return canonical([workload.pod_template, config_hash(parsed, workload)])


def _workload(parsed: Parsed, located: Located) -> Workload | None:
    kind, namespace, name = located.key
    id = WorkloadId(kind, namespace, name)
    if template_of(located.manifest) is not None and (kind != "Pod" or "spec" in located.manifest):
        return Workload(id, located, located)
    if kind != "Rollout":
        return None
    reference = _mapping(_mapping(located.manifest.get("spec")).get("workloadRef"))
    target = parsed.find(str(reference.get("kind")), namespace, str(reference.get("name")))
    return Workload(id, located, target) if target is not None and template_of(target.manifest) is not None else None


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
