"""Any HTTP endpoint that answers JSON or text (contract 7.2)."""

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
from reconciler.providers.answers import failed, judged
from reconciler.providers.jsonpath import find
from reconciler.providers.metrics_client import MetricsClient, Sharing
from reconciler.providers.requests import bearer, confided, headers_of, tokens_of
from reconciler.web.client import HttpAnswer, HttpCall

DEFAULT_TIMEOUT = 10
RESPONSE_LIMIT = 8 << 20
METHODS = ("GET", "POST", "PUT")
BOTH_BODIES = "use either Body or JSONBody; both cannot exists for WebMetric payload"
BODY_WITHOUT_METHOD = "Body/JSONBody can only be used with POST or PUT WebMetric Method types"


class Web:
    """Sends one request a measurement and looks into the answer."""

    shapes: ClassVar[Shapes] = {
        "web": "url:text method:text headers[]:Header body:text jsonBody* timeoutSeconds jsonPath:text insecure authentication*"
    }

    def __init__(self, client: MetricsClient) -> None:
        self._client = client

    async def run(self, task: MeasurementTask) -> Measurement:
        config = Fields("web", task.metric.config)
        try:
            authorization = await self._authorization(config)
        except (Terminal, Transient) as error:
            return failed(task, error)
        return replace(await self._measured(task, config, authorization), secrets=tokens_of(authorization))

    async def _measured(self, task: MeasurementTask, config: Fields, authorization: Mapping[str, str]) -> Measurement:
        try:
            answer = await self._ask(config, authorization)
            result, value = read(answer.body, config.text("jsonPath") or "{$}")
        except (Terminal, Transient) as error:
            return failed(task, error)
        return judged(task, result, value, {})

    @staticmethod
    def problems(config: Manifest) -> Iterator[Problem]:
        """What can be seen before a request: the address, the method and its body."""
        if not config.get("url"):
            yield required("web.url", "the address to ask")
        try:
            _body(Fields("web", config), _method(Fields("web", config)))
        except InvalidField as error:
            yield error.problem
        except Terminal as error:
            yield Problem("web", str(error).removeprefix("web: "))

    def secrets(self, metric: Metric) -> Iterator[str]:
        yield from confided(metric.config)

    async def _ask(self, config: Fields, authorization: Mapping[str, str]) -> HttpAnswer:
        method = _method(config)
        body, kind = _body(config, method)
        headers = {**headers_of(config), **kind, **authorization}
        call = HttpCall(method=method, url=config.text("url"), headers=headers, body=body, timeout=_timeout(config), limit=RESPONSE_LIMIT)
        answer = await self._client.send(call, insecure=config.flag("insecure"), sharing=_sharing(method))
        if not 200 <= answer.status < 300:
            raise Terminal(f"received non 2xx response code: {answer.status}")
        return answer

    async def _authorization(self, config: Fields) -> dict[str, str]:
        oauth = config.under("authentication").under("oauth2")
        if not oauth.text("tokenUrl"):
            return {}
        return {"Authorization": await bearer(self._client, oauth, insecure=config.flag("insecure"), timeout=_timeout(config))}


def _sharing(method: str) -> Sharing:
    """Only what reads may be asked once for several."""
    return Sharing.IN_FLIGHT if method == "GET" else Sharing.NEVER


def _method(config: Fields) -> str:
    method = config.text("method") or "GET"
    if method not in METHODS:
        raise Terminal(f"web: method {method} is none of {', '.join(METHODS)}")
    return method


def _timeout(config: Fields) -> float:
    seconds = config.number_or("timeoutSeconds", 0)
    return float(seconds if seconds > 0 else DEFAULT_TIMEOUT)


def _body(config: Fields, method: str) -> tuple[bytes, dict[str, str]]:
    """What to send, and the header that says it is JSON."""
    text, document = config.text("body"), config.raw.get("jsonBody")
    if text and document is not None:
        raise Terminal(BOTH_BODIES)
    if not text and document is None:
        return b"", {}
    if method == "GET":
        raise Terminal(BODY_WITHOUT_METHOD)
    if document is None:
        return text.encode(), {}
    return json.dumps(document).encode(), {"Content-Type": "application/json"}


def read(body: bytes, path: str) -> tuple[Any, str]:
    """What conditions see and what people see: text as it is, of JSON the first match of the path. Raises Terminal."""
    try:
        document = json.loads(body, parse_int=float)
    except (ValueError, RecursionError):
        text = body.decode(errors="replace")
        return text, text
    matches = find(path, document)
    if not matches:
        raise Terminal(f"Could not find JSONPath in body: {path} matches nothing")
    return matches[0], written(matches[0])


def written(value: Any) -> str:
    """A decoded value as JSON text; whole numbers without a fraction."""
    try:
        return json.dumps(_whole(value), ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    except RecursionError as error:
        raise Terminal("the answer nests too deeply") from error


def _whole(value: Any) -> Any:
    if isinstance(value, float):
        return int(value) if value.is_integer() and abs(value) < 1e21 else value
    if isinstance(value, dict):
        return {key: _whole(member) for key, member in value.items()}
    return [_whole(item) for item in value] if isinstance(value, list) else value
