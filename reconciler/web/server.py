"""Our own endpoints: a small HTTP server with one handler per method and path."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

import structlog
from aiohttp import web

BODY_LIMIT = 25 << 20
BODY_TIMEOUT = 30.0

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Incoming:
    """One request, read to its end; header names are lower case."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Reply:
    """What a handler answers."""

    status: int = 200
    body: bytes = b""
    content_type: str = "text/plain; charset=utf-8"
    headers: Mapping[str, str] = field(default_factory=dict)


Handler = Callable[[Incoming], Awaitable[Reply]]
Routes = Mapping[tuple[str, str], Handler]
"""Handlers by (method, exact path); a path with GET also answers HEAD."""


class Server:
    """Serves routes on one address, loopback unless told otherwise; a handler's exception is a 500 without details."""

    def __init__(self, routes: Routes, *, host: str = "127.0.0.1", port: int = 0, body_limit: int = BODY_LIMIT) -> None:
        self._routes = dict(routes)
        self._host = host
        self._port = port
        self._body_limit = body_limit
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        """Listen; port 0 takes any free one, see `url`."""
        application = web.Application(client_max_size=self._body_limit)
        application.router.add_route("*", "/{path:.*}", self._serve)
        application.on_response_prepare.append(_without_banner)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=2.0)
        await self._runner.setup()
        await web.TCPSite(self._runner, self._host, self._port).start()

    async def stop(self) -> None:
        """Finish requests under way for two seconds, then close every connection."""
        if self._runner:
            await self._runner.cleanup()

    @property
    def url(self) -> str:
        """The address we listen on, without a slash at the end; only while started."""
        if self._runner is None:
            raise RuntimeError("the server is asked for its address before it is started")
        host, port = self._runner.addresses[0][:2]
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        handler = self._routes.get(("GET" if request.method == "HEAD" else request.method, request.path))
        if handler is None:
            return self._unknown(request.path)
        try:
            body = await asyncio.wait_for(request.read(), BODY_TIMEOUT)
        except web.HTTPRequestEntityTooLarge:
            return web.Response(status=413, text="the body is too large\n")
        except TimeoutError:
            return web.Response(status=408, text="the body did not arrive in time\n")
        headers = {name.lower(): value for name, value in request.headers.items()}
        return _written(await self._answered(handler, Incoming(request.method, request.path, dict(request.query), headers, body)))

    def _unknown(self, path: str) -> web.Response:
        allowed = sorted(method for method, known in self._routes if known == path)
        if allowed:
            return web.Response(status=405, text="method not allowed\n", headers={"Allow": ", ".join(allowed)})
        return web.Response(status=404, text="not found\n")

    async def _answered(self, handler: Handler, incoming: Incoming) -> Reply:
        try:
            return await handler(incoming)
        except Exception as error:  # the last line of defence: a bug in one endpoint must not close the connection without an answer
            log.error("a bug: endpoint failed", method=incoming.method, path=incoming.path, exc_info=error)
            return Reply(500, b"internal error\n")


def _written(reply: Reply) -> web.Response:
    headers = {"Content-Type": reply.content_type, "X-Content-Type-Options": "nosniff", **reply.headers}
    return web.Response(status=reply.status, body=reply.body, headers=headers)


async def _without_banner(_: web.Request, response: web.StreamResponse) -> None:
    response.headers.pop("Server", None)
