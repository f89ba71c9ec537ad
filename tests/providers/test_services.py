"""The services of contract 7.4 to 7.7 and 7.9 to 7.11: what each is asked, what its answers mean, and what is no answer of it."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from reconciler.analysis.model import Measurement
from reconciler.analysis.provider import Awaited, Describing
from reconciler.kernel.fields import Fields
from reconciler.kernel.identity import Manifest
from reconciler.kube.client import Client
from reconciler.providers.kayenta import body_of
from reconciler.providers.registry import PROVIDERS, ProviderHands
from reconciler.providers.wavefront import key_of
from tests.kit.analysis import Endpoint, endpoint, measurement, task
from tests.kit.clusters import NAMESPACE, api
from tests.kit.metrics import metrics_client
from tests.kit.providers import CSV, KAYENTA, KEYS, SCRIPTS, keep


@dataclass(frozen=True)
class Service:
    """One service and the daemon's way to it."""

    name: str
    server: Endpoint
    client: Client
    hands: ProviderHands

    async def ask(self, config: Manifest | None = None, **limits: Any) -> Measurement:
        """One measurement of the service's question with other fields."""
        asked = {**SCRIPTS[self.name].config(self.server.url), **(config or {})}
        return await PROVIDERS[self.name].make(self.hands).run(task(self.name, asked, **limits))


@asynccontextmanager
async def service(name: str, variables: Mapping[str, str] | None = None) -> AsyncIterator[Service]:
    async with api() as kubernetes, metrics_client() as http, endpoint() as server:
        for secret, texts in SCRIPTS[name].secrets(server.url).items():
            await keep(kubernetes.client, secret, texts)
        for path, body in SCRIPTS[name].answers.items():
            server.answer(path, body)
        told = variables or SCRIPTS[name].variables(server.url)
        hands = ProviderHands(client=kubernetes.client, http=http, prometheus_address="", namespace=NAMESPACE, variables=told)
        yield Service(name, server, kubernetes.client, hands)


@pytest.mark.parametrize("name", SCRIPTS)
@pytest.mark.parametrize(
    "body",
    [b"", b"<html>", b"[]", b"null", b"1", b"{}", b'{"series": 1}', b'{"data": 1}', b'{"timeseries": {}}', b"[" * 100_000, b"a,b\n1"],
)
async def test_what_is_no_answer_of_the_service_is_an_error_in_words(name: str, body: bytes) -> None:
    async with service(name) as asked:
        for path in SCRIPTS[name].answers:
            asked.server.answer(path, body)
        found = await asked.ask()
    assert (found.phase == "Error" and found.message) or (name == "skywalking" and found.value == "1"), "whatever its data is, it is data"


LONG = "x" * 5000


@pytest.mark.parametrize("name", SCRIPTS)
@pytest.mark.parametrize("status", [401, 403, 429, 500, 503])
async def test_a_refusal_is_told_with_its_number_and_no_secret(name: str, status: int) -> None:
    async with service(name) as asked:
        for path in SCRIPTS[name].answers:
            asked.server.answer(path, {"message": f"no {LONG}", "errors": [{"message": f"no {LONG}"}]}, status=status)
        found = await asked.ask()
    assert found.phase == "Error" and str(status) in found.message and len(found.message) < 700


@pytest.mark.parametrize("name", [name for name, script in SCRIPTS.items() if script.secrets("")])
async def test_the_secrets_of_an_account_are_known_to_whoever_masks_texts(name: str) -> None:
    async with service(name) as asked:
        found = await asked.ask()
        sent = " ".join(value for _method, _path, headers, _body in asked.server.requests for value in headers.values())
    assert found.secrets and all("hunter2" in secret and secret in sent for secret in found.secrets)


@pytest.mark.parametrize("name", [name for name, script in SCRIPTS.items() if script.secrets("")])
async def test_without_its_secret_nothing_is_asked(name: str) -> None:
    async with service(name) as asked:
        found = await asked.ask(SCRIPTS[name].spoiled)
        assert found.phase == "Error" and asked.server.requests == []
    assert "secret" in found.message and "hunter2" not in found.message


async def test_datadog_v1_asks_for_the_last_minutes_and_takes_the_last_point() -> None:
    async with service("datadog") as asked:
        found = await asked.ask({"interval": "10m"}, success_condition="result < 0.3")
        method, path, headers, _ = asked.server.requests[0]
    query = parse_qs(urlsplit(path).query)
    assert (method, urlsplit(path).path, query["query"]) == ("GET", "/api/v1/query", ["avg:system.load.1{*}"])
    assert int(query["to"][0]) - int(query["from"][0]) == 600
    assert (headers["DD-API-KEY"], headers["DD-APPLICATION-KEY"]) == (KEYS["api-key"], KEYS["app-key"])
    assert (found.phase, found.value) == ("Successful", "0.25")


@pytest.mark.parametrize("series, value", [([], "[]"), (None, "null"), ([{"pointlist": []}], '[{"pointlist":[]}]')])
async def test_datadog_without_a_point_has_no_result(series: Any, value: str) -> None:
    async with service("datadog") as asked:
        asked.server.answer("/api/v1/query", {"status": "ok", "series": series})
        found = await asked.ask(success_condition="default(result, 0) == 0")
    assert (found.phase, found.value) == ("Successful", value)


def scalars(*columns: Any) -> Manifest:
    return {"data": {"type": "scalar_response", "attributes": {"columns": list(columns)}}}


NUMBERS = {"type": "number", "name": "a", "values": [None, 2.5, 4]}
TAGS = {"type": "group", "name": "host", "values": [["x"], ["y"], ["z"]]}
V2: Manifest = {"apiVersion": "v2", "query": "sum:errors{*}"}


@pytest.mark.parametrize(
    "config, answer, value, told",
    [
        (V2, scalars(NUMBERS), "2.5", {}),
        (V2, scalars(), "[]", {}),
        (V2, scalars({"type": "number", "values": [None]}), "[]", {}),
        (
            {**V2, "query": "sum:errors{*} by {host}"},
            scalars(TAGS, NUMBERS),
            "[2.5,4]",
            {"groups": '[{"name":"y","value":2.5},{"name":"z","value":4.0}]'},
        ),
    ],
)
async def test_datadog_v2_takes_the_first_column_of_numbers(
    config: Manifest, answer: Manifest, value: str, told: Mapping[str, str]
) -> None:
    async with service("datadog") as asked:
        asked.server.answer("/api/v2/query/scalar", answer)
        found = await asked.ask({**config, "aggregator": "sum"})
        method, _path, _headers, body = asked.server.requests[0]
    sent = json.loads(body)["data"]
    assert (method, sent["type"]) == ("POST", "scalar_request")
    assert sent["attributes"]["queries"] == [
        {"aggregator": "sum", "data_source": "metrics", "name": "query", "query": config["query"]},
    ]
    assert sent["attributes"]["to"] - sent["attributes"]["from"] == 300_000 and "formulas" not in sent["attributes"]
    assert (found.value, dict(found.metadata)) == (value, told)


async def test_datadog_v2_sends_a_formula_and_tells_what_is_wrong_with_it() -> None:
    async with service("datadog") as asked:
        asked.server.answer("/api/v2/query/scalar", {"errors": "unknown query c"})
        found = await asked.ask({"apiVersion": "v2", "query": None, "queries": {"b": "q2", "a": "q1"}, "formula": "a / c"})
        sent = json.loads(asked.server.requests[0][3])["data"]["attributes"]
    assert [(query["name"], query["aggregator"]) for query in sent["queries"]] == [("a", "last"), ("b", "last")]
    assert sent["formulas"] == [{"formula": "a / c"}]
    assert (found.phase, found.message) == ("Error", "There were errors in your query: unknown query c")


async def test_of_very_many_groups_of_datadog_the_lowest_and_the_highest_are_told() -> None:
    tags, values = [[f"h{n}"] for n in range(300)], [float(n) for n in range(300)]
    async with service("datadog") as asked:
        asked.server.answer("/api/v2/query/scalar", scalars({"type": "group", "values": tags}, {"type": "number", "values": values}))
        found = await asked.ask({**V2, "query": "q by {host}"})
    told = json.loads(found.metadata["groups"])
    assert len(told) == 100 and (told[49]["name"], told[50]["name"]) == ("h49", "h250")
    assert found.metadata["groups_truncated"] == "true"


async def test_datadog_takes_its_keys_from_the_environment_only_if_all_are_there() -> None:
    partly = {"DD_API_KEY": "env-1", "DD_APP_KEY": "env-2"}
    async with service("datadog", partly) as asked:
        await asked.ask()
        assert asked.server.requests[0][2]["DD-API-KEY"] == KEYS["api-key"]
        whole = {**partly, "DD_ADDRESS": asked.server.url}
        made = PROVIDERS["datadog"].make(
            ProviderHands(client=asked.client, http=asked.hands.http, prometheus_address="", namespace="elsewhere", variables=whole)
        )
        assert (await made.run(task("datadog", {"query": "q"}))).phase == "Successful"
        assert asked.server.requests[1][2]["DD-API-KEY"] == "env-1"


async def test_datadog_finds_a_secret_beside_the_run_if_it_is_asked_to() -> None:
    async with service("datadog") as asked:
        hands = ProviderHands(client=asked.client, http=asked.hands.http, prometheus_address="", namespace="elsewhere")
        made = PROVIDERS["datadog"].make(hands)
        beside = await made.run(task("datadog", {"query": "q", "secretRef": {"name": "datadog", "namespaced": True}}))
        away = await made.run(task("datadog", {"query": "q", "secretRef": {"name": "datadog"}}))
    assert beside.phase == "Successful"
    assert away.phase == "Error" and away.message.startswith("secret elsewhere/datadog: ")


@pytest.mark.parametrize(
    "rows, value, condition",
    [
        ([{"average.duration": 0.25}], '{"average.duration":0.25}', "result['average.duration'] < 0.3"),
        ([{"count": 1}, {"count": 2}], '[{"count":1},{"count":2}]', "len(result) == 2 && result[1].count == 2"),
    ],
)
async def test_one_row_of_new_relic_is_an_object_and_several_are_a_list(rows: Any, value: str, condition: str) -> None:
    async with service("newRelic") as asked:
        asked.server.answer("/graphql", {"data": {"actor": {"account": {"nrql": {"results": rows}}}}})
        found = await asked.ask({"timeout": 9}, success_condition=condition)
        _method, _path, headers, body = asked.server.requests[0]
        made = PROVIDERS["newRelic"].make(asked.hands)
    assert (found.phase, found.value) == ("Successful", value)
    assert headers["API-Key"] == "nr-hunter2"
    assert json.loads(body)["variables"] == {"account": 17, "query": "FROM Transaction SELECT average(duration)", "timeout": 9}
    assert isinstance(made, Describing)
    assert made.question(task("newRelic", {"query": "FROM T"}).metric) == {"ResolvedNewRelicQuery": "FROM T"}


@pytest.mark.parametrize("rows", [[], [{}]])
async def test_new_relic_without_a_row_measured_nothing(rows: Any) -> None:
    async with service("newRelic") as asked:
        asked.server.answer("/graphql", {"data": {"actor": {"account": {"nrql": {"results": rows}}}}})
        found = await asked.ask()
    assert (found.phase, found.message) == ("Error", "no results returned from NRQL query")


async def test_new_relic_knows_its_regions() -> None:
    async with service("newRelic") as asked:
        await keep(asked.client, "far", {"personal-api-key": "k", "account-id": "17", "region": "moon"})
        await keep(asked.client, "odd", {"personal-api-key": "k", "account-id": "seventeen"})
        far, odd = await asked.ask({"profile": "far"}), await asked.ask({"profile": "odd"})
    assert far.message == f"secret {NAMESPACE}/far: region 'moon' is none of us, eu, staging"
    assert odd.message == f"secret {NAMESPACE}/odd: account-id is no number"


async def test_wavefront_takes_the_point_nearest_to_now_of_every_series() -> None:
    async with service("wavefront") as asked:
        one = await asked.ask(success_condition="result == 0.25")
        both = {"timeseries": [{"data": [[1764072000, 1]]}, {"data": []}, {"data": [[1, 5], [1764071990, 2]]}], "warnings": "late"}
        asked.server.answer("/api/v2/chart/api", both)
        several = await asked.ask()
        query = parse_qs(urlsplit(asked.server.requests[0][1]).query)
        headers = asked.server.requests[0][2]
    assert (one.phase, one.value, one.metadata["timestamps"]) == ("Successful", "0.25", "1764072000")
    assert (several.value, several.metadata["warnings"]) == ("[1.00,2.00]", "late")
    assert (query["s"], query["g"], query["p"], query["i"]) == (query["e"], ["s"], ["1"], ["true"])
    assert headers["Authorization"] == "Bearer wf-hunter2"


@pytest.mark.parametrize(
    ("address", "tokens", "key"),
    [
        ("shop.wavefront.com", ["shop.wavefront.com"], "shop.wavefront.com"),
        ("https://shop.wavefront.com:443", ["shop.wavefront.com"], "shop.wavefront.com"),
        ("shop.wavefront.com:443", ["shop.wavefront.com", "shop.wavefront.com:443"], "shop.wavefront.com:443"),
    ],
)
def test_a_token_of_wavefront_is_found_by_the_address_as_written_and_else_by_its_host(address: str, tokens: list[str], key: str) -> None:
    assert key_of(address, dict.fromkeys(tokens, "secret")) == key


@pytest.mark.parametrize("answer", [{"timeseries": []}, {"timeseries": None}, {"timeseries": [{"data": []}]}])
async def test_wavefront_without_a_series_measured_nothing(answer: Manifest) -> None:
    async with service("wavefront") as asked:
        asked.server.answer("/api/v2/chart/api", answer)
        found = await asked.ask()
    assert (found.phase, found.message) == ("Error", "No TimeSeries found in response from Wavefront")


TYPED = (
    "#datatype,string,long,boolean\r\n,result,table,_value\r\n,,0,true\r\n\r\n"
    "#datatype,string,long,long\r\n,result,table,_value\r\n,,1,7\r\n,,1,\r\n"
)


@pytest.mark.parametrize("text, value", [(CSV, "[1.5 2]"), (TYPED, "[true 7 <nil>]")])
async def test_every_value_of_every_table_of_influxdb_counts(text: str, value: str) -> None:
    async with service("influxdb") as asked:
        asked.server.answer("/api/v2/query", text)
        found = await asked.ask()
        method, path, headers, body = asked.server.requests[0]
    assert (found.phase, found.value) == ("Successful", value)
    assert (method, parse_qs(urlsplit(path).query)) == ("POST", {"org": ["shop & co"]})
    assert headers["Authorization"] == "Token in-hunter2" and json.loads(body)["type"] == "flux"


@pytest.mark.parametrize(
    "text, message",
    [
        ("\r\n", "no results returned from flux query"),
        ("#datatype,string,string\r\n,error,reference\r\n,no such bucket,897\r\n", "influxdb: no such bucket"),
        ("#datatype,string,long,double\r\n,result,table,_value\r\n,,0,much\r\n", "influxdb answered without annotated CSV"),
    ],
)
async def test_influxdb_without_a_value_says_why(text: str, message: str) -> None:
    async with service("influxdb") as asked:
        asked.server.answer("/api/v2/query", text)
        found = await asked.ask()
    assert (found.phase, found.message) == ("Error", message)


async def test_skywalking_is_asked_for_whole_minutes_and_conditions_see_its_data() -> None:
    async with service("skywalking") as asked:
        found = await asked.ask(success_condition="result.a.values[0].value == 7")
        sent = json.loads(asked.server.requests[0][3])
    assert sent["variables"]["duration"] == {"start": "2026-11-25 1155", "end": "2026-11-25 1200", "step": "MINUTE"}
    assert (found.phase, found.value) == ("Successful", '{"a":{"values":[{"value":7}]}}')


@pytest.mark.parametrize("score, phase", [(90, "Successful"), (92.7, "Successful"), (75, "Inconclusive"), (74.9, "Failed")])
async def test_kayenta_is_begun_awaited_and_judged_by_its_score(score: float, phase: str) -> None:
    async with service("kayenta") as asked:
        begun = await asked.ask()
        asked.server.answer("/canary/e-1", {"complete": False})
        made, terms = PROVIDERS["kayenta"].make(asked.hands), task("kayenta", SCRIPTS["kayenta"].config(asked.server.url))
        assert isinstance(made, Awaited)
        waiting = await made.resume(terms, begun)
        asked.server.answer("/canary/e-1", {"complete": True, "result": {"judgeResult": {"score": {"score": score}}}})
        found = await made.resume(terms, waiting)
        paths = [path for _method, path, _headers, _body in asked.server.requests]
        sent = json.loads(asked.server.requests[1][3])
    assert begun.finished is None and begun.metadata == {"canaryExecutionId": "e-1"} and waiting.resume_at == begun.resume_at
    assert paths[:2] == [
        "/canaryConfig?application=shop&configurationAccountName=stored",
        "/canary/c-1?application=shop&metricsAccountName=prometheus&configurationAccountName=kept&storageAccountName=stored",
    ]
    assert sent["thresholds"] == {"pass": 90, "marginal": 75}
    assert sent["scopes"]["default"]["controlScope"] == {
        "scope": "app=web and color=blue",
        "location": "us-east-1",
        "step": 60,
        "start": "2026-11-25T12:00:00Z",
        "end": "2026-11-25T12:00:00Z",
    }
    assert (found.phase, found.value) == (phase, str(int(score)))


@pytest.mark.parametrize(("started", "begin"), [("2026-11-25T11:30:00Z", "2026-11-25T11:30:00Z"), ("", "2026-11-25T12:00:00Z")])
def test_kayenta_looks_back_to_when_its_run_began_or_no_further_than_now(started: str, begin: str) -> None:
    """The first pass of a run has not written when it began: there the reference's controller ends."""
    terms = task("kayenta", {**KAYENTA, "lookback": True})
    terms = replace(terms, run={**terms.run, "status": {"startedAt": started} if started else {}})
    scope = body_of(Fields("kayenta", terms.metric.config), terms)["scopes"]["default"]
    assert {side["start"] for side in scope.values()} == {begin} and {side["end"] for side in scope.values()} == {"2026-11-25T12:00:00Z"}


async def test_kayenta_that_forgot_an_execution_ends_the_measurement() -> None:
    async with service("kayenta") as asked:
        made, terms = PROVIDERS["kayenta"].make(asked.hands), task("kayenta", SCRIPTS["kayenta"].config(asked.server.url))
        assert isinstance(made, Awaited)
        stranger = await made.resume(terms, measurement("R"))
        asked.server.answer("/canary/e-1", "gone", status=404)
        gone = await made.resume(terms, await asked.ask())
    assert stranger.message == "the measurement does not say which execution it waits for"
    assert (gone.phase, gone.message) == ("Error", "kayenta answered 404: gone")
