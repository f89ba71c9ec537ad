"""The daemon's life: connect, take the lease, follow sources, serve our endpoints, and end within five seconds of SIGTERM."""

import asyncio
import os
import signal
import socket
import tempfile
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from secrets import token_hex
from typing import Any

import httpx
import structlog

from reconciler.app.endpoints import Endpoints
from reconciler.app.polling import Polling
from reconciler.app.settings.journal import JournalSettings
from reconciler.app.settings.model import Settings
from reconciler.app.settings.reading import load_settings
from reconciler.app.telemetry import Telemetry, configure_logs
from reconciler.app.watching import SettingsFile
from reconciler.app.wiring import Assembly, Environment, assemble
from reconciler.git.command import require_git
from reconciler.kernel.clock import SystemClock
from reconciler.kernel.errors import Terminal, Transient
from reconciler.kube.client import Client
from reconciler.kube.config import endpoint
from reconciler.kube.fence import Fence, Gate, read_only
from reconciler.kube.http import HttpTransport
from reconciler.kube.transport import Transport
from reconciler.runtime.freeze import Freeze
from reconciler.runtime.journal import FileJournal, Journal, Silence
from reconciler.runtime.lease import Leadership, LeaseTerms, rival_holder
from reconciler.runtime.recorder import Recorder
from reconciler.sources.settings import purpose
from reconciler.web.client import ClientSettings, open_client

LEASE = "argo-rollouts-controller-lock"
OWN_LEASE = "reconciler"
GRACE = 3.0
LAST_WORDS = 0.5
"""Seconds for the events that still wait."""
log = structlog.get_logger()
Part = Callable[[], Coroutine[Any, Any, None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the command line says."""

    config: Path
    kubeconfig: str | None = None
    context: str | None = None
    read_only: bool = False
    log_format: str = "text"
    listen: str = ""
    """Where our endpoints are, instead of what the settings say; empty: as they say."""


def serve(options: Options) -> None:
    """Run until SIGTERM or SIGINT."""
    configure_logs(options.log_format)
    settings = load_settings(options.config)
    settings = replace(settings, listen=options.listen or settings.listen)
    if settings.sources:
        require_git()
    asyncio.run(_serve(options, settings))


async def _serve(options: Options, settings: Settings) -> None:
    async with AsyncExitStack() as stack:
        transport = await stack.enter_async_context(HttpTransport(endpoint(options.kubeconfig, options.context)))
        folder = settings.workdir or stack.enter_context(tempfile.TemporaryDirectory(prefix="reconciler-"))
        daemon = Daemon(settings, transport, Path(folder), read_only_mode=options.read_only)
        stopping = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stopping.set)
        watching = asyncio.create_task(SettingsFile(options.config).run())
        try:
            await daemon.run(stopping)
        finally:
            watching.cancel()
            await asyncio.wait([watching])


class Daemon:
    """One process's worth of controllers over one transport."""

    def __init__(self, settings: Settings, transport: Transport, folder: Path, *, read_only_mode: bool) -> None:
        self._settings = settings
        self._clock = SystemClock()
        self._folder = folder
        self._read_only = read_only_mode
        unfenced = Client(transport, Fence())
        self._freeze = Freeze(unfenced, settings.namespace)
        self._reader = unfenced
        self._transport = transport
        self._lease = lease_name(settings)
        self._leadership = Leadership(unfenced, self._terms(), self._clock.now, self._clock.monotonic)
        self._client = Client(transport, Fence(*self._gates("cluster", "all")))
        self._journal = journal_of(settings.journal)
        self.telemetry = Telemetry()
        self.telemetry.leader.set_function(lambda: float(self._leadership.valid))

    async def run(self, stopping: asyncio.Event) -> None:
        """Work until `stopping` is set."""
        http = open_client(ClientSettings(environment=True, link_local=self._settings.link_local))
        try:
            assembly = assemble(self._environment(http))
            for collector in assembly.collectors:
                self.telemetry.registry.register(collector)
            for source in self._settings.sources:
                log.info("source", name=source.name, does=purpose(source, read_only=self._read_only))
            tasks = [asyncio.create_task(part()) for part in self._parts(assembly)]
            stop = asyncio.create_task(stopping.wait())
            done, _ = await asyncio.wait([*tasks, stop], return_when=asyncio.FIRST_COMPLETED)
            log.info("stopping")
            await self._end(tasks, assembly.recorder)
            stop.cancel()
            self._journal.close()
            for mirror in assembly.mirrors:
                mirror.close()
            for task in done - {stop}:
                task.result()
        finally:
            await http.aclose()

    def _environment(self, http: httpx.AsyncClient) -> Environment:
        return Environment(
            settings=self._settings,
            client=self._client,
            clock=self._clock,
            http=http,
            folder=self._folder,
            git_fence=Fence(*self._gates("git", "all")),
            read_only=self._read_only,
            journal=self._journal,
        )

    def _parts(self, assembly: Assembly) -> list[Part]:
        polling = Polling(self._settings.sources, assembly.engine, self.telemetry, assembly.expect_news)
        files = assembly.policy_files
        endpoints = Endpoints(self._settings, self.telemetry, assembly.engine, polling.hint, lambda: files.problems)
        console = [self._console] if self._settings.console is not None else []
        lead = [] if self._read_only else [self._leadership.run]
        leading = [self._when_leading(run) for run in (assembly.run, polling.run, partial(files.run, assembly.judge_again))]
        return [self._freeze.run, *lead, endpoints.run, *console, *leading]

    async def _console(self) -> None:
        from reconciler.app.console.serving import (
            looking_only,
            serve_console,
        )  # templates are worth their weight only where pages are served

        assert self._settings.console is not None, "the caller looked"
        settings = looking_only(self._settings.console) if self._read_only else self._settings.console
        await serve_console(self._transport, self._clock, settings, self._settings.namespace)

    def _when_leading(self, run: Part) -> Part:
        """Controllers start once the lease is ours: two that both think would only fence each other."""

        async def later() -> None:
            await self._freeze.look()  # who starts while a person has frozen everything must know it before the first write
            if not self._read_only:
                await self._wait_for_lease()
            await self._freeze.known.wait()  # a daemon that restarts while frozen must not write before it knows
            await run()

        return later

    async def _wait_for_lease(self) -> None:
        await self._refuse_rivals()
        await self._leadership.acquired.wait()

    async def _refuse_rivals(self) -> None:
        """Never two drivers (ADR 0022). While the API server does not answer, this is asked again and nothing starts."""
        while True:
            try:
                await self._look_for_rivals()
                return
            except Transient as error:
                log.warning("rivals unknown, nothing starts", reason=str(error))
            await asyncio.sleep(self._settings.lease_renewal.total_seconds())

    async def _look_for_rivals(self) -> None:
        """The reference's own lock says whether it runs. Raises Terminal if it does."""
        if "rollout" not in self._settings.controllers:
            return
        for namespace in dict.fromkeys((self._settings.namespace, "argo-rollouts")):
            holder = await rival_holder(self._reader, namespace, self._lease, self._clock.now())
            if holder is not None and not holder.startswith("reconciler-"):
                raise Terminal(
                    f"another rollout controller holds the lease {namespace}/{self._lease}: {holder}. "
                    "Stop it first, or run beside it with controllers: [release]"
                )

    async def _end(self, tasks: list[asyncio.Task[None]], recorder: Recorder) -> None:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks, timeout=GRACE)
        with suppress(TimeoutError):
            async with asyncio.timeout(LAST_WORDS):
                await recorder.drain()
        if not self._read_only:
            try:
                async with asyncio.timeout(1):
                    await self._leadership.release()
            except Exception as error:
                log.warning("the lease was not given back", reason=str(error))

    def _gates(self, *scopes: str) -> list[Gate]:
        gates = [self._freeze.gate(*scopes)]
        return [*gates, read_only()] if self._read_only else [*gates, self._leadership.gate()]

    def _terms(self) -> LeaseTerms:
        settings = self._settings
        # Unique like client-go's: containers on one host network share its name, and each of their daemons is process 1.
        holder = f"reconciler-{socket.gethostname()}-{os.getpid()}-{token_hex(4)}"
        return LeaseTerms(
            settings.namespace, self._lease, holder, settings.lease_duration.total_seconds(), settings.lease_renewal.total_seconds()
        )


def lease_name(settings: Settings) -> str:
    """The Lease of a daemon: the reference's where it drives Rollouts, with the instance id as there (contract 0.4)."""
    name = LEASE if "rollout" in settings.controllers else OWN_LEASE
    return f"{name}-{settings.instance_id}" if settings.instance_id else name


def journal_of(known: JournalSettings | None) -> Journal:
    """Where decisions are kept."""
    return FileJournal(Path(known.file), known.size) if known is not None else Silence()
