"""Cloud identities: signatures as AWS publishes them, the chain of credentials, tokens of Google, and Secrets that name their address."""

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest

from reconciler.analysis.model import RunPhase
from reconciler.analysis.provider import CounterTask
from reconciler.kernel.errors import Terminal
from reconciler.kernel.fields import Fields
from reconciler.providers.aws import Aws, Keys, SigningScope, signed
from reconciler.providers.cloudwatch import CloudWatch
from reconciler.providers.google import Google
from reconciler.providers.identities import Identities
from reconciler.providers.metrics_client import MetricsClient
from reconciler.providers.prometheus import Prometheus
from reconciler.web.client import HttpCall
from tests.kit.analysis import Endpoint, endpoint, task, vector
from tests.kit.metrics import metrics_client, nobody
from tests.kit.providers import AWS

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
CREDENTIAL = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(\w+)/(\d{8})/([\w-]+)/(\w+)/aws4_request, SignedHeaders=([\w;-]+), Signature=[0-9a-f]{64}"
)
GRANTED = "<R><C><AccessKeyId>{0}</AccessKeyId><SecretAccessKey>s&amp;{0}</SecretAccessKey><SessionToken>t-{0}</SessionToken>{1}</C></R>"


def test_a_signature_is_the_one_that_aws_publishes() -> None:
    """The example of its documentation of Signature Version 4."""
    keys = Keys("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
    form = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
    call = HttpCall(method="GET", url="https://iam.amazonaws.com/?Action=ListUsers&Version=2010-05-08", headers=form)
    told = signed(call, keys, SigningScope("us-east-1", "iam"), datetime(2015, 8, 30, 12, 36, tzinfo=UTC)).headers["Authorization"]
    assert told.endswith("Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7")


def genuine(request: tuple[str, str, Mapping[str, str], str], url: str, keys: Keys) -> tuple[str, str]:
    """Region and service of a request whose signature is right: signed again from what arrived."""
    method, path, headers, body = request
    found = CREDENTIAL.fullmatch(headers["Authorization"])
    assert found is not None and found[1] == keys.identity
    added = ("host", "x-amz-date", "x-amz-security-token")
    plain = {name: value for name, value in headers.items() if name.lower() in found[5].split(";") and name.lower() not in added}
    at = datetime.strptime(headers["X-Amz-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    call = HttpCall(method=method, url=f"{url}{path}", headers=plain, body=body.encode())
    again = signed(call, keys, SigningScope(found[3], found[4]), at)
    assert again.headers["Authorization"] == headers["Authorization"]
    return found[3], found[4]


async def asked(server: Endpoint, http: MetricsClient, config: Mapping[str, Any], **variables: str) -> Any:
    """One measurement of a Prometheus whose address says that it is Amazon's."""
    server.answer("/aps-workspaces/api/v1/query", vector("1"))
    address = f"{server.url}/aps-workspaces"
    return await Prometheus(http, address, nobody(http, **variables)).run(task("prometheus", {"query": "up", **config}))


async def test_amazons_prometheus_is_asked_with_a_signature_over_the_whole_request() -> None:
    async with endpoint() as server, metrics_client() as http:
        found = await asked(server, http, {"authentication": {"sigv4": {"region": "us-west-2"}}}, **AWS)
        assert found.phase is RunPhase.SUCCESSFUL
        assert genuine(server.requests[0], server.url, Keys("AKIDEXAMPLE", "aws-hunter2")) == ("us-west-2", "aps")
        assert "aws-hunter2" in found.secrets


@pytest.mark.parametrize(
    ("config", "variables", "words"),
    [
        ({"region": "us-west-2"}, {}, "no credentials"),
        ({}, {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"}, "no region"),
        ({"region": "x.evil.com/"}, AWS, "is no region"),
        ({"profile": "p"}, AWS, "name a roleArn"),
    ],
)
async def test_what_is_missing_is_said_and_nothing_is_asked(config: Mapping[str, str], variables: Mapping[str, str], words: str) -> None:
    async with endpoint() as server, metrics_client() as http:
        found = await asked(server, http, {"authentication": {"sigv4": config}}, **variables)
        assert found.phase is RunPhase.ERROR and words in found.message and server.requests == []


async def test_a_role_is_assumed_once_until_its_keys_end() -> None:
    async with endpoint() as server, metrics_client() as http:
        soon, later = (f"<Expiration>{(NOW + timedelta(minutes=m)).isoformat()}</Expiration>" for m in (60, 120))
        server.answer_in_turn("/", GRANTED.format("ONE", soon), GRANTED.format("TWO", later))
        aws = Aws(http, {**AWS, "AWS_ENDPOINT_URL_STS": server.url})
        first = await aws.keys("eu-west-1", "arn:aws:iam::1:role/r", NOW)
        assert (first.identity, first.secret, first.token) == ("ONE", "s&ONE", "t-ONE")
        assert await aws.keys("eu-west-1", "arn:aws:iam::1:role/r", NOW + timedelta(minutes=54)) is first
        assert (await aws.keys("eu-west-1", "arn:aws:iam::1:role/r", NOW + timedelta(minutes=56))).identity == "TWO"
        assert genuine(server.requests[0], server.url, Keys("AKIDEXAMPLE", "aws-hunter2")) == ("eu-west-1", "sts")
        assert parse_qs(server.requests[0][3])["RoleArn"] == ["arn:aws:iam::1:role/r"]


async def test_the_role_of_a_service_account_is_taken_by_its_token(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("web-hunter2\n")
    async with endpoint() as server, metrics_client() as http:
        server.answer("/", GRANTED.format("POD", f"<Expiration>{(NOW + timedelta(hours=1)).isoformat()}</Expiration>"))
        told = {"AWS_ROLE_ARN": "arn:aws:iam::1:role/pod", "AWS_ENDPOINT_URL": server.url}
        told["AWS_WEB_IDENTITY_TOKEN_FILE"] = str(tmp_path / "token")
        assert (await Aws(http, told).keys("eu-west-1", "", NOW)).identity == "POD"
        form = parse_qs(server.requests[0][3])
        assert form["Action"] == ["AssumeRoleWithWebIdentity"] and form["WebIdentityToken"] == ["web-hunter2"]
        assert "Authorization" not in server.requests[0][2]


async def test_the_agent_of_a_node_gives_keys_for_its_token(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("pod-hunter2")
    async with endpoint() as server, metrics_client() as http:
        server.answer("/v1", {"AccessKeyId": "N", "SecretAccessKey": "s", "Token": "t", "Expiration": "2026-11-25T18:00:00Z"})
        told = {"AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{server.url}/v1", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": str(tmp_path / "token")}
        assert (await Aws(http, told).keys("eu-west-1", "", NOW)).identity == "N"
        assert server.requests[0][2]["Authorization"] == "pod-hunter2"


@pytest.mark.parametrize("body", ["", "<AccessKeyId>a</AccessKeyId>", GRANTED.format("A", "<Expiration>soon</Expiration>"), "\x00", "[]"])
async def test_credentials_in_another_form_are_an_error_without_a_secret(body: str) -> None:
    async with endpoint() as server, metrics_client() as http:
        server.answer("/", body)
        with pytest.raises(Terminal, match="aws: credentials were answered") as told:
            await Aws(http, {**AWS, "AWS_ENDPOINT_URL": server.url}).keys("eu-west-1", "arn", NOW)
        assert "hunter2" not in str(told.value)


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
        assert genuine(server.requests[0], server.url, Keys("AKIDEXAMPLE", "aws-hunter2")) == ("eu-west-1", "monitoring")
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
