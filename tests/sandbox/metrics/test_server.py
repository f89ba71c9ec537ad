"""Prometheus's HTTP API, spoken to over HTTP."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest
from reconciler_sandbox.metrics.server import Server

from tests.kit.promql import filled


@dataclass
class Asked:
    status: int
    document: dict[str, Any]


class Client:
    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self._session, self._url = session, url

    async def ask(self, method: str, path: str, **parameters: str) -> Asked:
        sent = {"data": parameters} if method == "POST" else {"params": parameters}
        async with self._session.request(method, self._url + path, **sent) as response:
            return Asked(response.status, await response.json())

    async def text(self, path: str) -> tuple[int, str]:
        async with self._session.get(self._url + path) as response:
            return response.status, await response.text()


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    server = Server(filled({'a{x="1"}': "1 2 3", 'b{x="1"}': "1 1 1"}), lambda: 120.0)
    await server.start()
    try:
        async with aiohttp.ClientSession() as session:
            yield Client(session, server.url)
    finally:
        await server.stop()


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_an_instant_query_is_about_now_unless_it_names_a_time(client: Client, method: str) -> None:
    now = await client.ask(method, "/api/v1/query", query="a")
    assert now.document == {
        "status": "success",
        "data": {"resultType": "vector", "result": [{"metric": {"__name__": "a", "x": "1"}, "value": [120.0, "3"]}]},
    }
    before = await client.ask(method, "/api/v1/query", query="a", time="60")
    assert before.document["data"]["result"][0]["value"] == [60.0, "2"]


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_range_query_is_a_matrix(client: Client, method: str) -> None:
    asked = await client.ask(method, "/api/v1/query_range", query="a * 2", start="0", end="120", step="1m")
    assert asked.document["data"] == {
        "resultType": "matrix",
        "result": [{"metric": {"x": "1"}, "values": [[0.0, "2"], [60.0, "4"], [120.0, "6"]]}],
    }


async def test_a_bad_query_is_bad_data(client: Client) -> None:
    asked = await client.ask("GET", "/api/v1/query", query="nothing(a)")
    assert (asked.status, asked.document) == (400, {"status": "error", "errorType": "bad_data", "error": 'unsupported function "nothing"'})
    assert (await client.ask("GET", "/api/v1/query")).status == 400
    assert (await client.ask("GET", "/api/v1/query", query="a", time="soon")).document["errorType"] == "bad_data"
    assert (await client.ask("GET", "/api/v1/query_range", query="a", start="0", end="1", step="0")).status == 400


async def test_an_impossible_query_is_an_execution_error(client: Client) -> None:
    asked = await client.ask("GET", "/api/v1/query", query='-{x="1"}')
    assert (asked.status, asked.document["errorType"]) == (422, "execution")


async def test_it_says_that_it_is_ready(client: Client) -> None:
    assert (await client.text("/-/ready"))[0] == 200
    assert (await client.text("/-/healthy"))[0] == 200


async def test_a_range_selector_of_nothing_is_an_empty_matrix(client: Client) -> None:
    asked = await client.ask("GET", "/api/v1/query", query="(nothing[1m])")
    assert asked.document["data"] == {"resultType": "matrix", "result": []}
    refused = await client.ask("GET", "/api/v1/query_range", query="nothing[1m]", start="0", end="120", step="1m")
    assert (refused.status, refused.document["errorType"]) == (400, "bad_data")


async def test_a_negative_fraction_is_rounded_up_to_negative_zero(client: Client) -> None:
    asked = await client.ask("GET", "/api/v1/query", query="ceil(a * -0.1)")
    assert asked.document["data"]["result"][0]["value"][1] == "-0"
