"""Autoscalers as a real server keeps them: defaults, rules, two versions, one table."""

import json
from typing import Any

import pytest

from tests.real.kit.api import Api, Json
from tests.real.kit.autoscaling import CHOSEN, FIRST, HPA, MEMORY, NEWER, NOTES, OBJECT, OUTSIDE, autoscaler, cpu, made, pods_metric, shown

TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"


async def test_defaults_of_the_newer_version(api: Api) -> None:
    spec = (await made(api, metrics=[MEMORY]))["spec"]
    assert (spec["minReplicas"], "behavior" in spec) == (1, False)
    assert spec["metrics"][0]["resource"]["target"]["averageValue"] == "1Gi"
    await api("DELETE", api.ours(HPA, "web", group=NEWER))
    assert (await made(api))["spec"]["metrics"] == [cpu(80)]


async def test_who_sets_one_rule_is_given_the_others(api: Api) -> None:
    policy = {"type": "Pods", "value": 1, "periodSeconds": 5}
    behavior = (await made(api, behavior={"scaleDown": {"policies": [policy]}}))["spec"]["behavior"]
    assert behavior == {
        "scaleUp": {
            "stabilizationWindowSeconds": 0,
            "selectPolicy": "Max",
            "policies": [{"type": "Pods", "value": 4, "periodSeconds": 15}, {"type": "Percent", "value": 100, "periodSeconds": 15}],
        },
        "scaleDown": {"selectPolicy": "Max", "policies": [policy]},
    }


async def test_the_first_version_has_a_field_for_the_processor_alone(api: Api) -> None:
    first = await made(api, FIRST)
    assert first["spec"]["targetCPUUtilizationPercentage"] == 80
    assert first["status"] == {"currentReplicas": 0, "desiredReplicas": 0}
    assert (await shown(api))["spec"]["metrics"] == [cpu(80)]


async def test_the_first_version_keeps_the_rest_in_annotations(api: Api) -> None:
    rates = pods_metric("rps", "10")
    await made(api, metrics=[MEMORY, rates, OBJECT, OUTSIDE], behavior={"scaleDown": {"selectPolicy": "Min"}})
    first = await shown(api, FIRST)
    notes = {name: json.loads(text) for name, text in first["metadata"]["annotations"].items()}
    assert notes[f"{NOTES}metrics"] == [
        {"type": "Resource", "resource": {"name": "memory", "targetAverageValue": "1Gi"}},
        {"type": "Pods", "pods": {"metricName": "rps", "targetAverageValue": "10"}},
        {"type": "Object", "object": {"target": OBJECT["object"]["describedObject"], "metricName": "hits", "targetValue": "100"}},
        {"type": "External", "external": {"metricName": "queue", "metricSelector": CHOSEN, "targetAverageValue": "30"}},
    ]
    down = notes[f"{NOTES}behavior"]["ScaleDown"]
    assert (down["SelectPolicy"], down["Policies"]) == ("Min", [{"Type": "Percent", "Value": 100, "PeriodSeconds": 15}])
    assert "targetCPUUtilizationPercentage" not in first["spec"]


async def test_the_first_version_can_be_changed_without_losing_the_rest(api: Api) -> None:
    await made(api, metrics=[MEMORY, cpu(50)], behavior={"scaleUp": {"selectPolicy": "Min"}})
    before, first = await shown(api), await shown(api, FIRST)
    first["spec"]["maxReplicas"] = 9
    assert (await api("PUT", api.ours(HPA, "web", group=FIRST), first)).status == 200
    after = await shown(api)
    assert after["spec"] == {**before["spec"], "maxReplicas": 9}
    assert not [name for name in after["metadata"].get("annotations") or () if name.startswith(NOTES)]
    first = await shown(api, FIRST)
    del first["metadata"]["annotations"]
    assert (await api("PUT", api.ours(HPA, "web", group=FIRST), first)).status == 200
    bare = (await shown(api))["spec"]
    assert bare["metrics"] == [cpu(50)] and "behavior" not in bare


def resource(**target: Any) -> Json:
    return {"metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": target}}]}


SOURCES = 'supported values: "ContainerResource", "External", "Object", "Pods", "Resource"'
M = "spec.metrics[0]"


@pytest.mark.parametrize(
    ("spec", "causes"),
    [
        (
            {"maxReplicas": 0},
            ["spec.maxReplicas: Invalid value: 0: must be greater than 0", MORE := "must be greater than or equal to `minReplicas`"],
        ),
        ({"minReplicas": 7}, [f"spec.maxReplicas: Invalid value: 5: {MORE}"]),
        (
            {"minReplicas": 0},
            [
                "spec.minReplicas: Invalid value: 0: must be greater than or equal to 1",
                "spec.metrics: Forbidden: must specify at least one Object or External metric to support scaling to zero replicas",
            ],
        ),
        ({"metrics": [{"type": "Nope"}]}, [f'{M}.type: Unsupported value: "Nope": {SOURCES}']),
        (
            {"metrics": [{"type": ""}]},
            [f"{M}.type: Required value: must specify a metric source type", f'{M}.type: Unsupported value: "": {SOURCES}'],
        ),
        ({"metrics": [{"type": "Pods"}]}, [f"{M}.pods: Required value: must populate information for the given metric source"]),
        (
            {"metrics": [{**cpu(50), "pods": pods_metric("rps", "1")["pods"]}]},
            [f"{M}.pods: Forbidden: must populate the given metric source only"],
        ),
        (
            resource(averageUtilization=0),
            [
                f"{M}.resource.target.type: Required value: must specify a metric target type",
                f'{M}.resource.target.type: Invalid value: "": must be either Utilization, Value, or AverageValue',
                f"{M}.resource.target.averageUtilization: Invalid value: 0: must be greater than 0",
            ],
        ),
        (
            resource(type="Utilization"),
            [f"{M}.resource.target.averageUtilization: Required value: must set either a target raw value or a target utilization"],
        ),
        (
            resource(type="Utilization", averageUtilization=5, averageValue="1"),
            [f"{M}.resource.target.averageValue: Forbidden: may not set both a target raw value and a target utilization"],
        ),
        (
            {"metrics": [{"type": "Pods", "pods": {"metric": {"name": ""}, "target": {"type": "AverageValue"}}}]},
            [
                f"{M}.pods.metric.name: Required value: must specify a metric name",
                f"{M}.pods.target.averageValue: Required value: must specify a positive target averageValue",
            ],
        ),
        (
            {
                "metrics": [
                    {
                        "type": "Object",
                        "object": {"metric": {"name": "a/b"}, "describedObject": {"kind": "S", "name": ""}, "target": {"type": "Value"}},
                    }
                ]
            },
            [
                f"{M}.object.describedObject.name: Required value",
                f"{M}.object.metric.name: Invalid value: \"a/b\": may not contain '/'",
                f"{M}.object.target.averageValue: Required value: must set either a target value or averageValue",
            ],
        ),
        (
            {
                "metrics": [
                    {
                        "type": "External",
                        "external": {"metric": {"name": "q"}, "target": {"type": "Value", "value": "1", "averageValue": "1"}},
                    }
                ]
            },
            [f"{M}.external.target.value: Forbidden: may not set both a target value for metric and a per-pod target"],
        ),
        (
            {
                "behavior": {
                    "scaleUp": {"stabilizationWindowSeconds": 4000, "selectPolicy": "Odd"},
                    "scaleDown": {"stabilizationWindowSeconds": -1, "policies": [{"type": "X", "value": 0, "periodSeconds": 1801}]},
                }
            },
            [
                "spec.behavior.scaleUp.stabilizationWindowSeconds: Invalid value: 4000: must be less than or equal to 3600",
                'spec.behavior.scaleUp.selectPolicy: Unsupported value: "Odd": supported values: "Disabled", "Max", "Min"',
                "spec.behavior.scaleDown.stabilizationWindowSeconds: Invalid value: -1: must be greater than or equal to zero",
                'spec.behavior.scaleDown.policies[0].type: Unsupported value: "X": supported values: "Percent", "Pods"',
                "spec.behavior.scaleDown.policies[0].value: Invalid value: 0: must be greater than zero",
                "spec.behavior.scaleDown.policies[0].periodSeconds: Invalid value: 1801: must be less than or equal to 1800",
            ],
        ),
    ],
)
async def test_what_an_autoscaler_insists_on(api: Api, spec: Json, causes: list[str]) -> None:
    reply = await api("POST", api.ours(HPA, group=NEWER), autoscaler(**spec))
    code, reason, message = reply.refusal
    assert (code, reason) == (422, "Invalid")
    told = message.removeprefix('HorizontalPodAutoscaler.autoscaling "web" is invalid: ')
    positions = [told.index(cause) for cause in causes]
    assert positions == sorted(positions), told
    assert len(told) <= sum(map(len, causes)) + 2 * len(causes) + 60, f"there is more: {told}"


@pytest.mark.parametrize("target", [{"averageValue": "-1"}, {"averageValue": "0"}])
async def test_an_amount_below_nothing_is_refused(api: Api, target: Json) -> None:
    reply = await api("POST", api.ours(HPA, group=NEWER), autoscaler(**resource(type="AverageValue", **target)))
    assert reply.status == 422
    assert [(one["reason"], one["field"]) for one in reply.document["details"]["causes"]] == [
        ("FieldValueInvalid", f"{M}.resource.target.averageValue")
    ]


@pytest.mark.parametrize("spec", [{"maxReplicas": "5"}, {"metrics": {}}, resource(type="AverageValue", averageValue="abc")])
async def test_a_field_of_another_type_is_a_bad_request(api: Api, spec: Json) -> None:
    reply = await api("POST", api.ours(HPA, group=NEWER), autoscaler(**spec))
    assert reply.refusal[:2] == (400, "BadRequest")


async def test_a_status_counts_nothing_below_zero(api: Api) -> None:
    await made(api)
    wrong = {**autoscaler(), "status": {"currentReplicas": -1, "desiredReplicas": -2, "currentMetrics": None, "conditions": None}}
    reply = await api("PUT", f"{api.ours(HPA, 'web', group=NEWER)}/status", wrong)
    assert reply.status == 422
    assert [one["field"] for one in reply.document["details"]["causes"]] == ["status.currentReplicas", "status.desiredReplicas"]


async def test_both_versions_print_one_table(api: Api) -> None:
    await made(api, metrics=[MEMORY, OBJECT, cpu(50)], maxReplicas=7)
    for version in (NEWER, FIRST):
        table = (await api.accepting(api.ours(HPA, group=version), TABLE)).document
        assert [one["name"] for one in table["columnDefinitions"]] == [
            "Name", "Reference", "Targets", "MinPods", "MaxPods", "Replicas", "Age",
        ]  # fmt: skip
        cells = table["rows"][0]["cells"]
        assert [*cells[:2], *cells[3:6]] == ["web", "Deployment/web", "1", 7, 0]
        assert "<unknown>/1Gi, <unknown>/100 + 1 more..." in cells[2]
