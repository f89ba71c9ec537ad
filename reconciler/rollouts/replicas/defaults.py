"""What an API server makes of a pod template: defaults and canonical quantities, so that two spellings of one template compare equal."""

import re
from collections.abc import Callable, Mapping
from decimal import ROUND_CEILING, Decimal
from typing import Any

from reconciler.kernel.identity import Manifest

POD = {
    "restartPolicy": "Always",
    "dnsPolicy": "ClusterFirst",
    "schedulerName": "default-scheduler",
    "terminationGracePeriodSeconds": 30,
    "securityContext": {},
}
CONTAINER = {"terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File", "resources": {}}
PROBE = {"timeoutSeconds": 1, "periodSeconds": 10, "successThreshold": 1, "failureThreshold": 3}
HTTP_GET = {"path": "/", "scheme": "HTTP"}
MODE = {"defaultMode": 420}
SUFFIX = re.compile(r"([+-]?[0-9.]+)(?:(Ki|Mi|Gi|Ti|Pi|Ei)|([numkMGTPE])|[eE]([+-]?[0-9]+))?$")
BINARY = ("", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei")
DECIMAL = {-9: "n", -6: "u", -3: "m", 0: "", 3: "k", 6: "M", 9: "G", 12: "T", 15: "P", 18: "E"}
POWERS = {suffix: power for power, suffix in DECIMAL.items()}


def with_defaults(template: Manifest) -> Manifest:
    """The pod template as the API returns it; applying it twice changes nothing."""
    spec = {**POD, **(template.get("spec") or {})}
    for key in ("initContainers", "containers"):
        if spec.get(key):
            spec[key] = [_container(container) for container in spec[key]]
    if spec.get("volumes"):
        spec["volumes"] = [_volume(volume) for volume in spec["volumes"]]
    if spec.get("overhead"):
        spec["overhead"] = _quantities(spec["overhead"])
    metadata = {key: value for key, value in (template.get("metadata") or {}).items() if key != "creationTimestamp"}
    return {**template, "metadata": metadata, "spec": spec}


def _container(container: Manifest) -> Manifest:
    whole = {"imagePullPolicy": pull_policy(str(container.get("image", ""))), **CONTAINER, **container}
    whole["resources"] = _resources(whole["resources"] or {})
    changes: Mapping[str, Callable[[Any], Any]] = {
        "ports": lambda ports: [{"protocol": "TCP", **port} for port in ports],
        "env": lambda variables: [_variable(variable) for variable in variables],
        "livenessProbe": _probe,
        "readinessProbe": _probe,
        "startupProbe": _probe,
        "lifecycle": lambda hooks: {name: _action(hook) if isinstance(hook, dict) else hook for name, hook in hooks.items()},
    }
    return whole | {key: change(whole[key]) for key, change in changes.items() if whole.get(key)}


def pull_policy(image: str) -> str:
    """Always for `latest`, written or implied; IfNotPresent for any other tag and for digests."""
    name, _, digest = image.partition("@")
    tag = name.rpartition("/")[2].partition(":")[2] or ("" if digest else "latest")
    return "Always" if tag == "latest" else "IfNotPresent"


def _resources(resources: Manifest) -> Manifest:
    return {key: _quantities(value) if key in ("limits", "requests") and value else value for key, value in resources.items()}


def _quantities(amounts: Manifest) -> Manifest:
    return {name: canonical_quantity(amount) for name, amount in amounts.items()}


def _variable(variable: Manifest) -> Manifest:
    source = variable.get("valueFrom")
    return {**variable, "valueFrom": _field_source(source)} if source else variable


def _field_source(source: Manifest) -> Manifest:
    """The two references into a pod: `fieldRef` and `resourceFieldRef`."""
    whole = dict(source)
    if whole.get("fieldRef"):
        whole["fieldRef"] = {"apiVersion": "v1", **whole["fieldRef"]}
    if whole.get("resourceFieldRef"):
        reference = whole["resourceFieldRef"]
        whole["resourceFieldRef"] = {**reference, "divisor": canonical_quantity(reference.get("divisor") or "0")}
    return whole


def _probe(probe: Manifest) -> Manifest:
    whole = {**PROBE, **_action(probe)}
    if whole.get("grpc"):
        whole["grpc"] = {"service": "", **whole["grpc"]}
    return whole


def _action(action: Manifest) -> Manifest:
    return {**action, "httpGet": {**HTTP_GET, **action["httpGet"]}} if action.get("httpGet") else action


def _volume(volume: Manifest) -> Manifest:
    changes: Mapping[str, Callable[[Manifest], Manifest]] = {
        "configMap": lambda source: {**MODE, **source},
        "secret": lambda source: {**MODE, **source},
        "downwardAPI": lambda source: {**MODE, **_files(source)},
        "projected": lambda source: {**MODE, **source, "sources": [_projection(part) for part in source.get("sources") or []]},
        "hostPath": lambda source: {"type": "", **source},
        "emptyDir": _empty_dir,
    }
    whole = volume if len(volume) > 1 else {**volume, "emptyDir": {}}
    return {key: changes[key](value) if key in changes and value is not None else value for key, value in whole.items()}


def _files(source: Manifest) -> Manifest:
    return {**source, "items": [_field_source(item) for item in source["items"]]} if source.get("items") else source


def _projection(part: Manifest) -> Manifest:
    if part.get("serviceAccountToken"):
        return {**part, "serviceAccountToken": {"expirationSeconds": 3600, **part["serviceAccountToken"]}}
    return {**part, "downwardAPI": _files(part["downwardAPI"])} if part.get("downwardAPI") else part


def _empty_dir(source: Manifest) -> Manifest:
    return {**source, "sizeLimit": canonical_quantity(source["sizeLimit"])} if source.get("sizeLimit") else source


def canonical_quantity(amount: Any) -> Any:
    """A quantity as the API writes it: `1024Mi` is `1Gi`, `0.5` is `500m`. What is no quantity stays as it is."""
    found = SUFFIX.match(str(amount).strip())
    if not found or found[1].count(".") > 1 or not found[1].strip("+-."):
        return amount
    number = Decimal(found[1])
    if found[2]:
        return _binary(number * 1024 ** BINARY.index(found[2]))
    power = int(found[4]) if found[4] else POWERS[found[3] or ""]
    return _decimal(number.scaleb(power), exponent=found[4] is not None)


def _binary(number: Decimal) -> str:
    if abs(number) < 1024:
        return _decimal(number)
    whole, level = int(number.to_integral_value(ROUND_CEILING)), 0
    while whole % 1024 == 0 and level < len(BINARY) - 1:
        whole, level = whole // 1024, level + 1
    return f"{whole}{BINARY[level]}"


def _decimal(number: Decimal, *, exponent: bool = False) -> str:
    """The largest power of a thousand that leaves an integer; parts of a billionth are rounded up."""
    whole, power = int(number.scaleb(9).to_integral_value(ROUND_CEILING)), -9
    if whole == 0:
        return "0"
    while whole % 1000 == 0 and power < 18:
        whole, power = whole // 1000, power + 3
    if exponent:
        return f"{whole}e{power}" if power else str(whole)
    return f"{whole}{DECIMAL[power]}"
