"""SkyWalking: one GraphQL query over the last interval (contract 7.11).

Shape: skywalking.apache.org, "Query Protocol": `duration` counts minutes in the server's own words, `2026-11-25 1200`.
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from reconciler.analysis.model import Measurement, Metric
from reconciler.analysis.provider import MeasurementTask
from reconciler.kernel.duration import parse_duration
from reconciler.kernel.errors import Terminal, Transient
from reconciler.kernel.fields import Fields
from reconciler.kernel.identity import Manifest
from reconciler.kernel.problem import InvalidField, Problem, required
from reconciler.kernel.shapes import Shapes
from reconciler.providers.answers import failed, judged
from reconciler.providers.metrics_client import MetricsClient, Sharing
from reconciler.providers.requests import confided
from reconciler.providers.web import written
from reconciler.web.client import HttpAnswer, HttpCall

TIMEOUT = 30.0
RESPONSE_LIMIT = 8 << 20
SHOWN = 500


class SkyWalking:
    """Asks the server that a metric names."""

    shapes: ClassVar[Shapes] = {"skywalking": "address:text query:text interval:text"}

    def __init__(self, http: MetricsClient) -> None:
        self._http = http

    async def run(self, task: MeasurementTask) -> Measurement:
        try:
            call = call_of(Fields("skywalking", task.metric.config), task.now)
            data = read(await self._http.send(call, insecure=False, sharing=Sharing.IN_FLIGHT))
            value = written(data)
        except (Terminal, Transient) as error:
            return failed(task, error)
        return judged(task, data, value, {})

    @staticmethod
    def problems(config: Manifest) -> Iterator[Problem]:
        """What can be seen before a request: the address, the query and the interval."""
        fields = Fields("skywalking", config)
        try:
            for key, what in (("address", "the server to ask"), ("query", "what to ask, in GraphQL"), ("interval", "such as 5m")):
                if not fields.text(key).strip():
                    yield required(f"skywalking.{key}", what)
            if fields.text("interval"):
                _interval(fields)
        except InvalidField as error:
            yield error.problem

    def secrets(self, metric: Metric) -> Iterator[str]:
        yield from confided(metric.config)


def call_of(config: Fields, now: datetime) -> HttpCall:
    """The request for one measurement. Raises Terminal."""
    duration = {"start": _minute(now - _interval(config)), "end": _minute(now), "step": "MINUTE"}
    body = json.dumps({"query": config.text("query"), "variables": {"duration": duration}}).encode()
    url = f"{config.text('address').rstrip('/')}/graphql"
    headers = {"Content-Type": "application/json"}
    return HttpCall(method="POST", url=url, headers=headers, body=body, timeout=TIMEOUT, limit=RESPONSE_LIMIT)


def read(answer: HttpAnswer) -> Any:
    """The decoded `data`, numbers as floats. Raises Terminal."""
    document = json.loads(answer.body, parse_int=float) if isinstance(answer.document(), dict) else None
    if not isinstance(document, dict):
        raise Terminal(f"skywalking answered {answer.status} without JSON")
    errors = document.get("errors")
    if answer.status >= 300 or errors:
        told = [str(error.get("message")) for error in errors if isinstance(error, dict)] if isinstance(errors, list) else []
        raise Terminal(f"skywalking answered {answer.status}: {'; '.join(told) or 'no reason given'}"[:SHOWN])
    if document.get("data") is None:
        raise Terminal("no data returned from the query")
    return document["data"]


def _minute(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%d %H%M")


def _interval(config: Fields) -> timedelta:
    """Raises InvalidField."""
    text = config.text("interval")
    try:
        return parse_duration(text)
    except ValueError as error:
        raise config.refusal("interval", text, str(error)) from error
