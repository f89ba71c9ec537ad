"""Cloud identities at servers of metrics: signed requests, tokens of Google, and Secrets that name their address."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from reconciler.analysis.model import RunPhase
from reconciler.analysis.provider import CounterTask
from reconciler.aws.signing import Keys
from reconciler.kernel.errors import Terminal
from reconciler.kernel.fields import Fields
from reconciler.providers.cloudwatch import CloudWatch
from reconciler.providers.google import Google
from reconciler.providers.identities import Identities
from reconciler.providers.metrics_client import MetricsClient
from reconciler.providers.prometheus import Prometheus
from tests.kit.analysis import Endpoint, endpoint, task, vector
from tests.kit.metrics import metrics_client, nobody
from tests.kit.providers import AWS
from tests.kit.signatures import Request, genuine

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)


async def asked(server: Endpoint, http: MetricsClient, config: Mapping[str, Any], **variables: str) -> Any:
    """One measurement of a Prometheus whose address says that it is Amazon's."""
    server.answer("/aps-workspaces/api/v1/query", vector("1"))
    address = f"{server.url}/aps-workspaces"
    return await Prometheus(http, address, nobody(http, **variables)).run(task("prometheus", {"query": "up", **config}))


async def test_amazons_prometheus_is_asked_with_a_signature_over_the_whole_request() -> None:
    async with endpoint() as server, metrics_client() as http:
        found = await asked(server, http, {"authentication": {"sigv4": {"region": "us-west-2"}}}, **AWS)
        assert found.phase is RunPhase.SUCCESSFUL
        assert genuine(Request(*server.requests[0]), server.url, Keys("AKIDEXAMPLE", "aws-hunter2")) == ("us-west-2", "aps")
        assert "aws-hunter2" in found.secrets


@pytest.mark.parametrize(
    ("config", "variables", "words"),
    [
        ({"region": "us-west-2"}, {}, "no credentials"),
        ({}, {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"}, "no region"),
        ({"region": "x.evil.com/"}, AWS, "is no region"),
        ({"region": "us-west-2", "profile": "p"}, AWS, "no profile 'p' in the files of profiles"),
    ],
)
async def test_what_is_missing_is_said_and_nothing_is_asked(config: Mapping[str, str], variables: Mapping[str, str], words: str) -> None:
    async with endpoint() as server, metrics_client() as http:
        found = await asked(server, http, {"authentication": {"sigv4": config}}, **variables)
        assert found.phase is RunPhase.ERROR and words in found.message and server.requests == []


QUERY = {"id": "m", "label": "l", "returnData": True, "metricStat": {"period": "60", "stat": "Sum", "unit": "Count"}}
METRIC = {"namespace": "AWS/ELB", "metricName": "HTTPCode_Target_5XX_Count", "dimensions": [{"name": "LoadBalancer", "value": "app/shop"}]}


async def measured(server: Endpoint, answer: Any, status: int = 200, condition: str = "") -> Any:
    server.answer("/", answer, status)
    query = {**QUERY, "metricStat": {**QUERY["metricStat"], "metric": METRIC}}  # type: ignore[dict-item]
    one = task("cloudWatch", {"interval": "10m", "metricDataQueries": [query]})
    one = replace(one, metric=replace(one.metric, success_condition=condition))
    async with metrics_client() as http:
        return await CloudWatch(http, nobody(http, **AWS, AWS_ENDPOINT_URL_CLOUDWATCH=server.url)).run(one)


async def test_cloudwatch_is_asked_in_its_json_protocol_and_conditions_see_its_results() -> None:
    async with endpoint() as server:
        results = [{"Id": "m", "Label": "l", "StatusCode": "Complete", "Timestamps": [1.0, 2.0], "Values": [3.5, 1]}]
        answer = {"MetricDataResults": results, "Messages": [{"Code": "Partial", "Value": "some are missing"}]}
        found = await measured(server, answer, condition='result[0].Values[0] > 3 && result[0].StatusCode == "Complete"')
        assert (found.phase, found.value, found.metadata["messages"]) == (RunPhase.SUCCESSFUL, "[[3.5 1]]", "Partial: some are missing")
        method, path, headers, body = server.requests[0]
        assert (method, path, headers["Content-Type"]) == ("POST", "/", "application/x-amz-json-1.0")
        assert headers["X-Amz-Target"] == "GraniteServiceVersion20100801.GetMetricData"
        assert genuine(Request(*server.requests[0]), server.url, Keys("AKIDEXAMPLE", "aws-hunter2")) == ("eu-west-1", "monitoring")
        sent = json.loads(body)
        assert sent["EndTime"] - sent["StartTime"] == 600
        metric = {"Namespace": "AWS/ELB", "MetricName": METRIC["metricName"], "Dimensions": [{"Name": "LoadBalancer", "Value": "app/shop"}]}
        stat = {"Metric": metric, "Period": 60, "Stat": "Sum", "Unit": "Count"}
        assert sent["MetricDataQueries"] == [{"Id": "m", "Label": "l", "ReturnData": True, "MetricStat": stat}]


@pytest.mark.parametrize(
    ("answer", "status", "words"),
    [
        (
            {"__type": "com.amazonaws#InvalidParameterValue", "message": "no such stat"},
            400,
            "400: InvalidParameterValue: no such stat",
        ),
        ("<html>", 502, "answered 502"),
        ("<html>", 200, "cannot be read"),
        ({"MetricDataResults": [{"Values": [1]}]}, 200, "cannot be read"),
        ({"MetricDataResults": [{"Id": "m", "Values": ["1"]}]}, 200, "cannot be read"),
        ({"MetricDataResults": 7}, 200, "cannot be read"),
    ],
)
async def test_what_is_no_answer_of_cloudwatch_is_an_error_in_words(answer: Any, status: int, words: str) -> None:
    async with endpoint() as server:
        found = await measured(server, answer, status)
        assert found.phase is RunPhase.ERROR and words in found.message and "hunter2" not in found.message


async def test_cloudwatch_without_a_value_is_no_success() -> None:
    async with endpoint() as server:
        found = await measured(server, {"MetricDataResults": [{"Id": "m", "Values": []}]}, condition="result[0].Values[0] < 1")
        assert found.phase is RunPhase.ERROR and found.value in ("", "[[]]")


async def test_the_token_of_google_is_asked_for_once_and_again_before_it_ends() -> None:
    async with endpoint() as server, metrics_client() as http:
        path = "/computeMetadata/v1/instance/service-accounts/default/token"
        server.answer_in_turn(path, '{"access_token": "g-hunter2", "expires_in": 3600}', '{"access_token": "g-2", "expires_in": 3600}')
        google = Google(http, {"GCE_METADATA_HOST": server.url.removeprefix("http://")})
        assert [await google.token(NOW + timedelta(minutes=m)) for m in (0, 55, 57)] == ["g-hunter2", "g-hunter2", "g-2"]
        assert server.requests[0][2]["Metadata-Flavor"] == "Google"
        server.answer(path, {"error": "none"}, 404)
        with pytest.raises(Terminal, match="answered 404 without a token"):
            await google.token(NOW + timedelta(hours=9))


async def test_managed_prometheus_of_google_is_known_by_its_host_and_what_a_person_wrote_comes_first() -> None:
    async with endpoint() as server, metrics_client() as http:
        server.answer("/computeMetadata/v1/instance/service-accounts/default/token", {"access_token": "g-hunter2", "expires_in": 3600})
        prometheus = Prometheus(http, "", nobody(http, GCE_METADATA_HOST=server.url.removeprefix("http://")))
        place = "https://monitoring.googleapis.com/v1/projects/p/location/global/prometheus"

        async def authorization(**config: Any) -> Mapping[str, str]:
            return (await prometheus.target(Fields("prometheus", {"address": place, **config}))).authorization

        assert await authorization() == {"Authorization": "Bearer g-hunter2"}
        assert await authorization(headers=[{"key": "authorization", "value": "Bearer mine"}]) == {}
        assert (await authorization(authentication={"basicAuth": {"username": "a", "password": "b"}}))["Authorization"].startswith("Basic")
        assert await authorization(address="https://evil.example.com/monitoring.googleapis.com") == {}


def counter(address: str) -> CounterTask:
    return CounterTask(address=address, selector='a{b="c"}', known_by='a{b="c"}', start=NOW, end=NOW + timedelta(minutes=1), secret="mimir")


async def test_what_is_compared_may_need_an_account_and_a_secret_goes_to_its_own_address_only() -> None:
    texts: dict[str, str] = {}

    async def secrets(name: str) -> Mapping[str, str]:
        assert name == "mimir"
        return texts

    async with endpoint() as server, metrics_client() as http:
        server.answer("/api/v1/query", vector("4"))
        prometheus = Prometheus(http, "", Identities(http, {}, secrets))
        texts.update(address=server.url, token="m-hunter2", tenant="shop")
        assert await prometheus.gained(counter(f"{server.url}/")) == 4
        headers = server.requests[0][2]
        assert (headers["Authorization"], headers["X-Scope-OrgID"]) == ("Bearer m-hunter2", "shop")
        texts.update(address="http://127.0.0.1:1")
        with pytest.raises(Terminal, match="for another address"):
            await prometheus.gained(counter(server.url))
        texts.pop("address")
        with pytest.raises(Terminal, match="has no address"):
            await prometheus.gained(counter(server.url))
        assert len(server.requests) == 1
