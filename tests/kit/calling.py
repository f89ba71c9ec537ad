"""The sandbox's client over HTTP: to its own server, or to a real one that its nodes are attached to."""

import io
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
from reconciler_sandbox.client import CALL_TIMEOUT, WATCH_SECONDS, Answer, ApiError, Call, Caller, unreachable


@asynccontextmanager
async def http_caller(base_url: str, *, token: str = "", ca_file: str | None = None) -> AsyncIterator[Caller]:
    """A caller over HTTP to the server at `base_url`; its connections end with the context."""
    headers = {"authorization": f"Bearer {token}"} if token else {}
    tls = ssl.create_default_context(cafile=ca_file) if ca_file else True
    connector = aiohttp.TCPConnector(limit=0, ssl=tls)
    async with aiohttp.ClientSession(base_url, headers=headers, connector=connector, auto_decompress=True) as session:

        async def call(request: Call) -> Answer:
            return await _send(session, request)

        yield call


async def _send(session: aiohttp.ClientSession, call: Call) -> Answer:
    watching = call.query.get("watch") in ("true", "1")
    timeout = aiohttp.ClientTimeout(
        total=None if watching else CALL_TIMEOUT, sock_connect=CALL_TIMEOUT, sock_read=WATCH_SECONDS + CALL_TIMEOUT
    )
    try:
        response = await session.request(
            call.method,
            call.path,
            params=call.query,
            headers=call.headers,
            data=io.BytesIO(call.body) if call.body else None,
            timeout=timeout,
        )
        if watching and response.status == 200:
            return Answer(response.status, dict(response.headers), _lines(response))
        async with response:
            return Answer(response.status, dict(response.headers), await response.read())
    except (aiohttp.ClientError, OSError, TimeoutError) as error:
        raise unreachable(call, error) from error


async def _lines(response: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
    """The lines of a watch; they may be longer than the reader's own limit for a line."""
    pending = b""
    try:
        async for part in response.content.iter_any():
            *lines, pending = (pending + part).split(b"\n")
            for line in lines:
                yield line
    except (aiohttp.ClientError, OSError, TimeoutError) as error:
        raise ApiError(503, "Unreachable", f"the watch was cut: {type(error).__name__}") from error
    finally:
        response.close()
