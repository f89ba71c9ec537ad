"""The sandbox's API server in process, behind the daemon's own seam."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from reconciler_sandbox.apiserver.server import ApiServer
from reconciler_sandbox.client import Answer, Call

from reconciler.kernel.errors import Transient
from reconciler.kube.transport import Request, Response


class InProcess:
    """Opens requests on an API server without a socket. A broken connection is no answer, as over HTTP."""

    def __init__(self, server: ApiServer) -> None:
        self._server = server
        self.calls: list[Call] = []

    @asynccontextmanager
    async def open(self, request: Request) -> AsyncIterator[Response]:
        headers = {name.lower(): value for name, value in request.sent_headers}
        call = Call(request.method, request.path, dict(request.query), headers, request.body)
        self.calls.append(call)
        try:
            answer = await self._server.call(call)
            response = _Answered(answer)
            try:
                yield response
            finally:
                await response.close()
        except OSError as error:
            raise Transient(f"{request.method} {request.path}: no answer: {type(error).__name__}") from error


class _Answered:
    def __init__(self, answer: Answer) -> None:
        self.status = answer.status
        self.headers: Mapping[str, str] = {name.title(): value for name, value in answer.headers.items()}
        self._body = answer.body

    async def read(self) -> bytes:
        if isinstance(self._body, bytes):
            return self._body
        return b"".join([part async for part in self._body])

    async def lines(self) -> AsyncIterator[bytes]:
        assert not isinstance(self._body, bytes), "a watch is a stream"
        async for line in self._body:
            yield line

    async def close(self) -> None:
        close = getattr(self._body, "aclose", None)
        if close is not None:
            await close()
