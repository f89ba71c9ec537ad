"""A reverse proxy on loopback between the daemon and one system, so that a story can delay, refuse or cut what passes."""

import ssl
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import aiohttp
from aiohttp import web

from reconciler_sandbox.githost.faults import Faults

OWN_HEADERS = frozenset({"host", "connection", "transfer-encoding", "content-length", "content-encoding", "keep-alive"})


@dataclass(frozen=True, slots=True)
class Tls:
    """How a proxy shows itself to those who connect, and whom it trusts upstream."""

    serving: ssl.SSLContext
    trusting: ssl.SSLContext


class Proxy:
    """Passes everything on to `upstream`, except what `faults` say. With `tls` both sides are encrypted."""

    def __init__(self, upstream: str, *, tls: Tls | None = None) -> None:
        self.faults = Faults()
        self._upstream = upstream
        self._tls = tls
        self._session: aiohttp.ClientSession | None = None
        self._runner: web.ServerRunner | None = None

    async def __aenter__(self) -> Self:
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=10)
        connector = aiohttp.TCPConnector(limit=0, ssl=self._tls.trusting if self._tls else True)
        self._session = aiohttp.ClientSession(timeout=timeout, auto_decompress=False, connector=connector)
        self._runner = web.ServerRunner(web.Server(self._serve, access_log=None), shutdown_timeout=0.5)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0, ssl_context=self._tls.serving if self._tls else None).start()
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._runner:
            await self._runner.cleanup()
        if self._session:
            await self._session.close()

    @property
    def url(self) -> str:
        """Where it listens."""
        assert self._runner is not None
        host, port = self._runner.addresses[0][:2]
        return f"{'https' if self._tls else 'http'}://{host}:{port}"

    async def _serve(self, request: web.BaseRequest) -> web.StreamResponse:
        refused = await self.faults.meet(request)
        if refused is not None:
            return refused
        try:
            return await self._pass_on(request)
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            return web.Response(status=502, text=f"the system behind does not answer: {type(error).__name__}\n")

    async def _pass_on(self, request: web.BaseRequest) -> web.StreamResponse:
        assert self._session is not None
        headers = {name: value for name, value in request.headers.items() if name.lower() not in OWN_HEADERS}
        address = self._upstream + request.path_qs
        async with self._session.request(
            request.method, address, headers=headers, data=await request.read() or None, allow_redirects=False
        ) as answer:
            lost = await self.faults.meet(request, after=True)
            return lost if lost is not None else await self._stream(request, answer)

    async def _stream(self, request: web.BaseRequest, answer: aiohttp.ClientResponse) -> web.StreamResponse:
        """Pass an answer on as it comes. What breaks off there breaks off here: an answer that began cannot become another one."""
        kept = {name: value for name, value in answer.headers.items() if name.lower() not in OWN_HEADERS - {"content-encoding"}}
        response = web.StreamResponse(status=answer.status, headers=kept)
        await response.prepare(request)
        try:
            await self._copy(request, answer, response)
            await response.write_eof()
        except (aiohttp.ClientError, OSError):
            if request.transport is not None:
                request.transport.abort()
        return response

    async def _copy(self, _: web.BaseRequest, answer: aiohttp.ClientResponse, response: web.StreamResponse) -> None:
        """The body, until it ends."""
        async for chunk in answer.content.iter_any():
            await response.write(chunk)
