"""HTTP around the server: limits, streams, broken connections, TLS-free plain bytes."""

import asyncio
import io
from collections.abc import AsyncIterator, Mapping

import aiohttp
import orjson
import pytest
from reconciler_sandbox.apiserver.failures import BODY_LIMIT
from reconciler_sandbox.apiserver.server import ApiServer
from reconciler_sandbox.client import Answer, ApiClient, Call

from tests.kit.apiserver import CONFIG_MAPS, PODS, config_map, pod, running

PATIENCE = 10.0


@pytest.fixture
async def session(api_server: ApiServer) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(api_server.url) as opened:
        yield opened


async def test_a_body_over_the_limit_is_refused_while_it_comes(session: aiohttp.ClientSession) -> None:
    async with session.post(CONFIG_MAPS, data=io.BytesIO(b" " * (BODY_LIMIT + 1))) as response:
        assert response.status == 413 and (await response.json())["reason"] == "RequestEntityTooLarge"


async def test_an_unknown_path_is_not_found_with_a_status(session: aiohttp.ClientSession) -> None:
    async with session.get("/nowhere") as response:
        assert response.status == 404 and (await response.json())["kind"] == "Status"


@pytest.mark.parametrize("method", ["OPTIONS", "POST"])
async def test_a_method_that_is_not_served_is_refused(session: aiohttp.ClientSession, method: str) -> None:
    async with session.request(method, f"{CONFIG_MAPS}/x") as response:
        assert response.status == 405


async def test_a_watch_is_one_document_a_line_and_ends_with_its_time(session: aiohttp.ClientSession, api: ApiClient) -> None:
    for number in range(300):
        await api.create(CONFIG_MAPS, config_map(f"c{number:03}", a="x" * 2_000))
    async with session.get(CONFIG_MAPS, params={"watch": "true", "timeoutSeconds": "1"}) as response:
        lines = (await response.read()).splitlines()
    assert [orjson.loads(line)["object"]["metadata"]["name"] for line in lines] == [f"c{number:03}" for number in range(300)]


async def test_a_client_that_leaves_ends_its_watch(api_server: ApiServer, session: aiohttp.ClientSession) -> None:
    response = await session.get(CONFIG_MAPS, params={"watch": "true"})
    watchers = api_server.store.collection("", "configmaps").watchers
    assert len(watchers) == 1
    response.close()
    for _ in range(1_000):
        if not len(watchers):
            return
        await asyncio.sleep(0.01)
    pytest.fail("the watch goes on without a reader")


async def test_a_cut_watch_breaks_the_connection(api_server: ApiServer, session: aiohttp.ClientSession) -> None:
    async with session.get(CONFIG_MAPS, params={"watch": "true"}) as response:
        api_server.cut_watches()
        with pytest.raises(aiohttp.ClientError):
            async with asyncio.timeout(PATIENCE):
                await response.read()


async def test_a_fault_can_break_the_connection(api_server: ApiServer, session: aiohttp.ClientSession) -> None:
    async def cut(call: Call) -> Answer | None:
        raise ConnectionResetError

    api_server.faults = cut
    with pytest.raises(aiohttp.ClientError):
        await session.get(CONFIG_MAPS)


async def test_stopping_ends_open_watches_in_good_order() -> None:
    async with running() as server, aiohttp.ClientSession(server.url) as session:
        response = await session.get(CONFIG_MAPS, params={"watch": "true"})
        await server.stop()
        async with asyncio.timeout(PATIENCE):
            assert await response.read() == b""


async def test_logs_are_streamed() -> None:
    async def logs(namespace: str, name: str, query: Mapping[str, str]) -> AsyncIterator[bytes]:
        for part in (namespace, name, query["tailLines"]):
            yield f"{part}\n".encode()

    async with running(logs=logs) as server, aiohttp.ClientSession(server.url) as session:
        await ApiClient(server.call).create(PODS, pod("x", node="n1"))
        async with session.get(f"{PODS}/x/log", params={"tailLines": "5"}) as response:
            assert response.content_type == "text/plain" and await response.read() == b"default\nx\n5\n"
