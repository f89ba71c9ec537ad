"""What a cluster's own controller makes of autoscalers, does and tells; its metrics are what a test says."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from reconciler_sandbox.cluster import Workings, attach
from reconciler_sandbox.node.behaviour import Behaviour, Behaviours
from reconciler_sandbox.node.network import Network

from tests.kit.kubectl import Kubectl
from tests.kit.sandbox import QUICK
from tests.real.kit.api import Api, Json
from tests.real.kit.autoscaling import FIRST, HPA, NEWER, NOTES, OBJECT, OUTSIDE, TARGET, condition, cpu, made, pods_metric, shown
from tests.real.kit.metrics import Said, said_metrics
from tests.real.kit.objects import APPS, deployment
from tests.real.kit.reach import caller
from tests.real.kit.servers import Server

IMAGES = {"web:1": Behaviour("v1")}
UNFOUND = "the server could not find the requested resource"
NO_METRICS = f"unable to fetch metrics from resource metrics API: {UNFOUND} (get pods.metrics.k8s.io)"


@pytest.fixture(autouse=True)
async def node(server: Server, api: Api) -> AsyncIterator[Workings]:
    """Pods run; a server without controllers is given the sandbox's."""
    async with (
        caller(server) as call,
        attach(call, Behaviours(IMAGES), network=Network(masked=True), pace=QUICK, controllers=server.sandbox is not None) as workings,
    ):
        yield workings


@pytest.fixture
async def said(server: Server, api: Api, node: Workings) -> AsyncIterator[Said]:
    async with said_metrics(api, server) as made:
        yield made


# -- the controller without metrics -------------------------------------------------------------------------------------------


async def until_told(api: Api, name: str, reason: str) -> tuple[str, ...]:
    path = api.ours(HPA, "web", group=NEWER)
    return condition(await api.until(path, lambda found: condition(found, name)[1:2] == (reason,)), name)


async def events(api: Api) -> dict[str, list[str]]:
    """Messages by reason."""
    found: dict[str, list[str]] = {}
    for one in (await api("GET", api.ours("events"), fieldSelector="involvedObject.kind=HorizontalPodAutoscaler")).document["items"]:
        found.setdefault(one["reason"], []).append(one["message"])
    return found


async def event(api: Api, reason: str) -> str:
    """The message of the first event of a reason, once there is one."""
    await api.until(api.ours("events"), lambda found: any(one["reason"] == reason for one in found["items"]))
    return (await events(api))[reason][0]


GET_SCALE = "the HPA controller was unable to get the target's current scale: "


@pytest.mark.parametrize(
    ("target", "words"),
    [
        (TARGET, 'deployments.apps "web" not found'),
        ({"apiVersion": APPS, "kind": "Nope", "name": "web"}, 'no matches for kind "Nope" in group "apps"'),
    ],
)
async def test_a_target_without_a_scale_is_told_of(api: Api, target: Json, words: str) -> None:
    await made(api, scaleTargetRef=target)
    assert await until_told(api, "AbleToScale", "FailedGetScale") == ("False", "FailedGetScale", GET_SCALE + words)
    assert await event(api, "FailedGetScale") == words


def web(replicas: int = 2, **requests: str) -> Json:
    body = deployment("web", replicas=replicas, image="web:1")
    if requests:
        body["spec"]["template"]["spec"]["containers"][0]["resources"] = {"requests": requests}
    return body


async def run(api: Api, replicas: int = 2, **requests: str) -> None:
    """The Deployment web, once its pods are ready."""
    await api.made(api.ours("deployments", group=APPS), web(replicas, **requests))
    path = api.ours("deployments", "web", group=APPS)
    await api.until(path, lambda found: (found.get("status") or {}).get("readyReplicas", 0) == replicas)


async def sized(api: Api, replicas: int) -> None:
    await api.until(api.ours("deployments", "web", group=APPS), lambda found: found["spec"]["replicas"] == replicas)


async def test_pods_stay_while_nobody_measures_them(api: Api) -> None:
    await run(api, 2)
    await made(api)
    told = f"failed to get cpu utilization: unable to get metrics for resource cpu: {NO_METRICS}"
    active = await until_told(api, "ScalingActive", "FailedGetResourceMetric")
    assert active == ("False", "FailedGetResourceMetric", f"the HPA was unable to compute the replica count: {told}")
    found = await shown(api)
    assert condition(found, "AbleToScale")[1:] == (
        "SucceededGetScale",
        "the HPA controller was able to get the target's current scale",
    )
    assert (found["status"]["currentReplicas"], found["status"]["desiredReplicas"]) == (2, 0)
    assert await event(api, "FailedGetResourceMetric") == told


async def test_every_kind_of_metric_says_in_its_own_words_that_it_is_not_there(api: Api) -> None:
    await run(api, 1)
    await made(api, metrics=[pods_metric("rps", "10"), OBJECT, OUTSIDE])
    missing = "unable to fetch metrics from custom metrics API: no custom metrics API (custom.metrics.k8s.io) registered"
    assert await event(api, "FailedGetPodsMetric") == f"unable to get metric rps: {missing}"
    assert await event(api, "FailedGetObjectMetric") == f"unable to get metric hits: Service on {api.namespace} web/{missing}"
    selector = "&LabelSelector{MatchLabels:map[string]string{q: x,},MatchExpressions:[]LabelSelectorRequirement{},}"
    away = f"unable to fetch metrics from external metrics API: {UNFOUND} (get queue.external.metrics.k8s.io)"
    assert await event(api, "FailedGetExternalMetric") == f"unable to get external metric {api.namespace}/queue/{selector}: {away}"
    whole = await event(api, "FailedComputeMetricsReplicas")
    assert whole.startswith(
        "invalid metrics (3 invalid out of 3), first error is: failed to get pods metric value: unable to get metric rps"
    )


async def test_the_range_holds_without_any_metric(api: Api) -> None:
    await run(api, 4)
    await made(api, maxReplicas=3)
    await sized(api, 3)
    assert await event(api, "SuccessfulRescale") == "New size: 3; reason: Current number of replicas above Spec.MaxReplicas"
    path = api.ours(HPA, "web", group=NEWER)
    found = await api.until(path, lambda found: (found.get("status") or {}).get("lastScaleTime"))
    assert found["status"]["desiredReplicas"] == 3
    await api.patch(path, {"spec": {"minReplicas": 5, "maxReplicas": 6}})
    await sized(api, 5)
    await api.until(api.ours("events"), lambda found: any("below Spec.MinReplicas" in one["message"] for one in found["items"]))


async def test_a_target_at_zero_is_left_alone(api: Api) -> None:
    await run(api, 0)
    await made(api)
    words = "scaling is disabled since the replica count of the target is zero"
    assert await until_told(api, "ScalingActive", "ScalingDisabled") == ("False", "ScalingDisabled", words)


# -- the controller with metrics ----------------------------------------------------------------------------------------------


async def test_a_shared_load_settles_at_the_pods_that_carry_it_and_back_home(api: Api, said: Said) -> None:
    await run(api, 2, cpu="100m")
    said.say(cpu="total 200m")
    await made(api, metrics=[cpu(50)], maxReplicas=10, behavior={"scaleDown": {"stabilizationWindowSeconds": 0}})
    await sized(api, 4)
    path = api.ours(HPA, "web", group=NEWER)
    found = await api.until(path, lambda found: found["status"].get("currentReplicas") == 4 and current(found) == 50)
    value = found["status"]["currentMetrics"][0]["resource"]["current"]
    assert value == {"averageUtilization": 50, "averageValue": "50m"}
    assert condition(found, "ScalingActive") == (
        "True",
        "ValidMetricFound",
        f"the HPA was able to successfully calculate a replica count from {SHARE}",
    )
    assert condition(found, "ScalingLimited")[:2] == ("False", "DesiredWithinRange")
    assert f"New size: 4; reason: {SHARE} above target" in (await events(api))["SuccessfulRescale"]
    said.say(cpu="total 50m")
    await sized(api, 1)
    await api.until(api.ours("events"), lambda found: any("All metrics below target" in one["message"] for one in found["items"]))


SHARE = "cpu resource utilization (percentage of request)"


def current(found: Json) -> int | None:
    metrics = found["status"].get("currentMetrics") or [{}]
    return (metrics[0].get("resource") or {}).get("current", {}).get("averageUtilization")


async def test_a_load_without_end_stops_at_the_most(api: Api, said: Said) -> None:
    await run(api, 1, cpu="100m")
    said.say(cpu="900%")
    await made(api, metrics=[cpu(50)], maxReplicas=5)
    await sized(api, 5)
    messages = (await events(api))["SuccessfulRescale"]
    assert messages[0] == f"New size: 4; reason: {SHARE} above target", "at first no more than four"
    limited = await until_told(api, "ScalingLimited", "TooManyReplicas")
    assert limited == ("True", "TooManyReplicas", "the desired replica count is more than the maximum replica count")


async def test_policies_slow_growth_down(api: Api, said: Said) -> None:
    await run(api, 1, cpu="100m")
    said.say(cpu="900%")
    policies = [{"type": "Pods", "value": 1, "periodSeconds": 600}]
    await made(api, metrics=[cpu(50)], maxReplicas=9, behavior={"scaleUp": {"policies": policies}})
    await sized(api, 2)
    limited = await until_told(api, "ScalingLimited", "ScaleUpLimit")
    assert limited == ("True", "ScaleUpLimit", "the desired replica count is increasing faster than the maximum scale rate")
    found = await api.until(api.ours(HPA, "web", group=NEWER), lambda found: found["status"].get("currentReplicas") == 2)
    assert found["status"]["desiredReplicas"] == 2


async def test_five_minutes_hold_pods_up_that_nobody_needs_any_more(api: Api, said: Said) -> None:
    await run(api, 3, cpu="100m")
    said.say(cpu="1%")
    await made(api, metrics=[cpu(50)])
    able = await until_told(api, "AbleToScale", "ScaleDownStabilized")
    assert able == (
        "True",
        "ScaleDownStabilized",
        "recent recommendations were higher than current one, applying the highest recent recommendation",
    )
    await sized(api, 3)


async def test_a_share_of_nothing_cannot_be_computed(api: Api, said: Said) -> None:
    await run(api, 1)
    said.say(cpu="50m")
    await made(api, metrics=[cpu(50)])
    words = "failed to get cpu utilization: missing request for cpu"
    await api.until(api.ours("events"), lambda found: any(one["message"].startswith(words) for one in found["items"]))
    await sized(api, 1)


async def test_an_amount_of_memory_decides(api: Api, said: Said) -> None:
    await run(api, 2)
    said.say(memory="128Mi")
    target = {"type": "AverageValue", "averageValue": "64Mi"}
    await made(api, metrics=[{"type": "Resource", "resource": {"name": "memory", "target": target}}], maxReplicas=4)
    await sized(api, 4)
    assert await event(api, "SuccessfulRescale") == "New size: 4; reason: memory resource above target"


async def test_a_metric_of_pods_decides(api: Api, said: Said) -> None:
    await run(api, 1)
    said.say(rps="total 25")
    await made(api, metrics=[pods_metric("rps", "10")])
    await sized(api, 3)
    assert await event(api, "SuccessfulRescale") == "New size: 3; reason: pods metric rps above target"


async def test_no_pod_is_taken_away_while_one_metric_is_unknown(api: Api, said: Said) -> None:
    await run(api, 2, cpu="100m")
    said.say(cpu="1%")
    await made(api, metrics=[cpu(50), OUTSIDE], behavior={"scaleDown": {"stabilizationWindowSeconds": 0}})
    await until_told(api, "ScalingActive", "FailedGetExternalMetric")
    await sized(api, 2)


async def test_kubectl_top_prints_what_is_said(api: Api, said: Said, server: Server, tmp_path: Path) -> None:
    await run(api, 1)
    said.say(cpu="150m", memory="32Mi")
    kubectl = Kubectl(tmp_path / "home")
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "config").write_text(server.kubeconfig.read_text(encoding="utf-8"), encoding="utf-8")
    printed = await kubectl(f"top pods -n {api.namespace} --no-headers")
    [name] = (await api("GET", api.ours("pods"))).names
    assert printed.split() == [name, "150m", "32Mi"]


async def test_the_current_metric_is_in_the_first_version_too(api: Api, said: Said) -> None:
    await run(api, 1, cpu="100m")
    said.say(cpu="50%")
    await made(api, FIRST, targetCPUUtilizationPercentage=50)
    path = api.ours(HPA, "web", group=FIRST)
    found = await api.until(path, lambda found: found["status"].get("currentCPUUtilizationPercentage") == 50)
    notes = found["metadata"]["annotations"]
    assert json.loads(notes[f"{NOTES}current-metrics"]) == [
        {"type": "Resource", "resource": {"name": "cpu", "currentAverageUtilization": 50, "currentAverageValue": "50m"}}
    ]
    assert {one["type"] for one in json.loads(notes[f"{NOTES}conditions"])} == {"AbleToScale", "ScalingActive", "ScalingLimited"}
