"""The server as a whole: faults, tokens, clocks, races, hostile requests."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from reconciler_sandbox.apiserver.server import ApiServer
from reconciler_sandbox.client import Answer, ApiClient, ApiError, Call

from tests.kit.apiserver import CONFIG_MAPS, PODS, config_map, pod


async def test_it_begins_with_the_usual_namespaces(api: ApiClient) -> None:
    names = [one["metadata"]["name"] for one in await api.list("/api/v1/namespaces")]
    assert names == ["default", "kube-node-lease", "kube-public", "kube-system"]


async def test_a_fault_before_the_call_answers_in_its_place(api_server: ApiServer, api: ApiClient) -> None:
    async def busy(call: Call) -> Answer | None:
        return Answer(429, {}, b'{"code":429,"reason":"TooManyRequests"}') if call.method == "POST" else None

    api_server.faults = busy
    with pytest.raises(ApiError) as refused:
        await api.create(CONFIG_MAPS, config_map("x"))
    assert refused.value.status == 429 and await api.get(f"{CONFIG_MAPS}/x") is None


async def test_a_fault_after_the_call_hides_a_write_that_was_done(api_server: ApiServer, api: ApiClient) -> None:
    async def lost(call: Call, answer: Answer) -> Answer | None:
        if call.method == "POST":
            raise ConnectionResetError
        return None

    api_server.faults_after = lost
    with pytest.raises(ApiError) as refused:
        await api.create(CONFIG_MAPS, config_map("x"))
    assert refused.value.status == 503 and await api.get(f"{CONFIG_MAPS}/x")


async def test_the_clock_is_the_callers() -> None:
    server = ApiServer(now=lambda: datetime(2000, 1, 2, 3, 4, 5, tzinfo=UTC))
    made = await ApiClient(server.call).create(CONFIG_MAPS, config_map("x"))
    assert made["metadata"]["creationTimestamp"] == "2000-01-02T03:04:05Z"


async def test_of_many_writers_with_one_version_exactly_one_wins(api: ApiClient) -> None:
    made = await api.create(CONFIG_MAPS, config_map("x"))

    async def write(number: int) -> bool:
        body = config_map("x", n=str(number))
        body["metadata"]["resourceVersion"] = made["metadata"]["resourceVersion"]
        try:
            await api.replace(f"{CONFIG_MAPS}/x", body)
        except ApiError as error:
            assert error.status == 409
            return False
        return True

    assert sum(await asyncio.gather(*(write(number) for number in range(20)))) == 1


async def test_a_pod_without_a_log_says_so() -> None:
    def logs(namespace: str, name: str, query: Any) -> Any:
        raise LookupError(f"container main of {name} is waiting to start")

    server = ApiServer(logs=logs)
    await ApiClient(server.call).create(PODS, pod("x", node="n1"))
    answer = await server.call(Call("GET", f"{PODS}/x/log"))
    assert answer.status == 400 and isinstance(answer.body, bytes) and b"waiting to start" in answer.body


HOSTILE = [
    b"",
    b"null",
    b"[]",
    b"5",
    b'"x"',
    b"{",
    b"\x00\xff",
    b"{}",
    b'{"metadata":null}',
    b'{"metadata":[]}',
    b'{"metadata":{"name":{}}}',
    b'{"metadata":{"name":"x","labels":[],"annotations":5,"finalizers":{},"ownerReferences":"x"}}',
    b'{"metadata":{"name":"x"},"spec":null,"status":[],"data":"x","subsets":5,"roleRef":[],"rules":{}}',
    b'{"metadata":{"name":"x"},"spec":{"template":{"metadata":5,"spec":[]},"selector":[1],"ports":[[]],"versions":{},"names":5}}',
    b'{"metadata":{"name":"x"},"spec":{"replicas":1e400,"minAvailable":{},"strategy":[],"containers":[null,5]}}',
    b'{"metadata":{"name":"x","resourceVersion":{},"generateName":5,"uid":[],"managedFields":5}}',
    b'[{"op":"add","path":"/metadata","value":5}]',
    b'[{"op":"replace","path":"","value":[]}]',
]
STYLES = [
    "",
    "application/json-patch+json",
    "application/merge-patch+json",
    "application/strategic-merge-patch+json",
    "application/apply-patch+yaml",
]


async def test_no_body_makes_the_server_fail(api_server: ApiServer, api: ApiClient) -> None:
    await api.create("/api/v1/namespaces", {"metadata": {"name": "x"}})
    for kind in list(api_server.registry.kinds.values()):
        root = f"/apis/{kind.api_version}" if kind.group else f"/api/{kind.api_version}"
        collection = f"{root}/namespaces/default/{kind.plural}" if kind.namespaced else f"{root}/{kind.plural}"
        for body in HOSTILE:
            calls = [Call("POST", collection, {}, {}, body), Call("PUT", f"{collection}/x", {}, {}, body)]
            calls += [Call("PATCH", f"{collection}/x", {"fieldManager": "m"}, {"content-type": style}, body) for style in STYLES]
            calls += [
                Call(method, f"{collection}/x/{sub}", {}, {}, body) for sub in kind.subresources for method in ("PUT", "POST", "PATCH")
            ]
            calls += [
                Call("DELETE", f"{collection}/x", {"dryRun": "All"}, {}, body),
                Call("DELETE", collection, {"dryRun": "All"}, {}, body),
            ]
            for call in calls:
                answer = await api_server.call(call)
                assert answer.status != 500 or allowed_failure(answer), (call, answer.body)


def allowed_failure(answer: Answer) -> bool:
    """Two refusals that real servers, too, answer with 500."""
    assert isinstance(answer.body, bytes)
    message = orjson.loads(answer.body)["message"]
    return "resourceVersion should not be set" in message or "does not contain declared merge key" in message
