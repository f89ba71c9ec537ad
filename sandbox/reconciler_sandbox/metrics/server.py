"""Prometheus's HTTP API on loopback: /api/v1/query and /api/v1/query_range by GET and POST, /-/ready, /-/healthy."""

from collections.abc import Awaitable, Callable, Mapping

import orjson
from aiohttp import web

from reconciler_sandbox.metrics.api import Json, failure, instant_document, moment, parameter, range_document, step
from reconciler_sandbox.metrics.promql.evaluate import instant, is_range, over_range
from reconciler_sandbox.metrics.promql.values import BadQuery, ExecutionFailed
from reconciler_sandbox.metrics.store import Store

LOOPBACK = "127.0.0.1"
GRACE_SECONDS = 1.0
Answer = Callable[[web.Request], Awaitable[web.Response]]


class Server:
    """Answers queries about one store; `url` is known once started."""

    def __init__(self, store: Store, now: Callable[[], float]) -> None:
        self._store = store
        self._now = now
        self._runner = web.AppRunner(self._application(), access_log=None, shutdown_timeout=GRACE_SECONDS)
        self.url = ""

    async def start(self) -> None:
        """Listen on a free loopback port."""
        await self._runner.setup()
        await web.TCPSite(self._runner, LOOPBACK, 0).start()
        host, port = self._runner.addresses[0][:2]
        self.url = f"http://{host}:{port}"

    async def stop(self) -> None:
        await self._runner.cleanup()

    def _application(self) -> web.Application:
        application = web.Application()
        for method in ("GET", "POST"):
            application.router.add_route(method, "/api/v1/query", self._answering(self._query))
            application.router.add_route(method, "/api/v1/query_range", self._answering(self._query_range))
        application.router.add_get("/-/ready", _alive)
        application.router.add_get("/-/healthy", _alive)
        return application

    def _answering(self, compute: Callable[[Mapping[str, str]], Json]) -> Answer:
        """Parameters come from the URL and, by POST, from a form; refusals have Prometheus's shapes."""

        async def answer(request: web.Request) -> web.Response:
            form = await request.post() if request.method == "POST" else {}
            parameters = {**request.query, **{name: str(value) for name, value in form.items()}}
            try:
                return _document(200, compute(parameters))
            except BadQuery as refusal:
                return _document(400, failure("bad_data", str(refusal)))
            except ExecutionFailed as refusal:
                return _document(422, failure("execution", str(refusal)))

        return answer

    def _query(self, parameters: Mapping[str, str]) -> Json:
        time = moment(parameters["time"], "time") if parameters.get("time") else int(self._now() * 1000)
        query = parameter(parameters, "query")
        return instant_document(instant(self._store, query, time), time, matrix=is_range(query))

    def _query_range(self, parameters: Mapping[str, str]) -> Json:
        start, end = (moment(parameter(parameters, name), name) for name in ("start", "end"))
        query, width = parameter(parameters, "query"), step(parameter(parameters, "step"))
        return range_document(over_range(self._store, query, start, end, width))


async def _alive(request: web.Request) -> web.Response:
    return web.Response(text="Ready.\n")


def _document(status: int, document: Json) -> web.Response:
    return web.Response(status=status, body=orjson.dumps(document), content_type="application/json")
