"""Any HTTP endpoint that answers JSON or text (contract 7.2)."""

import json
from typing import Any

import httpx

from reconciler.analysis.model import Measurement
from reconciler.analysis.provider import MeasurementTask
from reconciler.kernel.errors import Terminal, Transient
from reconciler.kernel.fields import Fields
from reconciler.providers.answers import ended, failed, judged
from reconciler.providers.jsonpath import find
from reconciler.providers.requests import bearer, headers_of, send
from reconciler.web.client import HttpAnswer, HttpCall

DEFAULT_TIMEOUT = 10
RESPONSE_LIMIT = 8 << 20
METHODS = ("GET", "POST", "PUT")
BOTH_BODIES = "use either Body or JSONBody; both cannot exists for WebMetric payload"
BODY_WITHOUT_METHOD = "Body/JSONBody can only be used with POST or PUT WebMetric Method types"


class Web:
    """Sends one request a measurement and looks into the answer."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def run(self, task: MeasurementTask) -> Measurement:
        try:
            config = Fields("web", task.metric.config)
            answer = await self._ask(config)
            result, value = read(answer.body, config.text("jsonPath") or "{$}")
        except (Terminal, Transient) as error:
            return failed(task, error)
        return judged(task, result, value, {})

    async def resume(self, task: MeasurementTask, measurement: Measurement) -> Measurement:
        """A request is never left unfinished; one that is was begun by another program."""
        return await self.run(task)

    async def terminate(self, task: MeasurementTask, measurement: Measurement) -> Measurement:
        return ended(task, measurement)

    async def _ask(self, config: Fields) -> HttpAnswer:
        method = config.text("method") or "GET"
        if method not in METHODS:
            raise Terminal(f"web: method {method} is none of {', '.join(METHODS)}")
        body, kind = _body(config, method)
        seconds = config.number_or("timeoutSeconds", 0)
        timeout = float(seconds if seconds > 0 else DEFAULT_TIMEOUT)
        headers = {**headers_of(config), **kind, **await self._authorization(config, timeout)}
        call = HttpCall(method=method, url=config.text("url"), headers=headers, body=body, timeout=timeout, limit=RESPONSE_LIMIT)
        answer = await send(self._client, call, insecure=config.flag("insecure"))
        if not 200 <= answer.status < 300:
            raise Terminal(f"received non 2xx response code: {answer.status}")
        return answer

    async def _authorization(self, config: Fields, timeout: float) -> dict[str, str]:
        oauth = config.under("authentication").under("oauth2")
        if not oauth.text("tokenUrl"):
            return {}
        return {"Authorization": await bearer(self._client, oauth, insecure=config.flag("insecure"), timeout=timeout)}


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
