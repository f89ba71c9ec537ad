"""Patches by Content-Type."""

from typing import Any

import orjson
import pytest
from reconciler_sandbox.apiserver.server import ApiServer
from reconciler_sandbox.client import ApiClient, ApiError, Call

from tests.kit.apiserver import CANARIES, CONFIG_MAPS, DEFINITIONS, DEPLOYMENTS, canary, config_map, definition, deployment

APPLY = "application/apply-patch+yaml"


async def patched(server: ApiServer, path: str, style: str, body: Any, **query: str) -> tuple[int, dict[str, Any]]:
    encoded = body if isinstance(body, bytes) else orjson.dumps(body)
    answer = await server.call(Call("PATCH", path, query, {"content-type": style}, encoded))
    assert isinstance(answer.body, bytes)
    return answer.status, orjson.loads(answer.body)


async def test_a_custom_resource_takes_no_strategic_patch(api_server: ApiServer, api: ApiClient) -> None:
    await api.create(DEFINITIONS, definition())
    await api.create(CANARIES, canary("c"))
    status, body = await patched(api_server, f"{CANARIES}/c", "application/strategic-merge-patch+json", {})
    assert status == 415 and "application/merge-patch+json" in body["message"]


@pytest.mark.parametrize(
    ("style", "body", "status"),
    [
        ("application/json", {}, 415),
        ("application/merge-patch+json", [], 400),
        ("application/merge-patch+json", {"metadata": None}, 422),
        ("application/merge-patch+json", {"metadata": {"name": "other"}}, 400),
        ("application/json-patch+json", {}, 400),
        ("application/json-patch+json", [{"op": "remove", "path": "/nope"}], 422),
        ("application/strategic-merge-patch+json", {"metadata": {"ownerReferences": [{"name": "x"}]}}, 500),
    ],
)
async def test_a_patch_that_does_not_fit_is_refused(api_server: ApiServer, api: ApiClient, style: str, body: Any, status: int) -> None:
    await api.create(CONFIG_MAPS, config_map("x", a="1"))
    assert (await patched(api_server, f"{CONFIG_MAPS}/x", style, body))[0] == status


async def test_a_json_patch_of_the_real_thing(api: ApiClient) -> None:
    await api.create(DEPLOYMENTS, deployment("web"))
    operations = [{"op": "replace", "path": "/spec/template/spec/containers/0/image", "value": "web:2"}]
    assert (await api.patch(f"{DEPLOYMENTS}/web", operations, style="json"))["metadata"]["generation"] == 2


async def test_an_apply_creates_then_merges_then_conflicts(api_server: ApiServer, api: ApiClient) -> None:
    path = f"{CONFIG_MAPS}/x"
    assert (await patched(api_server, path, APPLY, config_map("x", a="1"), fieldManager="m1"))[0] == 201
    status, merged = await patched(api_server, path, APPLY, config_map("x", b="2"), fieldManager="m2")
    assert status == 200 and merged["data"] == {"a": "1", "b": "2"}
    assert [entry["manager"] for entry in merged["metadata"]["managedFields"]] == ["m1", "m2"]
    status, body = await patched(api_server, path, APPLY, config_map("x", a="9"), fieldManager="m2")
    assert status == 409 and body["details"]["causes"][0]["reason"] == "FieldManagerConflict"
    status, taken = await patched(api_server, path, APPLY, config_map("x", a="9"), fieldManager="m2", force="true")
    assert status == 200 and taken["data"] == {"a": "9"}


async def test_a_repeated_apply_of_yaml_keeps_the_version(api_server: ApiServer) -> None:
    body = b"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata: {a: b}\n"
    first = await patched(api_server, f"{CONFIG_MAPS}/x", APPLY, body, fieldManager="m")
    assert await patched(api_server, f"{CONFIG_MAPS}/x", APPLY, body, fieldManager="m") == (200, first[1])


async def test_an_apply_with_a_stale_version_is_a_conflict(api_server: ApiServer, api: ApiClient) -> None:
    made = await api.create(CONFIG_MAPS, config_map("x"))
    await api.patch(f"{CONFIG_MAPS}/x", {"data": {"a": "1"}})
    body = config_map("x", b="2")
    body["metadata"]["resourceVersion"] = made["metadata"]["resourceVersion"]
    assert (await patched(api_server, f"{CONFIG_MAPS}/x", APPLY, body, fieldManager="m", force="true"))[0] == 409
    assert (
        await patched(
            api_server, f"{CONFIG_MAPS}/absent", APPLY, {**body, "metadata": {**body["metadata"], "name": "absent"}}, fieldManager="m"
        )
    )[0] == 409


@pytest.mark.parametrize(
    ("body", "query", "status"),
    [
        (config_map("x"), {}, 422),
        ({**config_map("x"), "apiVersion": "v2"}, {"fieldManager": "m"}, 400),
        ({**config_map("x"), "metadata": {"name": "x", "managedFields": [{}]}}, {"fieldManager": "m"}, 400),
    ],
)
async def test_a_wrong_apply_is_refused(api_server: ApiServer, body: dict[str, Any], query: dict[str, str], status: int) -> None:
    assert (await patched(api_server, f"{CONFIG_MAPS}/x", APPLY, body, **query))[0] == status


async def test_an_apply_of_the_status_is_owned_by_its_subresource(api_server: ApiServer, api: ApiClient) -> None:
    await api.create(DEFINITIONS, definition())
    await api.create(CANARIES, canary("c", weight=1))
    status, body = await patched(api_server, f"{CANARIES}/c/status", APPLY, {**canary("c"), "status": {"phase": "Up"}}, fieldManager="m")
    assert status == 200 and body["status"] == {"phase": "Up"} and body["metadata"]["managedFields"][0]["subresource"] == "status"


async def test_a_custom_list_is_merged_by_the_keys_of_its_schema(api: ApiClient) -> None:
    await api.create(DEFINITIONS, definition())
    await api.create(CANARIES, canary("c", steps=[{"name": "a", "pause": 1}, {"name": "b"}]))
    merged = await api.patch(f"{CANARIES}/c", canary("c", steps=[{"name": "a", "pause": 2}]), style="apply")
    assert merged["spec"]["steps"] == [{"name": "a", "pause": 2}, {"name": "b"}]


async def test_a_patch_of_nothing_is_not_found(api: ApiClient) -> None:
    with pytest.raises(ApiError) as refused:
        await api.patch(f"{CONFIG_MAPS}/absent", {})
    assert refused.value.status == 404
