"""Watch streams: replay, selectors, bookmarks, the initial list, ends and cuts."""

import asyncio
from collections.abc import Mapping

import orjson
import pytest
from reconciler_sandbox.apiserver.server import ApiServer
from reconciler_sandbox.apiserver.watch import INITIAL_END, PENDING_BYTES, WatchOptions, WatchStream
from reconciler_sandbox.client import ApiClient, Call

from tests.kit.apiserver import CONFIG_MAPS, config_map

PATIENCE = 10.0


async def opened(server: ApiServer, path: str = CONFIG_MAPS, headers: Mapping[str, str] | None = None, **query: str) -> WatchStream:
    answer = await server.call(Call("GET", path, {"watch": "true", "timeoutSeconds": "60", **query}, headers or {}))
    assert isinstance(answer.body, WatchStream), answer
    return answer.body


async def taken(stream: WatchStream, count: int) -> list[tuple[str, str]]:
    async with asyncio.timeout(PATIENCE):
        return [brief(await anext(stream)) for _ in range(count)]


def brief(line: bytes) -> tuple[str, str]:
    event = orjson.loads(line)
    return event["type"], event["object"]["metadata"].get("name", "")


async def rest(stream: WatchStream) -> list[tuple[str, str]]:
    stream.end()
    async with asyncio.timeout(PATIENCE):
        return [brief(line) async for line in stream]


async def test_without_a_version_everything_is_added_first(api_server: ApiServer, api: ApiClient) -> None:
    await api.create(CONFIG_MAPS, config_map("one"))
    stream = await opened(api_server)
    await api.create(CONFIG_MAPS, config_map("two"))
    assert await taken(stream, 2) == [("ADDED", "one"), ("ADDED", "two")]


async def test_from_a_version_every_later_event_comes_in_order(api_server: ApiServer, api: ApiClient) -> None:
    made = await api.create(CONFIG_MAPS, config_map("one"))
    await api.patch(f"{CONFIG_MAPS}/one", {"data": {"a": "1"}})
    await api.delete(f"{CONFIG_MAPS}/one")
    stream = await opened(api_server, resourceVersion=made["metadata"]["resourceVersion"])
    assert await taken(stream, 2) == [("MODIFIED", "one"), ("DELETED", "one")]


async def test_a_selector_sees_objects_enter_and_leave_also_in_history(api_server: ApiServer, api: ApiClient) -> None:
    start = str(api_server.store.version)
    live = await opened(api_server, resourceVersion=start, labelSelector="app=web")
    await api.create(CONFIG_MAPS, config_map("one"))
    for labels in ({"app": "web"}, {"app": "web", "x": "y"}, {"app": "api"}):
        await api.patch(f"{CONFIG_MAPS}/one", {"metadata": {"labels": labels}})
    await api.delete(f"{CONFIG_MAPS}/one")
    expected = [("ADDED", "one"), ("MODIFIED", "one"), ("DELETED", "one")]
    assert await rest(live) == expected
    assert await rest(await opened(api_server, resourceVersion=start, labelSelector="app=web")) == expected


async def test_other_namespaces_and_names_are_not_told(api_server: ApiServer, api: ApiClient) -> None:
    stream = await opened(api_server, fieldSelector="metadata.name=one")
    await api.create("/api/v1/namespaces/kube-system/configmaps", config_map("one"))
    await api.create(CONFIG_MAPS, config_map("two"))
    await api.create(CONFIG_MAPS, config_map("one"))
    assert await rest(stream) == [("ADDED", "one")]


async def test_the_initial_list_ends_with_a_bookmark(api_server: ApiServer, api: ApiClient) -> None:
    await api.create(CONFIG_MAPS, config_map("one"))
    options = {"sendInitialEvents": "true", "resourceVersionMatch": "NotOlderThan", "allowWatchBookmarks": "true"}
    stream = await opened(api_server, **options)
    assert await taken(stream, 1) == [("ADDED", "one")]
    bookmark = orjson.loads(await anext(stream))
    assert bookmark["type"] == "BOOKMARK"
    assert bookmark["object"]["metadata"] == {"resourceVersion": str(api_server.store.version), "annotations": {INITIAL_END: "true"}}


async def test_a_version_from_before_the_history_is_an_error_event(api_server: ApiServer, api: ApiClient) -> None:
    await api.create(CONFIG_MAPS, config_map("one"))
    api_server.forget_history()
    stream = await opened(api_server, resourceVersion="1")
    event = orjson.loads(await anext(stream))
    assert (event["type"], event["object"]["code"], event["object"]["reason"]) == ("ERROR", 410, "Expired")
    with pytest.raises(StopAsyncIteration):
        await anext(stream)


async def test_a_version_of_the_future_waits(api_server: ApiServer, api: ApiClient) -> None:
    stream = await opened(api_server, resourceVersion=str(api_server.store.version + 1))
    await api.create(CONFIG_MAPS, config_map("skipped"))
    await api.create(CONFIG_MAPS, config_map("told"))
    assert await taken(stream, 1) == [("ADDED", "told")]


async def test_a_watch_ends_when_its_time_is_up(api_server: ApiServer) -> None:
    stream = await opened(api_server, timeoutSeconds="1")
    async with asyncio.timeout(PATIENCE):
        assert [line async for line in stream] == []


async def test_bookmarks_come_only_after_something_happened(api_server: ApiServer, api: ApiClient) -> None:
    await api.create(CONFIG_MAPS, config_map("one"))
    version = api_server.store.version
    kind = api_server.registry.kinds[("", "v1", "configmaps")]
    options = WatchOptions("default", None, version, False, True, 0.5, bookmark_seconds=0.05)
    lines = [orjson.loads(line) async for line in WatchStream(api_server.store, kind, options, lambda entry: entry.encoded)]
    assert [(line["type"], line["object"]["metadata"]["resourceVersion"]) for line in lines] == [("BOOKMARK", str(version))]


async def test_a_cut_stream_breaks(api_server: ApiServer) -> None:
    stream = await opened(api_server)
    api_server.cut_watches()
    with pytest.raises(ConnectionResetError):
        await anext(stream)


async def test_a_reader_that_is_too_slow_is_dropped(api_server: ApiServer, api: ApiClient) -> None:
    stream = await opened(api_server)
    part = "x" * 500_000
    for number in range(PENDING_BYTES // len(part) + 1):
        await api.replace(f"{CONFIG_MAPS}/big", config_map("big", a=part, n=str(number))) if number else await api.create(
            CONFIG_MAPS, config_map("big", a=part)
        )
    with pytest.raises(ConnectionResetError):
        await anext(stream)


async def test_a_closed_stream_is_told_nothing(api_server: ApiServer) -> None:
    stream = await opened(api_server)
    await stream.aclose()
    assert not len(api_server.store.collection("", "configmaps").watchers)
