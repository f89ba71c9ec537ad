"""Our own endpoints on aiohttp.web, patient with no client: connections, headers and bodies all have an end.

aiohttp waits for the rest of a request for as long as its client likes; a `_Connection` stands before it and does not.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import cast

import structlog
from aiohttp import web

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
SILENT = logging.CRITICAL + 1
BODILESS = ("GET", "HEAD", "OPTIONS")
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Route:
    """One endpoint: a path of aiohttp's router, `{name}` is a variable; GET answers HEAD too."""

    method: str
    path: str
    handler: Handler


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one client, and all clients together, may take; times in seconds, sizes in bytes."""

    connections: int = 256
    head_seconds: float = 10.0
    idle_seconds: float = 75.0
    body_seconds: float = 20.0
    body: int = 5 << 20
    bodies: int = 8
    """How many bodies are read at once, before it is known who sends them."""
    headers: int = 100
    unanswered: int = 1 << 20
    """How much a connection may send before its request is understood."""


@asynccontextmanager
async def listening(routes: Sequence[Route], host: str, port: int, limits: Limits | None = None) -> AsyncIterator[str]:
    """Serve routes while entered; the value is the address, without a slash at the end. Raises OSError when it cannot be had."""
    door = _Door(limits or Limits())
    application = web.Application(client_max_size=door.limits.body, middlewares=[door.middleware])
    for route in routes:
        application.router.add_route(route.method, route.path, route.handler)
        if route.method == "GET":
            application.router.add_route("HEAD", route.path, route.handler)
    application.on_response_prepare.append(_headers)
    # Bugs of handlers are logged by us; what is left for aiohttp to log are the tracebacks of whoever sends no HTTP.
    runner = web.AppRunner(application, access_log=None, logger=logging.Logger("silent", SILENT), shutdown_timeout=2.0)
    await runner.setup()
    try:
        server = await asyncio.get_running_loop().create_server(lambda: door.connection(runner), host, port)
        try:
            address, chosen = server.sockets[0].getsockname()[:2]
            yield f"http://[{address}]:{chosen}" if ":" in address else f"http://{address}:{chosen}"
        finally:
            server.close()
    finally:
        await runner.cleanup()


class _Door:
    """Knows every connection, and which of them are being answered."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.held: dict[asyncio.BaseProtocol, _Connection] = {}
        self._bodies = asyncio.Semaphore(limits.bodies)

    def connection(self, runner: web.AppRunner) -> "_Connection":
        assert runner.server is not None, "it is set up"
        return _Connection(self, cast(asyncio.Protocol, runner.server()))

    def make_room(self) -> bool:
        """Room for one more: of a crowd that waits, the one that waited longest leaves, so that probes still come through."""
        if len(self.held) < self.limits.connections:
            return True
        waiting = next((held for held in self.held.values() if not held.answering), None)
        if waiting is not None:
            waiting.close()
        return waiting is not None

    @web.middleware
    async def middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        with self._answering(request):
            if len(request.headers) > self.limits.headers:
                return web.Response(status=431, text="too many headers\n", headers={"Connection": "close"})
            refused = None if request.method in BODILESS else await self._read(request)
            return refused or await _answered(request, handler)

    @contextmanager
    def _answering(self, request: web.Request) -> Iterator[None]:
        held = self.held.get(cast(asyncio.BaseProtocol, request.protocol))
        if held is None:
            yield
            return
        held.begin()
        try:
            yield
        finally:
            held.end()

    async def _read(self, request: web.Request) -> web.Response | None:
        """Read the whole body, which the request then keeps; an answer when that is not to be had."""
        if self._bodies.locked():
            return _refused(503, "busy: try again", {"Retry-After": "5"})
        try:
            async with self._bodies, asyncio.timeout(self.limits.body_seconds):
                await request.read()
        except web.HTTPRequestEntityTooLarge:
            return _refused(413, "the body is too large")
        except TimeoutError:
            return _refused(408, "the body did not arrive in time")
        except (web.RequestPayloadError, ConnectionError, ValueError):
            return _refused(400, "the body cannot be read")
        return None


class _Connection(asyncio.Protocol):
    """Stands between one socket and aiohttp, and ends what keeps it waiting."""

    def __init__(self, door: _Door, inner: asyncio.Protocol) -> None:
        self.answering = False
        self._door = door
        self._inner = inner
        self._transport: asyncio.Transport | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._unanswered = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        if not self._door.make_room():
            self._transport.abort()
            return
        self._door.held[self._inner] = self
        self._inner.connection_made(transport)
        self._wait(self._door.limits.head_seconds)

    def data_received(self, data: bytes) -> None:
        if self._inner not in self._door.held:
            return
        if not self.answering:
            if not self._unanswered:
                self._wait(self._door.limits.head_seconds)
            self._unanswered += len(data)
            if self._unanswered > self._door.limits.unanswered:
                self.close()
                return
        self._inner.data_received(data)

    def eof_received(self) -> bool | None:
        return self._inner.eof_received() if self._inner in self._door.held else None

    def connection_lost(self, error: Exception | None) -> None:
        self._still()
        if self._door.held.pop(self._inner, None) is not None:
            self._inner.connection_lost(error)

    def pause_writing(self) -> None:
        self._inner.pause_writing()

    def resume_writing(self) -> None:
        self._inner.resume_writing()

    def begin(self) -> None:
        """A request was understood and is being answered."""
        self._still()
        self.answering, self._unanswered = True, 0

    def end(self) -> None:
        self.answering = False
        if self._inner in self._door.held:
            # It leaves the queue of those who wait for its first request, and joins at the end.
            self._door.held[self._inner] = self._door.held.pop(self._inner)
            self._wait(self._door.limits.idle_seconds)

    def close(self) -> None:
        """End it now, without an answer."""
        if self._transport is not None:
            self._transport.abort()
        self.connection_lost(None)

    def _wait(self, seconds: float) -> None:
        self._still()
        self._timer = asyncio.get_running_loop().call_later(seconds, self.close)

    def _still(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


async def _answered(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except web.HTTPException as answer:
        return web.Response(
            status=answer.status, text=f"{answer.reason}\n", headers={k: v for k, v in answer.headers.items() if k == "Allow"}
        )
    except Exception as error:  # the last line of defence: a bug in one endpoint must not close the connection without an answer
        log.error("a bug: endpoint failed", method=request.method, path=request.path, exc_info=error)
        return web.Response(status=500, text="internal error\n")


def _refused(status: int, words: str, headers: dict[str, str] | None = None) -> web.Response:
    """An answer after which the rest of what is being sent is not read."""
    return web.Response(status=status, text=f"{words}\n", headers={"Connection": "close", **(headers or {})})


async def _headers(_: web.Request, response: web.StreamResponse) -> None:
    response.headers.pop("Server", None)
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
