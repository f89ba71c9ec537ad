"""What each metric of an autoscaler asks for, and the words when it cannot."""

from typing import Any

import pytest
from reconciler_sandbox.controllers.metricreading import Asked, Failed, Reading, asked

from tests.kit.autoscaling import cpu, samples, view
from tests.kit.autoscaling import measured as pod

Json = dict[str, Any]
TWO = view(pod("a"), pod("b"))
PODS: Json = {"type": "Pods", "pods": {"metric": {"name": "rps"}, "target": {"type": "AverageValue", "averageValue": "10"}}}
CHOSEN = {"matchLabels": {"q": "x"}}


def of_object(**target: str) -> Json:
    described = {"apiVersion": "v1", "kind": "Service", "name": "web"}
    return {"type": "Object", "object": {"metric": {"name": "hits"}, "describedObject": described, "target": {"type": "Value", **target}}}


def of_outside(selector: Json | None = None, **target: str) -> Json:
    metric = {"name": "queue"} | ({"selector": selector} if selector else {})
    return {"type": "External", "external": {"metric": metric, "target": {"type": "Value", **target}}}


def amount_of_memory(text: str) -> Json:
    return {"type": "Resource", "resource": {"name": "memory", "target": {"type": "AverageValue", "averageValue": text}}}


@pytest.mark.parametrize(
    ("metric", "reading", "replicas", "name", "current"),
    [
        (
            cpu(50),
            Reading(samples=samples(a=100, b=100)),
            4,
            "cpu resource utilization (percentage of request)",
            {"averageUtilization": 100, "averageValue": "100m"},
        ),
        (amount_of_memory("1Gi"), Reading(samples=samples(a=2**41, b=2**41)), 5, "memory resource", {"averageValue": "2199023255552m"}),
        (PODS, Reading(samples=samples(a=25_000, b=15_000)), 4, "pods metric rps", {"averageValue": "20"}),
        (of_object(value="100"), Reading(values=(300_000,)), 6, "Service metric hits", {"value": "300"}),
        (of_object(averageValue="100"), Reading(values=(900_000,)), 9, "Service metric hits", {"averageValue": "450"}),
        (of_outside(value="10"), Reading(values=(15_000, 15_000)), 6, "external metric queue(nil)", {"value": "30"}),
        (
            of_outside(CHOSEN, averageValue="10"),
            Reading(values=(70_000,)),
            7,
            "external metric queue(&LabelSelector{MatchLabels:map[string]string{q: x,},MatchExpressions:[]LabelSelectorRequirement{},})",
            {"averageValue": "35"},
        ),
    ],
)
def test_a_metric_asks_for_replicas_and_is_in_the_status(metric: Json, reading: Reading, replicas: int, name: str, current: Json) -> None:
    found = asked(metric, reading, TWO)
    assert isinstance(found, Asked)
    field = metric["type"].lower()
    assert (found.replicas, found.name, found.status["type"], found.status[field]["current"]) == (replicas, name, metric["type"], current)


def test_a_container_can_be_asked_for() -> None:
    target = {"type": "Utilization", "averageUtilization": 50}
    metric = {"type": "ContainerResource", "containerResource": {"name": "cpu", "container": "app", "target": target}}
    found = asked(metric, Reading(samples=samples(a=100, b=100)), TWO)
    assert isinstance(found, Asked) and found.replicas == 4
    assert found.status["containerResource"]["container"] == "app" and found.name.startswith("cpu container resource")


@pytest.mark.parametrize(
    ("metric", "reason", "message", "error"),
    [
        (cpu(50), "FailedGetResourceMetric", "failed to get cpu utilization: unable to get metrics for resource cpu: why", ""),
        (PODS, "FailedGetPodsMetric", "unable to get metric rps: why", "failed to get pods metric value: "),
        (
            of_object(value="1"),
            "FailedGetObjectMetric",
            "unable to get metric hits: Service on shop web/why",
            "failed to get object metric value: ",
        ),
        (
            of_outside(value="1"),
            "FailedGetExternalMetric",
            "unable to get external metric shop/queue/nil: why",
            "failed to get external metric queue: ",
        ),
    ],
)
def test_a_metric_that_cannot_be_read_says_so_as_a_real_controller_does(metric: Json, reason: str, message: str, error: str) -> None:
    assert asked(metric, Reading(failure="why"), TWO) == Failed(reason, message, f"{error}{message}")
