"""Every place of every service's answer spoiled in turn: whatever comes back, a measurement says so and nothing flies."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from reconciler.analysis.model import RunPhase
from reconciler.analysis.provider import Awaited, MeasurementTask, Provider
from reconciler.providers.registry import PROVIDERS, ProviderHands
from tests.kit.analysis import Endpoint, endpoint, task
from tests.kit.clusters import api
from tests.kit.metrics import metrics_client
from tests.kit.providers import SCRIPTS
from tests.providers.test_services import service

SPOILS: tuple[Any, ...] = (None, True, "x", "\ud800", [], {}, [None], [[None]], [[]], {"x": None}, 10**400, -1, float("nan"), float("inf"))
CONDITIONS = {"success_condition": "result[0] < 1", "failure_condition": "result.x > 1"}
BOOKS = tuple(name for name in SCRIPTS if not isinstance(next(iter(SCRIPTS[name].answers.values())), str))


def spoiled(answer: Any) -> Iterator[Any]:
    """The answer with one place after the other replaced by what does not belong there."""
    yield from SPOILS
    members: Any = answer.items() if isinstance(answer, dict) else enumerate(answer) if isinstance(answer, list) else ()
    for place, member in members:
        for other in spoiled(member):
            copy = dict(answer) if isinstance(answer, dict) else list(answer)
            copy[place] = other
            yield copy


async def flies(provider: Provider, terms: MeasurementTask, server: Endpoint, path: str) -> list[tuple[str, str]]:
    """The spoiled answers at a path that end in no measurement, with what came instead; the answer is whole again afterwards."""
    whole, flown = server.answers[path][1], []
    for other in spoiled(whole):
        server.answer(path, json.dumps(other))
        try:
            found = await provider.run(terms)
            if isinstance(provider, Awaited) and found.finished is None:
                found = await provider.resume(terms, found)
            assert found.phase is not RunPhase.ERROR or found.message
        except Exception as error:  # all of them are told at once
            flown.append((repr(other)[:120], repr(error)[:200]))
    server.answer(path, whole)
    return flown


@pytest.mark.parametrize("name", BOOKS)
async def test_no_place_of_an_answer_can_end_more_than_its_measurement(name: str) -> None:
    async with service(name) as asked:
        provider, terms = PROVIDERS[name].make(asked.hands), task(name, SCRIPTS[name].config(asked.server.url), **CONDITIONS)
        flown = [path for path in SCRIPTS[name].answers if await flies(provider, terms, asked.server, path)]
    assert flown == []


VECTOR = {"resultType": "vector", "result": [{"metric": {"a": "b"}, "value": [1.0, "0.5"]}]}
MATRIX = {"resultType": "matrix", "result": [{"metric": {}, "values": [[1.0, "0.5"], [2.0, "1"]]}]}
OTHERS: tuple[tuple[str, str, Any], ...] = (
    ("prometheus", "/api/v1/query", {"status": "success", "data": VECTOR, "warnings": ["slow"], "error": "", "errorType": ""}),
    ("prometheus", "/api/v1/query", {"status": "success", "data": MATRIX}),
    ("prometheus", "/api/v1/query", {"status": "success", "data": {"resultType": "scalar", "result": [1.0, "0.5"]}}),
    ("graphite", "/render", [{"target": "up", "datapoints": [[1.0, 1700000000], [None, 1700000060]]}]),
    ("web", "/", {"a": [{"b": 1}]}),
)


@pytest.mark.parametrize(("name", "path", "answer"), OTHERS)
async def test_nor_can_it_where_no_account_is_needed(name: str, path: str, answer: Any) -> None:
    async with metrics_client() as http, api() as kubernetes, endpoint() as server:
        config = {"address": server.url, "query": "target=up"} if name != "web" else {"url": server.url, "jsonPath": "{$.a[0].b}"}
        server.answer(path, answer)
        hands = ProviderHands(client=kubernetes.client, http=http, prometheus_address="")
        assert not await flies(PROVIDERS[name].make(hands), task(name, config, **CONDITIONS), server, path)
