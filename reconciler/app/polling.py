"""When to look at sources: a schedule that neither a stalled loop nor a clock set back can lose; hints only pull a look forward."""

import asyncio
import random
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

from apscheduler.events import EVENT_JOB_MAX_INSTANCES
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from reconciler.app.telemetry import Telemetry
from reconciler.app.watching import Watching
from reconciler.kernel.identity import Key
from reconciler.runtime.engine import Engine
from reconciler.sources.settings import SourceSettings
from reconciler.web.webhook import Hint

OVERDUE = 1.5
"""How many intervals may pass without a look."""


class Polling:
    """One job per source; `misfire_grace_time=None, coalesce=True`: a poll that was due while the loop stood still runs once, then."""

    def __init__(self, sources: Sequence[SourceSettings], engine: Engine, telemetry: Telemetry, expect_news: Callable[[str], None]) -> None:
        """`expect_news` is told the name of the source before its pass is asked for."""
        self._sources = sources
        self._engine = engine
        self._telemetry = telemetry
        self._expect_news = expect_news
        self._asked: dict[str, float] = {}

    async def run(self) -> None:
        """Poll until cancelled."""
        await self._engine.ready.wait()
        scheduler = AsyncIOScheduler(timezone=UTC)
        scheduler.add_listener(lambda _: None, EVENT_JOB_MAX_INSTANCES)
        for source in self._sources:
            scheduler.add_job(
                self._poll,
                "interval",
                args=[source.name],
                id=source.name,
                seconds=source.interval.total_seconds(),
                jitter=source.interval.total_seconds() / 10,
                misfire_grace_time=None,
                coalesce=True,
                next_run_time=_first(source.interval, len(self._sources)),
            )
        scheduler.start()
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(Watching(self._sources, self._poll_now).run())
                group.create_task(self._keep_on(scheduler))
        finally:
            scheduler.shutdown(wait=False)

    async def _keep_on(self, scheduler: AsyncIOScheduler) -> None:
        """The schedule counts by the wall clock: when that is set back, what is overdue by elapsed time is looked at and scheduled anew."""
        begun = time.monotonic()
        while True:
            await asyncio.sleep(min((s.interval.total_seconds() for s in self._sources), default=OVERDUE))
            for source in self._sources:
                if time.monotonic() - self._asked.get(source.name, begun) > OVERDUE * source.interval.total_seconds():
                    self._poll_now(source.name)
                    scheduler.modify_job(source.name, next_run_time=datetime.now(UTC) + source.interval)

    def hint(self, hint: Hint) -> int:
        """Look now at every source a verified webhook may concern; how many that were."""
        concerned = [source for source in self._sources if hint.concerns(source.repository, source.branch)]
        for source in concerned:
            self._poll_now(source.name)
        return len(concerned)

    async def _poll(self, name: str) -> None:
        self._poll_now(name)

    def _poll_now(self, name: str) -> None:
        self._telemetry.polls.labels(source=name, outcome="asked").inc()
        self._asked[name] = time.monotonic()
        self._expect_news(name)
        self._engine.poke(Key("source", "", name))


def _first(interval: timedelta, sources: int) -> datetime:
    """The first look: at once for a single source, spread over the interval for many."""
    spread = interval.total_seconds() if sources > 1 else 0.0
    return datetime.now(UTC) + timedelta(seconds=random.uniform(0, min(spread, 2.0)))


async def never() -> None:
    """Wait until cancelled."""
    await asyncio.Event().wait()
