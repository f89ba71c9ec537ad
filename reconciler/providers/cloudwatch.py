"""CloudWatch: the results of GetMetricData over the last minutes (contract 7.7).

Shape: the JSON protocol of the API, `X-Amz-Target: GraniteServiceVersion20100801.GetMetricData` (Amazon CloudWatch API Reference,
"GetMetricData"; the service model that AWS publishes for its SDKs names protocol and target).
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any, ClassVar

from reconciler.analysis.model import Measurement, Metric
from reconciler.analysis.provider import MeasurementTask
from reconciler.aws.signing import Keys, SigningScope, signed
from reconciler.expr.text import general
from reconciler.kernel.duration import parse_duration
from reconciler.kernel.errors import Terminal, Transient
from reconciler.kernel.fields import Fields
from reconciler.kernel.identity import Manifest
from reconciler.kernel.problem import InvalidField, Problem, invalid, required
from reconciler.kernel.shapes import Shapes
from reconciler.providers.answers import failed, judged
from reconciler.providers.identities import Identities
from reconciler.providers.metrics_client import MetricsClient, Sharing
from reconciler.providers.requests import confided
from reconciler.web.client import HttpAnswer, HttpCall

TIMEOUT, RESPONSE_LIMIT = 30.0, 8 << 20
HEADERS = {"Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": "GraniteServiceVersion20100801.GetMetricData"}
FIVE_MINUTES = timedelta(minutes=5)
SHOWN = 500
UNREADABLE = "cloudwatch answered in a form that cannot be read"


class CloudWatch:
    """Asks with the credentials and in the region of the daemon."""

    shapes: ClassVar[Shapes] = {
        "cloudWatch": "interval:text metricDataQueries[]:MetricDataQuery",
        "MetricDataQuery": "id:text expression:text label:text metricStat:MetricStat period returnData",
        "MetricStat": "metric:StatMetric period stat:text unit:text",
        "StatMetric": "dimensions[]:Dimension metricName:text namespace:text",
        "Dimension": "name:text value:text",
    }

    def __init__(self, http: MetricsClient, identities: Identities) -> None:
        self._http = http
        self._identities = identities

    async def run(self, task: MeasurementTask) -> Measurement:
        aws = self._identities.aws
        try:
            region = aws.region()
            keys = await aws.keys(region, "", self._identities.now())
        except (Terminal, Transient) as error:
            return failed(task, error)
        return replace(await self._measured(task, region, keys), secrets=keys.texts)

    async def _measured(self, task: MeasurementTask, region: str, keys: Keys) -> Measurement:
        url = f"{self._identities.aws.endpoint('monitoring', 'CLOUDWATCH', region)}/"
        try:
            body = json.dumps(question_of(Fields("cloudWatch", task.metric.config), task.now.timestamp())).encode()
            call = HttpCall(method="POST", url=url, headers=HEADERS, body=body, timeout=TIMEOUT, limit=RESPONSE_LIMIT)
            call = signed(call, keys, SigningScope(region, "monitoring"), self._identities.now())
            results, messages = read(await self._http.send(call, insecure=False, sharing=Sharing.IN_FLIGHT))
        except (InvalidField, Terminal, Transient) as error:
            return failed(task, error)
        told = {"messages": messages} if messages else {}
        return judged(task, results, shown(results), told)

    @staticmethod
    def problems(config: Manifest) -> Iterator[Problem]:
        """What can be seen before a request: the queries, each a statistic or an expression, and the times."""
        fields = Fields("cloudWatch", config)
        try:
            _interval(fields)
            queries = fields.each("metricDataQueries")
            if not queries:
                yield required("cloudWatch.metricDataQueries", "what to ask")
            for index, query in enumerate(queries):
                place = f"cloudWatch.metricDataQueries[{index}]"
                if not query.text("id"):
                    yield required(f"{place}.id", "results are known by it")
                if bool(query.text("expression")) is query.has("metricStat"):
                    yield Problem(place, "write either expression or metricStat")
                _query(query)
        except InvalidField as error:
            yield error.problem

    def secrets(self, metric: Metric) -> Iterator[str]:
        yield from confided(metric.config)


def question_of(config: Fields, now: float) -> Manifest:
    """The body of a request about the time until now. Raises InvalidField."""
    queries = [_query(query) for query in config.each("metricDataQueries")]
    return {"MetricDataQueries": queries, "StartTime": int(now - _interval(config).total_seconds()), "EndTime": int(now)}


def _interval(config: Fields) -> timedelta:
    text = config.text("interval")
    try:
        found = parse_duration(text) if text else FIVE_MINUTES
    except ValueError as error:
        raise InvalidField(invalid("cloudWatch.interval", text, str(error))) from error
    if found <= timedelta():
        raise InvalidField(invalid("cloudWatch.interval", text, "must be longer than zero"))
    return found


def _query(query: Fields) -> Manifest:
    stat = query.optional("metricStat")
    known = {"Id": query.text("id"), "Expression": query.text("expression"), "Label": query.text("label"), "Period": _period(query)}
    returned = {"ReturnData": query.flag("returnData")} if query.has("returnData") else {}
    return {**_present(known), **returned, **({"MetricStat": _stat(stat)} if stat is not None else {})}


def _stat(stat: Fields) -> Manifest:
    metric = stat.under("metric")
    dimensions = [{"Name": one.text("name"), "Value": one.text("value")} for one in metric.each("dimensions")]
    named = {"Namespace": metric.text("namespace"), "MetricName": metric.text("metricName"), "Dimensions": dimensions}
    return {"Metric": _present(named), **_present({"Period": _period(stat), "Stat": stat.text("stat"), "Unit": stat.text("unit")})}


def _period(fields: Fields) -> int | None:
    """Seconds; a text holds them too, as an argument is filled in as one."""
    value = fields.raw.get("period")
    if isinstance(value, str) and value.isascii() and value.isdigit():
        return int(value[:9])
    return fields.number("period")


def _present(known: Mapping[str, Any]) -> Manifest:
    return {name: value for name, value in known.items() if value not in ("", None, [])}


def read(answer: HttpAnswer) -> tuple[list[Manifest], str]:
    """Every result with the fields that conditions name, and what the service remarks. Raises Terminal."""
    document = answer.document()
    if answer.status >= 300:
        told = document if isinstance(document, dict) else {}
        kind = str(told.get("__type") or "").rpartition("#")[2]
        said = told.get("message") or told.get("Message") or "no reason given"
        raise Terminal(f"cloudwatch answered {answer.status}: {kind}: {said}"[:SHOWN])
    if not isinstance(document, dict):
        raise Terminal(UNREADABLE)
    try:
        results = [_result(one) for one in document["MetricDataResults"]]
        messages = ", ".join(f"{one['Code']}: {one['Value']}" for one in document.get("Messages") or [])
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        raise Terminal(UNREADABLE) from error
    return results, messages[:SHOWN]


def shown(results: list[Manifest]) -> str:
    """The values of each result, as the reference prints them."""
    return f"[{' '.join('[' + ' '.join(map(general, result['Values'])) + ']' for result in results)}]"


def _result(one: Any) -> Manifest:
    values = one.get("Values") or []
    if any(isinstance(value, bool) or not isinstance(value, int | float) for value in values):
        raise TypeError("a value is a number")
    return {
        "Id": str(one["Id"]),
        "Label": str(one.get("Label") or ""),
        "StatusCode": str(one.get("StatusCode") or ""),
        "Timestamps": list(one.get("Timestamps") or []),
        "Values": [float(value) for value in values],
        "Messages": list(one.get("Messages") or []),
    }
