"""The metrics system of the sandbox: scrape, keep, answer."""

import asyncio
import time
from collections.abc import Callable, Sequence

import aiohttp

from reconciler_sandbox.metrics.scrape import Scraper
from reconciler_sandbox.metrics.server import Server
from reconciler_sandbox.metrics.store import Store


class Metrics:
    """Scrapes `targets` (URLs) every `interval` seconds and keeps samples for `retention` seconds."""

    def __init__(
        self, targets: Sequence[str], *, interval: float = 1.0, retention: float = 900.0, now: Callable[[], float] = time.time
    ) -> None:
        self.store = Store(retention)
        self._now = now
        self._interval = interval
        self._server = Server(self.store, now)
        self._scrapers = [Scraper(target, self.store, now) for target in targets]
        self._session: aiohttp.ClientSession | None = None
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Answer queries and begin to scrape."""
        await self._server.start()
        session = self._session = aiohttp.ClientSession()
        scrapes = [scraper.run(session, self._interval) for scraper in self._scrapers]
        self._tasks = [asyncio.create_task(work) for work in (*scrapes, self._forget())]

    async def stop(self) -> None:
        """End everything that `start` began; the samples stay readable in `store`."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []
        if self._session:
            await self._session.close()
        await self._server.stop()

    @property
    def url(self) -> str:
        """The address for a Prometheus client, without a path."""
        return self._server.url

    @property
    def problems(self) -> list[str]:
        """Why the last scrapes failed, one line a target in trouble."""
        return [scraper.last_error for scraper in self._scrapers if scraper.last_error]

    async def _forget(self) -> None:
        while True:
            await asyncio.sleep(self._interval)
            self.store.forget_before(int(self._now() * 1000))
