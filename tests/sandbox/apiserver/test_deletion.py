"""Deletions: grace, preconditions, finalizers, collections."""

from typing import Any

import orjson
import pytest
from reconciler_sandbox.apiserver.server import ApiServer
from reconciler_sandbox.apiserver.times import parse
from reconciler_sandbox.client import ApiClient, ApiError, Call

from tests.kit.apiserver import CONFIG_MAPS, DEPLOYMENTS, PODS, config_map, deployment, gone, pod

JOBS = "/apis/batch/v1/namespaces/default/jobs"


async def deleted(server: ApiServer, path: str, **options: Any) -> dict[str, Any]:
    answer = await server.call(Call("DELETE", path, {}, {}, orjson.dumps(options)))
    assert isinstance(answer.body, bytes) and answer.status == 200, answer
    return orjson.loads(answer.body)


async def test_what_is_gone_is_a_success_with_its_uid(api_server: ApiServer, api: ApiClient) -> None:
    made = await api.create(DEPLOYMENTS, deployment("web"))
    status = await deleted(api_server, f"{DEPLOYMENTS}/web")
    assert status["status"] == "Success"
    assert status["details"] == {"name": "web", "group": "apps", "kind": "deployments", "uid": made["metadata"]["uid"]}


async def test_what_finalizers_keep_is_the_marked_object_and_twice_is_once(api_server: ApiServer, api: ApiClient) -> None:
    await api.create(DEPLOYMENTS, {**deployment("web"), "metadata": {"name": "web", "finalizers": ["example.com/x"]}})
    first = await deleted(api_server, f"{DEPLOYMENTS}/web")
    assert first["metadata"]["deletionTimestamp"] and first["metadata"]["generation"] == 2
    assert await deleted(api_server, f"{DEPLOYMENTS}/web") == first


async def test_a_pod_on_a_node_has_grace_and_is_gone_when_the_node_says_so(api_server: ApiServer, api: ApiClient) -> None:
    await api.create(PODS, pod("x", node="n1"))
    marked = await deleted(api_server, f"{PODS}/x")
    fields = marked["metadata"]
    created, until = parse(fields["creationTimestamp"]), parse(fields["deletionTimestamp"])
    assert created is not None and until is not None
    assert fields["deletionGracePeriodSeconds"] == 30 and 30 <= (until - created).total_seconds() <= 31
    await api.patch(f"{PODS}/x/status", {"status": {"phase": "Succeeded"}})
    assert await api.get(f"{PODS}/x")
    shorter = await deleted(api_server, f"{PODS}/x", gracePeriodSeconds=5)
    assert shorter["metadata"]["deletionGracePeriodSeconds"] == 5
    assert (await deleted(api_server, f"{PODS}/x", gracePeriodSeconds=60)) == shorter
    await deleted(api_server, f"{PODS}/x", gracePeriodSeconds=0)
    assert await api.get(f"{PODS}/x") is None


@pytest.mark.parametrize("node", ["", "n1"])
async def test_a_pod_nowhere_or_without_grace_goes_at_once(api_server: ApiServer, api: ApiClient, node: str) -> None:
    await api.create(PODS, pod("x", node=node))
    await deleted(api_server, f"{PODS}/x", **({"gracePeriodSeconds": 0} if node else {}))
    assert await api.get(f"{PODS}/x") is None


@pytest.mark.parametrize(("field", "word"), [("uid", "UID"), ("resourceVersion", "ResourceVersion")])
async def test_preconditions_hold_or_nothing_happens(api: ApiClient, field: str, word: str) -> None:
    made = await api.create(CONFIG_MAPS, config_map("x"))
    with pytest.raises(ApiError, match=f"the {word} in the precondition") as refused:
        await api.delete(f"{CONFIG_MAPS}/x", preconditions={field: "12345"})
    assert refused.value.status == 409 and await api.get(f"{CONFIG_MAPS}/x")
    await api.delete(f"{CONFIG_MAPS}/x", preconditions={field: made["metadata"][field]})
    assert await api.get(f"{CONFIG_MAPS}/x") is None


async def test_a_dry_run_deletes_nothing(api_server: ApiServer, api: ApiClient) -> None:
    await api.create(CONFIG_MAPS, config_map("x"))
    assert (await deleted(api_server, f"{CONFIG_MAPS}/x", dryRun=["All"]))["status"] == "Success"
    assert await api.get(f"{CONFIG_MAPS}/x")


async def test_a_collection_goes_by_selector(api_server: ApiServer, api: ApiClient) -> None:
    for name in ("a", "b"):
        await api.create(CONFIG_MAPS, {**config_map(name), "metadata": {"name": name, "labels": {"n": name}}})
    answer = await api_server.call(Call("DELETE", CONFIG_MAPS, {"labelSelector": "n=a"}))
    assert isinstance(answer.body, bytes)
    assert [item["metadata"]["name"] for item in orjson.loads(answer.body)["items"]] == ["a"]
    assert [one["metadata"]["name"] for one in await api.list(CONFIG_MAPS)] == ["b"]


async def test_the_propagation_is_a_finalizer(api_server: ApiServer, api: ApiClient) -> None:
    api_server.store.observers.clear()  # nobody carries the deletion on: it stays visible
    await api.create(CONFIG_MAPS, config_map("x"))
    assert (await deleted(api_server, f"{CONFIG_MAPS}/x", propagationPolicy="Orphan"))["metadata"]["finalizers"] == ["orphan"]


async def test_what_every_cluster_needs_stays(api: ApiClient) -> None:
    with pytest.raises(ApiError, match="this namespace may not be deleted") as refused:
        await api.delete("/api/v1/namespaces/default")
    assert refused.value.status == 403


async def test_a_job_leaves_its_pods_behind_unless_told_otherwise(api_server: ApiServer, api: ApiClient) -> None:
    template = {"spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "i:1"}]}}
    for options, finalizers in (({}, ["orphan"]), ({"propagationPolicy": "Background"}, None)):
        await api.create(JOBS, {"metadata": {"name": "j"}, "spec": {"template": template}})
        answer = await deleted(api_server, f"{JOBS}/j", **options)
        assert answer["metadata"].get("finalizers") == finalizers
        await gone(api_server, f"{JOBS}/j")


async def test_another_policy_replaces_the_one_before(api_server: ApiServer, api: ApiClient) -> None:
    await api.create(CONFIG_MAPS, {**config_map("x"), "metadata": {"name": "x", "finalizers": ["example.com/x", "foregroundDeletion"]}})
    kept = await deleted(api_server, f"{CONFIG_MAPS}/x")
    assert kept["metadata"]["finalizers"] == ["example.com/x", "foregroundDeletion"]
    kept = await deleted(api_server, f"{CONFIG_MAPS}/x", propagationPolicy="Background")
    assert kept["metadata"]["finalizers"] == ["example.com/x"]


async def test_some_kinds_answer_with_what_is_gone(api_server: ApiServer, api: ApiClient) -> None:
    await api.create(PODS, pod("x"))
    last = await deleted(api_server, f"{PODS}/x")
    assert (last["kind"], last["metadata"]["deletionGracePeriodSeconds"]) == ("Pod", 0)
    accounts = "/api/v1/namespaces/default/serviceaccounts"
    await api.create(accounts, {"metadata": {"name": "x"}})
    assert (await deleted(api_server, f"{accounts}/x"))["kind"] == "ServiceAccount"
