"""Ways back of one branch, in turn: what is wanted while a push is under way goes in one push after it, a commit for each release.

A push from here never races with another one from here, and ten releases that fail together cost two pushes instead of fifty.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from reconciler.kernel.errors import Terminal, Transient
from reconciler.kube.errors import ApiError
from reconciler.releases.model import Release, Restore

MOST = 10
"""So many in one push: each is proven by rendering, and a pass has an end."""


@dataclass(frozen=True, slots=True)
class WantedRestore:
    """One release to restore: its history, its record so far, and where the answer goes."""

    release: Release
    history: Sequence[Release]
    before: Restore
    answer: asyncio.Future[Restore] = field(default_factory=lambda: asyncio.get_running_loop().create_future(), compare=False)


Together = Callable[[Sequence[WantedRestore]], Awaitable[None]]
"""Answers those that went through in one push, and leaves the others as they are."""
Alone = Callable[[WantedRestore], Awaitable[Restore]]


class BranchLine:
    """The ways back that are wanted on one branch."""

    def __init__(self) -> None:
        self._lock = asyncio.Lock()
        self._waiting: list[WantedRestore] = []

    async def restore(self, wanted: WantedRestore, together: Together, alone: Alone) -> Restore:
        """The record of one release after its turn; raises what its own try raises."""
        self._waiting.append(wanted)
        try:
            async with self._lock:
                if not wanted.answer.done() and len(self._waiting) > 1:
                    taken = [wanted, *(one for one in self._waiting if one is not wanted)][:MOST]
                    await self._at_once(taken, together)
                return wanted.answer.result() if wanted.answer.done() else await alone(wanted)
        finally:
            self._waiting = [one for one in self._waiting if one is not wanted]

    async def _at_once(self, taken: Sequence[WantedRestore], together: Together) -> None:
        """What stops it stops nothing: each of them is tried alone then, and tells by itself what stops it."""
        with suppress(Transient, Terminal, ApiError):
            await together(taken)
        self._waiting = [one for one in self._waiting if not one.answer.done()]
