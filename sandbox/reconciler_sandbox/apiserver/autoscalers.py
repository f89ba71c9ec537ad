"""HorizontalPodAutoscalers: their defaults and what they insist on, in the words of a real server."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import orjson

from reconciler_sandbox.apiserver.causes import Cause
from reconciler_sandbox.apiserver.quantities import canonical, thousandths
from reconciler_sandbox.apiserver.templates import each, with_defaults

Manifest = dict[str, Any]
UTILIZATION = 80
CPU: Manifest = {"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": UTILIZATION}}}
HALF_MINUTE = 15
DOUBLE: Manifest = {"type": "Percent", "value": 100, "periodSeconds": HALF_MINUTE}
FOUR: Manifest = {"type": "Pods", "value": 4, "periodSeconds": HALF_MINUTE}
UP: Manifest = {"stabilizationWindowSeconds": 0, "selectPolicy": "Max", "policies": [FOUR, DOUBLE]}
DOWN: Manifest = {"selectPolicy": "Max", "policies": [DOUBLE]}
LONGEST_WINDOW = 3600
LONGEST_PERIOD = 1800
SOURCES: Mapping[str, str] = {
    "ContainerResource": "containerResource",
    "External": "external",
    "Object": "object",
    "Pods": "pods",
    "Resource": "resource",
}
TARGETS = ("Utilization", "Value", "AverageValue")


def filled(manifest: Manifest) -> Manifest:
    """An autoscaler with its defaults."""
    spec = with_defaults(manifest.get("spec") or {}, {"minReplicas": 1})
    if isinstance(spec, dict):
        spec = {**spec, "metrics": each(spec.get("metrics") or [CPU], _metric), **_behavior(spec.get("behavior"))}
    status = with_defaults(manifest.get("status") or {}, {"currentReplicas": 0, "desiredReplicas": 0})
    return {**manifest, "spec": spec, "status": {"currentMetrics": None, **status}}


def _behavior(behavior: Any) -> Manifest:
    """Who sets any rule is given the others."""
    if not isinstance(behavior, dict):
        return {} if behavior is None else {"behavior": behavior}
    rules = {name: with_defaults(behavior.get(name) or {}, default) for name, default in (("scaleUp", UP), ("scaleDown", DOWN))}
    return {"behavior": {**behavior, **rules}}


def _metric(metric: Manifest) -> Manifest:
    """A metric whose quantities are in canonical form."""
    for field in SOURCES.values():
        source = metric.get(field)
        if isinstance(source, dict) and isinstance(source.get("target"), dict):
            target = source["target"]
            amounts = {name: canonical(target[name]) for name in ("value", "averageValue") if target.get(name) is not None}
            metric = {**metric, field: {**source, "target": {**target, **amounts}}}
    return metric


def complaints(new: Manifest, old: Manifest | None) -> list[Cause]:
    """What is wrong with an autoscaler. Raises ValueError and the like for parts of another type."""
    spec, status = new["spec"], new.get("status") or {}
    causes = _replicas(spec) + _reference(spec.get("scaleTargetRef") or {}, "spec.scaleTargetRef")
    for index, metric in enumerate(spec["metrics"]):
        causes += _metric_complaints(metric, f"spec.metrics[{index}]")
    if spec["minReplicas"] == 0 and not any(metric.get("type") in ("Object", "External") for metric in spec["metrics"]):
        causes.append(_forbidden("spec.metrics", "must specify at least one Object or External metric to support scaling to zero replicas"))
    for name in ("scaleUp", "scaleDown") if spec.get("behavior") else ():
        causes += _rules(spec["behavior"][name], f"spec.behavior.{name}")
    negative = (name for name in ("currentReplicas", "desiredReplicas") if _number(status.get(name, 0)) < 0)
    return causes + [_wrong(f"status.{name}", status[name], "must be greater than or equal to 0") for name in negative]


def _number(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"{value!r} is no whole number")
    return value


def _wrong(path: str, value: Any, rule: str) -> Cause:
    return Cause(path, f"Invalid value: {orjson.dumps(value).decode()}: {rule}")


def _needed(path: str, rule: str = "") -> Cause:
    return Cause(path, f"Required value: {rule}" if rule else "Required value", "Required")


def _forbidden(path: str, rule: str) -> Cause:
    return Cause(path, f"Forbidden: {rule}", "Forbidden")


def _unsupported(path: str, value: Any, known: Iterable[str]) -> Cause:
    listed = ", ".join(f'"{one}"' for one in sorted(known))
    return Cause(path, f'Unsupported value: "{value}": supported values: {listed}', "NotSupported")


def _replicas(spec: Manifest) -> list[Cause]:
    least, most = _number(spec["minReplicas"]), _number(spec.get("maxReplicas") or 0)
    causes = []
    if least < 1:
        causes.append(_wrong("spec.minReplicas", least, "must be greater than or equal to 1"))
    if most < 1:
        causes.append(_wrong("spec.maxReplicas", most, "must be greater than 0"))
    if most < least:
        causes.append(_wrong("spec.maxReplicas", most, "must be greater than or equal to `minReplicas`"))
    return causes


def _reference(reference: Manifest, path: str) -> list[Cause]:
    return [cause for name in ("kind", "name") for cause in _segment(reference.get(name), f"{path}.{name}")]


def _segment(name: Any, path: str, rule: str = "") -> list[Cause]:
    """A name that can be a part of a path."""
    if not name:
        return [_needed(path, rule)]
    if name in (".", ".."):
        return [_wrong(path, name, f"may not be '{name}'")]
    return [_wrong(path, name, f"may not contain '{mark}'") for mark in "/%" if mark in str(name)]


def _metric_complaints(metric: Manifest, path: str) -> list[Cause]:
    kind = metric.get("type") or ""
    causes = [] if kind else [_needed(f"{path}.type", "must specify a metric source type")]
    if kind not in SOURCES:
        return [*causes, _unsupported(f"{path}.type", kind, SOURCES)]
    present = [field for field in SOURCES.values() if metric.get(field) is not None]
    if SOURCES[kind] not in present:
        causes.append(_needed(f"{path}.{SOURCES[kind]}", "must populate information for the given metric source"))
    else:
        field = SOURCES[kind]
        causes += CHECKS[kind](metric[field], f"{path}.{field}")
    others = (field for field in present if field != SOURCES[kind])
    return causes + [_forbidden(f"{path}.{field}", "must populate the given metric source only") for field in others]


def _target(source: Manifest, path: str) -> list[Cause]:
    target, path = source.get("target") or {}, f"{path}.target"
    kind = target.get("type") or ""
    causes = [] if kind else [_needed(f"{path}.type", "must specify a metric target type")]
    if kind not in TARGETS:
        causes.append(_wrong(f"{path}.type", kind, "must be either Utilization, Value, or AverageValue"))
    for name in ("value", "averageValue"):
        if target.get(name) is not None and thousandths(target[name]) <= 0:
            causes.append(_wrong(f"{path}.{name}", target[name], "must be positive"))
    if target.get("averageUtilization") is not None and _number(target["averageUtilization"]) < 1:
        causes.append(_wrong(f"{path}.averageUtilization", target["averageUtilization"], "must be greater than 0"))
    return causes


def _has(source: Manifest, name: str) -> bool:
    return (source.get("target") or {}).get(name) is not None


def _resource(source: Manifest, path: str) -> list[Cause]:
    causes = [] if source.get("name") else [_needed(f"{path}.name", "must specify a resource name")]
    causes += _target(source, path)
    raw, share = _has(source, "averageValue"), _has(source, "averageUtilization")
    if not raw and not share:
        causes.append(_needed(f"{path}.target.averageUtilization", "must set either a target raw value or a target utilization"))
    if raw and share:
        causes.append(_forbidden(f"{path}.target.averageValue", "may not set both a target raw value and a target utilization"))
    return causes


def _container(source: Manifest, path: str) -> list[Cause]:
    return _segment(source.get("container"), f"{path}.container", "must specify a container name") + _resource(source, path)


def _identifier(source: Manifest, path: str) -> list[Cause]:
    return _segment((source.get("metric") or {}).get("name"), f"{path}.metric.name", "must specify a metric name")


def _pods(source: Manifest, path: str) -> list[Cause]:
    causes = _identifier(source, path) + _target(source, path)
    if not _has(source, "averageValue"):
        causes.append(_needed(f"{path}.target.averageValue", "must specify a positive target averageValue"))
    return causes


def _object(source: Manifest, path: str) -> list[Cause]:
    causes = _reference(source.get("describedObject") or {}, f"{path}.describedObject")
    causes += _identifier(source, path) + _target(source, path)
    if not _has(source, "value") and not _has(source, "averageValue"):
        causes.append(_needed(f"{path}.target.averageValue", "must set either a target value or averageValue"))
    return causes


def _external(source: Manifest, path: str) -> list[Cause]:
    causes = _identifier(source, path) + _target(source, path)
    whole, share = _has(source, "value"), _has(source, "averageValue")
    if not whole and not share:
        causes.append(_needed(f"{path}.target.averageValue", "must set either a target value for metric or a per-pod target"))
    if whole and share:
        causes.append(_forbidden(f"{path}.target.value", "may not set both a target value for metric and a per-pod target"))
    return causes


CHECKS: Mapping[str, Callable[[Manifest, str], list[Cause]]] = {
    "Resource": _resource,
    "ContainerResource": _container,
    "Pods": _pods,
    "Object": _object,
    "External": _external,
}


def _rules(rules: Manifest, path: str) -> list[Cause]:
    window, causes = rules.get("stabilizationWindowSeconds"), []
    if window is not None and _number(window) < 0:
        causes.append(_wrong(f"{path}.stabilizationWindowSeconds", window, "must be greater than or equal to zero"))
    if window is not None and window > LONGEST_WINDOW:
        causes.append(_wrong(f"{path}.stabilizationWindowSeconds", window, f"must be less than or equal to {LONGEST_WINDOW}"))
    if rules["selectPolicy"] not in ("Disabled", "Max", "Min"):
        causes.append(_unsupported(f"{path}.selectPolicy", rules["selectPolicy"], ("Disabled", "Max", "Min")))
    if not rules["policies"]:
        causes.append(_needed(f"{path}.policies", "must specify at least one Policy"))
    for index, policy in enumerate(rules["policies"]):
        causes += _policy(policy, f"{path}.policies[{index}]")
    return causes


def _policy(policy: Manifest, path: str) -> list[Cause]:
    causes = []
    if policy.get("type") not in ("Percent", "Pods"):
        causes.append(_unsupported(f"{path}.type", policy.get("type", ""), ("Percent", "Pods")))
    causes += [_wrong(f"{path}.{name}", policy.get(name, 0), "must be greater than zero") for name in _zeros(policy)]
    if _number(policy.get("periodSeconds", 0)) > LONGEST_PERIOD:
        causes.append(_wrong(f"{path}.periodSeconds", policy["periodSeconds"], f"must be less than or equal to {LONGEST_PERIOD}"))
    return causes


def _zeros(policy: Manifest) -> list[str]:
    return [name for name in ("value", "periodSeconds") if _number(policy.get(name, 0)) <= 0]
