"""Scale, eviction, binding, token."""

import pytest
from reconciler_sandbox.client import ApiClient, ApiError

from tests.kit.apiserver import CANARIES, DEFINITIONS, DEPLOYMENTS, PODS, canary, definition, deployment, pod

READY = {"status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}}
BUDGETS = "/apis/policy/v1/namespaces/default/poddisruptionbudgets"


async def test_a_scale_shows_and_sets_the_replicas(api: ApiClient) -> None:
    await api.create(DEPLOYMENTS, deployment("web", replicas=2))
    scale = await api.get(f"{DEPLOYMENTS}/web/scale")
    assert scale is not None and scale["spec"] == {"replicas": 2} and scale["status"] == {"replicas": 0, "selector": "app=web"}
    assert (await api.patch(f"{DEPLOYMENTS}/web/scale", {"spec": {"replicas": 5}}))["spec"] == {"replicas": 5}
    scale = await api.patch(f"{DEPLOYMENTS}/web/scale", {"spec": {"replicas": 6}}, style="strategic")
    replaced = await api.replace(f"{DEPLOYMENTS}/web/scale", {**scale, "spec": {"replicas": 7}})
    assert replaced["spec"] == {"replicas": 7}
    made = await api.get(f"{DEPLOYMENTS}/web")
    assert made is not None and made["spec"]["replicas"] == 7 and made["metadata"]["generation"] == 4


async def test_a_stale_or_negative_scale_is_refused(api: ApiClient) -> None:
    await api.create(DEPLOYMENTS, deployment("web"))
    for body, status in (({"metadata": {"resourceVersion": "1"}}, 409), ({"spec": {"replicas": -1}}, 422)):
        with pytest.raises(ApiError) as refused:
            await api.patch(f"{DEPLOYMENTS}/web/scale", body)
        assert refused.value.status == status


async def test_a_custom_resource_scales_by_its_paths(api: ApiClient) -> None:
    await api.create(DEFINITIONS, definition())
    await api.create(CANARIES, canary("c", replicas=2))
    await api.patch(f"{CANARIES}/c/status", {"status": {"replicas": 1, "selector": "app=c"}})
    scale = await api.patch(f"{CANARIES}/c/scale", {"spec": {"replicas": 4}})
    assert scale["spec"] == {"replicas": 4} and scale["status"] == {"replicas": 1, "selector": "app=c"}


async def test_without_a_scale_subresource_there_is_none(api: ApiClient) -> None:
    await api.create(DEFINITIONS, definition(subresources={}))
    await api.create(CANARIES, canary("c"))
    assert await api.get(f"{CANARIES}/c/scale") is None


async def two_ready_pods(api: ApiClient) -> None:
    for name in ("a", "b"):
        await api.create(PODS, pod(name, labels={"app": "web"}))
        await api.patch(f"{PODS}/{name}/status", READY)


@pytest.mark.parametrize(
    ("budget", "allowed"),
    [({"minAvailable": 2}, False), ({"minAvailable": 1}, True), ({"maxUnavailable": 0}, False), ({"maxUnavailable": "50%"}, True)],
)
async def test_an_eviction_respects_the_budget(api: ApiClient, budget: dict, allowed: bool) -> None:
    await two_ready_pods(api)
    await api.create(BUDGETS, {"metadata": {"name": "b"}, "spec": {**budget, "selector": {"matchLabels": {"app": "web"}}}})
    eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "a"}}
    if allowed:
        await api.create(f"{PODS}/a/eviction", eviction)
        assert await api.get(f"{PODS}/a") is None
        return
    with pytest.raises(ApiError) as refused:
        await api.create(f"{PODS}/a/eviction", eviction)
    assert (refused.value.status, refused.value.reason) == (429, "TooManyRequests") and await api.get(f"{PODS}/a")


async def test_a_pod_is_bound_once(api: ApiClient) -> None:
    await api.create(PODS, pod("a"))
    binding = {"metadata": {"name": "a"}, "target": {"kind": "Node", "name": "n1"}}
    await api.create(f"{PODS}/a/binding", binding)
    bound = await api.get(f"{PODS}/a")
    assert bound is not None and bound["spec"]["nodeName"] == "n1" and bound["status"]["conditions"][0]["type"] == "PodScheduled"
    for body, status in ((binding, 409), ({"target": {}}, 422)):
        with pytest.raises(ApiError) as refused:
            await api.create(f"{PODS}/a/binding", body)
        assert refused.value.status == status


async def test_a_scale_of_what_is_not_there_names_the_object(api: ApiClient) -> None:
    with pytest.raises(ApiError, match=r'deployments\.apps "nobody" not found'):
        await api.read(f"{DEPLOYMENTS}/nobody/scale")
