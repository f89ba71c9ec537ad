"""Tells open pages that they have changed, by server-sent events: one look for all who watch the same page."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

from aiohttp import web

from reconciler.app.console.pages import Pages
from reconciler.app.console.rendering import digest_of
from reconciler.kernel.clock import Clock

LOOKING = 4.0
"""Looks take at most one part in so many of the time."""
RETRY = 2000
"""Milliseconds after which a browser comes back to a stream that was dropped."""
LONGEST = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveLimits:
    """How often a page that is watched is looked at, and what streams may take; times in seconds."""

    every: float = 2.0
    silence: float = 15.0
    """After this a stream says that it is still there, so that what stands between does not close it."""
    streams: int = 64
    """More are told to come back."""


class LivePages:
    """Streams of changes. The id of an event is a digest of the page, so that a stream that comes back is told what it missed."""

    def __init__(self, clock: Clock, headers: Mapping[str, str], limits: LiveLimits) -> None:
        self._clock = clock
        self._headers = headers
        self._limits = limits
        self._watched: dict[tuple[str, frozenset[str] | None], _WatchedPage] = {}
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
            watched = self._watched[key] = _WatchedPage(partial(_digest, pages, asked), self._clock, self._limits.every)
        watched.watchers += 1
        try:
            yield watched
        finally:
            watched.watchers -= 1
            if not watched.watchers:
                self._watched.pop(key).close()


async def _digest(pages: Pages, asked: str) -> str:
    return digest_of(await pages.at(asked))


class _WatchedPage:
    """One page that is looked at for as long as at least one stream watches it."""

    def __init__(self, look: Callable[[], Awaitable[str]], clock: Clock, every: float) -> None:
        self.watchers = 0
        self.digest = ""
        self._look = look
        self._clock = clock
        self._every = every
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
            begun = self._clock.monotonic()
            found = await self._look()
            if found != self.digest:
                self.digest = found
                self._changed.set()
                self._changed = asyncio.Event()
            await asyncio.sleep(max(self._every, (self._clock.monotonic() - begun) * LOOKING))


async def _tell(response: web.StreamResponse, watched: _WatchedPage, seen: str, silence: float) -> None:
    await response.write(f"retry: {RETRY}\n\n".encode())
    while True:
        if watched.digest and watched.digest != seen:
            seen = watched.digest
            await response.write(f"id: {seen}\nevent: changed\ndata: {seen}\n\n".encode())
        elif not await watched.changed(silence):
            await response.write(b": still here\n\n")
