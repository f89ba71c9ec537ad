"""Autoscalers of the Deployment web in the newer version, and in the first one."""

from typing import Any

from tests.real.kit.api import Api, Json
from tests.real.kit.objects import APPS

FIRST = "autoscaling/v1"
NEWER = "autoscaling/v2"
HPA = "horizontalpodautoscalers"
NOTES = "autoscaling.alpha.kubernetes.io/"
TARGET = {"apiVersion": APPS, "kind": "Deployment", "name": "web"}


def autoscaler(version: str = NEWER, **spec: Any) -> Json:
    body = {"scaleTargetRef": TARGET, "maxReplicas": 5, **spec}
    return {"apiVersion": version, "kind": "HorizontalPodAutoscaler", "metadata": {"name": "web"}, "spec": body}


async def made(api: Api, version: str = NEWER, **spec: Any) -> Json:
    return await api.made(api.ours(HPA, group=version), autoscaler(version, **spec))


async def shown(api: Api, version: str = NEWER) -> Json:
    return (await api("GET", api.ours(HPA, "web", group=version))).document


def cpu(utilization: int) -> Json:
    return {"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": utilization}}}


def pods_metric(name: str, average: str) -> Json:
    return {"type": "Pods", "pods": {"metric": {"name": name}, "target": {"type": "AverageValue", "averageValue": average}}}


MEMORY: Json = {"type": "Resource", "resource": {"name": "memory", "target": {"type": "AverageValue", "averageValue": "1024Mi"}}}
CHOSEN = {"matchLabels": {"q": "x"}}
OBJECT: Json = {
    "type": "Object",
    "object": {
        "metric": {"name": "hits"},
        "describedObject": {"apiVersion": "v1", "kind": "Service", "name": "web"},
        "target": {"type": "Value", "value": "100"},
    },
}
OUTSIDE: Json = {
    "type": "External",
    "external": {"metric": {"name": "queue", "selector": CHOSEN}, "target": {"type": "AverageValue", "averageValue": "30"}},
}


def condition(found: Json, name: str) -> tuple[str, ...]:
    """Status, reason and message of a condition."""
    conditions = (found.get("status") or {}).get("conditions") or ()
    return next(((one["status"], one["reason"], one["message"]) for one in conditions if one["type"] == name), ())
