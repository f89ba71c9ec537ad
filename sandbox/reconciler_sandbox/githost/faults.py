"""Faults on demand: answers delayed, replaced or cut, before the work is done or after it ("push done, answer lost")."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from aiohttp import web

Effect = Callable[[web.BaseRequest], Awaitable[web.StreamResponse | None]]
"""What a fault does to a request: a response of its own, or None to go on."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault: for the first `times` calls with this method and path (shell patterns), `after` the work or before it.

    A fetch is streamed while git works, so only faults before the work reach `git-upload-pack`.
    """

    effect: Effect
    method: str = "*"
    path: str = "*"
    times: int | None = 1
    after: bool = False

    def matches(self, request: web.BaseRequest, after: bool) -> bool:
        return self.after == after and fnmatchcase(request.method, self.method) and fnmatchcase(request.path, self.path)


@dataclass(slots=True)
class Faults:
    """The faults of one host, in the order they were added; the first that matches and is not used up acts."""

    _pending: list[tuple[Fault, int]] = field(default_factory=list)

    def add(self, fault: Fault) -> None:
        self._pending.append((fault, 0))

    def clear(self) -> None:
        self._pending.clear()

    async def meet(self, request: web.BaseRequest, *, after: bool = False) -> web.StreamResponse | None:
        """The response that a fault gives instead of the real one, if a fault waits for this request."""
        for place, (fault, used) in enumerate(self._pending):
            if fault.matches(request, after) and (fault.times is None or used < fault.times):
                self._pending[place] = (fault, used + 1)
                return await fault.effect(request)
        return None


def answer(status: int, text: str = "", headers: Mapping[str, str] | None = None) -> Effect:
    """Answers with this status instead of the real answer."""

    async def effect(_: web.BaseRequest) -> web.StreamResponse | None:
        return web.Response(status=status, text=text, headers=headers)

    return effect


def cut() -> Effect:
    """Resets the connection: the caller never learns what happened."""

    async def effect(request: web.BaseRequest) -> web.StreamResponse | None:
        if request.transport is not None:
            request.transport.abort()
        return web.Response(status=500)

    return effect


def hold(released: asyncio.Event) -> Effect:
    """Keeps the caller waiting until the event is set."""

    async def effect(_: web.BaseRequest) -> web.StreamResponse | None:
        await released.wait()
        return None

    return effect


def delay(seconds: float) -> Effect:
    """Makes the caller wait, then goes on."""

    async def effect(_: web.BaseRequest) -> web.StreamResponse | None:
        await asyncio.sleep(seconds)
        return None

    return effect
