"""Wavefront: the point nearest to now of each series of one query (contract 7.6).

Shape: the chart API, `GET /api/v2/chart/api` (docs.wavefront.com, "Charts API").
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from math import isfinite
from typing import Any, ClassVar
from urllib.parse import urlencode

from reconciler.analysis.model import Measurement, Metric
from reconciler.analysis.provider import MeasurementTask
from reconciler.kernel.address import split_address
from reconciler.kernel.errors import Terminal, Transient
from reconciler.kernel.fields import Fields
from reconciler.kernel.identity import Manifest
from reconciler.kernel.problem import InvalidField, Problem, required
from reconciler.kernel.shapes import Shapes
from reconciler.kube.client import Client
from reconciler.providers.accounts import needed, texts_of
from reconciler.providers.answers import failed, judged
from reconciler.providers.metrics_client import MetricsClient, Sharing
from reconciler.providers.requests import confided
from reconciler.web.client import HttpAnswer, HttpCall

SECRET = "wavefront-api-tokens"
TIMEOUT = 10.0
RESPONSE_LIMIT = 8 << 20
SHOWN = 500
NO_SERIES = "No TimeSeries found in response from Wavefront"
UNREADABLE = "wavefront answered in a form that cannot be read"


class Wavefront:
    """Asks with the token that the Secret `wavefront-api-tokens` of the daemon's namespace holds for the address."""

    shapes: ClassVar[Shapes] = {"wavefront": "address:text query:text"}

    def __init__(self, http: MetricsClient, client: Client, namespace: str) -> None:
        self._http = http
        self._client = client
        self._namespace = namespace

    async def run(self, task: MeasurementTask) -> Measurement:
        config = Fields("wavefront", task.metric.config)
        try:
            tokens = await texts_of(self._client, self._namespace, SECRET)
            token = needed(tokens, key_of(config.text("address"), tokens), f"secret {self._namespace}/{SECRET}")
        except Terminal as error:
            return failed(task, error)
        return replace(await self._measured(task, config, token), secrets=frozenset((token,)))

    async def _measured(self, task: MeasurementTask, config: Fields, token: str) -> Measurement:
        headers = {"Authorization": f"Bearer {token}"}
        call = HttpCall(method="GET", url=url_of(config, task.now), headers=headers, timeout=TIMEOUT, limit=RESPONSE_LIMIT)
        try:
            points, warnings = read(await self._http.send(call, insecure=False, sharing=Sharing.IN_FLIGHT), task.now)
        except (Terminal, Transient) as error:
            return failed(task, error)
        values = [value for _time, value in points]
        told = {
            "timestamps": ",".join(str(int(time)) for time, _value in points),
            "drift": ",".join(str(int(task.now.timestamp() - time)) for time, _value in points),
            **({"warnings": warnings} if warnings else {}),
        }
        if len(values) == 1:
            return judged(task, values[0], f"{values[0]:.2f}", told)
        return judged(task, values, f"[{','.join(f'{value:.2f}' for value in values)}]", told)

    @staticmethod
    def problems(config: Manifest) -> Iterator[Problem]:
        """What can be seen before a request: the address and the query."""
        fields = Fields("wavefront", config)
        try:
            if not fields.text("address"):
                yield required("wavefront.address", "the server to ask")
            if not fields.text("query").strip():
                yield required("wavefront.query", "what to ask")
        except InvalidField as error:
            yield error.problem

    def secrets(self, metric: Metric) -> Iterator[str]:
        yield from confided(metric.config)


def key_of(address: str, tokens: Mapping[str, str]) -> str:
    """The entry of an address: as it is written, else by its host, as no key may hold a scheme or a port."""
    return address if address in tokens else split_address(address if "://" in address else f"https://{address}").hostname or address


def url_of(config: Fields, now: datetime) -> str:
    """One point a series, at this moment or the nearest to it that there is (milliseconds)."""
    address = config.text("address").rstrip("/")
    moment = int(now.timestamp() * 1000)
    asked = {"q": config.text("query"), "s": moment, "e": moment, "g": "s", "p": 1, "i": "true", "summarization": "LAST"}
    server = address if "://" in address else f"https://{address}"
    return f"{server}/api/v2/chart/api?{urlencode(asked)}"


def read(answer: HttpAnswer, now: datetime) -> tuple[list[tuple[float, float]], str]:
    """The (time, value) nearest to a moment of every series, and what the server warns of. Raises Terminal."""
    if answer.status >= 300:
        raise Terminal(f"wavefront answered {answer.status}: {answer.body.decode(errors='replace').strip()[:SHOWN]}")
    document = answer.document()
    if not isinstance(document, dict):
        raise Terminal(UNREADABLE)
    if document.get("errorMessage"):
        raise Terminal(str(document["errorMessage"])[:SHOWN])
    try:
        series = [_points(one["data"]) for one in document.get("timeseries") or []]
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        raise Terminal(UNREADABLE) from error
    nearest = [min(points, key=lambda point: abs(point[0] - now.timestamp())) for points in series if points]
    if not nearest:
        raise Terminal(NO_SERIES)
    return nearest, str(document.get("warnings") or "")[:SHOWN]


def _points(data: Any) -> list[tuple[float, float]]:
    if any(isinstance(part, bool) or not isinstance(part, int | float) for point in data for part in point[:2]):
        raise TypeError("a point is two numbers")
    points = [(float(point[0]), float(point[1])) for point in data]
    if not all(isfinite(time) for time, _value in points):
        raise ValueError("a point has a time")
    return points
