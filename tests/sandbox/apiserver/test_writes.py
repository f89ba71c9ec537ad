"""Writes end to end in process: versions, generations, status, dry runs, finalizers."""

from typing import Any

import orjson
import pytest
from reconciler_sandbox.apiserver.server import ApiServer
from reconciler_sandbox.client import ApiClient, ApiError, Call

from tests.kit.apiserver import CANARIES, CONFIG_MAPS, DEFINITIONS, DEPLOYMENTS, PODS, canary, config_map, definition, deployment, pod


async def refused(operation: Any) -> ApiError:
    with pytest.raises(ApiError) as caught:
        await operation
    return caught.value


def version(manifest: dict[str, Any]) -> str:
    return manifest["metadata"]["resourceVersion"]


async def test_a_new_object_gets_what_the_server_sets(api: ApiClient) -> None:
    made = await api.create(DEPLOYMENTS, {**deployment("web"), "status": {"replicas": 7}})
    assert made["metadata"]["uid"] and made["metadata"]["creationTimestamp"].endswith("Z")
    assert made["metadata"]["generation"] == 1 and made["status"] == {}
    assert made["metadata"]["namespace"] == "default"


async def test_a_change_that_changes_nothing_keeps_the_version(api: ApiClient) -> None:
    made = await api.create(CONFIG_MAPS, config_map("one", a="1"))
    for result in (
        await api.patch(f"{CONFIG_MAPS}/one", {"data": {"a": "1"}}),
        await api.replace(f"{CONFIG_MAPS}/one", config_map("one", a="1")),
    ):
        assert version(result) == version(made)


async def test_a_stale_version_is_a_conflict_in_put_and_patch(api: ApiClient) -> None:
    made = await api.create(CONFIG_MAPS, config_map("one"))
    await api.patch(f"{CONFIG_MAPS}/one", {"data": {"a": "1"}})
    stale = {"metadata": {"name": "one", "resourceVersion": version(made)}, "data": {"a": "2"}}
    for operation in (api.replace(f"{CONFIG_MAPS}/one", stale), api.patch(f"{CONFIG_MAPS}/one", stale)):
        error = await refused(operation)
        assert (error.status, error.reason) == (409, "Conflict")


async def test_the_generation_counts_specifications_only(api: ApiClient) -> None:
    await api.create(DEPLOYMENTS, deployment("web"))
    path = f"{DEPLOYMENTS}/web"
    for patch, generation in (
        ({"metadata": {"labels": {"a": "b"}}}, 1),
        ({"spec": {"replicas": 3}}, 2),
        ({"metadata": {"annotations": {"a": "b"}}}, 3),
        ({"spec": {"replicas": 3}}, 3),
    ):
        assert (await api.patch(path, patch))["metadata"]["generation"] == generation
    assert (await api.patch(f"{path}/status", {"status": {"replicas": 3}}))["metadata"]["generation"] == 3


async def test_the_status_is_written_through_its_own_path_only(api: ApiClient) -> None:
    await api.create(DEPLOYMENTS, deployment("web"))
    path = f"{DEPLOYMENTS}/web"
    assert (await api.patch(path, {"status": {"replicas": 3}}))["status"] == {}
    body = {"metadata": {"labels": {"x": "y"}, "annotations": {"x": "y"}}, "spec": {"replicas": 9}, "status": {"replicas": 3}}
    patched = await api.patch(f"{path}/status", body)
    assert patched["status"] == {"replicas": 3} and patched["spec"]["replicas"] == 1
    assert "labels" not in patched["metadata"] and patched["metadata"]["annotations"] == {"x": "y"}
    assert (await api.patch(path, {"spec": {"replicas": 2}}))["status"] == {"replicas": 3}


async def test_the_status_of_a_custom_resource_lets_no_metadata_through(api: ApiClient) -> None:
    await api.create(DEFINITIONS, definition())
    await api.create(CANARIES, canary("c", weight=1))
    body = {"metadata": {"annotations": {"x": "y"}}, "spec": {"weight": 5}, "status": {"phase": "Up"}}
    patched = await api.patch(f"{CANARIES}/c/status", body)
    assert patched["status"] == {"phase": "Up"} and patched["spec"]["weight"] == 1 and "annotations" not in patched["metadata"]


async def test_a_custom_resource_is_replaced_only_with_its_version(api: ApiClient) -> None:
    await api.create(DEFINITIONS, definition())
    made = await api.create(CANARIES, canary("c", weight=1))
    error = await refused(api.replace(f"{CANARIES}/c", canary("c", weight=2)))
    assert error.status == 422 and "metadata.resourceVersion" in error.message
    replaced = await api.replace(f"{CANARIES}/c", {**canary("c", weight=2), "metadata": {"name": "c", "resourceVersion": version(made)}})
    assert replaced["spec"]["weight"] == 2 and replaced["metadata"]["generation"] == 2


async def test_a_name_is_generated(api: ApiClient) -> None:
    made = await api.create(CONFIG_MAPS, {"metadata": {"generateName": "x-"}})
    assert len(made["metadata"]["name"]) == 7
    assert (await refused(api.create(CONFIG_MAPS, {"metadata": {}}))).status == 422


async def test_a_seed_makes_names_and_uids_repeatable() -> None:
    made = [await ApiClient(ApiServer(seed=7).call).create(CONFIG_MAPS, {"metadata": {"generateName": "x-"}}) for _ in range(2)]
    assert made[0]["metadata"]["name"] == made[1]["metadata"]["name"] and made[0]["metadata"]["uid"] == made[1]["metadata"]["uid"]


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        (CONFIG_MAPS, {"metadata": {"name": "x", "resourceVersion": "1"}}, 500),
        (CONFIG_MAPS, {"metadata": {"name": "A"}}, 422),
        (CONFIG_MAPS, {"metadata": "x"}, 400),
        (CONFIG_MAPS, {"kind": "Secret", "metadata": {"name": "x"}}, 400),
        ("/api/v1/namespaces/nope/configmaps", config_map("x"), 404),
        ("/api/v1/configmaps", config_map("x"), 405),
        (DEPLOYMENTS, {"metadata": {"name": "x"}, "spec": "text"}, 400),
        (DEPLOYMENTS, {"metadata": {"name": "x"}, "spec": {"selector": 5, "template": 7}}, 400),
        (PODS, {"metadata": {"name": "x"}, "spec": {"containers": {"a": 1}}}, 400),
        ("/api/v1/namespaces/default/services", {"metadata": {"name": "x"}, "spec": {"ports": 5}}, 400),
    ],
)
async def test_a_wrong_creation_is_refused(api: ApiClient, path: str, body: dict[str, Any], status: int) -> None:
    assert (await refused(api.create(path, body))).status == status


async def test_a_missing_namespace_is_named(api: ApiClient) -> None:
    assert (await refused(api.create("/api/v1/namespaces/nope/configmaps", config_map("x")))).message == 'namespaces "nope" not found'


async def test_a_dry_run_does_everything_but_store(api_server: ApiServer, api: ApiClient) -> None:
    body = orjson.dumps(deployment("x"))
    made = await api_server.call(Call("POST", DEPLOYMENTS, {"dryRun": "All"}, {}, body))
    assert made.status == 201 and isinstance(made.body, bytes) and b"revisionHistoryLimit" in made.body
    assert await api.get(f"{DEPLOYMENTS}/x") is None
    stored = await api.create(DEPLOYMENTS, deployment("web"))
    headers = {"content-type": "application/merge-patch+json"}
    await api_server.call(Call("PATCH", f"{DEPLOYMENTS}/web", {"dryRun": "All"}, headers, b'{"spec":{"replicas":5}}'))
    assert await api.get(f"{DEPLOYMENTS}/web") == stored


async def test_times_are_normalised(api: ApiClient) -> None:
    leases = "/apis/coordination.k8s.io/v1/namespaces/default/leases"
    made = await api.replace(f"{leases}/l", {"metadata": {"name": "l"}, "spec": {"renewTime": "2026-11-22T13:00:00.5+01:00"}})
    assert made["spec"]["renewTime"] == "2026-11-22T12:00:00.500000Z"
    again = await api.patch(f"{leases}/l", {"spec": {"renewTime": "2026-11-22T12:00:00.500000+00:00"}})
    assert version(again) == version(made)


async def test_a_put_creates_leases_only(api: ApiClient) -> None:
    assert (await refused(api.replace(f"{CONFIG_MAPS}/x", config_map("x")))).status == 404


@pytest.mark.parametrize(("validation", "status", "warned"), [("Strict", 400, False), ("Warn", 201, True), ("Ignore", 201, False)])
async def test_unknown_fields_are_refused_warned_about_or_dropped(
    api_server: ApiServer, api: ApiClient, validation: str, status: int, warned: bool
) -> None:
    await api.create(DEFINITIONS, definition())
    body = b'{"apiVersion":"demo.example.com/v1alpha1","kind":"Canary","metadata":{"name":"c"},"spec":{"bogus":1}}'
    answer = await api_server.call(Call("POST", CANARIES, {"fieldValidation": validation}, {}, body))
    assert answer.status == status and isinstance(answer.body, bytes)
    assert ("warning" in answer.headers) is warned
    if status == 400:
        assert b'strict decoding error: unknown field \\"spec.bogus\\"' in answer.body
    else:
        assert b"bogus" not in answer.body


async def test_the_last_finalizer_takes_the_object_along(api: ApiClient) -> None:
    manifest = {**config_map("x"), "metadata": {"name": "x", "finalizers": ["example.com/hold"]}}
    await api.create(CONFIG_MAPS, manifest)
    await api.delete(f"{CONFIG_MAPS}/x")
    held = await api.get(f"{CONFIG_MAPS}/x")
    assert held is not None and held["metadata"]["deletionTimestamp"]
    released = await api.patch(f"{CONFIG_MAPS}/x", {"metadata": {"finalizers": None}})
    assert "finalizers" not in released["metadata"] and await api.get(f"{CONFIG_MAPS}/x") is None


async def test_a_name_that_is_being_deleted_is_taken(api: ApiClient) -> None:
    await api.create(PODS, pod("x", finalizers=["example.com/hold"]))
    await api.delete(f"{PODS}/x")
    assert "object is being deleted" in (await refused(api.create(PODS, pod("x")))).message
