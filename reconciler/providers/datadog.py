"""Datadog: a query of time series (v1), or scalars of queries and a formula (v2) (contract 7.4).

Shapes: docs.datadoghq.com/api/latest/metrics, "Query timeseries points" and "Query scalar data across multiple products".
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, ClassVar
from urllib.parse import urlencode

from reconciler.analysis.model import Measurement
from reconciler.analysis.provider import MeasurementTask
from reconciler.expr.text import fixed
from reconciler.kernel.duration import parse_duration
from reconciler.kernel.errors import Terminal, Transient
from reconciler.kernel.fields import Fields
from reconciler.kernel.identity import Manifest
from reconciler.kernel.problem import InvalidField, Problem, required
from reconciler.kernel.shapes import Shapes
from reconciler.kube.client import Client
from reconciler.providers.accounts import needed, texts_of
from reconciler.providers.answers import failed, judged
from reconciler.providers.metrics_client import MetricsClient, Sharing
from reconciler.web.client import HttpAnswer, HttpCall

PUBLIC = "https://api.datadoghq.com"
SECRET = "datadog"
VARIABLES = {"api-key": "DD_API_KEY", "app-key": "DD_APP_KEY", "address": "DD_ADDRESS"}
INTERVAL, TIMEOUT = timedelta(minutes=5), timedelta(seconds=10)
AGGREGATORS = ("avg", "min", "max", "sum", "last", "percentile", "mean", "l2norm", "area")
VERSIONS = ("v1", "v2")
RESPONSE_LIMIT = 8 << 20
SHOWN = 500
MOST_GROUPS = 100
GROUPED = re.compile(r"\bby\s*\{")
UNREADABLE = "datadog answered in a form that cannot be read"


@dataclass(frozen=True, slots=True)
class Scalars:
    """What an answer holds: what conditions see, what people see, and what else is told."""

    result: float | list[float] | None
    value: str
    told: Mapping[str, str] = field(default_factory=dict)


class Datadog:
    """Asks with the keys of a Secret, else with those of the daemon's environment."""

    shapes: ClassVar[Shapes] = {
        "datadog": "apiVersion:text interval:text query:text queries* formula:text aggregator:text requestTimeout:text"
        " secretRef:DatadogSecret",
        "DatadogSecret": "name:text namespaced",
    }

    def __init__(self, http: MetricsClient, client: Client, namespace: str, variables: Mapping[str, str]) -> None:
        """`namespace` is the daemon's own, where Secrets are that a metric does not look for beside its run."""
        self._http = http
        self._client = client
        self._namespace = namespace
        self._variables = variables

    async def run(self, task: MeasurementTask) -> Measurement:
        config = Fields("datadog", task.metric.config)
        try:
            account = await self._account(config, task.namespace)
        except Terminal as error:
            return failed(task, error)
        measured = await self._measured(task, config, account)
        return replace(measured, secrets=frozenset((account["api-key"], account["app-key"])))

    async def _measured(self, task: MeasurementTask, config: Fields, account: Mapping[str, str]) -> Measurement:
        try:
            answer = await self._http.send(call_of(config, account, task.now), insecure=False, sharing=Sharing.IN_FLIGHT)
            reading = read(answer, config)
        except (Terminal, Transient) as error:
            return failed(task, error)
        return judged(task, reading.result, reading.value, reading.told)

    async def _account(self, config: Fields, run_namespace: str) -> Mapping[str, str]:
        reference = config.under("secretRef")
        name, namespaced = reference.text("name"), reference.flag("namespaced")
        if not name and all(self._variables.get(variable) for variable in VARIABLES.values()):
            return _keys({key: self._variables[variable] for key, variable in VARIABLES.items()}, "the daemon's environment")
        namespace = run_namespace if namespaced else self._namespace
        return _keys(await texts_of(self._client, namespace, name or SECRET), f"secret {namespace}/{name or SECRET}")

    @staticmethod
    def problems(config: Manifest) -> Iterator[Problem]:
        """What can be seen before a request (contract 7.4, Validation)."""
        fields = Fields("datadog", config)
        try:
            yield from _rules(fields)
            _span(fields, "interval", INTERVAL)
            _span(fields, "requestTimeout", TIMEOUT)
        except InvalidField as error:
            yield error.problem


def _rules(config: Fields) -> Iterator[Problem]:
    version, queries = config.text("apiVersion") or "v1", _queries(config)
    if version not in VERSIONS:
        yield Problem("datadog.apiVersion", f"{version!r} is none of {', '.join(VERSIONS)}")
    if bool(config.text("query")) == bool(config.raw.get("queries")):
        yield required("datadog.query", "exactly one of query and queries")
    elif version == "v1" and not config.text("query"):
        yield required("datadog.query", "v1 knows no queries")
    if version == "v1" and config.text("aggregator"):
        yield Problem("datadog.aggregator", "is of v2 only: set apiVersion: v2")
    if config.text("aggregator") and config.text("aggregator") not in AGGREGATORS:
        yield Problem("datadog.aggregator", f"is none of {', '.join(AGGREGATORS)}")
    if config.text("formula") and not config.raw.get("queries"):
        yield Problem("datadog.formula", "needs queries to refer to")
    if len(queries) > 1 and not config.text("formula"):
        yield required("datadog.formula", "several queries need one that says what comes of them")
    if config.under("secretRef").flag("namespaced") and not config.under("secretRef").text("name"):
        yield required("datadog.secretRef.name", "the Secret beside the run")


def call_of(config: Fields, account: Mapping[str, str], now: datetime) -> HttpCall:
    """The request for one measurement. Raises Terminal."""
    end, begin = now, now - _span(config, "interval", INTERVAL)
    headers = {"DD-API-KEY": account["api-key"], "DD-APPLICATION-KEY": account["app-key"], "Content-Type": "application/json"}
    timeout = _span(config, "requestTimeout", TIMEOUT).total_seconds()
    if (config.text("apiVersion") or "v1") == "v1":
        asked = urlencode({"query": config.text("query"), "from": int(begin.timestamp()), "to": int(end.timestamp())})
        url = f"{account['address']}/api/v1/query?{asked}"
        return HttpCall(method="GET", url=url, headers=headers, timeout=timeout, limit=RESPONSE_LIMIT)
    attributes: dict[str, Any] = {
        "from": int(begin.timestamp() * 1000),
        "to": int(end.timestamp() * 1000),
        "queries": [
            {"aggregator": config.text("aggregator") or "last", "data_source": "metrics", "name": name, "query": query}
            for name, query in sorted(_queries(config).items())
        ],
    }
    if config.text("formula"):
        attributes["formulas"] = [{"formula": config.text("formula")}]
    body = json.dumps({"data": {"type": "scalar_request", "attributes": attributes}}).encode()
    url = f"{account['address']}/api/v2/query/scalar"
    return HttpCall(method="POST", url=url, headers=headers, body=body, timeout=timeout, limit=RESPONSE_LIMIT)


def read(answer: HttpAnswer, config: Fields) -> Scalars:
    """What an answer says. Raises Terminal."""
    body = answer.body.decode(errors="replace").strip()[:SHOWN]
    if answer.status in (401, 403):
        raise Terminal(f"received authentication error response code: {answer.status} {body}")
    if answer.status != 200:
        raise Terminal(f"received non 2xx response code: {answer.status} {body}")
    document = answer.document()
    if not isinstance(document, dict):
        raise Terminal(UNREADABLE)
    try:
        if (config.text("apiVersion") or "v1") == "v1":
            return _series(document)
        return _columns(document, any(GROUPED.search(query) for query in _queries(config).values()))
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        raise Terminal(UNREADABLE) from error


def _series(document: Mapping[str, Any]) -> Scalars:
    """The last point of the first series."""
    if document.get("status") == "error" or document.get("error"):
        raise Terminal(f"There were errors in your query: {str(document.get('error'))[:SHOWN]}")
    series = document["series"]
    points = series[0]["pointlist"] if series else []
    if not points or points[-1][1] is None:
        return Scalars(None, json.dumps(series, separators=(",", ":"))[:SHOWN])
    value = _number(points[-1][1])
    return Scalars(value, fixed(value))


def _columns(document: Mapping[str, Any], grouped: bool) -> Scalars:
    """The first column of numbers: one value, or a list of them where the query groups by tags."""
    data = document.get("data") or {}
    errors = document.get("errors") or data.get("errors")
    if errors:
        raise Terminal(f"There were errors in your query: {errors if isinstance(errors, str) else ', '.join(map(str, errors))}"[:SHOWN])
    columns = (data.get("attributes") or {}).get("columns") or []
    numbers = next((column for column in columns if column.get("type") == "number"), None)
    found = [(place, _number(value)) for place, value in enumerate((numbers or {}).get("values") or []) if value is not None]
    if not found:
        return Scalars(None, "[]")
    if not grouped:
        return Scalars(found[0][1], fixed(found[0][1]))
    values = [value for _place, value in found]
    return Scalars(values, f"[{','.join(map(fixed, values))}]", _groups(columns, found))


def _groups(columns: list[Mapping[str, Any]], found: list[tuple[int, float]]) -> Mapping[str, str]:
    """Which value is whose; of very many the lowest and the highest."""
    tags = [column["values"] for column in columns if column.get("type") == "group"]
    labels = [",".join(str(tag) for values in tags for tag in values[place]) for place, _value in found]
    named: list[dict[str, Any]] = [{"name": label, "value": value} for label, (_place, value) in zip(labels, found, strict=True)]
    if len(named) <= MOST_GROUPS:
        return {"groups": json.dumps(named, separators=(",", ":"))}
    ordered = sorted(named, key=lambda one: one["value"])
    kept = [*ordered[: MOST_GROUPS // 2], *ordered[-MOST_GROUPS // 2 :]]
    return {"groups": json.dumps(kept, separators=(",", ":")), "groups_truncated": "true"}


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError("a value is a number")
    return float(value)


def _queries(config: Fields) -> dict[str, str]:
    """The queries by name; a single one is called `query`. Raises InvalidField."""
    named = config.raw.get("queries")
    if named is None:
        return {"query": config.text("query")}
    if not isinstance(named, dict) or not all(isinstance(query, str) for query in named.values()):
        raise config.refusal("queries", named, "must be texts by name")
    return {str(name): query for name, query in named.items()}


def _span(config: Fields, key: str, default: timedelta) -> timedelta:
    """A length of time above zero. Raises InvalidField."""
    text = config.text(key)
    if not text:
        return default
    try:
        found = parse_duration(text)
    except ValueError as error:
        raise config.refusal(key, text, str(error)) from error
    if found <= timedelta():
        raise config.refusal(key, text, "must be above zero")
    return found


def _keys(texts: Mapping[str, str], where: str) -> Mapping[str, str]:
    address = (texts.get("address") or PUBLIC).rstrip("/")
    return {"api-key": needed(texts, "api-key", where), "app-key": needed(texts, "app-key", where), "address": address}
