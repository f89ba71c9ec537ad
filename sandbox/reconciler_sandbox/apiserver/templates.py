"""Defaults of pod templates and containers; what is there already is shared, not copied."""

from collections.abc import Mapping
from typing import Any

from reconciler_sandbox.apiserver.quantities import canonical

Manifest = dict[str, Any]

POD: Mapping[str, Any] = {
    "restartPolicy": "Always",
    "dnsPolicy": "ClusterFirst",
    "schedulerName": "default-scheduler",
    "terminationGracePeriodSeconds": 30,
    "securityContext": {},
}
CONTAINER: Mapping[str, Any] = {
    "terminationMessagePath": "/dev/termination-log",
    "terminationMessagePolicy": "File",
    "resources": {},
}
PROBE: Mapping[str, Any] = {"timeoutSeconds": 1, "periodSeconds": 10, "successThreshold": 1, "failureThreshold": 3}
PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
FILE_MODES = ("configMap", "secret", "downwardAPI", "projected")
MODE = 0o644
CONTAINERS = ("initContainers", "containers")


def with_defaults(value: Any, defaults: Mapping[str, Any]) -> Any:
    """A map with what it lacks; anything else is returned as it is, for validation to refuse."""
    if not isinstance(value, dict):
        return value
    missing = {name: inner for name, inner in defaults.items() if value.get(name) is None}
    return {**value, **missing} if missing else value


def each(value: Any, change: Any) -> Any:
    """A list with each map in it changed."""
    return [change(one) if isinstance(one, dict) else one for one in value] if isinstance(value, list) else value


def template(value: Any) -> Any:
    """A pod template with its defaults."""
    if not isinstance(value, dict):
        return value
    return {**value, "metadata": value.get("metadata") or {}, "spec": pod_spec(value.get("spec") or {})}


def pod_spec(spec: Any) -> Any:
    """A pod's specification with its defaults."""
    if not isinstance(spec, dict):
        return spec
    result = with_defaults(spec, POD)
    parts = {name: each(result[name], _container) for name in CONTAINERS if name in result}
    if "volumes" in result:
        parts["volumes"] = each(result["volumes"], _volume)
    if result.get("serviceAccountName") and not result.get("serviceAccount"):
        parts["serviceAccount"] = result["serviceAccountName"]
    return {**result, **parts}


def _container(container: Manifest) -> Manifest:
    result = with_defaults(container, {**CONTAINER, "imagePullPolicy": _pull_policy(str(container.get("image", "")))})
    parts: Manifest = {"resources": _resources(result["resources"])}
    if "ports" in result:
        parts["ports"] = each(result["ports"], lambda port: with_defaults(port, {"protocol": "TCP"}))
    if "env" in result:
        parts["env"] = each(result["env"], _variable)
    for name in PROBES:
        if isinstance(result.get(name), dict):
            parts[name] = _probe(result[name])
    return {**result, **parts}


def _pull_policy(image: str) -> str:
    name = image.rpartition("/")[2]
    if "@" in name:
        return "IfNotPresent"
    tag = name.partition(":")[2]
    return "Always" if tag in ("", "latest") else "IfNotPresent"


def _resources(resources: Any) -> Any:
    if not isinstance(resources, dict):
        return resources
    parts = {name: quantities(resources[name]) for name in ("limits", "requests") if isinstance(resources.get(name), dict)}
    return {**resources, **parts} if parts else resources


def quantities(amounts: Manifest) -> Manifest:
    """A map of quantities in canonical form."""
    return {name: canonical(amount) if isinstance(amount, str | int | float) else amount for name, amount in amounts.items()}


def _variable(variable: Manifest) -> Manifest:
    source = variable.get("valueFrom")
    if not isinstance(source, dict) or not isinstance(source.get("fieldRef"), dict):
        return variable
    return {**variable, "valueFrom": {**source, "fieldRef": with_defaults(source["fieldRef"], {"apiVersion": "v1"})}}


def _probe(probe: Manifest) -> Manifest:
    return _action(with_defaults(probe, PROBE))


def _action(handler: Manifest) -> Manifest:
    if not isinstance(handler.get("httpGet"), dict):
        return handler
    return {**handler, "httpGet": with_defaults(handler["httpGet"], {"path": "/", "scheme": "HTTP"})}


def _volume(volume: Manifest) -> Manifest:
    parts = {name: with_defaults(volume[name], {"defaultMode": MODE}) for name in FILE_MODES if isinstance(volume.get(name), dict)}
    return {**volume, **parts} if parts else volume
