"""The transport over HTTP: one kept-open aiohttp session against any cluster."""

import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Self

import aiohttp
from aiohttp.abc import AbstractStreamWriter
from yarl import URL

from reconciler.kernel.errors import Transient
from reconciler.kube.authorization import Authorization
from reconciler.kube.transport import Request, Response

LIMIT = 64
UNAUTHORIZED = 401
LINE_LIMIT = 16 << 20


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a cluster answers and how we prove who we are. `authorization` is asked again and again: tokens rotate."""

    server: str
    authorization: Callable[[], Awaitable[str]]
    tls: ssl.SSLContext | None = None


class _HttpResponse:
    def __init__(self, answer: aiohttp.ClientResponse) -> None:
        self.status = answer.status
        self.headers: Mapping[str, str] = answer.headers
        self._answer = answer

    async def read(self) -> bytes:
        return await self._answer.read()

    async def lines(self) -> AsyncIterator[bytes]:
        rest = b""
        async for chunk in self._answer.content.iter_any():
            *whole, rest = (rest + chunk).split(b"\n")
            if len(rest) > LINE_LIMIT:
                raise Transient("a watch event larger than 16 MiB: the stream is not trusted any further")
            for line in whole:
                if line:
                    yield line


class _Permitted(aiohttp.BytesPayload):
    """A body that asks once more as it is sent: tokens and connections take their time, and a lease does not wait for them."""

    def __init__(self, body: bytes, permit: Callable[[], None]) -> None:
        super().__init__(body)
        self._permit = permit

    async def write_with_length(self, writer: AbstractStreamWriter, content_length: int | None) -> None:
        self._permit()
        await super().write_with_length(writer, content_length)


class HttpTransport:
    """Opens requests on one session; use it as `async with`."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._authorization = Authorization(endpoint.authorization)
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        connector = aiohttp.TCPConnector(limit=LIMIT, ssl=self._endpoint.tls if self._endpoint.tls is not None else True)
        self._session = aiohttp.ClientSession(connector=connector, auto_decompress=True)
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._session:
            await self._session.close()

    @asynccontextmanager
    async def open(self, request: Request) -> AsyncIterator[Response]:
        """One answer. A request whose token is refused was not carried out: it is sent once more if there is another token."""
        async with AsyncExitStack() as stack:
            try:
                header = await self._authorization.header()
                answer = await stack.enter_async_context(self._sent(request, header))
                if answer.status == UNAUTHORIZED and (other := await self._authorization.instead_of(header)) != header:
                    await stack.aclose()
                    answer = await stack.enter_async_context(self._sent(request, other))
                yield _HttpResponse(answer)
            except (TimeoutError, aiohttp.ClientError) as error:
                if isinstance(error.__cause__, Transient):
                    raise error.__cause__ from None
                raise Transient(
                    f"{self._endpoint.server}: no answer to {request.method} {request.path}: {str(error) or type(error).__name__}"
                ) from error

    def _sent(self, request: Request, authorization: str) -> AbstractAsyncContextManager[aiohttp.ClientResponse]:
        if self._session is None:
            raise RuntimeError("the transport is used before it is entered")
        return self._session.request(
            request.method,
            URL(self._endpoint.server.rstrip("/") + request.path, encoded=True).with_query(dict(request.query)),
            headers=_headers(request, authorization),
            data=_Permitted(request.body, request.permit) if request.permit else request.body,
            timeout=aiohttp.ClientTimeout(total=request.timeout, connect=10),
            allow_redirects=False,
        )


def _headers(request: Request, authorization: str) -> list[tuple[str, str]]:
    return [*([("Authorization", authorization)] if authorization else []), *request.sent_headers]
