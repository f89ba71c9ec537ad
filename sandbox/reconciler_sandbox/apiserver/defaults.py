"""Defaults per built-in kind: a missing one is an eternal difference for tools that compare."""

import base64
from collections.abc import Callable, Mapping
from typing import Any

from reconciler_sandbox.apiserver import events
from reconciler_sandbox.apiserver.kinds import Kind
from reconciler_sandbox.apiserver.templates import each, pod_spec, quantities, template, with_defaults

Manifest = dict[str, Any]

ROLLING = {"maxUnavailable": "25%", "maxSurge": "25%"}
NO_EXECUTE = [
    {"key": f"node.kubernetes.io/{word}", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300}
    for word in ("not-ready", "unreachable")
]


def fill(kind: Kind, manifest: Manifest) -> Manifest:
    """The object with the defaults of its kind; custom resources get theirs from their schema."""
    change = DEFAULTS.get(kind.qualified)
    return change(manifest) if change else manifest


def _spec(manifest: Manifest, defaults: Mapping[str, Any], **parts: Callable[[Any], Any]) -> Manifest:
    """The object with defaults in its spec; `parts` change the fields of the spec that are there."""
    spec = with_defaults(manifest.get("spec") or {}, defaults)
    if isinstance(spec, dict):
        spec = {**spec, **{name: change(spec[name]) for name, change in parts.items() if name in spec}}
    return {**manifest, "spec": spec}


def _strategy(strategy: Any) -> Any:
    strategy = with_defaults(strategy, {"type": "RollingUpdate"})
    if isinstance(strategy, dict) and strategy["type"] == "RollingUpdate":
        return {**strategy, "rollingUpdate": with_defaults(strategy.get("rollingUpdate") or {}, ROLLING)}
    return strategy


def _deployment(manifest: Manifest) -> Manifest:
    defaults = {"replicas": 1, "strategy": {}, "revisionHistoryLimit": 10, "progressDeadlineSeconds": 600}
    return _spec(manifest, defaults, strategy=_strategy, template=template)


def _replica_set(manifest: Manifest) -> Manifest:
    return _with_status(_spec(manifest, {"replicas": 1}, template=template), {"replicas": 0})


def _with_status(manifest: Manifest, defaults: Mapping[str, Any]) -> Manifest:
    return {**manifest, "status": with_defaults(manifest.get("status") or {}, defaults)}


def _job(manifest: Manifest) -> Manifest:
    spec = manifest.get("spec") or {}
    counts = {} if spec.get("completions") is None and spec.get("parallelism") is not None else {"completions": 1}
    defaults = {**counts, "parallelism": 1, "backoffLimit": 6, "completionMode": "NonIndexed", "suspend": False}
    return _job_labels(_spec(manifest, {**defaults, "podReplacementPolicy": "TerminatingOrFailed"}, template=template))


def _job_labels(manifest: Manifest) -> Manifest:
    """The selector and labels by which a Job finds its pods: generated with it, from its uid; without labels of its own it takes them."""
    uid, spec, fields = manifest["metadata"].get("uid"), manifest["spec"], manifest["metadata"]
    if not uid or fields.get("resourceVersion") or spec.get("manualSelector") or not isinstance(spec.get("template"), dict):
        return manifest
    own = {"batch.kubernetes.io/controller-uid": uid, "controller-uid": uid}
    name = manifest["metadata"]["name"]
    named = {**own, "batch.kubernetes.io/job-name": name, "job-name": name}
    metadata = spec["template"]["metadata"]
    labelled = {**spec["template"], "metadata": {**metadata, "labels": {**(metadata.get("labels") or {}), **named}}}
    selector = spec.get("selector") or {"matchLabels": {"batch.kubernetes.io/controller-uid": uid}}
    own_labels = {"labels": fields.get("labels") or labelled["metadata"]["labels"]}
    return {**manifest, "metadata": {**fields, **own_labels}, "spec": {**spec, "selector": selector, "template": labelled}}


def _pod(manifest: Manifest) -> Manifest:
    defaults = {"serviceAccountName": "default", "enableServiceLinks": True, "priority": 0, "preemptionPolicy": "PreemptLowerPriority"}
    spec = pod_spec(with_defaults(manifest.get("spec") or {}, {**defaults, "tolerations": NO_EXECUTE}))
    if isinstance(spec, dict):
        spec = {**spec, "containers": each(spec.get("containers"), _requests_from_limits)}
    status = with_defaults(manifest.get("status") or {}, {"phase": "Pending", "qosClass": _quality(spec)})
    return {**manifest, "spec": spec, "status": status}


def _requests_from_limits(container: Manifest) -> Manifest:
    resources = container.get("resources")
    if not isinstance(resources, dict) or not isinstance(resources.get("limits"), dict):
        return container
    return {**container, "resources": {**resources, "requests": {**resources["limits"], **(resources.get("requests") or {})}}}


def _quality(spec: Any) -> str:
    """The quality of service: Guaranteed when every container's limits for cpu and memory equal its requests."""
    containers = [one for one in (spec.get("containers") or () if isinstance(spec, dict) else ()) if isinstance(one, dict)]
    resources = [one["resources"] if isinstance(one.get("resources"), dict) else {} for one in containers]
    if not any(one.get("limits") or one.get("requests") for one in resources):
        return "BestEffort"
    full = all({"cpu", "memory"} <= set(one.get("limits") or ()) and one.get("limits") == one.get("requests") for one in resources)
    return "Guaranteed" if full else "Burstable"


def _service(manifest: Manifest) -> Manifest:
    defaults: Manifest = {"type": "ClusterIP", "sessionAffinity": "None"}
    spec = manifest.get("spec") or {}
    if isinstance(spec, dict) and spec.get("type") != "ExternalName":
        families = {"ipFamilies": ["IPv4"], "ipFamilyPolicy": "SingleStack"}
        defaults = {**defaults, "internalTrafficPolicy": "Cluster", **families}
    if isinstance(spec, dict) and spec.get("type") in ("NodePort", "LoadBalancer"):
        defaults["externalTrafficPolicy"] = "Cluster"
    filled = _spec(manifest, defaults, ports=lambda ports: each(ports, _service_port))
    return {**filled, "status": with_defaults(filled.get("status") or {}, {"loadBalancer": {}})}


def _service_port(port: Manifest) -> Manifest:
    filled: Manifest = with_defaults(port, {"protocol": "TCP", "targetPort": port.get("port")})
    return filled


def _secret(manifest: Manifest) -> Manifest:
    texts = manifest.get("stringData") or {}
    encoded = {name: base64.b64encode(str(text).encode()).decode() for name, text in texts.items()}
    rest = {name: inner for name, inner in manifest.items() if name != "stringData"}
    content = {"data": {**(manifest.get("data") or {}), **encoded}} if encoded else {}
    filled: Manifest = with_defaults({**rest, **content}, {"type": "Opaque"})
    return filled


def _namespace(manifest: Manifest) -> Manifest:
    metadata = manifest["metadata"]
    labels = {**(metadata.get("labels") or {}), "kubernetes.io/metadata.name": metadata["name"]}
    spec = with_defaults(manifest.get("spec") or {}, {} if metadata.get("deletionTimestamp") else {"finalizers": ["kubernetes"]})
    status = with_defaults(manifest.get("status") or {}, {"phase": "Active"})
    return {**manifest, "metadata": {**metadata, "labels": labels}, "spec": spec, "status": status}


def _definition(manifest: Manifest) -> Manifest:
    spec = manifest.get("spec") or {}
    names = spec.get("names")
    if isinstance(names, dict) and isinstance(names.get("kind"), str):
        names = with_defaults(names, {"singular": names["kind"].lower(), "listKind": f"{names['kind']}List"})
    parts = {"names": names} if names is not None else {}
    return {**manifest, "spec": {**with_defaults(spec, {"conversion": {"strategy": "None"}}), **parts}}


def _binding(manifest: Manifest) -> Manifest:
    def subject(one: Manifest) -> Manifest:
        return one if one.get("kind") == "ServiceAccount" else {"apiGroup": RBAC, **one}

    reference = with_defaults(manifest.get("roleRef") or {}, {"apiGroup": "rbac.authorization.k8s.io"})
    subjects = {"subjects": each(manifest["subjects"], subject)} if "subjects" in manifest else {}
    return {**manifest, "roleRef": reference, **subjects}


def _node(manifest: Manifest) -> Manifest:
    status = manifest.get("status") or {}
    parts = {name: quantities(status[name]) for name in ("capacity", "allocatable") if isinstance(status.get(name), dict)}
    return {**manifest, "spec": manifest.get("spec") or {}, "status": {**status, **parts}}


RBAC = "rbac.authorization.k8s.io"
DEFAULTS: Mapping[str, Callable[[Manifest], Manifest]] = {
    "deployments.apps": _deployment,
    "replicasets.apps": _replica_set,
    "jobs.batch": _job,
    "pods": _pod,
    "podtemplates": lambda manifest: {**manifest, "template": template(manifest.get("template") or {})},
    "services": _service,
    "secrets": _secret,
    "namespaces": _namespace,
    "nodes": _node,
    "events": events.filled,
    "customresourcedefinitions.apiextensions.k8s.io": _definition,
    f"rolebindings.{RBAC}": _binding,
    f"clusterrolebindings.{RBAC}": _binding,
}
