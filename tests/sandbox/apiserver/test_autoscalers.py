"""Defaults and rules of autoscalers; a real server's words are in tests/real/test_autoscaling.py."""

from typing import Any

import pytest
from reconciler_sandbox.apiserver.autoscalers import complaints, filled

from tests.kit.autoscaling import cpu

Json = dict[str, Any]
TARGET = {"kind": "Deployment", "name": "web"}


def spec(**fields: Any) -> Json:
    return filled({"metadata": {"name": "web"}, "spec": {"scaleTargetRef": TARGET, "maxReplicas": 5, **fields}})


def fields(**changed: Any) -> list[str]:
    return [cause.field for cause in complaints(spec(**changed), None)]


def test_an_autoscaler_without_metrics_looks_at_the_processor() -> None:
    made = spec()
    assert (made["spec"]["minReplicas"], made["spec"]["metrics"]) == (1, [cpu(80)])
    assert made["status"] == {"currentReplicas": 0, "desiredReplicas": 0, "currentMetrics": None}
    assert "behavior" not in made["spec"]


def test_who_sets_one_rule_is_given_the_others() -> None:
    policy = {"type": "Pods", "value": 1, "periodSeconds": 5}
    behavior = spec(behavior={"scaleDown": {"policies": [policy]}})["spec"]["behavior"]
    assert behavior["scaleDown"] == {"policies": [policy], "selectPolicy": "Max"}
    assert behavior["scaleUp"]["stabilizationWindowSeconds"] == 0
    assert [(one["type"], one["value"], one["periodSeconds"]) for one in behavior["scaleUp"]["policies"]] == [
        ("Pods", 4, 15),
        ("Percent", 100, 15),
    ]


def test_quantities_are_canonical() -> None:
    metric = {"type": "Resource", "resource": {"name": "memory", "target": {"type": "AverageValue", "averageValue": "1024Mi"}}}
    assert spec(metrics=[metric])["spec"]["metrics"][0]["resource"]["target"]["averageValue"] == "1Gi"


def test_an_autoscaler_as_it_should_be_has_no_complaint() -> None:
    assert fields() == []


@pytest.mark.parametrize(
    ("changed", "wrong"),
    [
        ({"minReplicas": 0}, ["spec.minReplicas", "spec.metrics"]),
        (
            {
                "minReplicas": 0,
                "metrics": [{"type": "External", "external": {"metric": {"name": "q"}, "target": {"type": "Value", "value": "5"}}}],
            },
            ["spec.minReplicas"],
        ),
        ({"minReplicas": -1}, ["spec.minReplicas"]),
        ({"minReplicas": 6}, ["spec.maxReplicas"]),
        ({"scaleTargetRef": {"kind": "a%b", "name": ".."}}, ["spec.scaleTargetRef.kind", "spec.scaleTargetRef.name"]),
        (
            {"metrics": [{"type": "ContainerResource", "containerResource": {"name": "cpu", "target": {"type": "Utilization"}}}]},
            ["spec.metrics[0].containerResource.container", "spec.metrics[0].containerResource.target.averageUtilization"],
        ),
        (
            {"metrics": [{"type": "External", "external": {"metric": {"name": "q"}, "target": {"type": "Value"}}}]},
            ["spec.metrics[0].external.target.averageValue"],
        ),
        ({"behavior": {"scaleUp": {"policies": [{"type": "Pods", "value": 1}]}}}, ["spec.behavior.scaleUp.policies[0].periodSeconds"]),
    ],
)
def test_each_complaint_names_its_field(changed: Json, wrong: list[str]) -> None:
    assert fields(**changed) == wrong


def test_a_status_counts_nothing_below_zero() -> None:
    body = spec()
    body["status"]["currentReplicas"] = -1
    assert [cause.field for cause in complaints(body, None)] == ["status.currentReplicas"]


@pytest.mark.parametrize("changed", [{"maxReplicas": "5"}, {"maxReplicas": True}, {"metrics": ["cpu"]}])
def test_a_field_of_another_type_is_an_error(changed: Json) -> None:
    with pytest.raises((TypeError, AttributeError)):
        complaints(spec(**changed), None)
