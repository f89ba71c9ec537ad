"""New Relic: one NRQL query a measurement, asked through NerdGraph (contract 7.5).

Shape: docs.newrelic.com, "NerdGraph tutorial: Query your data with NRQL".
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, ClassVar

from reconciler.analysis.model import Measurement, Metric
from reconciler.analysis.provider import MeasurementTask
from reconciler.kernel.errors import Terminal, Transient
from reconciler.kernel.fields import Fields
from reconciler.kernel.identity import Manifest
from reconciler.kernel.problem import InvalidField, Problem, required
from reconciler.kernel.shapes import Shapes
from reconciler.kube.client import Client
from reconciler.providers.accounts import needed, texts_of
from reconciler.providers.answers import failed, judged
from reconciler.providers.metrics_client import MetricsClient, Sharing
from reconciler.providers.web import written
from reconciler.web.client import HttpAnswer, HttpCall

SECRET = "newrelic"
REGIONS = {
    "us": "https://api.newrelic.com/graphql",
    "eu": "https://api.eu.newrelic.com/graphql",
    "staging": "https://staging-api.newrelic.com/graphql",
}
TIMEOUT = 5
GRACE = 5.0
"""Seconds that our own request may take longer than the query in it."""
RESPONSE_LIMIT = 8 << 20
SHOWN = 500
ASKED = (
    "query($account: Int!, $query: Nrql!, $timeout: Seconds!) "
    "{ actor { account(id: $account) { nrql(query: $query, timeout: $timeout) { results } } } }"
)
NO_RESULTS = "no results returned from NRQL query"


class NewRelic:
    """Asks with the key of a profile, which is a Secret in the daemon's namespace."""

    shapes: ClassVar[Shapes] = {"newRelic": "profile:text query:text timeout"}

    def __init__(self, http: MetricsClient, client: Client, namespace: str) -> None:
        self._http = http
        self._client = client
        self._namespace = namespace

    def question(self, metric: Metric) -> Mapping[str, str]:
        return {"ResolvedNewRelicQuery": str(metric.config.get("query") or "")}

    async def run(self, task: MeasurementTask) -> Measurement:
        config = Fields("newRelic", task.metric.config)
        try:
            profile = config.text("profile") or SECRET
            account = await texts_of(self._client, self._namespace, profile)
            call = call_of(config, account, f"secret {self._namespace}/{profile}")
        except Terminal as error:
            return failed(task, error)
        return replace(await self._measured(task, call), secrets=frozenset((call.headers["API-Key"],)))

    async def _measured(self, task: MeasurementTask, call: HttpCall) -> Measurement:
        try:
            rows = read(await self._http.send(call, insecure=False, sharing=Sharing.IN_FLIGHT))
            value = written(rows)
        except (Terminal, Transient) as error:
            return failed(task, error)
        return judged(task, rows, value, {})

    @staticmethod
    def problems(config: Manifest) -> Iterator[Problem]:
        """What can be seen before a request: the query and its time."""
        fields = Fields("newRelic", config)
        try:
            if not fields.text("query").strip():
                yield required("newRelic.query", "what to ask, in NRQL")
            if fields.number_or("timeout", TIMEOUT) < 0:
                yield Problem("newRelic.timeout", "timeout value needs to be a positive value")
        except InvalidField as error:
            yield error.problem


def call_of(config: Fields, account: Mapping[str, str], where: str) -> HttpCall:
    """The request for one measurement. Raises Terminal."""
    key, number = needed(account, "personal-api-key", where), needed(account, "account-id", where)
    region = (account.get("region") or "us").lower()
    address = account.get("base-url-nerdgraph") or REGIONS.get(region)
    if not address:
        raise Terminal(f"{where}: region {region!r} is none of {', '.join(REGIONS)}")
    if not number.isdecimal():
        raise Terminal(f"{where}: account-id is no number")
    seconds = config.number_or("timeout", 0) or TIMEOUT
    if seconds < 0:
        raise Terminal("timeout value needs to be a positive value")
    body = {"query": ASKED, "variables": {"account": int(number), "query": config.text("query"), "timeout": seconds}}
    headers = {"API-Key": key, "Content-Type": "application/json"}
    return HttpCall(
        method="POST", url=address, headers=headers, body=json.dumps(body).encode(), timeout=seconds + GRACE, limit=RESPONSE_LIMIT
    )


def read(answer: HttpAnswer) -> Any:
    """One row as an object, several as a list of them. Raises Terminal."""
    document = json.loads(answer.body, parse_int=float) if isinstance(answer.document(), dict) else None
    if not isinstance(document, dict):
        raise Terminal(f"New Relic answered {answer.status} without JSON")
    errors = document.get("errors")
    if errors or answer.status >= 300:
        raise Terminal(f"New Relic answered {answer.status}: {_reasons(errors) or 'no reason given'}"[:SHOWN])
    rows: Any = document
    for part in ("data", "actor", "account", "nrql", "results"):
        rows = rows.get(part) if isinstance(rows, dict) else None
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise Terminal("New Relic answered without results")
    if not rows or (len(rows) == 1 and not rows[0]):
        raise Terminal(NO_RESULTS)
    return rows[0] if len(rows) == 1 else rows


def _reasons(errors: Any) -> str:
    found = errors if isinstance(errors, list) else []
    return "; ".join(str(error.get("message")) if isinstance(error, dict) else str(error) for error in found)
