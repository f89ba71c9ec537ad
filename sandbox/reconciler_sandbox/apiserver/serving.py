"""HTTP around the server's one function: aiohttp's low-level server, no router, streams flushed in batches."""

import asyncio
from collections.abc import AsyncIterator, Mapping

from aiohttp import web

from reconciler_sandbox.apiserver.failures import BODY_LIMIT, too_large
from reconciler_sandbox.apiserver.watch import WatchStream
from reconciler_sandbox.client import Call, Caller

SHUTDOWN_SECONDS = 1.0
SEND_SECONDS = 30.0
BATCH_BYTES = 256 * 1024


class Listener:
    """Serves a caller over HTTP/1.1."""

    def __init__(self, call: Caller) -> None:
        self._call = call
        self._runner: web.ServerRunner | None = None
        self.url = ""

    async def start(self, host: str, port: int) -> None:
        """Bind and listen; `url` names the port that was found for port 0."""
        self._runner = web.ServerRunner(
            web.Server(self._respond, access_log=None, handler_cancellation=True), handle_signals=False, shutdown_timeout=SHUTDOWN_SECONDS
        )
        await self._runner.setup()
        await web.TCPSite(self._runner, host, port).start()
        address = self._runner.addresses[0]
        self.url = f"http://{address[0]}:{address[1]}"

    async def stop(self) -> None:
        """Close every connection."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _respond(self, request: web.BaseRequest) -> web.StreamResponse:
        body = await _body(request)
        if body is None:
            failure = too_large()
            return web.Response(
                status=failure.code, body=failure.body(), headers={"content-type": "application/json", "connection": "close"}
            )
        headers = {name.lower(): value for name, value in request.headers.items()}
        call = Call(request.method, request.path, dict(request.query), headers, body)
        try:
            answer = await self._call(call)
        except ConnectionError:
            return _hang_up(request)
        if isinstance(answer.body, bytes):
            return web.Response(status=answer.status, body=answer.body, headers=answer.headers)
        return await _stream(request, answer.status, answer.headers, answer.body)


async def _body(request: web.BaseRequest) -> bytes | None:
    """The body; None if it is over the limit."""
    parts, size = [], 0
    async for part in request.content.iter_any():
        size += len(part)
        if size > BODY_LIMIT:
            return None
        parts.append(part)
    return b"".join(parts)


def _hang_up(request: web.BaseRequest) -> web.StreamResponse:
    """Break the connection without an answer."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=500)


async def _stream(request: web.BaseRequest, status: int, headers: Mapping[str, str], body: AsyncIterator[bytes]) -> web.StreamResponse:
    response = web.StreamResponse(status=status, headers=headers)
    response.enable_chunked_encoding()
    try:
        await response.prepare(request)
        async for part in body:
            async with asyncio.timeout(SEND_SECONDS):
                await response.write(_batch(part, body))
        await response.write_eof()
    except (ConnectionError, TimeoutError):
        return _hang_up(request)
    finally:
        close = getattr(body, "aclose", None)
        if close is not None:
            await close()
    return response


def _batch(part: bytes, body: AsyncIterator[bytes]) -> bytes:
    """What can be sent at once: a watch that has more lines ready gives them along."""
    if not isinstance(body, WatchStream):
        return part
    parts, size = [part], len(part)
    while size < BATCH_BYTES and (more := body.pending()) is not None:
        parts.append(more)
        size += len(more)
    return b"".join(parts)
