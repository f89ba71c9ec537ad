"""An autoscaler as autoscaling/v1 shows it: what that version has no field for is in annotations, written and read as real servers do."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from reconciler_sandbox.apiserver.autoscalers import SOURCES, UTILIZATION
from reconciler_sandbox.apiserver.faces import Face

Manifest = dict[str, Any]
PREFIX = "autoscaling.alpha.kubernetes.io/"
METRICS, CURRENT, CONDITIONS, BEHAVIOR = (f"{PREFIX}{word}" for word in ("metrics", "current-metrics", "conditions", "behavior"))
OWN = (METRICS, CURRENT, CONDITIONS, BEHAVIOR)
Words = Mapping[str, str]
# Field of a source in v1 → where it is in v2, per source. Names that both share are in every row.
TARGET: Mapping[str, Words] = {
    "resource": {"targetAverageUtilization": "averageUtilization", "targetAverageValue": "averageValue"},
    "containerResource": {"targetAverageUtilization": "averageUtilization", "targetAverageValue": "averageValue"},
    "pods": {"targetAverageValue": "averageValue"},
    "object": {"targetValue": "value", "averageValue": "averageValue"},
    "external": {"targetValue": "value", "targetAverageValue": "averageValue"},
}
NOW: Mapping[str, Words] = {
    "resource": {"currentAverageUtilization": "averageUtilization", "currentAverageValue": "averageValue"},
    "containerResource": {"currentAverageUtilization": "averageUtilization", "currentAverageValue": "averageValue"},
    "pods": {"currentAverageValue": "averageValue"},
    "object": {"currentValue": "value", "averageValue": "averageValue"},
    "external": {"currentValue": "value", "currentAverageValue": "averageValue"},
}
SELECTORS: Words = {"external": "metricSelector"}
TYPES: Words = {"averageUtilization": "Utilization", "averageValue": "AverageValue", "value": "Value"}


@dataclass(frozen=True, slots=True)
class FirstVersion(Face):
    """The face of autoscalers in v1."""

    def shown(self, manifest: Manifest) -> Manifest:
        """A stored autoscaler (v2) as v1."""
        spec, status = manifest["spec"], manifest.get("status") or {}
        metrics, current = spec.get("metrics") or [], status.get("currentMetrics") or []
        notes = {
            BEHAVIOR: _with_case(spec["behavior"], str.upper) if spec.get("behavior") else None,
            METRICS: [_older(one, "target", TARGET) for one in metrics if not _is_plain(one)] or None,
            CURRENT: [_older(one, "current", NOW) for one in current] or None,
            CONDITIONS: status.get("conditions") or None,
        }
        written = {name: orjson.dumps(note).decode() for name, note in notes.items() if note is not None}
        plain = {name: spec[name] for name in spec if name not in ("metrics", "behavior")}
        share = next((one["resource"]["target"]["averageUtilization"] for one in metrics if _is_plain(one)), None)
        return {
            **_annotated(manifest, written),
            "apiVersion": self.version,
            "spec": plain if share is None else {**plain, "targetCPUUtilizationPercentage": share},
            "status": _older_status(status, current),
        }

    def stored(self, manifest: Manifest) -> Manifest:
        """An autoscaler as it is kept; parts that are in that form already stay. Raises ValueError for annotations of others."""
        spec, status = manifest.get("spec") or {}, manifest.get("status") or {}
        notes = {name: text for name, text in (manifest["metadata"].get("annotations") or {}).items() if name in OWN}
        read = {name: orjson.loads(text) for name, text in notes.items()}
        new = {**_annotated(manifest, {}), "apiVersion": self.stored_version}
        if "metrics" not in spec:
            new = {**new, "spec": _newer_spec(spec, read)}
        old = isinstance(status, dict) and status and "currentMetrics" not in status
        return {**new, "status": _newer_status(status, read)} if old else new


def _older_status(status: Manifest, current: Iterable[Manifest]) -> Manifest:
    cpu = (one["resource"]["current"] for one in current if one.get("type") == "Resource" and one["resource"]["name"] == "cpu")
    share = next((one["averageUtilization"] for one in cpu if one.get("averageUtilization") is not None), None)
    kept = {name: inner for name, inner in status.items() if name not in ("currentMetrics", "conditions")}
    return kept if share is None else {**kept, "currentCPUUtilizationPercentage": share}


def _newer_spec(spec: Manifest, read: Mapping[str, Any]) -> Manifest:
    share = spec.get("targetCPUUtilizationPercentage")
    metrics = [_newer(one, "target", TARGET) for one in read.get(METRICS) or ()]
    if share is not None or not metrics:
        target = {"type": "Utilization", "averageUtilization": UTILIZATION if share is None else share}
        metrics = [*metrics, {"type": "Resource", "resource": {"name": "cpu", "target": target}}]
    kept = {name: inner for name, inner in spec.items() if name != "targetCPUUtilizationPercentage"}
    behavior = {"behavior": _with_case(read[BEHAVIOR], str.lower)} if read.get(BEHAVIOR) else {}
    return {**kept, "metrics": metrics, **behavior}


def _newer_status(status: Manifest, read: Mapping[str, Any]) -> Manifest:
    current = [_newer(one, "current", NOW) for one in read.get(CURRENT) or ()]
    share = status.get("currentCPUUtilizationPercentage")
    if share is not None and not current:
        current = [{"type": "Resource", "resource": {"name": "cpu", "current": {"averageUtilization": share}}}]
    kept = {name: inner for name, inner in status.items() if name != "currentCPUUtilizationPercentage"}
    conditions = {"conditions": read[CONDITIONS]} if read.get(CONDITIONS) else {}
    return {**kept, "currentMetrics": current or None, **conditions}


def _annotated(manifest: Manifest, notes: Mapping[str, str]) -> Manifest:
    """The object with these notes and no others of ours."""
    fields = manifest["metadata"]
    annotations = {**{name: text for name, text in (fields.get("annotations") or {}).items() if name not in OWN}, **notes}
    rest = {name: inner for name, inner in fields.items() if name != "annotations"}
    return {**manifest, "metadata": {**rest, "annotations": annotations} if annotations else rest}


def _is_plain(metric: Manifest) -> bool:
    """Whether v1 has a field for a metric."""
    resource = metric.get("resource") or {}
    return metric.get("type") == "Resource" and resource.get("name") == "cpu" and _share(resource) is not None


def _share(resource: Manifest) -> Any:
    return (resource.get("target") or {}).get("averageUtilization")


def _older(metric: Manifest, part: str, words: Mapping[str, Words]) -> Manifest:
    """A metric, or the status of one, in the words of v1."""
    field = SOURCES[metric["type"]]
    source = metric[field]
    amounts = source.get(part) or {}
    plain = {name: source[name] for name in ("name", "container") if name in source}
    if "describedObject" in source:
        plain["target"] = source["describedObject"]
    if "metric" in source:
        plain["metricName"] = source["metric"]["name"]
    found = {old: amounts[new] for old, new in words[field].items() if amounts.get(new) is not None}
    selector = (source.get("metric") or {}).get("selector")
    chosen = {SELECTORS.get(field, "selector"): selector} if selector is not None else {}
    return {"type": metric["type"], field: {**plain, **found, **chosen}}


def _newer(metric: Manifest, part: str, words: Mapping[str, Words]) -> Manifest:
    """A metric, or the status of one, in the words of v2."""
    field = SOURCES[metric["type"]]
    source = metric[field]
    found = {new: source[old] for old, new in words[field].items() if source.get(old) is not None}
    if part == "target":
        found = {"type": next((TYPES[name] for name in found), ""), **found}
    plain = {name: source[name] for name in ("name", "container") if name in source}
    if "metricName" in source:
        selector = source.get(SELECTORS.get(field, "selector"))
        plain["metric"] = {"name": source["metricName"], **({"selector": selector} if selector is not None else {})}
    if "target" in source:
        plain["describedObject"] = source["target"]
    return {"type": metric["type"], field: {**plain, part: found}}


def _with_case(value: Any, change: Any) -> Any:
    """A behavior with the first letter of each of its names changed: servers write it with the names of their own code."""
    if isinstance(value, dict):
        return {change(name[:1]) + name[1:]: _with_case(inner, change) for name, inner in value.items() if inner is not None}
    return [_with_case(inner, change) for inner in value] if isinstance(value, list) else value


FIRST = FirstVersion(version="autoscaling/v1", stored_version="autoscaling/v2", stored_group="autoscaling", renamed={}, always={})
