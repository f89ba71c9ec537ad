"""Scrapes targets at a steady interval; a series that a target no longer shows becomes stale at once."""

import asyncio
from collections.abc import Callable
from urllib.parse import urlsplit

import aiohttp

from reconciler_sandbox.metrics.exposition import Malformed, samples
from reconciler_sandbox.metrics.labels import NAME, Labels, labels
from reconciler_sandbox.metrics.store import STALE, Store

JOB = "sandbox"
LONGEST_SCRAPE_SECONDS = 10.0
FAILURES = (aiohttp.ClientError, OSError, TimeoutError, Malformed, UnicodeDecodeError)


class Scraper:
    """One target. `last_error` says why the last scrape failed, or is empty."""

    def __init__(self, url: str, store: Store, now: Callable[[], float]) -> None:
        self._url = url
        self._store = store
        self._now = now
        self._own = {"job": JOB, "instance": urlsplit(url).netloc}
        self._shown: dict[Labels, Labels] = {}  # as the target writes them → as they are stored
        self.last_error = ""

    async def run(self, session: aiohttp.ClientSession, interval: float) -> None:
        """Scrape for ever; a slow target is asked again at the next full interval, never twice at once."""
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            await self.scrape(session)
            due = max(due + interval, loop.time())
            await asyncio.sleep(due - loop.time())

    async def scrape(self, session: aiohttp.ClientSession) -> None:
        """One scrape: its samples bear the time it began."""
        time = int(self._now() * 1000)
        try:
            text = await self._read(session)
            found = [(label_set, value, own or time) for label_set, value, own in samples(text)]
            self.last_error = ""
        except FAILURES as failure:
            found = []
            self.last_error = f"{self._url}: {failure or type(failure).__name__}"
        self._remember(time, found)

    async def _read(self, session: aiohttp.ClientSession) -> str:
        async with session.get(self._url, timeout=aiohttp.ClientTimeout(total=LONGEST_SCRAPE_SECONDS)) as response:
            response.raise_for_status()
            return (await response.read()).decode()

    def _remember(self, time: int, found: list[tuple[Labels, float, int]]) -> None:
        shown = {written: self._shown.get(written) or self._labels(written) for written, _, _ in found}
        for written, value, at in found:
            self._store.append(shown[written], at, value)
        for gone in self._shown.keys() - shown.keys():
            self._store.append(self._shown[gone], time, STALE)
        self._shown = shown
        self._report("up", time, 0.0 if self.last_error else 1.0)
        self._report("scrape_samples_scraped", time, float(len(found)))
        self._report("scrape_duration_seconds", time, self._now() - time / 1000)

    def _labels(self, label_set: Labels) -> Labels:
        """The target's own `job` and `instance` step aside, as without `honor_labels`."""
        theirs = {f"exported_{name}" if name in self._own else name: value for name, value in label_set}
        return labels({**theirs, **self._own})

    def _report(self, name: str, time: int, value: float) -> None:
        self._store.append(labels({NAME: name, **self._own}), time, value)
