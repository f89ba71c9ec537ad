"""Our own HTTP endpoints: health, readiness, metrics and — only with a secret — webhooks. Nothing here writes without a signature."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

from aiohttp import web

from reconciler.app.settings.model import Settings
from reconciler.app.telemetry import Telemetry
from reconciler.app.webhooks import Webhooks
from reconciler.forges.registry import WEBHOOKS
from reconciler.kernel.errors import Terminal
from reconciler.kernel.unusable import reason_of
from reconciler.runtime.engine import Engine
from reconciler.web.listener import Route, listening
from reconciler.web.webhook import Hint

Hinted = Callable[[Hint], int]
Notes = Callable[[], Sequence[str]]
"""What a person should mend although we go on, one line each: the detail of `/readyz`."""
EXPOSITION = "text/plain; version=0.0.4; charset=utf-8"


class Endpoints:
    """Serves `/healthz`, `/readyz`, `/metrics` and, if configured, `/webhook` on the address of the settings; `more` routes beside them."""

    def __init__(self, settings: Settings, telemetry: Telemetry, engine: Engine, hinted: Hinted, notes: Notes) -> None:
        self._settings = settings
        self._telemetry = telemetry
        self._engine = engine
        self._hinted = hinted
        self._notes = notes
        self._scraping = asyncio.Lock()
        self._webhooks = Webhooks(tuple(WEBHOOKS.values()), self._secret)

    async def run(self, more: Sequence[Route] = ()) -> None:
        """Serve until cancelled."""
        host, port = address_of(self._settings.listen)
        try:
            async with listening((*self.routes(), *more), host, port):
                await asyncio.Event().wait()
        except OSError as error:
            raise Terminal(f"listen: {self._settings.listen} cannot be used: {reason_of(error)}; choose another address") from error

    def routes(self) -> tuple[Route, ...]:
        """What we answer, as data."""
        webhook = (Route("POST", "/webhook", self._hook),) if self._settings.webhook_secret_file else ()
        return (
            Route("GET", "/healthz", _healthz),
            Route("GET", "/readyz", self._readyz),
            Route("GET", "/metrics", self._metrics),
            *webhook,
        )

    async def _readyz(self, _: web.Request) -> web.Response:
        if not self._engine.ready.is_set():
            return web.Response(status=503, text="not leading, or not every informer has listed yet\n")
        return web.Response(text="".join(f"{line}\n" for line in ("ready", *self._notes())))

    async def _metrics(self, _: web.Request) -> web.Response:
        self._telemetry.ready_keys.set(len(self._engine.queue))
        async with self._scraping:  # one at a time, and beside the passes: a large fleet takes a second or two to write down
            body = await asyncio.to_thread(self._telemetry.text)
        return web.Response(body=body, headers={"Content-Type": EXPOSITION})

    async def _hook(self, request: web.Request) -> web.Response:
        verdict = self._webhooks.receive(request.headers, await request.read())
        if verdict.hint is not None:
            self._hinted(verdict.hint)
        return web.Response(status=verdict.status, text=f"{verdict.message}\n")

    def _secret(self) -> bytes:
        try:
            return Path(self._settings.webhook_secret_file).read_bytes().strip()
        except OSError:
            return b""


async def _healthz(_: web.Request) -> web.Response:
    return web.Response(text="ok\n")


def address_of(listen: str, field: str = "listen") -> tuple[str, int]:
    """Host and port of `host:port`; without a host only this machine is meant. Raises Terminal for anything else."""
    host, _, port = listen.rpartition(":")
    if not (port.isascii() and port.isdigit()) or int(port) > 65535:
        raise Terminal(f"{field}: {listen!r} is not host:port; write for example 127.0.0.1:8090")
    return host.strip("[]") or "127.0.0.1", int(port)
