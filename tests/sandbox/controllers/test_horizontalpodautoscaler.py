"""Autoscalers over a whole sandbox: its own metrics APIs, real scale subresources, real pods."""

from datetime import UTC, datetime, timedelta
from typing import Any

from reconciler_sandbox.apiserver.server import ApiServer
from reconciler_sandbox.client import Answer, ApiClient, Call
from reconciler_sandbox.controllers.horizontalpodautoscaler import HorizontalPodAutoscalerController
from reconciler_sandbox.controllers.objects import Key
from reconciler_sandbox.controllers.recommendation import Settings
from reconciler_sandbox.metrics.readings import Subject

from tests.kit.apiserver import CANARIES, canary, definition
from tests.kit.autoscaling import AUTOSCALERS, REQUESTS, Said, autoscaler, scaled
from tests.kit.sandbox import DEPLOYMENTS, EVENTS, PODS, event_messages, status
from tests.kit.wait import until
from tests.kit.workloads import NAMESPACE, OLD_TIME, deployment, pod

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
            share = {"averageUtilization": 50, "averageValue": "50m"}
            measured = [one["resource"]["current"] for one in now.get("currentMetrics") or ()]
            return now if now.get("currentReplicas") == now.get("desiredReplicas") == 6 and measured == [share] else None

        assert (await until(settled))["lastScaleTime"]
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


class Clock:
    """A clock that stands until somebody moves it."""

    def __init__(self) -> None:
        self.moment = datetime(2030, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.moment

    def pass_by(self, seconds: float) -> None:
        self.moment += timedelta(seconds=seconds)


async def lone(clock: Clock) -> tuple[ApiClient, HorizontalPodAutoscalerController, Said]:
    """A controller alone with a server: nobody else moves, and pods are what the test writes."""
    server = ApiServer(now=clock)
    api = ApiClient(server.call)
    await api.create("/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})
    await api.create(DEPLOYMENTS, deployment(replicas=4))
    for number in range(4):
        body = pod(f"web-{number}")
        body["spec"]["containers"][0] |= REQUESTS
        await api.create(PODS, body)
        await api.patch(f"{PODS}/web-{number}/status", {"status": {**body["status"], "startTime": OLD_TIME}})
    return api, HorizontalPodAutoscalerController(api, Settings(period=15), now=clock), Said(server, clock)


async def test_it_looks_once_a_period_however_often_it_is_woken() -> None:
    clock = Clock()
    api, controller, said = await lone(clock)
    said.say(cpu="100%")
    await api.create(AUTOSCALERS, autoscaler(most=20))
    assert await controller.reconcile(Key(NAMESPACE, "web")) == 15 and await size(api) == 8
    clock.pass_by(5)
    assert await controller.reconcile(Key(NAMESPACE, "web")) == 10 and await size(api) == 8
    await api.delete(WEB)
    assert await controller.reconcile(Key(NAMESPACE, "web")) is None


async def test_pods_go_home_five_minutes_after_the_last_that_needed_them() -> None:
    clock = Clock()
    api, controller, said = await lone(clock)
    await api.create(AUTOSCALERS, autoscaler(minReplicas=1))
    said.say(cpu="50%")
    await controller.reconcile(Key(NAMESPACE, "web"))
    said.say(cpu="10%")
    for _ in range(19):
        clock.pass_by(15)
        await controller.reconcile(Key(NAMESPACE, "web"))
        assert await size(api) == 4 and await told(api, "AbleToScale") == ("True", "ScaleDownStabilized")
    clock.pass_by(15)
    await controller.reconcile(Key(NAMESPACE, "web"))
    assert await size(api) == 1


async def test_a_policy_counts_what_was_added_in_its_period() -> None:
    clock = Clock()
    api, controller, said = await lone(clock)
    said.say(cpu="100%")
    policies = [{"type": "Pods", "value": 1, "periodSeconds": 60}]
    await api.create(AUTOSCALERS, autoscaler(most=20, behavior={"scaleUp": {"policies": policies}}))
    for seconds, wanted in ((0, 5), (15, 5), (30, 5), (16, 6)):
        clock.pass_by(seconds)
        await controller.reconcile(Key(NAMESPACE, "web"))
        assert await size(api) == wanted
    assert await told(api, "ScalingLimited") == ("True", "ScaleUpLimit")


async def test_a_scale_that_somebody_changed_meanwhile_is_tried_again() -> None:
    clock = Clock()
    api, _, said = await lone(clock)
    said.say(cpu="100%")
    await api.create(AUTOSCALERS, autoscaler(most=20))
    disturbed = Disturbed(api, said.server)
    rival = HorizontalPodAutoscalerController(disturbed.client, Settings(period=15), now=clock)
    await rival.reconcile(Key(NAMESPACE, "web"))
    assert await size(api) == 5 and (await told(api, "AbleToScale")) == ("False", "FailedUpdateScale")
    assert "the object has been modified" in (await event_messages(api, "FailedRescale"))[0]
    clock.pass_by(15)
    await rival.reconcile(Key(NAMESPACE, "web"))
    assert await size(api) == 8 and (await told(api, "AbleToScale")) == ("True", "SucceededRescale")


class Disturbed:
    """A client before whose first write of a scale somebody else scales."""

    def __init__(self, api: ApiClient, server: ApiServer) -> None:
        self._api = api
        self._server = server
        self._done = False
        self.client = ApiClient(self._call)

    async def _call(self, call: Call) -> Answer:
        if call.method == "PUT" and call.path.endswith("/scale") and not self._done:
            self._done = True
            await self._api.patch(f"{DEPLOYMENTS}/web", {"spec": {"replicas": 5}})
        return await self._server.call(call)
