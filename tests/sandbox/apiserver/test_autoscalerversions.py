"""One autoscaler in its two versions."""

from typing import Any

import orjson
import pytest
from reconciler_sandbox.apiserver.autoscalers import filled
from reconciler_sandbox.apiserver.autoscalerversions import BEHAVIOR, CONDITIONS, CURRENT, FIRST, METRICS
from reconciler_sandbox.client import ApiClient, ApiError

from tests.kit.autoscaling import cpu

Json = dict[str, Any]
FIRSTS = "/apis/autoscaling/v1/namespaces/default/horizontalpodautoscalers"
SECONDS = "/apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers"
TARGET = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
CHOSEN = {"matchLabels": {"a": "b"}}
OTHERS: list[Json] = [
    {"type": "Resource", "resource": {"name": "memory", "target": {"type": "AverageValue", "averageValue": "1Gi"}}},
    {
        "type": "ContainerResource",
        "containerResource": {"name": "cpu", "container": "app", "target": {"type": "Utilization", "averageUtilization": 60}},
    },
    {"type": "Pods", "pods": {"metric": {"name": "rps", "selector": CHOSEN}, "target": {"type": "AverageValue", "averageValue": "10"}}},
    {
        "type": "Object",
        "object": {
            "metric": {"name": "hits"},
            "describedObject": {"apiVersion": "v1", "kind": "Service", "name": "web"},
            "target": {"type": "Value", "value": "100"},
        },
    },
    {
        "type": "External",
        "external": {"metric": {"name": "q", "selector": CHOSEN}, "target": {"type": "AverageValue", "averageValue": "30"}},
    },
]


def autoscaler(version: str = "v2", **spec: Any) -> Json:
    body = {"scaleTargetRef": TARGET, "maxReplicas": 5, **spec}
    return {"apiVersion": f"autoscaling/{version}", "kind": "HorizontalPodAutoscaler", "metadata": {"name": "web"}, "spec": body}


def test_nothing_is_lost_on_the_way_to_the_first_version_and_back() -> None:
    behavior = {"scaleDown": {"policies": [{"type": "Pods", "value": 1, "periodSeconds": 5}]}}
    stored = filled(autoscaler(metrics=[*OTHERS, cpu(50)], behavior=behavior))
    current = {"type": "Resource", "resource": {"name": "cpu", "current": {"averageUtilization": 45, "averageValue": "45m"}}}
    stored["status"] = {"currentReplicas": 1, "desiredReplicas": 2, "currentMetrics": [current], "conditions": [{"type": "AbleToScale"}]}
    first = FIRST.shown(stored)
    assert (first["apiVersion"], first["spec"]["targetCPUUtilizationPercentage"]) == ("autoscaling/v1", 50)
    assert first["status"] == {"currentReplicas": 1, "desiredReplicas": 2, "currentCPUUtilizationPercentage": 45}
    assert set(first["metadata"]["annotations"]) == {METRICS, BEHAVIOR, CURRENT, CONDITIONS}
    assert FIRST.stored({**first, "metadata": dict(first["metadata"])}) == stored


def test_annotations_are_written_as_real_servers_do() -> None:
    behavior = {"scaleDown": {"policies": [{"type": "Pods", "value": 1, "periodSeconds": 5}]}}
    notes = FIRST.shown(filled(autoscaler(metrics=OTHERS, behavior=behavior)))["metadata"]["annotations"]
    assert orjson.loads(notes[METRICS])[2:] == [
        {"type": "Pods", "pods": {"metricName": "rps", "targetAverageValue": "10", "selector": CHOSEN}},
        {
            "type": "Object",
            "object": {"target": {"apiVersion": "v1", "kind": "Service", "name": "web"}, "metricName": "hits", "targetValue": "100"},
        },
        {"type": "External", "external": {"metricName": "q", "metricSelector": CHOSEN, "targetAverageValue": "30"}},
    ]
    assert orjson.loads(notes[BEHAVIOR])["ScaleDown"] == {
        "Policies": [{"Type": "Pods", "Value": 1, "PeriodSeconds": 5}],
        "SelectPolicy": "Max",
    }


async def test_one_object_has_both_faces(api: ApiClient) -> None:
    made = await api.create(FIRSTS, autoscaler("v1", targetCPUUtilizationPercentage=70))
    assert made["apiVersion"] == "autoscaling/v1" and made["spec"]["targetCPUUtilizationPercentage"] == 70
    assert made["status"] == {"currentReplicas": 0, "desiredReplicas": 0}
    second = await api.read(f"{SECONDS}/web")
    assert second["spec"]["metrics"] == [cpu(70)] and second["metadata"]["uid"] == made["metadata"]["uid"]
    await api.patch(f"{SECONDS}/web", {"spec": {"metrics": OTHERS}})
    assert METRICS in (await api.read(f"{FIRSTS}/web"))["metadata"]["annotations"]
    assert "annotations" not in (await api.read(f"{SECONDS}/web"))["metadata"]


async def test_a_first_version_without_a_word_of_metrics_means_eighty_per_cent(api: ApiClient) -> None:
    made = await api.create(FIRSTS, autoscaler("v1"))
    assert (made["spec"]["minReplicas"], made["spec"]["targetCPUUtilizationPercentage"]) == (1, 80)


async def test_changing_the_first_version_keeps_what_only_the_second_says(api: ApiClient) -> None:
    await api.create(SECONDS, autoscaler(metrics=OTHERS, behavior={"scaleUp": {"selectPolicy": "Min"}}))
    before = await api.read(f"{SECONDS}/web")
    await api.patch(f"{FIRSTS}/web", {"spec": {"maxReplicas": 9}})
    after = await api.read(f"{SECONDS}/web")
    assert after["spec"] == {**before["spec"], "maxReplicas": 9}


async def test_who_writes_the_first_version_without_the_annotations_drops_them(api: ApiClient) -> None:
    await api.create(SECONDS, autoscaler(metrics=[*OTHERS, cpu(50)]))
    first = await api.read(f"{FIRSTS}/web")
    del first["metadata"]["annotations"]
    await api.replace(f"{FIRSTS}/web", first)
    assert (await api.read(f"{SECONDS}/web"))["spec"]["metrics"] == [cpu(50)]


async def test_a_status_can_be_written_by_either_face(api: ApiClient) -> None:
    await api.create(SECONDS, autoscaler())
    status = {"currentReplicas": 2, "desiredReplicas": 3, "currentCPUUtilizationPercentage": 55}
    await api.patch(f"{FIRSTS}/web/status", {"status": status})
    second = await api.read(f"{SECONDS}/web")
    assert second["spec"]["metrics"] == [cpu(80)], "the specification is nobody's business here"
    current = {"type": "Resource", "resource": {"name": "cpu", "current": {"averageUtilization": 55}}}
    assert (second["status"]["desiredReplicas"], second["status"]["currentMetrics"]) == (3, [current])
    await api.patch(f"{FIRSTS}/web", {"spec": {"maxReplicas": 8}})
    assert (await api.read(f"{SECONDS}/web"))["status"] == second["status"]


@pytest.mark.parametrize("note", ["no json", "[]x", '{"a":1}', '[{"type":"Odd"}]'])
async def test_annotations_that_are_none_of_a_servers_are_refused(api: ApiClient, note: str) -> None:
    body = autoscaler("v1")
    body["metadata"]["annotations"] = {METRICS: note}
    with pytest.raises(ApiError) as refused:
        await api.create(FIRSTS, body)
    assert refused.value.status in (400, 422)
