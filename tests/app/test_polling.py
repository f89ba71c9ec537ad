"""When sources are looked at: by the clock, by a hint, by a local push."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from reconciler.app.indexes import INDEXES
from reconciler.app.polling import Polling
from reconciler.app.telemetry import Telemetry
from reconciler.kernel.clock import SystemClock
from reconciler.kernel.identity import Key
from reconciler.kube.cache import Cache
from reconciler.runtime.engine import Engine
from reconciler.sources.settings import SourceSettings
from reconciler.web.webhook import Hint, place_of
from tests.kit.clusters import api, running
from tests.kit.desk import SETTINGS

SHOP = replace(SETTINGS, repository="https://git.example.com/shop/manifests.git", interval=timedelta(seconds=0.05))
OTHER = replace(SHOP, name="other", repository="https://git.example.com/other/manifests.git")


@pytest.fixture
async def engine() -> AsyncIterator[Engine]:
    async with api() as cluster:
        yield Engine([], cluster.client, Cache((), INDEXES), SystemClock())


@asynccontextmanager
async def polling(engine: Engine, *sources: SourceSettings) -> AsyncIterator[Polling]:
    found = Polling(sources, engine, Telemetry(), lambda _: None)
    async with running(found.run()):
        yield found


async def looked(engine: Engine) -> str:
    key = await asyncio.wait_for(engine.queue.take(), 20)
    engine.queue.done(key)
    assert (key.controller, key.namespace) == ("source", "")
    return key.name


async def test_a_source_is_looked_at_again_and_again_once_everything_was_listed(engine: Engine) -> None:
    async with polling(engine, SHOP):
        await asyncio.sleep(0)
        assert len(engine.queue) == 0
        engine.ready.set()
        assert [await looked(engine) for _ in range(3)] == ["shop"] * 3


async def test_every_source_has_its_turn(engine: Engine) -> None:
    engine.ready.set()
    async with polling(engine, SHOP, OTHER):
        seen = set()
        while len(seen) < 2:
            seen.add(await looked(engine))


def test_a_hint_pulls_only_the_sources_forward_that_it_concerns(engine: Engine) -> None:
    expected: list[str] = []
    found = Polling([SHOP, OTHER], engine, Telemetry(), expected.append)
    places = frozenset({place_of("git@git.example.com:shop/manifests.git")})
    assert found.hint(Hint(places, "main")) == 1
    assert found.hint(Hint(places, "other-branch")) == 0
    assert len(engine.queue) == 1
    assert expected == ["shop"], "the pass that is asked for must look at Git"


async def test_a_key_is_that_of_the_source_controller(engine: Engine) -> None:
    engine.poke(Key("source", "", "shop"))
    assert await looked(engine) == "shop"


async def test_a_wall_clock_set_back_stops_no_poll(engine: Engine) -> None:
    scheduler = AsyncIOScheduler(timezone=UTC)
    scheduler.start()
    later = datetime.now(UTC) + timedelta(hours=3)
    scheduler.add_job(lambda: None, "interval", hours=1, id="shop", next_run_time=later)
    found = Polling([SHOP], engine, Telemetry(), lambda _: None)
    try:
        async with running(found._keep_on(scheduler)):
            assert await looked(engine) == "shop"
        assert scheduler.get_job("shop").next_run_time < later - timedelta(hours=2)
    finally:
        scheduler.shutdown(wait=False)
