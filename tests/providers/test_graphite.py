"""Graphite: contract 7.8, by numbers that its own documents show."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from reconciler.analysis.model import Measurement
from reconciler.kernel.errors import Terminal
from reconciler.providers.graphite import Graphite, read
from reconciler.providers.metrics_client import MetricsClient
from reconciler.web.client import HttpAnswer
from tests.kit.analysis import endpoint, task
from tests.kit.metrics import metrics_client


@pytest.fixture
async def client() -> AsyncIterator[MetricsClient]:
    async with metrics_client() as opened:
        yield opened


def target(*points: Any) -> dict[str, Any]:
    return {"target": "stats.web.errors", "datapoints": list(points)}


async def ask(client: MetricsClient, address: str, query: str = "target=a", success: str = "") -> Measurement:
    return await Graphite(client).run(task("graphite", {"address": address, "query": query}, success_condition=success))


async def test_the_values_of_the_first_target_are_judged_and_those_that_are_null_are_not_there(client: MetricsClient) -> None:
    async with endpoint() as server:
        server.answer("/render", [target([1, 1700000000], [None, 1700000060], [2.5, 1700000120]), target([9, 1700000000])])
        found = await ask(client, server.url, success="len(result) == 2 && result[1] == 2.5")
    assert (found.phase, found.value) == ("Successful", "[1.000000,2.500000]")


async def test_the_query_stands_in_the_address_as_it_was_written_without_white_space(client: MetricsClient) -> None:
    async with endpoint() as server:
        server.answer("/graphite/render", [target([1, 1700000000])])
        query = "\n  target=summarize(\n    stats.{a,b}.errors, '5min')&from=-5min\n"
        found = await ask(client, f"{server.url}/graphite/", query)
    assert found.phase == "Successful"
    assert server.requests[0][:2] == ("GET", "/graphite/render?target=summarize(stats.%7Ba,b%7D.errors,'5min')&from=-5min&format=json")


async def test_a_sign_that_would_cut_the_address_stays_in_the_query(client: MetricsClient) -> None:
    async with endpoint() as server:
        server.answer("/render", [target([1, 1700000000])])
        await ask(client, server.url, 'target=alias(a,"#1")')
    assert server.requests[0][1] == "/render?target=alias(a,%22%231%22)&format=json"


async def test_a_query_that_is_escaped_already_is_not_escaped_twice(client: MetricsClient) -> None:
    async with endpoint() as server:
        server.answer("/render", [target([1, 1700000000])])
        await ask(client, server.url, "target=alias(a,%221%22)")
    assert server.requests[0][1] == "/render?target=alias(a,%221%22)&format=json"


@pytest.mark.parametrize("answer", [[], [target()], [target([None, 1700000000])]])
async def test_without_a_value_nothing_was_measured(client: MetricsClient, answer: list[Any]) -> None:
    async with endpoint() as server:
        server.answer("/render", answer)
        found = await ask(client, server.url)
    assert (found.phase, found.message) == ("Error", "no values found")


async def test_a_refusal_is_told_as_the_server_said_it_and_no_longer_than_it_needs(client: MetricsClient) -> None:
    async with endpoint() as server:
        server.answer("/render", "no such function " + "x" * 10_000, status=400)
        found = await ask(client, server.url)
    assert found.phase == "Error" and found.message.startswith("error response: no such function xxx") and len(found.message) < 600


WRONG = (
    b"<html>",
    b"{}",
    b"[1]",
    b'[{"datapoints": {}}]',
    b'[{"datapoints": [1]}]',
    b'[{"datapoints": [["1", 2]]}]',
    b'[{"datapoints": [[1, 2, 3]]}]',
    b'[{"datapoints": [[true, 2]]}]',
    b"[" * 100_000,
)


@pytest.mark.parametrize("body", WRONG)
def test_what_is_no_answer_of_graphite_is_said_to_be_none(body: bytes) -> None:
    with pytest.raises(Terminal, match="answered without a list of targets"):
        read(HttpAnswer(200, {}, body))


async def test_an_address_that_is_none_ends_the_measurement_before_a_request(client: MetricsClient) -> None:
    for address in ("", "graphite:80", "ftp://h", "http://[::1"):
        found = await ask(client, address)
        assert (found.phase, found.message) == ("Error", "graphite: address is no http(s) URL")
