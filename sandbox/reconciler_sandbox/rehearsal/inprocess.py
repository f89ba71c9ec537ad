"""The transport without a wire: the daemon's requests go straight to a sandbox API server in the same event loop.

Two hooks surround every write. One that raises or never returns cuts the daemon there: `before`, nothing was sent; `after`, it was
done but nobody hears of it. Reads pass untouched.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager

from reconciler.kernel.errors import Transient
from reconciler.kube.transport import Request, Response
from reconciler_sandbox.client import Answer, Call, Caller

READS = ("GET", "HEAD")
Hook = Callable[[Request], Awaitable[None]]


async def unhindered(_: Request) -> None:
    """Let every write pass."""


class DirectTransport:
    """Opens requests on `call`, the one function of an API server. Raises Transient where a connection would have broken."""

    def __init__(self, call: Caller, *, before: Hook = unhindered, after: Hook = unhindered) -> None:
        self._call = call
        self._before = before
        self._after = after

    @asynccontextmanager
    async def open(self, request: Request) -> AsyncIterator[Response]:
        writes = request.method not in READS
        if writes:
            await self._before(request)
        answer = await self._answer(request)
        if writes:
            await self._after(request)
        try:
            yield _DirectResponse(answer, request)
        finally:
            await _close(answer)

    async def _answer(self, request: Request) -> Answer:
        headers = {name.lower(): value for name, value in request.sent_headers}
        try:
            async with asyncio.timeout(request.timeout):
                return await self._call(Call(request.method, request.path, request.query, headers, request.body))
        except (TimeoutError, OSError) as error:
            raise _no_answer(request, error) from error


class _DirectResponse:
    def __init__(self, answer: Answer, request: Request) -> None:
        self.status = answer.status
        self.headers: Mapping[str, str] = {name.title(): value for name, value in answer.headers.items()}
        self._body = answer.body
        self._request = request

    async def read(self) -> bytes:
        if isinstance(self._body, bytes):
            return self._body
        return b"".join([part async for part in self._parts(self._body)])

    async def lines(self) -> AsyncIterator[bytes]:
        parts = self._parts(_once(self._body) if isinstance(self._body, bytes) else self._body)
        async for part in parts:
            for line in part.split(b"\n"):
                if line:
                    yield line

    async def _parts(self, stream: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        try:
            async for part in stream:
                yield part
        except OSError as error:
            raise _no_answer(self._request, error) from error


async def _once(body: bytes) -> AsyncIterator[bytes]:
    yield body


async def _close(answer: Answer) -> None:
    """End the stream of an answer: the server forgets the watch."""
    close = None if isinstance(answer.body, bytes) else getattr(answer.body, "aclose", None)
    if close is not None:
        await close()


def _no_answer(request: Request, error: Exception) -> Transient:
    return Transient(f"no answer to {request.method} {request.path}: {error or type(error).__name__}")
