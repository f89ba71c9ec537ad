"""Services of metrics as they answer: each a question, the Secrets it needs, and what the vendor's documents show as its answers."""

from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from reconciler.kernel.identity import Manifest
from reconciler.kernel.resources import SECRETS
from reconciler.kube.client import Client
from tests.kit.clusters import NAMESPACE

KEYS = {"api-key": "dd-api-hunter2", "app-key": "dd-app-hunter2"}
AWS = {"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "aws-hunter2", "AWS_REGION": "eu-west-1"}
SIDE = {"scope": "app=web and color=blue", "region": "us-east-1", "step": 60}
KAYENTA: Manifest = {
    "address": "http://h",
    "application": "shop",
    "canaryConfigName": "errors",
    "metricsAccountName": "prometheus",
    "configurationAccountName": "kept",
    "storageAccountName": "stored",
    "threshold": {"pass": 90, "marginal": 75},
    "scopes": [{"name": "default", "controlScope": SIDE, "experimentScope": SIDE}],
}
CSV = (
    "#datatype,string,long,dateTime:RFC3339,double,string\r\n#group,false,false,false,false,true\r\n#default,_result,,,,\r\n"
    ",result,table,_time,_value,host\r\n,,0,2026-11-25T12:00:00Z,1.5,a\r\n,,0,2026-11-25T12:01:00Z,2,a\r\n\r\n"
)


@dataclass(frozen=True)
class Script:
    """One service: its configuration at an address, what makes it unanswerable, its Secrets, and its answers by path."""

    config: Callable[[str], Manifest]
    spoiled: Manifest
    answers: Mapping[str, Any]
    secrets: Callable[[str], Mapping[str, Mapping[str, str]]] = field(default=lambda url: {})
    variables: Callable[[str], Mapping[str, str]] = field(default=lambda url: {})


SCRIPTS: Mapping[str, Script] = {
    "datadog": Script(
        config=lambda url: {"query": "avg:system.load.1{*}"},
        spoiled={"secretRef": {"name": "nowhere"}},
        answers={"/api/v1/query": {"status": "ok", "series": [{"pointlist": [[1, 0.5], [2, 0.25]]}]}},
        secrets=lambda url: {"datadog": {**KEYS, "address": url}},
    ),
    "newRelic": Script(
        config=lambda url: {"query": "FROM Transaction SELECT average(duration)"},
        spoiled={"profile": "nowhere"},
        answers={"/graphql": {"data": {"actor": {"account": {"nrql": {"results": [{"average.duration": 0.25}]}}}}}},
        secrets=lambda url: {
            "newrelic": {"personal-api-key": "nr-hunter2", "account-id": "17", "base-url-nerdgraph": f"{url}/graphql"},
        },
    ),
    "wavefront": Script(
        config=lambda url: {"address": url, "query": "ts(errors)"},
        spoiled={"address": "http://nowhere.example.com"},
        answers={"/api/v2/chart/api": {"timeseries": [{"data": [[1764072000, 0.25], [1700000000, 9]]}]}},
        secrets=lambda url: {"wavefront-api-tokens": {"127.0.0.1": "wf-hunter2"}},
    ),
    "influxdb": Script(
        config=lambda url: {"query": 'from(bucket: "shop")'},
        spoiled={"profile": "nowhere"},
        answers={"/api/v2/query": CSV},
        secrets=lambda url: {"influxdb": {"authToken": "in-hunter2", "org": "shop & co", "address": url}},
    ),
    "skywalking": Script(
        config=lambda url: {"address": url, "query": "query q($duration: Duration!) { a }", "interval": "5m"},
        spoiled={"interval": "soon"},
        answers={"/graphql": {"data": {"a": {"values": [{"value": 7}]}}}},
    ),
    "cloudWatch": Script(
        config=lambda url: {"metricDataQueries": [{"id": "rate", "expression": "errors / all"}]},
        spoiled={"interval": "soon"},
        answers={
            "/": {"MetricDataResults": [{"Id": "rate", "Label": "r", "StatusCode": "Complete", "Timestamps": [1.7e9], "Values": [0.25]}]},
        },
        variables=lambda url: {**AWS, "AWS_ENDPOINT_URL": url},
    ),
    "kayenta": Script(
        config=lambda url: {**KAYENTA, "address": url},
        spoiled={"canaryConfigName": "unknown"},
        answers={
            "/canaryConfig": [{"name": "errors", "id": "c-1"}],
            "/canary/c-1": {"canaryExecutionId": "e-1"},
            "/canary/e-1": {"complete": True, "result": {"judgeResult": {"score": {"score": 92.7}}}},
        },
    ),
}


async def keep(client: Client, name: str, texts: Mapping[str, str], namespace: str = NAMESPACE) -> None:
    """A Secret with these entries."""
    data = {key: b64encode(text.encode()).decode() for key, text in texts.items()}
    await client.create(SECRETS, {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "namespace": namespace}, "data": data})
