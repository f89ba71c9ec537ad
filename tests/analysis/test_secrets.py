"""A canary in a Secret: whatever an endpoint makes of it, it is in no status, no event, no evidence, no message and no log."""

import asyncio
import base64
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import quote

import pytest
import structlog

from reconciler.analysis.due import Move, Task
from reconciler.analysis.manifest import InvalidMetric, parse_run
from reconciler.analysis.model import Measurement, Metric, RunPhase
from reconciler.analysis.observe import LONGEST_TEXT, Measuring, presentable
from reconciler.analysis.provider import FACTS
from reconciler.kernel.identity import Manifest
from reconciler.kernel.redaction import MASK, Redactor
from reconciler.kernel.resources import ANALYSIS_RUNS, SECRETS
from reconciler.providers.prometheus import Prometheus
from reconciler.providers.web import Web
from reconciler.releases.announce.markdown import table
from reconciler.releases.announce.message import code_span
from reconciler.releases.verdict.evidence import evidence_of
from tests.kit.analysis import Clock, Endpoint, Scripted, Stage, endpoint, measurement, metric_manifest, run, stage
from tests.kit.clusters import NAMESPACE, api
from tests.kit.metrics import metrics_client, nobody

CANARY = "c4n4ry/with+signs&more"
ENCODED = base64.b64encode(CANARY.encode()).decode()
ARGUMENTS = [{"name": "token", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}]
SECRET: Manifest = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s", "namespace": NAMESPACE}, "data": {"k": ENCODED}}


def leaks(text: str) -> list[str]:
    shown = [CANARY, json.dumps(CANARY)[1:-1], quote(CANARY, safe=""), quote(CANARY), ENCODED, ENCODED[:-4], CANARY[:12], "t0k3n-of-oauth"]
    return [spelling for spelling in shown if spelling in text]


async def told_by(at: Stage) -> str:
    """Everything that left us about the run: the object, its events, its evidence, and a comment made of that."""
    found = await at.client.get(ANALYSIS_RUNS, NAMESPACE, "check")
    rows = evidence_of(found)
    comment = table(["metric", "values", "message"], [[code_span(r.metric), code_span(", ".join(r.values)), r.message] for r in rows])
    return json.dumps([found["status"], await at.events()], ensure_ascii=False) + repr(rows) + comment


async def played(provider: Manifest, endpoint_at: Endpoint, **spec: Any) -> str:
    async with metrics_client() as http, stage({"web": Web(http), "prometheus": Prometheus(http, endpoint_at.url, nobody(http))}) as at:
        await at.client.create(SECRETS, SECRET)
        await at.create(run(metric_manifest(provider=provider, **spec), args=ARGUMENTS))
        await at.look()
        assert (await at.status())["metricResults"][0]["measurements"]
        return await told_by(at)


ECHOES: Mapping[str, Any] = {
    "as it is": CANARY,
    "in a text": f"refused {CANARY} twice: {CANARY}",
    "in a list": [1, [CANARY, "x"]],
    "in a map": {"headers": {"x-token": CANARY}, CANARY: 1},
    "percent-encoded": f"https://h/?q={quote(CANARY, safe='')}",
    "in base64": {"auth": ENCODED},
    "in base64 of more": base64.b64encode(f"user:{CANARY}:x".encode()).decode(),
    "in JSON in JSON": json.dumps({"body": json.dumps({"t": CANARY})}),
    "at the place where texts are cut": "x" * (LONGEST_TEXT - 14) + CANARY,
}


@pytest.mark.parametrize("echo", ECHOES.values(), ids=ECHOES)
async def test_a_measured_value_never_shows_a_secret(echo: Any) -> None:
    async with endpoint() as server:
        server.answer("/", echo)
        header = [{"key": "X-Token", "value": "{{args.token}}"}]
        told = await played({"web": {"url": server.url, "headers": header}}, server, successCondition="true", interval="1m")
        assert server.requests[0][2]["X-Token"] == CANARY
    assert not leaks(told) and (MASK in told or len(str(echo)) > LONGEST_TEXT)


@pytest.mark.parametrize(
    "condition", ['result == "{{args.token}}"', "result.{{args.token}} > 1", 'date("{{args.token}}") == 1', 'int("{{args.token}}") > 1']
)
async def test_a_condition_that_quotes_a_secret_never_shows_it(condition: str) -> None:
    async with endpoint() as server:
        server.answer("/", CANARY)
        told = await played({"web": {"url": server.url}}, server, successCondition=condition, interval="1m")
    assert not leaks(told)


@pytest.mark.parametrize(
    "config",
    [
        {"url": "http://u:{{args.token}}@127.0.0.1:1/{{args.token}}"},
        {"url": "{{args.token}}"},
        {"method": "{{args.token}}", "url": "http://127.0.0.1:1"},
        {"jsonPath": "{{args.token}}"},
        {"headers": [{"key": "X", "value": "é{{args.token}}"}]},
    ],
)
async def test_a_refusal_never_shows_a_secret(config: Manifest) -> None:
    async with endpoint() as server:
        server.answer("/", {"a": 1})
        told = await played({"web": {"url": server.url, **config}}, server, successCondition="true", interval="1m")
    assert not leaks(told)


async def test_an_error_of_prometheus_and_its_query_never_show_a_secret() -> None:
    async with endpoint() as server:
        server.answer("/api/v1/query", {"status": "error", "errorType": "bad_data", "error": "x" * 990 + CANARY}, 400)
        told = await played({"prometheus": {"query": 'up{t="{{args.token}}"}'}}, server, successCondition="true", interval="1m")
    assert not leaks(told) and "ResolvedPrometheusQuery" in told


async def test_a_token_that_was_fetched_on_the_way_is_a_secret_too() -> None:
    async with endpoint() as server:
        server.answer("/token", {"access_token": "t0k3n-of-oauth"})
        server.answer("/", {"you sent": "Bearer t0k3n-of-oauth", "raw": base64.b64encode(b"t0k3n-of-oauth").decode()})
        oauth = {"tokenUrl": f"{server.url}/token", "clientId": "i", "clientSecret": "literal-client-secret"}
        web = {"url": server.url, "authentication": {"oauth2": oauth}}
        told = await played({"web": web}, server, successCondition="result.nothing > 1", interval="1m")
        assert server.requests[-1][2]["Authorization"] == "Bearer t0k3n-of-oauth"
    assert not leaks(told) and base64.b64encode(b"t0k3n-of-oauth").decode() not in told


async def test_credentials_written_into_a_metric_are_secrets_too() -> None:
    async with endpoint() as server:
        server.answer("/", ["literal-password", "literal-api-key", "literal-query", base64.b64encode(b"user:literal-password").decode()])
        headers = [{"key": "X-Api-Key", "value": "literal-api-key"}, {"key": "Accept", "value": "application/json"}]
        web = {
            "url": f"{server.url}/?api_token=literal-query",
            "headers": headers,
            "authentication": {"basicAuth": {"username": "user", "password": "literal-password"}},
        }
        at_work = await played({"web": web}, server, successCondition="true", interval="1m")
    assert "literal" not in at_work and "bGl0ZXJhbC1wYXNzd29yZA" not in at_work


@pytest.mark.parametrize("field", ["interval", "count", "failureLimit"])
async def test_a_value_that_makes_no_metric_is_not_quoted(field: str) -> None:
    async with api() as kubernetes:
        await kubernetes.client.create(SECRETS, SECRET)
        measuring = Measuring(kubernetes.client, Clock(), {"scripted": Scripted()})
        parsed = parse_run(run(metric_manifest(**{field: "{{args.token}}"}), args=ARGUMENTS))
        with pytest.raises(InvalidMetric) as refused:
            await measuring.measure(parsed, [Task(Metric(name="m"), Move.MEASURE, None, 1)])
    assert not leaks(str(refused.value)) and MASK in str(refused.value)


async def test_a_provider_that_breaks_is_an_error_in_masked_words() -> None:
    class Broken(Scripted):
        async def run(self, task: Any) -> Measurement:
            raise ValueError(f"Illegal header value {task.metric.config['token']!r}")

    with structlog.testing.capture_logs() as logged:
        async with stage({"scripted": Broken()}) as at:
            await at.client.create(SECRETS, SECRET)
            await at.create(run(metric_manifest(provider={"scripted": {"token": "{{args.token}}"}}, interval="1m"), args=ARGUMENTS))
            await at.look()
            told = await told_by(at)
    assert "ValueError: Illegal header value" in told and not leaks(told)
    assert logged and not leaks(repr(logged))


async def test_an_answer_keeps_the_placeholders_of_its_question() -> None:
    async with api() as kubernetes:
        await kubernetes.client.create(SECRETS, SECRET)
        measuring = Measuring(kubernetes.client, Clock(), {"scripted": Scripted("S", message=f"said {CANARY}")})
        parsed = parse_run(run(metric_manifest(provider={"scripted": {"q": "{{args.token}}"}}), args=ARGUMENTS))
        asked = Task(Metric(name="m", providers={"scripted": {"q": "dummy-value"}}), Move.MEASURE, None, 1)
        (answer,) = await measuring.measure(parsed, [asked])
    assert answer.task == asked and not leaks(repr(answer))


def test_what_a_provider_states_itself_is_never_masked_by_a_secret_that_looks_like_it() -> None:
    stated = dict.fromkeys(FACTS, "true")
    shown = presentable(replace(measurement("S"), metadata={**stated, "warnings": "true"}), Redactor(["true"]))
    assert shown.metadata == {**stated, "warnings": MASK}


def test_half_characters_of_a_stranger_never_reach_the_api() -> None:
    shown = presentable(Measurement(phase=RunPhase.SUCCESSFUL, value="a\ud800", message="\udcff"), Redactor())
    json.dumps([shown.value, shown.message], ensure_ascii=False).encode()


async def test_a_resumed_and_a_terminated_measurement_are_masked_alike() -> None:
    async with api() as kubernetes:
        await kubernetes.client.create(SECRETS, SECRET)

        class Chatty(Scripted):
            async def resume(self, task: Any, measurement: Measurement) -> Measurement:
                return replace(measurement, message=CANARY, value=CANARY, phase=RunPhase.FAILED, finished=task.now)

            terminate = resume

        measuring = Measuring(kubernetes.client, Clock(), {"scripted": Chatty()})
        for move in (Move.RESUME, Move.TERMINATE):
            tasks = [Task(Metric(name="m", providers={"scripted": {}}), move, measurement("R"), 1)]
            answers = await asyncio.wait_for(measuring.measure(parse_run(run(args=ARGUMENTS)), tasks), 20)
            assert not leaks(repr(answers))
