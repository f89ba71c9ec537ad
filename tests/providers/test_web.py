"""Any HTTP endpoint (contract 7.2)."""

from collections.abc import AsyncIterator

import pytest

from reconciler.analysis.model import Measurement
from reconciler.kernel.errors import Terminal
from reconciler.kernel.identity import Manifest
from reconciler.providers.metrics_client import MetricsClient
from reconciler.providers.web import Web, read, written
from tests.kit.analysis import endpoint, task
from tests.kit.metrics import metrics_client


@pytest.fixture
async def client() -> AsyncIterator[MetricsClient]:
    async with metrics_client() as opened:
        yield opened


async def ask(client: MetricsClient, url: str, success: str = "", **config: object) -> Measurement:
    return await Web(client).run(task("web", {"url": url, **config}, success_condition=success))


async def test_a_part_of_a_document_is_judged(client: MetricsClient) -> None:
    async with endpoint() as server:
        server.answer("/health", {"data": {"ok": True, "items": [{"name": "a", "n": 3}]}})
        found = await ask(client, f"{server.url}/health?x=1", "result.ok && result.items[0].n == 3", jsonPath="{$.data}")
    assert (found.phase, found.value) == ("Successful", '{"items":[{"n":3,"name":"a"}],"ok":true}')
    assert server.requests[0][:2] == ("GET", "/health?x=1")


async def test_text_is_judged_as_it_is(client: MetricsClient) -> None:
    async with endpoint() as server:
        server.answer("/", "all good")
        found = await ask(client, server.url, "result contains 'good'", jsonPath="{$.ignored}")
    assert (found.phase, found.value) == ("Successful", "all good")


@pytest.mark.parametrize("body", ["all bad", "", "{broken"])
async def test_text_that_a_condition_does_not_like_is_a_failure(client: MetricsClient, body: str) -> None:
    """The reference took any text for a success, until it mended that (docs/compatibility.md)."""
    async with endpoint() as server:
        server.answer("/", body)
        found = await ask(client, server.url, "result contains 'good'")
    assert (found.phase, found.value) == ("Failed", body)


@pytest.mark.parametrize("method", ["POST", "PUT"])
async def test_a_body_is_sent(client: MetricsClient, method: str) -> None:
    async with endpoint() as server:
        server.answer("/", {"n": 1})
        headers = [{"key": "X-Token", "value": "abc"}, {"key": "Content-Type", "value": "text/plain"}]
        await ask(client, server.url, method=method, jsonBody={"q": [1]}, headers=headers)
        await ask(client, server.url, method=method, body="plain")
    first, second = server.requests
    assert (first[0], first[2]["Content-Type"], first[2]["X-Token"], first[3]) == (method, "application/json", "abc", '{"q": [1]}')
    assert second[3] == "plain"


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"method": "POST", "body": "x", "jsonBody": {}}, "use either Body or JSONBody; both cannot exists for WebMetric payload"),
        ({"body": "x"}, "Body/JSONBody can only be used with POST or PUT WebMetric Method types"),
        ({"method": "DELETE"}, "web: method DELETE is none of GET, POST, PUT"),
        ({"url": 5}, "web.url: Invalid value: 5: must be a string"),
        (
            {"authentication": {"oauth2": {"tokenUrl": "http://127.0.0.1:1/t", "clientId": "i"}}},
            "authentication.oauth2: clientId and clientSecret are required",
        ),
    ],
)
async def test_a_configuration_that_cannot_work_is_an_error(client: MetricsClient, config: Manifest, words: str) -> None:
    found = await ask(client, **{"url": "http://127.0.0.1:9", **config})
    assert (found.phase, found.message) == ("Error", words)


async def test_a_url_that_is_none_is_an_error(client: MetricsClient) -> None:
    for url in ("", "ftp://x", "http://", "no url"):
        assert (await ask(client, url)).phase == "Error", url


async def test_a_refusal_is_an_error(client: MetricsClient) -> None:
    async with endpoint() as server:
        server.answer("/", "broken", 500)
        found = await ask(client, server.url)
    assert (found.phase, found.message) == ("Error", "received non 2xx response code: 500")


async def test_a_path_without_match_is_an_error(client: MetricsClient) -> None:
    async with endpoint() as server:
        server.answer("/", {"a": 1})
        found = await ask(client, server.url, jsonPath="{$.b}")
    assert (found.phase, found.message) == ("Error", "Could not find JSONPath in body: {$.b} matches nothing")


async def test_a_token_is_sent(client: MetricsClient) -> None:
    async with endpoint() as server:
        server.answer("/token", {"access_token": "t-1"})
        server.answer("/", "yes")
        oauth = {"tokenUrl": f"{server.url}/token", "clientId": "i", "clientSecret": "s"}
        await ask(client, server.url, authentication={"oauth2": oauth})
    assert server.requests[-1][2]["Authorization"] == "Bearer t-1"


def test_values_are_written_as_json() -> None:
    assert read(b"3", "{$}") == (3.0, "3")
    assert read(b'"x"', "{$}") == ("x", '"x"')
    assert read(b"null", "{$}") == (None, "null")
    assert read(b'{"b":1.5,"a":[true]}', "{$}")[1] == '{"a":[true],"b":1.5}'
    deep: object = 1
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(Terminal, match="nests too deeply"):
        written(deep)


def test_a_document_that_nests_without_end_is_only_text() -> None:
    assert read(b"[" * 100_000, "{$}")[0] == "[" * 100_000
