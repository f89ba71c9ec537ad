"""The program inside a long-running container: an HTTP server that behaves as its image says and remembers what it served."""

import asyncio
from collections import Counter
from dataclasses import dataclass

from aiohttp import web

from reconciler_sandbox.node.behaviour import Behaviour, Behaviours, ErrorPattern

PROBE_AGENT = "kube-probe/"
FINISH_TIMEOUT = 5.0


@dataclass(frozen=True, slots=True)
class Identity:
    """Whose server it is."""

    namespace: str
    pod: str
    image: str


@dataclass(frozen=True, slots=True)
class Served:
    """One kind of answered request; `tagged` says whether it carried a tester's header."""

    path: str
    status: int
    tagged: bool


class PodServer:
    """Serves one container's ports on the pod's address. Probes are answered but not counted."""

    def __init__(self, identity: Identity, behaviours: Behaviours, tester_headers: tuple[str, ...]) -> None:
        self.served: Counter[Served] = Counter()
        self._identity = identity
        self._behaviours = behaviours
        self._tester_headers = tester_headers
        self._pattern = ErrorPattern(f"{identity.namespace}/{identity.pod}")
        self._listeners: list[asyncio.Server] = []
        self._server: web.Server | None = None
        self._stopping = asyncio.Event()
        self.in_flight = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self._started = 0.0
        self._last = Behaviour("")

    async def start(self, address: str, ports: tuple[int, ...]) -> None:
        """Listen. Raises OSError when a port is taken or not allowed; whatever comes of it, `stop` closes what is open."""
        loop = asyncio.get_running_loop()
        self._started = loop.time()
        self._server = web.Server(self._answer, handler_cancellation=True, access_log=None)
        for port in ports:
            # Served only once it is ours to close: the wait for the first turn of the loop may be cancelled.
            listener = await loop.create_server(self._server, address, port, start_serving=False)
            self._listeners.append(listener)
            await listener.start_serving()

    async def stop(self) -> None:
        """Take no new connection, let requests in flight finish (5 seconds at most), then close."""
        for listener in self._listeners:
            listener.close()
        self._stopping.set()
        try:
            async with asyncio.timeout(FINISH_TIMEOUT):
                await self._idle.wait()
        except TimeoutError:
            pass
        finally:
            if self._server is not None:
                await self._server.shutdown(0.1)
            self._listeners.clear()

    def _is_warm(self, behaviour: Behaviour) -> bool:
        return asyncio.get_running_loop().time() - self._started >= behaviour.ready_after

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        self.in_flight += 1
        self._idle.clear()
        try:
            return await self._respond(request)
        finally:
            self.in_flight -= 1
            if not self.in_flight:
                self._idle.set()

    async def _respond(self, request: web.BaseRequest) -> web.StreamResponse:
        behaviour = self._last = self._behaviours.get(self._identity.image, self._last)
        if behaviour.hang:
            await self._hang(request)
        if behaviour.latency:
            await asyncio.sleep(behaviour.latency)
        if request.headers.get("User-Agent", "").startswith(PROBE_AGENT):
            return self._probe_answer(behaviour, request.path)
        failed = self._pattern.next_fails(behaviour, request.path)
        response = self._response(behaviour, failed)
        if self._stopping.is_set():
            response.force_close()
        tagged = any(name in request.headers for name in self._tester_headers)
        self.served[Served(request.path, response.status, tagged)] += 1
        return response

    async def _hang(self, request: web.BaseRequest) -> None:
        await self._stopping.wait()
        if request.transport is not None:
            request.transport.abort()

    def _probe_answer(self, behaviour: Behaviour, path: str) -> web.Response:
        broken = any(rate >= 1 and path.startswith(prefix) for prefix, rate in behaviour.error_rate_by_path.items())
        ready = self._is_warm(behaviour) and not broken
        return web.json_response({"ready": ready}, status=200 if ready else 503)

    def _response(self, behaviour: Behaviour, failed: bool) -> web.Response:
        body = {"version": behaviour.version, "pod": self._identity.pod, "image": self._identity.image}
        if not failed:
            return web.json_response(body)
        if behaviour.grpc_error:
            return web.Response(status=200, content_type="application/grpc", headers={"grpc-status": "13", "grpc-message": "internal"})
        return web.json_response(body, status=behaviour.error_status)
