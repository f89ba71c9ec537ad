"""The daemon's HTTP client without a wire: one Prometheus in process, a forge and an inbox, and nobody else."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import parse_qsl, unquote_to_bytes

import httpx
import orjson

from reconciler_sandbox.metrics.api import Json, failure, instant_document, moment, parameter, range_document, step, success
from reconciler_sandbox.metrics.promql.evaluate import instant, is_range, over_range
from reconciler_sandbox.metrics.promql.values import BadQuery, ExecutionFailed
from reconciler_sandbox.metrics.store import Store
from reconciler_sandbox.rehearsal.virtual.loop import virtual_now

PROMETHEUS = "http://prometheus.simulated"
ANSWERS = 0.02
"""Seconds until an answer."""


class Illness(StrEnum):
    """What is wrong with a server."""

    NONE = "none"
    AWAY = "away"
    BROKEN = "broken"
    SILENT = "silent"
    EMPTY = "empty"
    NONSENSE = "nonsense"
    STALE = "stale"
    """It answers, and takes in nothing new."""


Answering = Callable[[httpx.Request, bytes], httpx.Response]


@dataclass(slots=True)
class Server:
    """One server beside the provider, and what is wrong with it."""

    answer: Answering
    illness: Illness = Illness.NONE

    async def respond(self, request: httpx.Request) -> httpx.Response:
        """One answer. Raises ConnectError while it is away."""
        if self.illness is Illness.AWAY:
            raise httpx.ConnectError(f"nobody listens at {request.url.host}", request=request)
        if self.illness is Illness.SILENT:
            await asyncio.Event().wait()
        await asyncio.sleep(ANSWERS)
        if self.illness is Illness.BROKEN:
            return httpx.Response(502, content=b"<html>bad gateway</html>", request=request)
        if self.illness is Illness.EMPTY:
            return httpx.Response(403, content=b'{"message": "Resource not accessible"}', request=request)
        answer = self.answer(request, await request.aread())
        if self.illness is Illness.NONSENSE:
            return httpx.Response(200, content=b'{"message": "welcome"}', request=request)  # and it was done
        return answer


class MemoryHttp(httpx.AsyncBaseTransport):
    """Answers queries from a store of samples that `advance` brings up to date; `servers` answer for their own addresses."""

    def __init__(self, store: Store, advance: Callable[[], None], servers: Mapping[str, Server]) -> None:
        self._store = store
        self._advance = advance
        self._servers = servers
        self.illness = Illness.NONE

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """One request. Raises ConnectError for any other address."""
        server = self._servers.get(f"{request.url.scheme}://{request.url.host}")
        if server is not None:
            return await server.respond(request)
        if not str(request.url).startswith(PROMETHEUS) or self.illness is Illness.AWAY:
            raise httpx.ConnectError(f"nobody listens at {request.url.host}", request=request)
        if self.illness is Illness.SILENT:
            await asyncio.Event().wait()
        await asyncio.sleep(ANSWERS)
        if self.illness is Illness.BROKEN:
            asked = await request.aread() + request.url.query  # some proxies say what they could not pass on
            return httpx.Response(503, content=b"upstream connect error: " + unquote_to_bytes(asked), request=request)
        fields = dict(parse_qsl(request.url.query.decode(), keep_blank_values=True))
        fields |= dict(parse_qsl((await request.aread()).decode(), keep_blank_values=True))
        status, document = self._answer(request.url.path, fields)
        return httpx.Response(status, content=orjson.dumps(document), headers={"Content-Type": "application/json"}, request=request)

    def _answer(self, path: str, fields: dict[str, str]) -> tuple[int, Json]:
        now = int(virtual_now().timestamp() * 1000)
        if self.illness is Illness.EMPTY:
            return 200, success("vector", [])
        if self.illness is Illness.NONSENSE:
            return 200, success("vector", [{"metric": {}, "value": [now / 1000, "NaN"]}])
        if self.illness is not Illness.STALE:
            self._advance()
        try:
            return 200, self._evaluated(path, fields, now)
        except BadQuery as refusal:
            return 400, failure("bad_data", str(refusal))
        except ExecutionFailed as refusal:
            return 422, failure("execution", str(refusal))

    def _evaluated(self, path: str, fields: dict[str, str], now: int) -> Json:
        query = parameter(fields, "query")
        if path.endswith("query_range"):
            start, end = (moment(parameter(fields, name), name) for name in ("start", "end"))
            return range_document(over_range(self._store, query, start, end, step(parameter(fields, "step"))))
        at = moment(fields["time"], "time") if fields.get("time") else now
        return instant_document(instant(self._store, query, at), at, matrix=is_range(query))
