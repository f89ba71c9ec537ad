"""Graphite: one render request a measurement, of which the first target counts (contract 7.8)."""

import re
from collections.abc import Iterator
from typing import Any, ClassVar
from urllib.parse import quote

from reconciler.analysis.model import Measurement, Metric
from reconciler.analysis.provider import MeasurementTask
from reconciler.kernel.address import is_web_address
from reconciler.kernel.errors import Terminal, Transient
from reconciler.kernel.fields import Fields
from reconciler.kernel.identity import Manifest
from reconciler.kernel.problem import InvalidField, Problem, required
from reconciler.kernel.shapes import Shapes
from reconciler.providers.answers import failed, judged
from reconciler.providers.metrics_client import MetricsClient, Sharing
from reconciler.providers.requests import confided
from reconciler.web.client import HttpAnswer, HttpCall

TIMEOUT = 10.0
RESPONSE_LIMIT = 8 << 20
SHOWN = 500
"""How much of a refusal is told."""
NO_VALUES = "no values found"
UNREADABLE = "graphite answered without a list of targets that hold datapoints"
AS_WRITTEN = "=&%;,:|*?~!$'()+/@"
"""What a query may hold as it is; the rest, a `#` or quotes too, is escaped."""


class Graphite:
    """Asks the server that a metric names."""

    shapes: ClassVar[Shapes] = {"graphite": "address:text query:text"}

    def __init__(self, client: MetricsClient) -> None:
        self._client = client

    async def run(self, task: MeasurementTask) -> Measurement:
        try:
            call = HttpCall(method="GET", url=_url(Fields("graphite", task.metric.config)), timeout=TIMEOUT, limit=RESPONSE_LIMIT)
            values = read(await self._client.send(call, insecure=False, sharing=Sharing.IN_FLIGHT))
        except (Terminal, Transient) as error:
            return failed(task, error)
        return judged(task, values, f"[{','.join(f'{value:.6f}' for value in values)}]", {})

    @staticmethod
    def problems(config: Manifest) -> Iterator[Problem]:
        """What can be seen before a request: the address and the query."""
        fields = Fields("graphite", config)
        try:
            if not fields.text("query").strip():
                yield required("graphite.query", "what to ask, such as target=…&from=-5min")
            if not fields.text("address"):
                yield required("graphite.address", "the server to ask")
            else:
                _address(fields)
        except InvalidField as error:
            yield error.problem
        except Terminal as error:
            yield Problem("graphite.address", str(error).removeprefix("graphite: "))

    def secrets(self, metric: Metric) -> Iterator[str]:
        yield from confided(metric.config)


def _address(config: Fields) -> str:
    address = config.text("address")
    if not is_web_address(address):
        raise Terminal("graphite: address is no http(s) URL")
    return address.rstrip("/")


def _url(config: Fields) -> str:
    """The query stands in the URL as it was written, without white space (contract 7.8)."""
    query = quote(re.sub(r"\s+", "", config.text("query")), safe=AS_WRITTEN)
    return f"{_address(config)}/render?{query}&format=json"


def read(answer: HttpAnswer) -> list[float]:
    """The values of the first target, those that are null left out. Raises Terminal."""
    if answer.status >= 400:
        raise Terminal(f"error response: {answer.body.decode(errors='replace').strip()[:SHOWN]}")
    targets = answer.document()
    if not isinstance(targets, list) or not all(isinstance(target, dict) for target in targets):
        raise Terminal(UNREADABLE)
    points = targets[0].get("datapoints") if targets else []
    if not isinstance(points, list):
        raise Terminal(UNREADABLE)
    try:
        values = [float(point[0]) for point in points if _is_point(point) and point[0] is not None]
    except OverflowError as error:
        raise Terminal(UNREADABLE) from error
    if not values:
        raise Terminal(NO_VALUES)
    return values


def _is_point(point: Any) -> bool:
    """True for `[value, time]` with a number or nothing for a value. Raises Terminal for anything else."""
    if isinstance(point, list) and len(point) == 2 and (point[0] is None or type(point[0]) in (int, float)):
        return True
    raise Terminal(UNREADABLE)
