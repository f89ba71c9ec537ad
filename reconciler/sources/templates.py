"""What of a source belongs to one workload: the pod template, and the ConfigMaps and Secrets that the template refers to."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from reconciler.kernel.identity import Manifest
from reconciler.sources.documents import Located, Parsed
from reconciler.sources.images import template_of
from reconciler.sources.model import WorkloadId
from reconciler.sources.references import Named
from reconciler.yamledit.differences import canonical

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
    found: Mapping[WorkloadId, Workload] | None = parsed.derived.get("workloads")
    if found is None:
        found = parsed.derived["workloads"] = workloads_among(parsed, parsed.manifests)
    return found


def workload_of(parsed: Parsed, located: Located) -> Workload | None:
    """The workload that an object owns or lends its template to; the first one where there are several."""
    found: dict[Named, Workload] | None = parsed.derived.get("workload of")
    if found is None:
        found = parsed.derived["workload of"] = {}
        for workload in workloads(parsed).values():
            for part in (workload.owner, workload.template):
                found.setdefault(part.key, workload)
    return found.get(located.key)


def workloads_among(parsed: Parsed, manifests: Iterable[Located]) -> Mapping[WorkloadId, Workload]:
    """The same for some manifests of the source. Right for a Deployment only if every Rollout that refers to it is among them."""
    found = {workload.id: workload for located in manifests if (workload := _workload(parsed, located))}
    lent = {workload.template.key for workload in found.values() if workload.template is not workload.owner}
    return {id: workload for id, workload in found.items() if workload.owner.key not in lent}


def referenced_config(parsed: Parsed, workload: Workload) -> tuple[Located, ...]:
    """The ConfigMaps and Secrets of this source that the template refers to, in order of kind and name."""
    return tuple(located for named in workload.template.config if (located := parsed.find(*named)))


def behind(parsed: Parsed, workload: Workload) -> list[Manifest]:
    """The manifests that a workload consists of: its owner, its template and the config that this refers to."""
    return [located.manifest for located in (workload.owner, workload.template, *referenced_config(parsed, workload))]


def content_of(manifest: Manifest) -> dict[str, Any]:
    """What a ConfigMap or Secret holds; labels and annotations do not count."""
    return {part: manifest[part] for part in CONFIG_PARTS if manifest.get(part)}


def content_hash(located: Located) -> str:
    """The hash of what a ConfigMap or Secret holds."""
    return _hash(content_of(located.manifest))


def identity(parsed: Parsed, workload: Workload) -> str:
    """What this workload asks to run: equal for equal template and config, whichever commit or file asks."""
    config = {located.key: content_of(located.manifest) for located in referenced_config(parsed, workload)}
    return identity_of(workload.pod_template, config)


def identity_of(template: Mapping[str, Any], config: Mapping[Named, Mapping[str, Any]]) -> str:
    """The same for a template and the content of its config, by kind, namespace and name."""
    return canonical([template, _config_hash(config)])


def _config_hash(config: Mapping[Named, Mapping[str, Any]]) -> str:
    return _hash([(*key, _hash(content)) for key, content in sorted(config.items())]) if config else ""


def _hash(value: Any) -> str:
    return hashlib.sha256(canonical(value).encode()).hexdigest()


def _workload(parsed: Parsed, located: Located) -> Workload | None:
    kind, namespace, name = located.key
    id = WorkloadId(kind, namespace, name)
    if template_of(located.manifest) is not None and (kind != "Pod" or "spec" in located.manifest):
        return Workload(id, located, located)
    target = parsed.find(*located.lender) if located.lender else None
    return Workload(id, located, target) if target is not None and template_of(target.manifest) is not None else None
