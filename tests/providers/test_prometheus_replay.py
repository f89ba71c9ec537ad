"""What a replay says of a moment is what an instant query at that moment says, and it costs few requests."""

from datetime import timedelta
from typing import Any

import pytest

from reconciler.analysis.model import Measurement, RunPhase
from reconciler.analysis.provider import MeasurementTask, Remembering
from reconciler.kernel.errors import Transient
from reconciler.providers.prometheus import Prometheus
from tests.kit.analysis import NOW, endpoint, metric, vector
from tests.kit.analysis import task as task_of
from tests.kit.history import counting, falling, past, steady
from tests.kit.metrics import metrics_client, nobody

SERIES = {
    'rate{app="a"}': falling(0.99, 0.5, 600),
    'rate{app="b"}': steady(0.9, until=900),
    "hits": counting(3.0),
}
UNTIL = NOW + timedelta(minutes=20)


def asked(url: str, query: str, minutes: float, interval: float = 60, **config: Any) -> MeasurementTask:
    known = task_of("prometheus", {"address": url, "query": query, **config})
    wanted = metric(
        providers=known.metric.providers, success_condition="result[0] > 0.6", interval=timedelta(seconds=interval) if interval else None
    )
    return MeasurementTask(run=known.run, metric=wanted, namespace="shop", now=NOW + timedelta(minutes=minutes))


def told(measured: Measurement) -> tuple[RunPhase, str, str, dict[str, str]]:
    return measured.phase, measured.value, measured.message, dict(measured.metadata)


@pytest.mark.parametrize(
    "query",
    [
        "rate",
        'rate{app="b"}',
        "sum(rate)",
        "rate(hits[2m])",
        "scalar(sum(rate))",
        "2",
        "nothing",
        "nothing or vector(1)",
        'sum(rate{app="b"}) or vector(1)',
        "rate[1m]",
        "sum(rate",
        '"text"',
    ],
)
async def test_a_moment_of_the_past_is_answered_as_an_instant_query_would(query: str) -> None:
    async with past(SERIES) as url, metrics_client() as client:
        prometheus = Prometheus(client, "", nobody(client))
        replay = prometheus.replaying(UNTIL)
        for minutes in (0, 1, 2, 7, 14, 15.5, 18, 19.75):
            then = asked(url, query, minutes)
            assert told(await replay.run(then)) == told(await prometheus.run(then)), minutes


async def test_a_range_of_its_own_is_asked_as_it_was() -> None:
    span = {"start": 'now() - duration("5m")', "end": "now()", "step": "1m"}
    async with past(SERIES) as url, metrics_client() as client:
        prometheus = Prometheus(client, "", nobody(client))
        then = asked(url, "rate", 12, rangeQuery=span)
        found = await prometheus.replaying(UNTIL).run(then)
        assert told(found) == told(await prometheus.run(then)) and found.value.count(",") > 5


async def test_a_window_costs_two_requests_whatever_the_number_of_its_measurements() -> None:
    matrix = {"status": "success", "data": {"resultType": "matrix", "result": []}}
    async with endpoint() as server, metrics_client() as client:
        server.answer("/api/v1/query_range", matrix)
        server.answer("/api/v1/query", vector())
        replay = Prometheus(client, "", nobody(client)).replaying(UNTIL)
        for minutes in range(20):
            await replay.run(asked(server.url, "up", minutes))
        assert [path for _, path, *_ in server.requests] == ["/api/v1/query", "/api/v1/query_range"]
        await replay.run(asked(server.url, "up", 3.5))
        assert len(server.requests) == 3


async def test_a_window_that_flaps_is_bounded() -> None:
    matrix = {"status": "success", "data": {"resultType": "matrix", "result": []}}
    async with endpoint() as server, metrics_client() as client:
        server.answer("/api/v1/query_range", matrix)
        server.answer("/api/v1/query", vector())
        replay = Prometheus(client, "", nobody(client)).replaying(UNTIL)
        found = [await replay.run(asked(server.url, "up", 0.0017 * number)) for number in range(520)]
        assert len(server.requests) == 500
    assert found[-1].phase is RunPhase.ERROR and "more than 500 requests for one window" in found[-1].message


async def test_a_server_that_gives_no_answer_today_says_nothing_of_then() -> None:
    async with metrics_client() as client:
        with pytest.raises(Transient):
            await Prometheus(client, "", nobody(client)).replaying(UNTIL).run(asked("http://127.0.0.1:9", "up", 1))


@pytest.mark.parametrize("status", [401, 403, 404, 429, 500, 502, 503])
@pytest.mark.parametrize("body", [{"status": "error", "errorType": "x", "error": "no"}, "<html>"])
async def test_a_server_that_refuses_today_says_nothing_of_then(status: int, body: Any) -> None:
    async with endpoint() as server, metrics_client() as client:
        server.answer("/api/v1/query", body, status)
        with pytest.raises(Transient):
            await Prometheus(client, "", nobody(client)).replaying(UNTIL).run(asked(server.url, "up", 1))


@pytest.mark.parametrize("status", [400, 422])
async def test_a_query_that_is_wrong_today_was_wrong_then(status: int) -> None:
    async with endpoint() as server, metrics_client() as client:
        server.answer("/api/v1/query", {"status": "error", "errorType": "bad_data", "error": "parse error"}, status)
        found = await Prometheus(client, "", nobody(client)).replaying(UNTIL).run(asked(server.url, "up", 1))
    assert (found.phase, found.message) == (RunPhase.ERROR, "bad_data: parse error")


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ({"resultType": "matrix", "result": [{"metric": {}, "values": [[NOW.timestamp() + 7, "1"]]}]}, "moved the times of a range query"),
        ({"resultType": "matrix", "result": [{"metric": {}, "values": ["x"]}]}, "a matrix we cannot read"),
        ({"resultType": "matrix", "result": 3}, "a matrix we cannot read"),
        ({"resultType": "vector", "result": []}, "a range query without a matrix"),
        (None, "a matrix we cannot read"),
    ],
)
async def test_an_answer_that_cannot_be_is_an_error_in_words(answer: Any, words: str) -> None:
    async with endpoint() as server, metrics_client() as client:
        server.answer("/api/v1/query", vector())
        server.answer("/api/v1/query_range", {"status": "success", "data": answer})
        found = await Prometheus(client, "", nobody(client)).replaying(UNTIL).run(asked(server.url, "up", 0))
    assert found.phase is RunPhase.ERROR and words in found.message


async def test_a_token_is_fetched_once_a_window_and_known_as_a_secret() -> None:
    async with endpoint() as server, metrics_client() as client:
        server.answer("/token", {"access_token": "tok-hunter2"})
        server.answer("/api/v1/query_range", {"status": "success", "data": {"resultType": "matrix", "result": []}})
        server.answer("/api/v1/query", vector())
        oauth = {"oauth2": {"tokenUrl": f"{server.url}/token", "clientId": "c", "clientSecret": "s"}}
        replay = Prometheus(client, "", nobody(client)).replaying(UNTIL)
        found = [await replay.run(asked(server.url, "up", minutes, authentication=oauth)) for minutes in (0, 1, 2)]
        assert sum(path == "/token" for _, path, *_ in server.requests) == 1
    assert all("tok-hunter2" in one.secrets for one in found)


async def test_it_is_known_as_one_that_remembers() -> None:
    async with metrics_client() as client:
        assert isinstance(Prometheus(client, "", nobody(client)), Remembering)
