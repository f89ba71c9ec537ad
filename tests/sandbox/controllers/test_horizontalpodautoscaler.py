"""Autoscalers over a whole sandbox: its own metrics APIs, real scale subresources, real pods."""

from typing import Any

from reconciler.sandbox.client import ApiClient
from reconciler.sandbox.metrics.readings import Subject
from tests.kit.apiserver import CANARIES, canary, definition
from tests.kit.autoscaling import AUTOSCALERS, autoscaler, scaled
from tests.kit.sandbox import DEPLOYMENTS, EVENTS, event_messages, status
from tests.kit.wait import until
from tests.kit.workloads import NAMESPACE

Json = dict[str, Any]
WEB = f"{AUTOSCALERS}/web"
QUICK_DOWN = {"scaleDown": {"stabilizationWindowSeconds": 0}}


async def size(api: ApiClient) -> int:
    return int((await api.read(f"{DEPLOYMENTS}/web"))["spec"]["replicas"])


async def told(api: ApiClient, kind: str) -> tuple[str, str]:
    """Status and reason of a condition."""
    conditions = (await status(api, WEB)).get("conditions") or ()
    return next(((one["status"], one["reason"]) for one in conditions if one["type"] == kind), ("", ""))


async def test_a_shared_load_settles_at_the_pods_that_carry_it_and_back_home() -> None:
    async with scaled(replicas=2) as (cluster, said):
        api = cluster.api
        said.say(cpu="total 300m")
        await api.create(AUTOSCALERS, autoscaler(behavior=QUICK_DOWN))

        async def settled() -> Any:
            now = await status(api, WEB)
            return now if now.get("currentReplicas") == now.get("desiredReplicas") == 6 and now["currentMetrics"] else None

        now = await until(settled)
        assert now["currentMetrics"][0]["resource"]["current"]["averageUtilization"] <= 55 and now["lastScaleTime"]
        assert any(text.endswith("cpu resource utilization (percentage of request) above target") for text in await rescales(api))
        said.say(cpu="total 60m")

        async def home() -> bool:
            return await size(api) == 2 and any(text.endswith("All metrics below target") for text in await rescales(api))

        await until(home)


async def rescales(api: ApiClient) -> list[str]:
    return await event_messages(api, "SuccessfulRescale")


async def test_pods_stay_while_nobody_measures_them_and_one_event_counts_it() -> None:
    async with scaled(replicas=2) as (cluster, _):
        await cluster.api.create(AUTOSCALERS, autoscaler())

        async def counted() -> Any:
            events = await cluster.api.list(EVENTS)
            return [one for one in events if one["reason"] == "FailedGetResourceMetric" and one["count"] >= 3]

        [event] = await until(counted)
        assert event["message"].endswith("the server could not find the requested resource (get pods.metrics.k8s.io)")
        assert await told(cluster.api, "ScalingActive") == ("False", "FailedGetResourceMetric")
        assert await told(cluster.api, "AbleToScale") == ("True", "SucceededGetScale")
        assert await size(cluster.api) == 2


async def test_a_target_that_is_not_there_is_told_of_until_it_comes() -> None:
    async with scaled() as (cluster, said):
        target = {"apiVersion": "demo.example.com/v1alpha1", "kind": "Canary", "name": "web"}
        body = autoscaler(metrics=[{"type": "Pods", "pods": {"metric": {"name": "rps"}, "target": RATE}}], minReplicas=2)
        body["spec"]["scaleTargetRef"] = target
        await cluster.api.create(AUTOSCALERS, body)

        async def unknown() -> bool:
            return await told(cluster.api, "AbleToScale") == ("False", "FailedGetScale")

        await until(unknown)
        assert 'no matches for kind "Canary" in group "demo.example.com"' in await event_messages(cluster.api, "FailedGetScale")
        await cluster.api.create("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", definition())
        where = CANARIES.replace("default", NAMESPACE)
        await until(lambda: cluster.api.get("/apis/demo.example.com/v1alpha1"))
        await cluster.api.create(where, canary("web", replicas=2))
        await cluster.api.patch(f"{where}/web/status", {"status": {"selector": "app=web", "replicas": 2}})
        said.say(Subject("demo.example.com/v1alpha1", "canaries", "Canary", NAMESPACE, "web"), rps="25")

        async def grown() -> bool:
            return bool((await cluster.api.read(f"{where}/web"))["spec"]["replicas"] >= 5)

        await until(grown)


RATE: Json = {"type": "AverageValue", "averageValue": "10"}


async def test_a_target_without_a_scale_cannot_be_scaled() -> None:
    async with scaled() as (cluster, _):
        body = autoscaler()
        body["spec"]["scaleTargetRef"] = {"apiVersion": "v1", "kind": "ConfigMap", "name": "web"}
        await cluster.api.create(AUTOSCALERS, body)

        async def refused() -> list[str]:
            return await event_messages(cluster.api, "FailedGetScale")

        assert (await until(refused))[0] == "the server could not find the requested resource"


async def test_values_of_objects_and_of_the_outside_scale_too() -> None:
    async with scaled(replicas=1) as (cluster, said):
        service = Subject("v1", "services", "Service", NAMESPACE, "web")
        said.say(service, hits="300")
        said.outside({"queue": 8000})
        described = {"apiVersion": "v1", "kind": "Service", "name": "web"}
        hits = {"metric": {"name": "hits"}, "describedObject": described, "target": {"type": "AverageValue", "averageValue": "100"}}
        queue = {"metric": {"name": "queue"}, "target": {"type": "AverageValue", "averageValue": "2"}}
        metrics = [{"type": "Object", "object": hits}, {"type": "External", "external": queue}]
        await cluster.api.create(AUTOSCALERS, autoscaler(metrics=metrics))

        async def settled() -> Any:
            now = await status(cluster.api, WEB)
            return now["currentMetrics"] if now.get("currentReplicas") == 4 else None

        first, second = await until(settled)
        assert (first["object"]["current"], second["external"]["current"]) == ({"averageValue": "75"}, {"averageValue": "2"})


async def test_somebody_who_scaled_to_zero_is_left_alone() -> None:
    async with scaled(replicas=0) as (cluster, said):
        said.say(cpu="900%")
        await cluster.api.create(AUTOSCALERS, autoscaler())

        async def disabled() -> bool:
            return await told(cluster.api, "ScalingActive") == ("False", "ScalingDisabled")

        await until(disabled)
        assert await size(cluster.api) == 0


async def test_the_range_holds_whatever_metrics_say() -> None:
    async with scaled(replicas=5) as (cluster, _):
        await cluster.api.create(AUTOSCALERS, autoscaler(most=3))

        async def back() -> bool:
            return "New size: 3; reason: Current number of replicas above Spec.MaxReplicas" in await rescales(cluster.api)

        await until(back)
        assert await size(cluster.api) == 3
        await cluster.api.delete(WEB)
        await cluster.api.patch(f"{DEPLOYMENTS}/web", {"spec": {"replicas": 1}})
        await cluster.api.create(AUTOSCALERS, autoscaler(minReplicas=2))

        async def up() -> bool:
            return await size(cluster.api) == 2

        await until(up)
