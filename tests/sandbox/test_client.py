"""The sandbox's client: in process and over HTTP it says the same; a watch survives cuts, expiry and a server that is away."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest
from reconciler_sandbox.apiserver.server import ApiServer
from reconciler_sandbox.client import Answer, ApiClient, ApiError, Call

from tests.kit.apiserver import CONFIG_MAPS, api, api_server, config_map, running
from tests.kit.calling import http_caller

__all__ = ["api", "api_server"]
PATIENCE = 10.0


@pytest.fixture
async def over_http(api_server: ApiServer) -> AsyncIterator[ApiClient]:
    async with http_caller(api_server.url) as call:
        yield ApiClient(call)


async def seen(events: AsyncIterator[tuple[str, dict]], count: int) -> list[tuple[str, str]]:
    found = []
    async with asyncio.timeout(PATIENCE):
        while len(found) < count:
            kind, manifest = await anext(events)
            found.append((kind, manifest["metadata"]["name"]))
    return found


async def test_what_is_not_there_is_none(over_http: ApiClient) -> None:
    assert await over_http.get(f"{CONFIG_MAPS}/absent") is None


async def test_a_refusal_carries_status_reason_and_message(over_http: ApiClient) -> None:
    await over_http.create(CONFIG_MAPS, config_map("one"))
    with pytest.raises(ApiError) as refused:
        await over_http.create(CONFIG_MAPS, config_map("one"))
    assert (refused.value.status, refused.value.reason, refused.value.message) == (409, "AlreadyExists", 'configmaps "one" already exists')


async def test_listed_objects_say_their_kind(over_http: ApiClient) -> None:
    await over_http.create(CONFIG_MAPS, config_map("one"))
    [listed] = await over_http.list(CONFIG_MAPS, fieldSelector="metadata.name=one")
    assert (listed["apiVersion"], listed["kind"], listed["metadata"]["name"]) == ("v1", "ConfigMap", "one")


@pytest.mark.parametrize("style", ["merge", "strategic", "apply"])
async def test_every_style_of_patch_changes_the_object(api: ApiClient, style: str) -> None:
    await api.create(CONFIG_MAPS, config_map("one", a="1"))
    patched = await api.patch(f"{CONFIG_MAPS}/one", config_map("one", b="2"), style=style)  # type: ignore[arg-type]
    assert patched["data"] == {"a": "1", "b": "2"}


async def test_replace_then_delete_twice(over_http: ApiClient) -> None:
    await over_http.create(CONFIG_MAPS, config_map("one", a="1"))
    assert (await over_http.replace(f"{CONFIG_MAPS}/one", config_map("one", a="2")))["data"] == {"a": "2"}
    await over_http.delete(f"{CONFIG_MAPS}/one", gracePeriodSeconds=0)
    await over_http.delete(f"{CONFIG_MAPS}/one")
    assert await over_http.get(f"{CONFIG_MAPS}/one") is None


async def test_a_watch_begins_with_what_is_there_and_goes_on(over_http: ApiClient) -> None:
    await over_http.create(CONFIG_MAPS, config_map("one"))
    async with aclosing(over_http.watch(CONFIG_MAPS)) as events:
        assert await seen(events, 1) == [("ADDED", "one")]
        await over_http.create(CONFIG_MAPS, config_map("two"))
        await over_http.patch(f"{CONFIG_MAPS}/two", {"data": {"x": "y"}})
        await over_http.delete(f"{CONFIG_MAPS}/one")
        assert await seen(events, 3) == [("ADDED", "two"), ("MODIFIED", "two"), ("DELETED", "one")]


@pytest.mark.parametrize("expired", [False, True])
async def test_a_cut_watch_tells_what_vanished_meanwhile(api_server: ApiServer, over_http: ApiClient, expired: bool) -> None:
    for name in ("one", "two"):
        await over_http.create(CONFIG_MAPS, config_map(name))
    async with aclosing(over_http.watch(CONFIG_MAPS)) as events:
        assert await seen(events, 2) == [("ADDED", "one"), ("ADDED", "two")]
        api_server.cut_watches()
        await over_http.delete(f"{CONFIG_MAPS}/one")
        await over_http.create(CONFIG_MAPS, config_map("three"))
        if expired:
            api_server.forget_history()
        assert sorted(await seen(events, 2)) == [("ADDED", "three"), ("DELETED", "one")]


async def test_a_watch_of_a_kind_that_is_not_served_is_refused(over_http: ApiClient) -> None:
    with pytest.raises(ApiError) as refused:
        await anext(over_http.watch("/apis/none.example.com/v1/nothings"))
    assert refused.value.status == 404


async def test_a_watch_outlives_refusals_that_pass(api_server: ApiServer, api: ApiClient) -> None:
    await api.create(CONFIG_MAPS, config_map("one"))
    refusals = iter([Answer(429, {}, b"{}"), Answer(503, {}, b"no json")])

    async def refuse(call: Call) -> Answer | None:
        return next(refusals, None)

    api_server.faults = refuse
    async with aclosing(api.watch(CONFIG_MAPS)) as events:
        assert await seen(events, 1) == [("ADDED", "one")]


@pytest.mark.parametrize("refusal", [Answer(403, {}, b'{"message": "RBAC: role not found"}'), Answer(404, {}, b"404 page not found")])
async def test_a_watch_outlives_a_server_that_does_not_know_its_roles_or_kinds_yet(
    api_server: ApiServer, api: ApiClient, refusal: Answer
) -> None:
    answers = [None, refusal, refusal]  # the first list is served, the watch after it and the next list are not

    async def refuse(call: Call) -> Answer | None:
        return answers.pop(0) if answers and call.method == "GET" else None

    api_server.faults = refuse
    async with aclosing(api.watch(CONFIG_MAPS)) as events:
        await api.create(CONFIG_MAPS, config_map("one"))
        assert await seen(events, 1) == [("ADDED", "one")]
        await api.create(CONFIG_MAPS, config_map("two"))
        assert await seen(events, 1) == [("ADDED", "two")]
    assert not answers


async def test_no_answer_is_an_error_with_a_status() -> None:
    async with running() as server:
        address = server.url
    async with http_caller(address) as call:
        with pytest.raises(ApiError) as refused:
            await ApiClient(call).get(f"{CONFIG_MAPS}/one")
    assert (refused.value.status, refused.value.reason) == (503, "Unreachable")


async def test_a_broken_connection_in_process_is_the_same_error(api_server: ApiServer, api: ApiClient) -> None:
    async def cut(call: Call) -> Answer | None:
        raise ConnectionResetError("cut")

    api_server.faults = cut
    with pytest.raises(ApiError) as refused:
        await api.get(f"{CONFIG_MAPS}/one")
    assert refused.value.status == 503
