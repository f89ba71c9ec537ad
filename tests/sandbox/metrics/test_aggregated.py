"""The metrics APIs as kubectl and controllers ask them."""

from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from reconciler_sandbox.apiserver.server import ApiServer
from reconciler_sandbox.client import Answer, ApiClient, ApiError, Call
from reconciler_sandbox.metrics.aggregated import AggregatedMetrics
from reconciler_sandbox.metrics.readings import Readings, Subject, amount

from tests.kit.apiserver import DEPLOYMENTS, PODS, deployment, pod
from tests.kit.autoscaling import Said

Json = dict[str, Any]
WEB = Subject("apps/v1", "deployments", "Deployment", "default", "web")
METRICS = "/apis/metrics.k8s.io/v1beta1"
CUSTOM = "/apis/custom.metrics.k8s.io/v1beta1/namespaces/default"


@pytest.fixture
async def said(api_server: ApiServer, api: ApiClient) -> Said:
    """Two pods of web run (one is ready), one is pending, and one is nobody's."""
    await api.create(DEPLOYMENTS, deployment("web", replicas=0))
    for name, phase, ready in (("web-a", "Running", "True"), ("web-b", "Running", "False"), ("web-c", "Pending", "False")):
        await api.create(PODS, pod(name, node="one", labels={"app": "web", "name": name}))
        await api.patch(f"{PODS}/{name}/status", {"status": {"phase": phase, "conditions": [{"type": "Ready", "status": ready}]}})
    await api.create(PODS, pod("other", node="one"))
    return Said(api_server)


async def test_nothing_is_served_before_anything_is_said(api: ApiClient) -> None:
    assert "metrics.k8s.io" not in [group["name"] for group in (await api.read("/apis"))["groups"]]
    with pytest.raises(ApiError) as refused:
        await api.list(f"{METRICS}/pods")
    assert refused.value.status == 404


async def test_running_pods_are_listed_with_what_they_use(said: Said, api: ApiClient) -> None:
    said.say(WEB, cpu="total 300m", memory="64Mi")
    listed = await api.read(f"{METRICS}/namespaces/default/pods")
    assert listed["kind"] == "PodMetricsList"
    usage = {item["metadata"]["name"]: item["containers"][0]["usage"] for item in listed["items"]}
    assert usage == {"web-a": {"cpu": "300m", "memory": "64Mi"}, "web-b": {"cpu": "0", "memory": "64Mi"}}
    assert listed["items"][0]["window"] == "1s" and listed["items"][0]["timestamp"].endswith("Z")
    chosen = await api.list(f"{METRICS}/pods", labelSelector="name=web-b")
    assert [item["metadata"]["name"] for item in chosen] == ["web-b"]
    assert await api.list(f"{METRICS}/namespaces/elsewhere/pods") == []


async def test_one_pod_and_its_node_are_found_by_name(said: Said, api: ApiClient) -> None:
    said.say(WEB, cpu="200m", memory="1Mi")
    one = await api.read(f"{METRICS}/namespaces/default/pods/web-a")
    assert (one["kind"], one["containers"][0]["usage"]["cpu"]) == ("PodMetrics", "200m")
    node = await api.read(f"{METRICS}/nodes/one")
    assert (node["kind"], node["usage"]) == ("NodeMetrics", {"cpu": "400m", "memory": "2Mi"})
    for path, words in (
        (f"{METRICS}/namespaces/default/pods/nobody", '"default/nobody" not found'),
        (f"{METRICS}/nodes/two", '"two" not found'),
    ):
        with pytest.raises(ApiError, match=words):
            await api.read(path)


async def test_metrics_of_pods_and_objects_are_custom(said: Said, api: ApiClient) -> None:
    said.say(WEB, rps="total 30")
    found = await api.read(f"{CUSTOM}/pods/*/rps")
    assert {item["describedObject"]["name"]: item["value"] for item in found["items"]} == {"web-a": "30", "web-b": "0"}
    assert found["kind"] == "MetricValueList" and found["items"][0]["metricName"] == "rps"
    [one] = await api.list(f"{CUSTOM}/deployments.apps/web/rps")
    assert (one["describedObject"]["kind"], one["value"]) == ("Deployment", "30")
    names = [one["name"] for one in (await api.read("/apis/custom.metrics.k8s.io/v1beta1"))["resources"]]
    assert names == ["deployments.apps/rps", "pods/rps"]
    with pytest.raises(ApiError, match="could not find the metric rps"):
        await api.read(f"{CUSTOM}/services/web/rps")


async def test_values_of_the_outside_are_external(said: Said, api: ApiClient) -> None:
    said.outside({"queue": 1500})
    [item] = await api.list("/apis/external.metrics.k8s.io/v1beta1/namespaces/default/queue")
    assert (item["metricName"], item["value"]) == ("queue", "1500m")
    assert await api.list("/apis/external.metrics.k8s.io/v1beta1/namespaces/default/other") == []


async def test_the_groups_are_discovered_as_others_are(said: Said, api: ApiClient, api_server: ApiServer) -> None:
    said.say(WEB, cpu="1")
    assert "metrics.k8s.io" in [group["name"] for group in (await api.read("/apis"))["groups"]]
    resources = (await api.read(METRICS))["resources"]
    assert [(one["name"], one["kind"], one["verbs"]) for one in resources][:1] == [("pods", "PodMetrics", ["get", "list"])]
    accept = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
    answer = await api_server.call(Call("GET", "/apis", {}, {"accept": accept}))
    assert isinstance(answer.body, bytes)
    assert "metrics.k8s.io" in [item["metadata"]["name"] for item in orjson.loads(answer.body)["items"]]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("DELETE", "/namespaces/default/pods", 405),
        ("GET", "/namespaces/default/secrets", 404),
        ("GET", "/namespaces/default/pods/a/b", 404),
        ("GET", "/namespaces", 404),
    ],
)
async def test_what_is_not_served_is_refused(said: Said, api_server: ApiServer, method: str, path: str, status: int) -> None:
    said.say(WEB, cpu="1")
    assert (await api_server.call(Call(method, METRICS + path))).status == status


async def test_a_server_behind_an_api_service_tells_of_its_groups_itself(api: ApiClient) -> None:
    readings = Readings()
    readings.say(WEB, {"cpu": amount("1")})
    alone = AggregatedMetrics(api, readings, lambda: datetime.now(UTC))
    asked = ApiClient(alone.call)
    assert (await asked.read("/apis/metrics.k8s.io"))["preferredVersion"]["version"] == "v1beta1"
    assert [one["name"] for one in (await asked.read(METRICS))["resources"]] == ["pods", "nodes"]
    with pytest.raises(ApiError) as refused:
        await asked.read("/apis/custom.metrics.k8s.io/v1beta1")
    assert refused.value.status == 404


async def test_a_cluster_that_cannot_be_read_is_said_to_be(api: ApiClient) -> None:
    async def lost(call: Call) -> Answer:
        raise OSError("cut")

    readings = Readings()
    readings.say(WEB, {"cpu": amount("1")})
    answer = await AggregatedMetrics(ApiClient(lost), readings, lambda: datetime.now(UTC)).call(Call("GET", f"{METRICS}/pods"))
    assert answer.status == 503
