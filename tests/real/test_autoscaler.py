"""Kubernetes' own autoscaler over a Rollout, by an external metric: up and down while a canary waits, and after its end (contract 11.4)."""

from collections.abc import AsyncIterator

import pytest

from reconciler.kernel.identity import Manifest, Resource
from reconciler.kernel.resources import ROLLOUTS, SERVICES, VIRTUAL_SERVICES
from reconciler.kube.client import Client
from tests.kit.rollouts import NAMESPACE, canary, pause, rollout, service, virtual_service, weight
from tests.kit.wait import until
from tests.real.kit.queue_metrics import METRIC, queue_metrics
from tests.real.kit.servers import Server
from tests.real.kit.takeover import Takeover, peopled, pressed, reaches, rollout_of, served
from tests.real.test_rollouts import bare, image, resumed

pytestmark = [pytest.mark.real, pytest.mark.timeout(600)]
AUTOSCALERS = Resource("autoscaling", "v2", "horizontalpodautoscalers", "HorizontalPodAutoscaler", namespaced=True)
PATIENCE = 150.0
"""The autoscaler learns of a new kind within half a minute, and looks every second then."""


@pytest.fixture
async def client(real_server: Server) -> AsyncIterator[Client]:
    if real_server.real is None or not real_server.real.has_controllers:
        pytest.skip("no autoscaler of ours runs there")
    async with peopled(real_server) as made:
        yield made


def autoscaler(**spec: object) -> Manifest:
    """Two messages for each pod, from one pod to six, down as fast as up."""
    metric = {"metric": {"name": METRIC}, "target": {"type": "AverageValue", "averageValue": "2"}}
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "web", "namespace": NAMESPACE},
        "spec": {
            "scaleTargetRef": {"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "name": "web"},
            "minReplicas": 1,
            "maxReplicas": 6,
            "metrics": [{"type": "External", "external": metric}],
            "behavior": {"scaleDown": {"stabilizationWindowSeconds": 0}},
            **spec,
        },
    }


async def scaled(client: Client, replicas: int, pods: dict[str, int]) -> None:
    """The autoscaler has asked for so many, and they are there."""

    async def there() -> bool:
        return (await rollout_of(client))["spec"]["replicas"] == replicas and await served(client) == pods

    await until(there, PATIENCE)


async def test_an_autoscaler_of_kubernetes_scales_a_rollout_up_and_down_in_the_middle_of_a_release(client: Client) -> None:
    for name in ("web-canary", "web-stable"):
        await client.create(SERVICES, bare(service(name)))
    await client.create(VIRTUAL_SERVICES, bare(virtual_service()))
    async with queue_metrics(client) as queue, Takeover(client).at_work():
        queue.length = 4
        await client.create(ROLLOUTS, bare(rollout(canary=canary(weight(50), pause(), istio=True), replicas=2)))
        await reaches(client, "Healthy")
        await client.create(AUTOSCALERS, autoscaler())
        await until(lambda: queue.asked > 2, PATIENCE)
        await scaled(client, 2, {"web:1": 2})
        await image(client, "web:2")
        await reaches(client, "Paused CanaryPauseStep")
        queue.length = 8
        await scaled(client, 4, {"web:1": 4, "web:2": 2})
        found = await reaches(client, "Paused CanaryPauseStep")
        assert found["status"]["currentStepIndex"] == 1 and found["status"]["canary"]["weights"]["canary"]["weight"] == 50
        queue.length = 4
        await scaled(client, 2, {"web:1": 2, "web:2": 1})
        await resumed(client)
        await reaches(client, "Healthy")
        queue.length = 6
        await until(lambda: _wants(client, 3), PATIENCE)
        known = await client.get(AUTOSCALERS, NAMESPACE, "web")
        conditions = {one["type"]: one["status"] for one in known["status"]["conditions"]}
        assert (conditions["AbleToScale"], conditions["ScalingActive"]) == ("True", "True")


async def _wants(client: Client, replicas: int) -> bool:
    return bool((await rollout_of(client))["spec"]["replicas"] == replicas)


async def test_nothing_scales_what_a_person_holds_at_no_pods(client: Client) -> None:
    """Zero replicas switch an autoscaler off, in the reference and here: the Rollout is Healthy with nothing."""
    async with queue_metrics(client) as queue, Takeover(client).at_work():
        queue.length = 8
        await client.create(ROLLOUTS, bare(rollout(canary=canary(), replicas=1)))
        await reaches(client, "Healthy")
        await client.create(AUTOSCALERS, autoscaler())
        await scaled(client, 4, {"web:1": 4})
        await pressed(client, {"spec": {"replicas": 0}}, subresource="scale")
        await scaled(client, 0, {})
        asked = queue.asked

        async def disabled() -> bool:
            known = await client.get(AUTOSCALERS, NAMESPACE, "web")
            found = {one["type"]: one["reason"] for one in (known.get("status") or {}).get("conditions") or ()}
            return found.get("ScalingActive") == "ScalingDisabled"

        await until(disabled, PATIENCE)
        assert (await rollout_of(client))["spec"]["replicas"] == 0 and asked > 0
