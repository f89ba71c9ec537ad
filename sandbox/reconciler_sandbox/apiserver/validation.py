"""What built-in kinds insist on: what a delivery can get wrong and what never changes. Whatever else a real server refuses is taken."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from reconciler_sandbox.apiserver import definitionrules, events
from reconciler_sandbox.apiserver.causes import Cause, invalid, missing, required, unchanged, unsupported
from reconciler_sandbox.apiserver.kinds import RBAC, Kind
from reconciler_sandbox.apiserver.selectors import from_object

Manifest = dict[str, Any]
TEMPLATE = "spec.template.spec"
MAX_PORT = 65_535
CONFIG_BYTES = 1024 * 1024
CONFIG_KEY = re.compile(r"[-._a-zA-Z0-9]+")
POD_CHANGES = frozenset(
    {"activeDeadlineSeconds", "tolerations", "terminationGracePeriodSeconds", "schedulingGates", "containers", "initContainers"}
)
UNBOUND_CHANGES = frozenset({"nodeName", "nodeSelector", "affinity"})
NOT_NEGATIVE = "must be greater than or equal to 0"


def validate(kind: Kind, new: Manifest, old: Manifest | None) -> list[Cause]:
    """What is wrong with an object, or with its change."""
    check = CHECKS.get(kind.qualified)
    return check(new, old) if check else []


def _template(manifest: Manifest | None) -> Manifest:
    return ((manifest or {}).get("spec") or {}).get("template") or {}


def _workload(new: Manifest, old: Manifest | None) -> list[Cause]:
    """A selector that never changes and matches the template, and pods that are always started again."""
    spec, template = new["spec"], _template(new)
    causes = [invalid("spec.replicas", spec["replicas"], NOT_NEGATIVE)] if spec.get("replicas", 0) < 0 else []
    causes += required(spec, "spec", "selector")
    labels = (template.get("metadata") or {}).get("labels") or {}
    if not from_object(spec.get("selector"))(template):
        causes.append(invalid("spec.template.metadata.labels", labels, "`selector` does not match template `labels`"))
    causes += _pod_spec(template.get("spec"), TEMPLATE)
    causes += unsupported(f"{TEMPLATE}.restartPolicy", (template.get("spec") or {}).get("restartPolicy"), ("Always",))
    return causes + unchanged(spec, old and old["spec"], "spec.", "selector")


def _pod_spec(spec: Any, path: str) -> list[Cause]:
    """Containers with names of their own and images."""
    causes = required(spec, path, "containers")
    names: set[str] = set()
    for field in ("containers", "initContainers"):
        for index, container in enumerate((spec or {}).get(field) or ()):
            where = f"{path}.{field}[{index}]"
            causes += required(container, where, "name", "image")
            name = str(container.get("name") or "")
            if name and name in names:
                causes.append(Cause(f"{where}.name", f'Duplicate value: "{name}"', "Duplicate"))
            names.add(name)
    return causes


def _job(new: Manifest, old: Manifest | None) -> list[Cause]:
    spec, pods = new["spec"], _template(new).get("spec")
    causes = _pod_spec(pods, TEMPLATE)
    if (pods or {}).get("restartPolicy") not in ("OnFailure", "Never"):
        causes.append(missing(f"{TEMPLATE}.restartPolicy", 'valid values: "OnFailure", "Never"'))
    return causes + unchanged(spec, old and old["spec"], "spec.", "selector", "template", "completionMode", "completions")


def _pod(new: Manifest, old: Manifest | None) -> list[Cause]:
    """A Pod, of which little but the images may change."""
    causes = _pod_spec(new["spec"], "spec")
    if old is None or causes:
        return causes
    changed = {name for name in {*new["spec"], *old["spec"]} if new["spec"].get(name) != old["spec"].get(name)}
    allowed = POD_CHANGES if old["spec"].get("nodeName") else POD_CHANGES | UNBOUND_CHANGES
    if changed - allowed or _without_images(new) != _without_images(old):
        text = "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,"
        text += "`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations)"
        return [Cause("spec", f"Forbidden: {text}", "Forbidden")]
    return []


def _without_images(manifest: Manifest) -> list[Manifest]:
    containers = [*(manifest["spec"].get("initContainers") or ()), *manifest["spec"]["containers"]]
    return [{name: inner for name, inner in one.items() if name not in ("image", "resources")} for one in containers]


def _service(new: Manifest, old: Manifest | None) -> list[Cause]:
    spec, before = new["spec"], (old or {}).get("spec") or {}
    if spec.get("type") == "ExternalName":
        return required(spec, "spec", "externalName")
    ports = spec.get("ports") or []
    causes = [] if ports or spec.get("clusterIP") == "None" else [missing("spec.ports")]
    for index, one in enumerate(ports):
        if not one.get("name") and len(ports) > 1:
            causes.append(missing(f"spec.ports[{index}].name"))
        if not 0 < one.get("port", 0) <= MAX_PORT:
            causes.append(invalid(f"spec.ports[{index}].port", one.get("port", 0), f"must be between 1 and {MAX_PORT}, inclusive"))
    if before.get("clusterIP") and before.get("type") != "ExternalName":
        causes += unchanged(spec, before, "spec.", "clusterIP")
    return causes


def _config(new: Manifest, old: Manifest | None) -> list[Cause]:
    """A ConfigMap or a Secret."""
    held = {key: value for field in ("data", "binaryData") for key, value in (new.get(field) or {}).items()}
    causes = [invalid(f"data[{key}]", key, "a valid config key") for key in held if not CONFIG_KEY.fullmatch(key)]
    if sum(len(key) + len(value) for key, value in held.items()) > CONFIG_BYTES:
        causes.append(Cause("[]", f"Too long: may not be more than {CONFIG_BYTES} bytes", "TooLong"))
    if old is None or not old.get("immutable"):
        return causes
    changed = [field for field in ("data", "binaryData") if new.get(field) != old.get(field)]
    why = "Forbidden: field is immutable when `immutable` is set"
    return causes + [Cause(field, why, "Forbidden") for field in ([] if new.get("immutable") else ["immutable"]) + changed]


def _secret(new: Manifest, old: Manifest | None) -> list[Cause]:
    return _config(new, old) + unchanged(new, old, "", "type")


def _lease(new: Manifest, old: Manifest | None) -> list[Cause]:
    seconds = (new.get("spec") or {}).get("leaseDurationSeconds")
    return [invalid("spec.leaseDurationSeconds", seconds, "must be greater than 0")] if seconds is not None and seconds <= 0 else []


def _binding(new: Manifest, old: Manifest | None) -> list[Cause]:
    """A RoleBinding or ClusterRoleBinding, which is for one role for ever."""
    reference = new.get("roleRef") or {}
    changed = old is not None and reference != old.get("roleRef")
    return required(reference, "roleRef", "name") + ([invalid("roleRef", reference, "cannot change roleRef")] if changed else [])


CHECKS: Mapping[str, Callable[[Manifest, Manifest | None], list[Cause]]] = {
    "deployments.apps": _workload,
    "replicasets.apps": _workload,
    "statefulsets.apps": _workload,
    "daemonsets.apps": _workload,
    "jobs.batch": _job,
    "pods": _pod,
    "podtemplates": lambda new, old: _pod_spec((new.get("template") or {}).get("spec"), "template.spec"),
    "services": _service,
    "configmaps": _config,
    "secrets": _secret,
    "events": events.validate,
    "leases.coordination.k8s.io": _lease,
    f"rolebindings.{RBAC}": _binding,
    f"clusterrolebindings.{RBAC}": _binding,
    "customresourcedefinitions.apiextensions.k8s.io": definitionrules.definition,
}
