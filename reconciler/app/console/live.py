"""Tells open pages that they have changed, by server-sent events: one look for all who watch the same page."""

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from reconciler.app.console.pages import ConsolePage, Pages
from reconciler.app.console.reading import ListQuestion
from reconciler.app.console.rendering import digest_of
from reconciler.kernel.clock import Clock

LOOKING = 4.0
"""Looks at one page take at most one part in so many of the time."""
LONGEST_LOOK = 1.0
"""A look that took longer has waited for the server."""
GATHERING = 0.1
"""Seconds in which changes that come together are gathered."""
RETRY = 2000
"""Milliseconds after which a browser comes back to a stream that was dropped."""
LONGEST = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveLimits:
    """How often a page that is watched is looked at, and what streams may take; times in seconds."""

    every: float = 2.0
    """Where a list that it shows may not be watched, or the server is away."""
    seldom: float = 10.0
    """Where every change is heard of as it happens."""
    silence: float = 15.0
    """After this a stream says that it is still there, so that what stands between does not close it."""
    streams: int = 256
    """More are told to come back."""


class LivePages:
    """Streams of changes. The id of an event is a digest of the page, so that a stream that comes back is told what it missed."""

    def __init__(self, clock: Clock, headers: Mapping[str, str], limits: LiveLimits) -> None:
        self._clock = clock
        self._headers = headers
        self._limits = limits
        self._watched: dict[tuple[str, frozenset[str] | None], _WatchedPage] = {}
        self._lane = asyncio.Lock()
        self._streams: set[asyncio.Task[Any]] = set()

    async def stream(self, request: web.Request, pages: Pages) -> web.StreamResponse:
        """One stream, until its client leaves. `of` is the page, `at` the digest of what is shown, unless the stream comes back."""
        asked = request.query.get("of", "/")
        if not asked.startswith("/") or len(asked) > LONGEST:
            return web.Response(status=400, text="of: write the address of a page, as /holds\n", headers=self._headers)
        if len(self._streams) >= self._limits.streams:
            text = "too many pages are open: this one is not live\n"
            return web.Response(status=503, text=text, headers={**self._headers, "Retry-After": "30"})
        response = web.StreamResponse(headers={**self._headers, "Content-Type": "text/event-stream; charset=utf-8"})
        if request.method == "HEAD":
            return response
        seen = request.headers.get("Last-Event-ID") or request.query.get("at", "")
        task = asyncio.current_task()
        assert task is not None, "a request is answered by a task"
        self._streams.add(task)
        try:
            with self._watching(asked, pages) as watched, suppress(ConnectionError):
                await response.prepare(request)
                await _tell(response, watched, seen, self._limits.silence)
        finally:
            self._streams.discard(task)
        return response

    def close(self) -> None:
        """End every stream now: a server that ends does not wait for pages that stay open."""
        for task in tuple(self._streams):
            task.cancel()

    @contextmanager
    def _watching(self, asked: str, pages: Pages) -> Iterator["_WatchedPage"]:
        key = asked, pages.sight
        watched = self._watched.get(key)
        if watched is None:
            watched = self._watched[key] = _WatchedPage(pages, asked, self._clock, self._limits, self._lane)
        watched.watchers += 1
        try:
            yield watched
        finally:
            watched.watchers -= 1
            if not watched.watchers:
                self._watched.pop(key).close()


class _WatchedPage:
    """One page that is looked at when a list that it shows has changed, for as long as at least one stream watches it."""

    def __init__(self, pages: Pages, asked: str, clock: Clock, limits: LiveLimits, lane: asyncio.Lock) -> None:
        self.watchers = 0
        self.digest = ""
        self._pages = pages
        self._asked = asked
        self._clock = clock
        self._limits = limits
        self._lane = lane
        self._changed = asyncio.Event()
        self._task = asyncio.create_task(self._run())

    async def changed(self, seconds: float) -> bool:
        """Wait for another digest, at most so long. Raises what ended the looking, for this stream to end, too."""
        waiting = asyncio.create_task(self._changed.wait())
        try:
            done, _ = await asyncio.wait([waiting, self._task], timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            waiting.cancel()
        if self._task in done:
            self._task.result()
        return bool(done)

    def close(self) -> None:
        self._task.cancel()

    async def _run(self) -> None:
        while True:
            before = self._pages.board.moves()
            page, took = await self._look()
            await asyncio.sleep(max(GATHERING, took * LOOKING))
            await self._until_moved(page, before)

    async def _look(self) -> tuple[ConsolePage, float]:
        """One page at a time, and as long again nothing: those who look leave half of the time to those who release."""
        async with self._lane:
            begun = self._clock.monotonic()
            page = await self._pages.at(self._asked)
            found = await asyncio.to_thread(digest_of, page)
            took = min(self._clock.monotonic() - begun, LONGEST_LOOK)
            if found != self.digest:
                self.digest = found
                self._changed.set()
                self._changed = asyncio.Event()
            await asyncio.sleep(took)
        return page, took

    async def _until_moved(self, page: ConsolePage, before: Mapping[ListQuestion, int]) -> None:
        begun, board = self._clock.monotonic(), self._pages.board
        patience = self._limits.seldom if page.watched else self._limits.every
        while not board.moved_since(before, page.asked) and (left := begun + patience - self._clock.monotonic()) > 0:
            await board.changed(left)


async def _tell(response: web.StreamResponse, watched: _WatchedPage, seen: str, silence: float) -> None:
    await response.write(f"retry: {RETRY}\n\n".encode())
    while True:
        if watched.digest and watched.digest != seen:
            seen = watched.digest
            await response.write(f"id: {seen}\nevent: changed\ndata: {seen}\n\n".encode())
        elif not await watched.changed(silence):
            await response.write(b": still here\n\n")
