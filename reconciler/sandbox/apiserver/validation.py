"""What built-in kinds insist on: the mistakes that clients and their tests can run into, not every rule of a real server."""

from collections.abc import Callable, Mapping
from typing import Any

import orjson

from reconciler.sandbox.apiserver import autoscalers, events, names
from reconciler.sandbox.apiserver.causes import Cause
from reconciler.sandbox.apiserver.kinds import Kind
from reconciler.sandbox.apiserver.selectors import from_object

Manifest = dict[str, Any]
CONFIG_LIMIT = 1024 * 1024
MAX_PORT = 65_535


def validate(kind: Kind, new: Manifest, old: Manifest | None) -> list[Cause]:
    """What is wrong with an object, or with its change."""
    check = CHECKS.get(kind.qualified)
    return check(new, old) if check else []


def _required(holder: Any, path: str, *names: str) -> list[Cause]:
    absent = [name for name in names if not isinstance(holder, dict) or holder.get(name) in (None, "", [], {})]
    return [Cause(f"{path}.{name}", "Required value", "Required") for name in absent]


def _immutable(new: Manifest, old: Manifest | None, *names: str) -> list[Cause]:
    if old is None:
        return []
    changed = [name for name in names if new["spec"].get(name) != old["spec"].get(name)]
    return [Cause(f"spec.{name}", f"Invalid value: {orjson.dumps(new['spec'].get(name)).decode()}: field is immutable") for name in changed]


def _not_negative(spec: Manifest, *names: str) -> list[Cause]:
    causes = []
    for name in names:
        value = spec.get(name)
        if value is not None and (not isinstance(value, int) or isinstance(value, bool) or value < 0):
            causes.append(Cause(f"spec.{name}", f"Invalid value: {value}: must be greater than or equal to 0"))
    return causes


def _pod_spec(spec: Any, path: str) -> list[Cause]:
    causes = _required(spec, path, "containers")
    if causes:
        return causes
    if not isinstance(spec["containers"], list):
        raise TypeError(f"{path}.containers is not a list")
    seen: set[str] = set()
    for index, container in enumerate(spec["containers"]):
        where = f"{path}.containers[{index}]"
        causes += _required(container, where, "name", "image")
        name = str(container.get("name") or "") if isinstance(container, dict) else ""
        if name and (complaint := names.LABEL.complaint(name)):
            causes.append(Cause(f"{where}.name", complaint))
        if name in seen:
            causes.append(Cause(f"{where}.name", f'Duplicate value: "{name}"', "Duplicate"))
        seen.add(name)
    return causes


def _workload(new: Manifest, old: Manifest | None) -> list[Cause]:
    """Deployments, ReplicaSets and StatefulSets: a selector that never changes and matches the template."""
    spec = new["spec"]
    causes = _required(spec, "spec", "selector", "template") + _not_negative(spec, "replicas")
    if causes:
        return causes
    causes += _pod_spec(spec["template"].get("spec"), "spec.template.spec")
    labels = spec["template"]["metadata"].get("labels")
    if not from_object(spec["selector"])(spec["template"]):
        text = "Invalid value: " + orjson.dumps(labels or {}).decode() + ": `selector` does not match template `labels`"
        causes.append(Cause("spec.template.metadata.labels", text))
    return causes + _immutable(new, old, "selector")


def _deployment(new: Manifest, old: Manifest | None) -> list[Cause]:
    spec = new["spec"]
    strategy = spec.get("strategy")
    kind = strategy.get("type") if isinstance(strategy, dict) else strategy
    if kind not in ("RollingUpdate", "Recreate"):
        text = f'Unsupported value: "{kind}": supported values: "Recreate", "RollingUpdate"'
        return [Cause("spec.strategy.type", text, "NotSupported")]
    if kind == "Recreate" and spec["strategy"].get("rollingUpdate"):
        text = "Forbidden: may not be specified when strategy `type` is 'Recreate'"
        return [Cause("spec.strategy.rollingUpdate", text, "Forbidden")]
    return _workload(new, old) + _not_negative(spec, "minReadySeconds", "revisionHistoryLimit", "progressDeadlineSeconds")


def _job(new: Manifest, old: Manifest | None) -> list[Cause]:
    spec = new["spec"]
    causes = _required(spec, "spec", "template") + _not_negative(
        spec, "parallelism", "completions", "backoffLimit", "activeDeadlineSeconds"
    )
    if causes:
        return causes
    causes += _pod_spec(spec["template"].get("spec"), "spec.template.spec")
    policy = (spec["template"].get("spec") or {}).get("restartPolicy")
    if policy not in ("OnFailure", "Never"):
        text = f'Required value: valid values: "OnFailure", "Never" (found "{policy}")'
        causes.append(Cause("spec.template.spec.restartPolicy", text, "Required"))
    return causes + _immutable(new, old, "selector", "template", "completionMode")


def _pod(new: Manifest, old: Manifest | None) -> list[Cause]:
    causes = _pod_spec(new["spec"], "spec")
    if old is None or causes:
        return causes
    changed = {name for name in {*new["spec"], *old["spec"]} if new["spec"].get(name) != old["spec"].get(name)}
    allowed = {"activeDeadlineSeconds", "tolerations", "terminationGracePeriodSeconds", "schedulingGates", "containers", "initContainers"}
    if not old["spec"].get("nodeName"):
        allowed |= {"nodeName", "nodeSelector", "affinity"}
    if changed - allowed or _without_images(new) != _without_images(old):
        text = "Forbidden: pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,"
        text += "`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations)"
        return [Cause("spec", text, "Forbidden")]
    return []


def _without_images(pod: Manifest) -> list[Manifest]:
    containers = [*(pod["spec"].get("initContainers") or ()), *pod["spec"]["containers"]]
    return [{name: inner for name, inner in one.items() if name not in ("image", "resources")} for one in containers]


def _service(new: Manifest, old: Manifest | None) -> list[Cause]:
    spec = new["spec"]
    if spec.get("type") == "ExternalName":
        return _required(spec, "spec", "externalName")
    if spec.get("clusterIP") != "None":
        missing = _required(spec, "spec", "ports")
        if missing:
            return missing
    ports = spec.get("ports") or []
    causes = [cause for index, port in enumerate(ports) for cause in _service_port(port, f"spec.ports[{index}]", len(ports) > 1)]
    named = [port.get("name") for port in ports if port.get("name")]
    if len(named) != len(set(named)):
        causes.append(Cause("spec.ports", "Duplicate value: port names are used once", "Duplicate"))
    if old is not None and old["spec"].get("clusterIP") and spec.get("clusterIP") != old["spec"]["clusterIP"]:
        causes.append(Cause("spec.clusterIP", f'Invalid value: "{spec.get("clusterIP")}": field is immutable'))
    return causes


def _service_port(port: Manifest, path: str, several: bool) -> list[Cause]:
    number = port.get("port")
    causes = _required(port, path, "name") if several else []
    if not isinstance(number, int) or not 0 < number <= MAX_PORT:
        causes.append(Cause(f"{path}.port", f"Invalid value: {number}: must be between 1 and {MAX_PORT}, inclusive"))
    target = port.get("targetPort")
    if isinstance(target, int) and not 0 < target <= MAX_PORT:
        causes.append(Cause(f"{path}.targetPort", f"Invalid value: {target}: must be between 1 and {MAX_PORT}, inclusive"))
    if port.get("protocol") not in ("TCP", "UDP", "SCTP"):
        text = f'Unsupported value: "{port.get("protocol")}": supported values: "SCTP", "TCP", "UDP"'
        causes.append(Cause(f"{path}.protocol", text, "NotSupported"))
    return causes


def _config(new: Manifest, old: Manifest | None) -> list[Cause]:
    for field in ("data", "binaryData"):
        content = new.get(field) or {}
        if not isinstance(content, dict) or not all(isinstance(value, str) for value in content.values()):
            return [Cause(field, "Invalid value: must be a map of text")]
    size = sum(len(key) + len(value) for field in ("data", "binaryData") for key, value in (new.get(field) or {}).items())
    if size > CONFIG_LIMIT:
        return [Cause("[]", f"Too long: may not be more than {CONFIG_LIMIT} bytes", "TooLong")]
    if old is not None and old.get("immutable") and any(new.get(field) != old.get(field) for field in ("data", "binaryData", "immutable")):
        return [Cause("data", "Forbidden: field is immutable when `immutable` is set", "Forbidden")]
    return []


def _budget(new: Manifest, old: Manifest | None) -> list[Cause]:
    spec = new.get("spec") or {}
    if spec.get("minAvailable") is not None and spec.get("maxUnavailable") is not None:
        return [Cause("spec", "Invalid value: minAvailable and maxUnavailable cannot be both set")]
    return []


def _definition(new: Manifest, old: Manifest | None) -> list[Cause]:
    spec = new["spec"]
    causes = _required(spec, "spec", "group", "names", "scope", "versions") or _required(spec["names"], "spec.names", "plural", "kind")
    if causes:
        return causes
    wanted = f"{spec['names']['plural']}.{spec['group']}"
    if new["metadata"]["name"] != wanted:
        causes.append(Cause("metadata.name", f'Invalid value: "{new["metadata"]["name"]}": must be spec.names.plural+"."+spec.group'))
    if spec["scope"] not in ("Namespaced", "Cluster"):
        text = f'Unsupported value: "{spec["scope"]}": supported values: "Cluster", "Namespaced"'
        causes.append(Cause("spec.scope", text, "NotSupported"))
    if sum(bool(version.get("storage")) for version in spec["versions"]) != 1:
        causes.append(Cause("spec.versions", "Invalid value: must have exactly one version marked as storage version"))
    for index, version in enumerate(spec["versions"]):
        causes += _required(version, f"spec.versions[{index}]", "name")
        causes += _schema_causes(version, f"spec.versions[{index}].schema.openAPIV3Schema")
    return causes + ([] if old is None else _names_kept(new, old))


def _schema_causes(version: Manifest, path: str) -> list[Cause]:
    schema = (version.get("schema") or {}).get("openAPIV3Schema")
    if not schema:
        return [Cause(path, "Required value: schemas are required", "Required")]
    if schema.get("type") != "object":
        return [Cause(f"{path}.type", f'Invalid value: "{schema.get("type", "")}": must be object at the root')]
    return []


def _names_kept(new: Manifest, old: Manifest) -> list[Cause]:
    same = new["spec"]["scope"] == old["spec"]["scope"] and new["spec"]["names"]["kind"] == old["spec"]["names"]["kind"]
    return [] if same else [Cause("spec", "Invalid value: scope and names.kind are immutable")]


CHECKS: Mapping[str, Callable[[Manifest, Manifest | None], list[Cause]]] = {
    "deployments.apps": _deployment,
    "replicasets.apps": _workload,
    "statefulsets.apps": _workload,
    "daemonsets.apps": _workload,
    "jobs.batch": _job,
    "pods": _pod,
    "services": _service,
    "configmaps": _config,
    "secrets": _config,
    "events": events.validate,
    "events.events.k8s.io": events.validate_newer,
    "horizontalpodautoscalers.autoscaling": autoscalers.complaints,
    "poddisruptionbudgets.policy": _budget,
    "customresourcedefinitions.apiextensions.k8s.io": _definition,
}
