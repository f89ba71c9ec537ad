"""Reads: lists in pages, versions, forms."""

from collections.abc import Mapping
from typing import Any

import orjson
import pytest
from reconciler_sandbox.apiserver.server import ApiServer
from reconciler_sandbox.client import ApiClient, Call

from tests.kit.apiserver import CONFIG_MAPS, DEFINITIONS, canary, config_map, definition

NAMES = ("a", "b", "c", "d", "e")


async def read(
    server: ApiServer, path: str = CONFIG_MAPS, headers: Mapping[str, str] | None = None, **query: str
) -> tuple[int, dict[str, Any]]:
    answer = await server.call(Call("GET", path, query, headers or {}))
    assert isinstance(answer.body, bytes)
    return answer.status, orjson.loads(answer.body)


def names(listed: Mapping[str, Any]) -> list[str]:
    return [item["metadata"]["name"] for item in listed["items"]]


@pytest.fixture
async def five(api: ApiClient) -> None:
    for name in NAMES:
        await api.create(CONFIG_MAPS, config_map(name))


async def test_an_empty_list_has_the_version_of_now(api_server: ApiServer) -> None:
    _, listed = await read(api_server)
    assert listed["items"] == [] and listed["metadata"] == {"resourceVersion": str(api_server.store.version)}
    assert (listed["kind"], listed["apiVersion"]) == ("ConfigMapList", "v1")


@pytest.mark.usefixtures("five")
async def test_pages_are_a_snapshot_of_the_first(api_server: ApiServer, api: ApiClient) -> None:
    _, first = await read(api_server, limit="2")
    assert names(first) == ["a", "b"] and first["metadata"]["remainingItemCount"] == 3
    await api.delete(f"{CONFIG_MAPS}/d")
    await api.create(CONFIG_MAPS, config_map("bb"))
    _, second = await read(api_server, limit="2", **{"continue": first["metadata"]["continue"]})
    _, third = await read(api_server, limit="2", **{"continue": second["metadata"]["continue"]})
    _, again = await read(api_server, limit="2", **{"continue": first["metadata"]["continue"]})
    assert names(second) == names(again) == ["c", "d"] and names(third) == ["e"]
    assert second["metadata"]["resourceVersion"] == first["metadata"]["resourceVersion"] and "continue" not in third["metadata"]


@pytest.mark.usefixtures("five")
async def test_a_snapshot_that_is_gone_is_expired_with_a_fresh_token(api_server: ApiServer, api: ApiClient) -> None:
    _, first = await read(api_server, limit="2")
    for number in range(40):
        await read(api_server, limit="1", fieldSelector=f"metadata.name!=x{number}")
    await api.create(CONFIG_MAPS, config_map("late"))
    status, body = await read(api_server, limit="2", **{"continue": first["metadata"]["continue"]})
    assert (status, body["reason"]) == (410, "Expired")
    _, rest = await read(api_server, **{"continue": body["metadata"]["continue"]})
    assert names(rest) == ["c", "d", "e", "late"]


@pytest.mark.usefixtures("five")
async def test_version_zero_ignores_the_limit(api_server: ApiServer) -> None:
    assert names((await read(api_server, limit="2", resourceVersion="0"))[1]) == list(NAMES)


@pytest.mark.usefixtures("five")
@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({"resourceVersion": "99999"}, 504),
        ({"resourceVersion": "x"}, 400),
        ({"limit": "x"}, 400),
        ({"continue": "nonsense"}, 400),
        ({"continue": "e30", "resourceVersion": "5"}, 400),
        ({"labelSelector": "a in b"}, 400),
        ({"fieldSelector": "spec.x=1"}, 400),
        ({"watch": "true", "sendInitialEvents": "true"}, 422),
    ],
)
async def test_a_read_that_cannot_be_answered_says_why(api_server: ApiServer, query: dict[str, str], status: int) -> None:
    assert (await read(api_server, **query))[0] == status


@pytest.mark.usefixtures("five")
@pytest.mark.parametrize(
    "accept",
    ["", "*/*", "application/vnd.kubernetes.protobuf,application/json", "text/html,*/*;q=0.8", "application/json;as=Nope,application/json"],
)
async def test_every_other_accept_gets_json(api_server: ApiServer, accept: str) -> None:
    assert (await read(api_server, f"{CONFIG_MAPS}/a", {"accept": accept}))[1]["kind"] == "ConfigMap"


@pytest.mark.usefixtures("five")
@pytest.mark.parametrize(
    "accept", ["text/html", "application/yaml", "application/vnd.kubernetes.protobuf", "application/json;as=Table;v=v1;g=meta.k8s.io"]
)
async def test_what_nobody_can_answer_is_not_acceptable(api_server: ApiServer, accept: str) -> None:
    status, refusal = await read(api_server, headers={"accept": accept})
    assert (status, refusal["reason"]) == (406, "NotAcceptable")


async def test_a_custom_resource_is_served_in_each_of_its_versions(api_server: ApiServer, api: ApiClient) -> None:
    await api.create(DEFINITIONS, definition(versions=("v1alpha1", "v1")))
    made = await api.create("/apis/demo.example.com/v1/namespaces/default/canaries", {**canary("c"), "apiVersion": "demo.example.com/v1"})
    assert made["apiVersion"] == "demo.example.com/v1"
    for version in ("v1", "v1alpha1"):
        path = f"/apis/demo.example.com/{version}/namespaces/default/canaries"
        one = await api.patch(f"{path}/c", {"spec": {"weight": 1}})
        [listed] = await api.list(path)
        assert one["apiVersion"] == listed["apiVersion"] == f"demo.example.com/{version}"
