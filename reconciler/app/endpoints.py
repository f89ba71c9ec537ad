"""Our own HTTP endpoints: health, readiness, metrics and — only with a secret — webhooks. Nothing here writes without a signature."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

from reconciler.app.settings.model import Settings
from reconciler.app.telemetry import Telemetry
from reconciler.kernel.errors import Terminal
from reconciler.runtime.engine import Engine
from reconciler.web.server import Handler, Incoming, Reply, Server
from reconciler.web.webhook import Hint, Webhook

Hinted = Callable[[Hint], int]
Notes = Callable[[], Sequence[str]]
"""What a person should mend although we go on, one line each: the detail of `/readyz`."""


class Endpoints:
    """Serves `/healthz`, `/readyz`, `/metrics` and, if configured, `/webhook` on the address of the settings."""

    def __init__(self, settings: Settings, telemetry: Telemetry, engine: Engine, hinted: Hinted, notes: Notes) -> None:
        self._settings = settings
        self._telemetry = telemetry
        self._engine = engine
        self._hinted = hinted
        self._notes = notes
        self._webhook = Webhook(self._secret)

    async def run(self) -> None:
        """Serve until cancelled."""
        host, _, port = self._settings.listen.rpartition(":")
        if not port.isdigit():
            raise Terminal(f"listen: {self._settings.listen!r} is not host:port; write for example 127.0.0.1:8090")
        server = Server(self._routes(), host=host.strip("[]") or "127.0.0.1", port=int(port))
        try:
            await server.start()
        except OSError as error:
            raise Terminal(f"listen: {self._settings.listen} cannot be used: {error.strerror}; choose another address") from error
        try:
            await asyncio.Event().wait()
        finally:
            await server.stop()

    def _routes(self) -> dict[tuple[str, str], Handler]:
        routes: dict[tuple[str, str], Handler] = {
            ("GET", "/healthz"): self._healthz,
            ("GET", "/readyz"): self._readyz,
            ("GET", "/metrics"): self._metrics,
        }
        if self._settings.webhook_secret_file:
            routes["POST", "/webhook"] = self._hook
        return routes

    async def _healthz(self, _: Incoming) -> Reply:
        return Reply(200, b"ok\n")

    async def _readyz(self, _: Incoming) -> Reply:
        ready = self._engine.ready.is_set()
        detail = "".join(f"{note}\n" for note in self._notes())
        return Reply(200, f"ready\n{detail}".encode()) if ready else Reply(503, b"not leading, or not every informer has listed yet\n")

    async def _metrics(self, _: Incoming) -> Reply:
        self._telemetry.ready_keys.set(len(self._engine.queue))
        return Reply(200, self._telemetry.text(), "text/plain; version=0.0.4; charset=utf-8")

    async def _hook(self, incoming: Incoming) -> Reply:
        verdict = self._webhook.receive(incoming.headers, incoming.body)
        if verdict.hint is not None:
            self._hinted(verdict.hint)
        return Reply(verdict.status, f"{verdict.message}\n".encode())

    def _secret(self) -> bytes:
        try:
            return Path(self._settings.webhook_secret_file).read_bytes().strip()
        except OSError:
            return b""
