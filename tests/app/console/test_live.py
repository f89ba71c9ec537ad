"""Pages that keep up: what a stream says, what one that comes back is told, and a real browser that misses nothing."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial

import httpx
import pytest

from reconciler.app.console.assembly import assembled
from reconciler.app.console.live import LiveLimits, LivePages
from reconciler.app.console.pages import ConsoleScope
from reconciler.kernel.clock import SystemClock
from reconciler.kernel.identity import ObjectRef
from reconciler.kernel.resources import ROLLOUTS
from reconciler.web.listener import Route, listening
from tests.kit.browsers import window
from tests.kit.clusters import Api, api
from tests.kit.consoles import Served, serving
from tests.kit.fleet import fill
from tests.kit.ports import free_port
from tests.kit.wait import until

STOREFRONT = ObjectRef(ROLLOUTS, "shop", "storefront")
DONE = {"phase": "Healthy", "pauseConditions": None, "controllerPause": False, "currentStepIndex": 7, "stableRS": "storefront-new"}


class Stream:
    """What a stream has said so far."""

    def __init__(self, answer: httpx.Response) -> None:
        self.status = answer.status_code
        self.kind = answer.headers["Content-Type"]
        self.text = ""

    @property
    def ids(self) -> list[str]:
        return [line.removeprefix("id: ") for line in self.text.splitlines() if line.startswith("id: ")]


@asynccontextmanager
async def streaming(console: Served, path: str, **headers: str) -> AsyncIterator[Stream]:
    async with heard(console.address + path, headers) as stream:
        yield stream


@asynccontextmanager
async def heard(url: str, headers: dict[str, str]) -> AsyncIterator[Stream]:
    """A stream that is read as it comes."""
    async with httpx.AsyncClient(trust_env=False, timeout=30) as http, http.stream("GET", url, headers=headers) as answer:
        stream = Stream(answer)

        async def read() -> None:
            async for text in answer.aiter_text():
                stream.text += text

        reading = asyncio.create_task(read())
        try:
            yield stream
        finally:
            reading.cancel()
            await asyncio.wait([reading])


@asynccontextmanager
async def limited(console: Served, limits: LiveLimits) -> AsyncIterator[tuple[str, LivePages]]:
    """The streams of a console with other limits, at an address of their own."""
    pages = LivePages(console.clock, {}, limits)
    stream = partial(pages.stream, pages=console.parts.pages)
    async with listening([Route("GET", "/live", stream)], "127.0.0.1", 0) as address:
        yield f"{address}/live?of=/", pages


async def finish(cluster: Api) -> None:
    await cluster.client.patch(STOREFRONT, {"status": DONE}, subresource="status")


async def test_a_change_is_told_and_a_page_that_has_it_already_is_not_told_again() -> None:
    async with serving() as console:
        async with streaming(console, "/live?of=/rollouts/shop/storefront") as stream:
            assert stream.status == 200 and stream.kind.startswith("text/event-stream")
            await until(lambda: len(stream.ids) == 1)
            await finish(console.cluster)
            await until(lambda: len(stream.ids) == 2)
            first, second = stream.ids
        same = "/live?of=/rollouts/shop/storefront"
        back = [streaming(console, same, **{"Last-Event-ID": known}) for known in (second, first)]
        async with back[0] as knowing, back[1] as behind:
            await until(lambda: behind.ids == [second])
            assert knowing.ids == [], "nothing has changed for it"


async def test_what_is_shown_already_counts_as_known() -> None:
    async with serving() as console:
        page = (await console.ask("/holds")).text
        shown = page.partition('data-digest="')[2].partition('"')[0]
        async with streaming(console, f"/live?of=/holds&at={shown}") as known, streaming(console, "/live?of=/holds&at=old") as behind:
            await until(lambda: behind.ids == [shown])
            assert known.ids == []


async def test_a_cluster_that_goes_away_changes_the_page() -> None:
    async with serving() as console, streaming(console, "/live?of=/") as stream:
        await until(lambda: len(stream.ids) == 1)
        console.transport.away = True
        console.later()
        await until(lambda: len(stream.ids) == 2)


async def test_a_page_that_is_watched_by_many_is_looked_at_once_and_by_none_not_at_all() -> None:
    async with serving() as console, limited(console, LiveLimits(every=0.01, silence=0.01)) as (url, pages):
        async with heard(url, {}) as first, heard(url, {}) as second:
            await until(lambda: first.ids and second.ids and ": still here" in second.text)
            assert [one.watchers for one in pages._watched.values()] == [2]
        await until(lambda: not pages._watched)


@pytest.mark.parametrize(("path", "status"), [("/live?of=holds", 400), ("/live?of=" + "/" * 3000, 400)])
async def test_an_address_that_is_none_is_refused(path: str, status: int) -> None:
    async with serving() as console:
        assert (await console.ask(path)).status_code == status


async def test_who_was_led_here_by_another_name_hears_nothing() -> None:
    async with serving() as console:
        assert (await console.ask("/live?of=/", Host="rebound.example.com")).status_code == 421


async def test_a_console_that_ends_does_not_wait_for_open_pages() -> None:
    async with serving() as console, heard(f"{console.address}/live?of=/", {}) as first:
        await until(lambda: first.ids)
        console.parts.console.close()
        await until(lambda: not console.parts.console._live._watched, within=5)


async def test_too_many_open_pages_are_told_so() -> None:
    async with serving() as console, limited(console, LiveLimits(streams=1)) as (url, _), heard(url, {}) as first:
        await until(lambda: first.ids)
        async with httpx.AsyncClient(trust_env=False) as http:
            refused = await http.get(url)
        assert refused.status_code == 503 and refused.headers["Retry-After"] == "30"


@pytest.mark.browser
@pytest.mark.xdist_group("browser")
async def test_an_open_page_keeps_up_says_when_it_cannot_and_comes_back() -> None:
    port = free_port()
    async with api() as cluster:
        await fill(cluster, datetime.now(UTC))
        with assembled(cluster.client, SystemClock(), ConsoleScope(), live=True) as parts:
            routes = parts.console.routes()
            async with listening(routes, "127.0.0.1", port) as address:
                shown = window(f"{address}/rollouts/shop/storefront")
                opened = await shown.__aenter__()
                page = opened.page
                await page.get_by_text("live", exact=True).wait_for()
                await page.locator("details summary").first.click()
                await finish(cluster)
                await page.locator("[aria-current=step]").wait_for(state="detached")
                assert await page.locator("details[open]").count() == 1, "what a person opened stays open"
            try:
                await page.get_by_text("not live, trying again").wait_for()
                await cluster.client.patch(STOREFRONT, {"status": {"phase": "Degraded", "message": "gone wrong"}}, subresource="status")
                async with listening(routes, "127.0.0.1", port):
                    await page.get_by_text("live", exact=True).wait_for()
                    await page.get_by_text("gone wrong").first.wait_for()
                    assert opened.elsewhere == []
            finally:
                await shown.__aexit__(None, None, None)
