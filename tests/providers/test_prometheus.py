"""Prometheus over real HTTP (contract 7.1)."""

import base64
import ssl
from collections.abc import AsyncIterator
from urllib.parse import parse_qs, urlsplit

import pytest

from reconciler.analysis.model import Measurement
from reconciler.kernel.errors import Terminal
from reconciler.kernel.identity import Manifest
from reconciler.providers.metrics_client import MetricsClient
from reconciler.providers.prometheus import Prometheus
from reconciler.providers.prometheus_queries import read
from reconciler.web.client import ClientSettings, open_client
from tests.kit.analysis import NOW, Clock, Endpoint, endpoint, task, vector
from tests.kit.certificate import self_signed
from tests.kit.metrics import metrics_client, nobody

QUERY = "/api/v1/query"
LATER = "result[0] > 0.9"


@pytest.fixture
async def client() -> AsyncIterator[MetricsClient]:
    async with metrics_client() as opened:
        yield opened


async def ask(client: MetricsClient, address: str, success: str = "", **config: object) -> Measurement:
    asked = task("prometheus", {"query": "up", "address": address, **config}, success_condition=success)
    return await Prometheus(client, "", nobody(client)).run(asked)


async def test_a_vector_is_judged_and_its_series_counted(client: MetricsClient) -> None:
    async with endpoint() as server:
        server.answer(QUERY, {**vector("1", "2.5"), "warnings": ["slow", "old"]})
        found = await ask(client, server.url + "/", "result[0] == 1 && result[1] == 2.5")
    assert (found.phase, found.value) == ("Successful", "[1,2.5]")
    assert found.metadata == {"series": "2", "warnings": '"slow", "old"', "partial": "true"}
    assert found.message == f"{server.url}: answered in part, which is no evidence: slow"
    method, _, headers, body = server.requests[0]
    assert method == "POST" and headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert parse_qs(body) == {"query": ["up"], "time": [f"{NOW.timestamp():.3f}"]}


async def test_no_series_is_recognisable_and_never_a_pass(client: MetricsClient) -> None:
    async with endpoint() as server:
        server.answer(QUERY, vector())
        found = await ask(client, server.url, LATER)
    assert (found.phase, found.value, found.metadata) == ("Error", "[]", {"series": "0"})
    assert found.message.endswith("metric result is nil or empty: no data returned from the metric provider")


async def test_an_answer_of_the_querys_own_fallback_is_marked(client: MetricsClient) -> None:
    async with endpoint() as server:
        server.answer_in_turn(QUERY, vector("1"), vector())
        found = await ask(client, server.url, LATER, query="sum(rate(ok[1m])) / sum(rate(all[1m])) or on() vector(1)")
        asked = [parse_qs(body)["query"][0] for *_, body in server.requests]
    assert asked == ["sum(rate(ok[1m])) / sum(rate(all[1m])) or on() vector(1)", "sum(rate(ok[1m])) / sum(rate(all[1m]))"]
    assert (found.phase, found.metadata) == ("Successful", {"series": "1", "fallback": "true"})


async def test_a_fallback_that_did_not_speak_is_not_marked(client: MetricsClient) -> None:
    async with endpoint() as server:
        server.answer(QUERY, vector("1"))
        found = await ask(client, server.url, LATER, query="up or vector(1)")
    assert found.metadata == {"series": "1"}


@pytest.mark.parametrize(
    ("text", "value", "success", "phase"),
    [
        ("NaN", "[NaN]", "isNaN(result[0])", "Successful"),
        ("NaN", "[NaN]", LATER, "Failed"),
        ("+Inf", "[+Inf]", "isInf(result[0])", "Successful"),
    ],
)
async def test_numbers_that_are_none(client: MetricsClient, text: str, value: str, success: str, phase: str) -> None:
    async with endpoint() as server:
        server.answer(QUERY, vector(text))
        found = await ask(client, server.url, success)
    assert (found.phase, found.value) == (phase, value)


@pytest.mark.parametrize("status", [405, 501])
async def test_get_is_tried_where_post_is_not_allowed(client: MetricsClient, status: int) -> None:
    async with endpoint() as server:
        server.answer(f"POST {QUERY}", "no", status)
        server.answer(f"GET {QUERY}", vector("1"))
        found = await ask(client, server.url, "result[0] == 1")
    assert found.phase == "Successful"
    assert [request[0] for request in server.requests] == ["POST", "GET"]
    assert parse_qs(urlsplit(server.requests[1][1]).query)["query"] == ["up"]


async def test_a_range_query_takes_all_samples_of_all_series(client: MetricsClient) -> None:
    series = [{"metric": {}, "values": [[1, "1"], [2, "2"]]}, {"metric": {}, "values": [[1, "3"]]}]
    async with endpoint() as server:
        server.answer("/api/v1/query_range", {"status": "success", "data": {"resultType": "matrix", "result": series}})
        span = {"start": 'now() - duration("1h")', "end": "now()", "step": "1m"}
        found = await ask(client, server.url, "max(result) == 3", rangeQuery=span)
    assert (found.phase, found.value, found.metadata["series"]) == ("Successful", "[1,2,3]", "2")
    sent = parse_qs(server.requests[0][3])
    assert (sent["start"], sent["end"], sent["step"]) == ([f"{NOW.timestamp() - 3600:.3f}"], [f"{NOW.timestamp():.3f}"], ["60.000000"])


@pytest.mark.parametrize(
    ("span", "words"),
    [
        ({"start": "yesterday", "end": "now()", "step": "1m"}, "failed to parse rangeQuery.start 'yesterday': unknown name yesterday"),
        ({"start": "now()", "end": "1", "step": "1m"}, "failed to parse rangeQuery.end '1': expected time.Time, but got int"),
        ({"start": "now()", "end": "now()", "step": "1"}, 'failed to parse rangeQuery.step: time: missing unit in duration "1"'),
    ],
)
async def test_a_range_that_cannot_be_read_is_an_error(client: MetricsClient, span: Manifest, words: str) -> None:
    found = await ask(client, "http://127.0.0.1:9", rangeQuery=span)
    assert (found.phase, found.message) == ("Error", words)


async def test_headers_and_basic_authentication_are_sent(client: MetricsClient) -> None:
    async with endpoint() as server:
        server.answer(QUERY, vector("1"))
        basic = {"basicAuth": {"username": "u", "password": "p"}}
        await ask(client, server.url, headers=[{"key": "X-Scope-OrgID", "value": "a"}], authentication=basic)
    headers = server.requests[0][2]
    assert headers["X-Scope-OrgID"] == "a"
    assert headers["Authorization"] == "Basic " + base64.b64encode(b"u:p").decode()


async def test_a_token_is_fetched_first(client: MetricsClient) -> None:
    async with endpoint() as server:
        server.answer("/token", {"access_token": "t-1"})
        server.answer(QUERY, vector("1"))
        oauth = {"tokenUrl": f"{server.url}/token", "clientId": "i", "clientSecret": "s", "scopes": ["a", "b"]}
        found = await ask(client, server.url, authentication={"oauth2": oauth})
    assert found.phase == "Successful"
    assert parse_qs(server.requests[0][3]) == {"grant_type": ["client_credentials"], "scope": ["a b"]}
    assert server.requests[1][2]["Authorization"] == "Bearer t-1"


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"address": ""}, "prometheus address is not configured"),
        ({"address": "prometheus:9090"}, "prometheus address is not is url format"),
        ({"address": "http://[::1"}, "prometheus address is not is url format"),
        ({"timeout": -1}, "prometheus timeout should not be negative"),
        ({"authentication": {"basicAuth": {"username": "u"}}}, "prometheus: authentication.basicAuth needs both username and password"),
        ({"query": 5}, "prometheus.query: Invalid value: 5: must be a string"),
        ({"headers": [{"key": "X", "value": "a\nb"}]}, "headers: 'X' cannot be sent: names and values are printable ASCII"),
        (
            {"address": "https://aps-workspaces.eu.amazonaws.com", "authentication": {"sigv4": {"region": "eu"}}},
            "aws: no credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, mount profiles, or give the service account a role",
        ),
    ],
)
async def test_a_configuration_that_cannot_work_is_an_error(client: MetricsClient, config: Manifest, words: str) -> None:
    found = await ask(client, **{"address": "http://127.0.0.1:9", **config})
    assert (found.phase, found.message) == ("Error", words)


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (400, {"status": "error", "errorType": "bad_data", "error": "parse error"}, "bad_data: parse error"),
        (503, "<html>", "prometheus answered 503 without JSON"),
        (200, "[" * 100_000, "prometheus answered 200 without JSON"),
        (200, {"status": "success"}, "prometheus answered without a result"),
        (200, {"status": "success", "data": {"resultType": "string", "result": [1, "x"]}}, "Prometheus metric type not supported"),
        (200, {"status": "success", "data": {"resultType": "vector", "result": [{}]}}, "prometheus answered a vector we cannot read"),
        (200, {"status": "success", "data": {"resultType": "scalar", "result": [1, 2]}}, "prometheus answered a scalar we cannot read"),
        (302, "", "prometheus answered 302 without JSON"),
    ],
)
async def test_an_answer_that_says_nothing_is_an_error(client: MetricsClient, status: int, body: object, words: str) -> None:
    async with endpoint() as server:
        server.answer(QUERY, body, status)
        found = await ask(client, server.url)
    assert (found.phase, found.message.removeprefix(f"{server.url}: "), found.value) == ("Error", words, "")
    assert found.message.startswith(server.url) or status in (200, 400), "who did not answer is named"


async def test_an_answer_without_end_is_refused(client: MetricsClient) -> None:
    async with endpoint() as server:
        server.answer(QUERY, b" " * ((8 << 20) + 1))
        found = await ask(client, server.url)
    assert found.phase == "Error" and "larger than 8388608 bytes" in found.message


async def test_nobody_there_is_an_error(client: MetricsClient) -> None:
    found = await ask(client, "http://127.0.0.1:1")
    assert found.phase == "Error" and found.message.endswith("no answer: nobody listens there (connection refused)")


async def test_a_certificate_that_nobody_vouches_for_is_an_error_unless_it_is_allowed_or_its_authority_known() -> None:
    certificate = self_signed()
    async with endpoint(certificate.context()) as server:
        server.answer(QUERY, vector("1"))
        async with metrics_client() as client:
            refused = await ask(client, server.url)
            assert refused.phase == "Error" and "certificate" in refused.message and server.url in refused.message
            assert (await ask(client, server.url, insecure=True)).phase == "Successful"
        known = ssl.create_default_context(cadata=certificate.authority)
        async with open_client(ClientSettings(tls=known)) as http:
            assert (await ask(MetricsClient(http, Clock(), Clock()), server.url)).phase == "Successful"


async def test_the_default_address_is_asked_when_a_metric_names_none(client: MetricsClient) -> None:
    async def default(server: Endpoint) -> Measurement:
        return await Prometheus(client, server.url, nobody(client)).run(task("prometheus", {"query": "up"}))

    async with endpoint() as server:
        server.answer(QUERY, vector("1"))
        assert (await default(server)).phase == "Successful"


def test_a_scalar_is_one_number() -> None:
    found = read({"resultType": "scalar", "result": [1, "10"]})
    assert (found.result, found.value, found.series) == (10.0, "10", 1)
    with pytest.raises(Terminal):
        read(None)
