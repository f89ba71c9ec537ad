"""What the console has read: lists that are kept equal to the cluster while pages are looked at, and who waits for them to change."""

import asyncio
from collections.abc import Iterable, Mapping

from reconciler.app.console.reading import ListQuestion, ListReading
from reconciler.app.console.shelf import Shelf, Watcher
from reconciler.kernel.clock import Clock
from reconciler.kube.client import Client

KEPT = 300
"""Lists of single namespaces that are remembered."""
WATCHES = 16
"""Lists that are watched at a time, each by a connection; others are asked again and again."""


class Board(Watcher):
    """Reads lists for pages, once for all who ask, and keeps the last known ones."""

    def __init__(self, client: Client, clock: Clock) -> None:
        self._client = client
        self._clock = clock
        self._shelves: dict[ListQuestion, Shelf] = {}
        self._moves: dict[ListQuestion, int] = {}
        self._any = asyncio.Event()

    async def read(self, *questions: ListQuestion) -> tuple[ListReading, ...]:
        """The answers, side by side; as they were last known where the server is away or slow."""
        return tuple(await asyncio.gather(*(self._shelf(question).read() for question in questions)))

    def moves(self) -> Mapping[ListQuestion, int]:
        """How often each list has changed until now."""
        return dict(self._moves)

    def moved_since(self, before: Mapping[ListQuestion, int], questions: Iterable[ListQuestion]) -> bool:
        """True when one of these lists has changed since."""
        return any(self._moves.get(question, 0) != before.get(question, 0) for question in questions)

    async def changed(self, seconds: float) -> None:
        """Wait until any list has changed, at most so long."""
        waiting = asyncio.create_task(self._any.wait())
        try:
            await asyncio.wait([waiting], timeout=seconds)
        finally:
            waiting.cancel()

    def forget(self) -> None:
        """The next question is answered anew: something was written."""
        for shelf in self._shelves.values():
            shelf.forget()

    def close(self) -> None:
        """Stop reading."""
        for shelf in self._shelves.values():
            shelf.close()

    def _shelf(self, question: ListQuestion) -> Shelf:
        shelf = self._shelves.pop(question, None) or Shelf(question, self._client, self._clock, self)
        self._shelves[question] = shelf  # the one that was asked for last stands last
        for idle in [known for known, one in self._shelves.items() if not one.busy][: max(0, len(self._shelves) - KEPT)]:
            self._shelves.pop(idle).close()
            self._moves.pop(idle, None)
        return shelf

    def may_watch(self) -> bool:
        """True while another list may be watched."""
        return sum(1 for shelf in self._shelves.values() if shelf.watched) < WATCHES

    def moved(self, question: ListQuestion) -> None:
        """A list has changed: who waits hears of it."""
        self._moves[question] = self._moves.get(question, 0) + 1
        self._any.set()
        self._any = asyncio.Event()
