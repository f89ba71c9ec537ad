"""What the console has read: each list with its time, kept when the API server is away, said when a right is missing."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from reconciler.kernel.clock import Clock
from reconciler.kernel.errors import Terminal, Transient
from reconciler.kernel.identity import Manifest, Resource
from reconciler.kube.client import Client
from reconciler.kube.errors import ApiError, Forbidden, NotServed

FRESH = 2.0
"""Seconds for which an answer is good for everybody who asks; longer where reading itself takes long."""
SHARE = 4.0
"""ListReading again takes at most one part in so many of the time: ten thousand objects are not listed every two seconds."""
PATIENCE, FIRST_PATIENCE = 3.0, 12.0
"""Seconds a page waits for news; longer when nothing is known yet."""
KEPT = 300
"""Lists of single namespaces that are remembered."""


class TroubleKind(StrEnum):
    """Why a list is not what the cluster holds now."""

    AWAY = "away"
    FORBIDDEN = "forbidden"
    NOT_SERVED = "not served"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Trouble:
    """What stands between us and a list, in the words of the server."""

    kind: TroubleKind
    words: str


@dataclass(frozen=True, slots=True)
class ListQuestion:
    """One list: of a resource, in a namespace or in all of them. With a name, only that object."""

    resource: Resource
    namespace: str = ""
    labels: str = ""
    fields: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True)
class ListReading:
    """What was answered last, when, and what is wrong with it since."""

    question: ListQuestion
    items: Sequence[Manifest] = ()
    at: datetime | None = None
    """When the items were read; None when they never were."""
    trouble: Trouble | None = None

    @property
    def old(self) -> bool:
        """True when these items are the last known ones, because the server does not answer now."""
        return self.at is not None and self.trouble is not None and self.trouble.kind is TroubleKind.AWAY


class Board:
    """Reads lists for pages, at most so often, and keeps the last known ones."""

    def __init__(self, client: Client, clock: Clock) -> None:
        self._client = client
        self._clock = clock
        self._shelves: dict[ListQuestion, _Shelf] = {}

    async def read(self, *questions: ListQuestion) -> tuple[ListReading, ...]:
        """The answers, side by side; as they were last known where the server is away or slow."""
        return tuple(await asyncio.gather(*(self._shelf(question).read() for question in questions)))

    def forget(self) -> None:
        """The next question is answered anew: something was written."""
        for shelf in self._shelves.values():
            shelf.forget()

    def close(self) -> None:
        """Stop reading."""
        for shelf in self._shelves.values():
            shelf.close()

    def _shelf(self, question: ListQuestion) -> "_Shelf":
        shelf = self._shelves.pop(question, None) or _Shelf(ListReading(question), self._answer, self._clock)
        self._shelves[question] = shelf  # the one that was asked for last stands last
        for idle in [known for known, one in self._shelves.items() if not one.busy][: max(0, len(self._shelves) - KEPT)]:
            del self._shelves[idle]
        return shelf

    async def _answer(self, before: ListReading) -> ListReading:
        question = before.question
        try:
            items = await self._asked(question)
        except NotServed as error:
            return ListReading(question, (), self._clock.now(), Trouble(TroubleKind.NOT_SERVED, str(error)))
        except Forbidden as error:
            return ListReading(question, (), self._clock.now(), Trouble(TroubleKind.FORBIDDEN, str(error)))
        except Transient as error:
            return replace(before, trouble=Trouble(TroubleKind.AWAY, str(error)))
        except (ApiError, Terminal) as error:
            return ListReading(question, (), self._clock.now(), Trouble(TroubleKind.REFUSED, str(error)))
        return ListReading(question, items, self._clock.now())

    async def _asked(self, question: ListQuestion) -> Sequence[Manifest]:
        if question.name:
            found = await self._client.find(question.resource, question.namespace, question.name)
            return () if found is None else (found,)
        return await self._client.list(question.resource, question.namespace, labels=question.labels, fields=question.fields)


class _Shelf:
    """One list, read by one task at a time."""

    def __init__(self, reading: ListReading, answer: Callable[[ListReading], Coroutine[Any, Any, ListReading]], clock: Clock) -> None:
        self._reading = reading
        self._answer = answer
        self._clock = clock
        self._good_until = 0.0
        self._task: asyncio.Task[None] | None = None

    async def read(self) -> ListReading:
        if self._task is None and self._clock.monotonic() >= self._good_until:
            self._task = asyncio.create_task(self._again())
        if self._task is not None:
            patience = PATIENCE if self._reading.at is not None else FIRST_PATIENCE
            done, _ = await asyncio.wait([self._task], timeout=patience)
            for task in done:
                task.result()
            if not done and self._reading.trouble is None:
                words = f"no answer in {patience:g} s"
                return replace(self._reading, trouble=Trouble(TroubleKind.AWAY, words))
        return self._reading

    def forget(self) -> None:
        self._good_until = 0.0

    @property
    def busy(self) -> bool:
        return self._task is not None

    def close(self) -> None:
        if self._task is not None:
            self._task.cancel()

    async def _again(self) -> None:
        begun = self._clock.monotonic()
        try:
            self._reading = await self._answer(self._reading)
        finally:
            now = self._clock.monotonic()
            self._good_until = now + max(FRESH, (now - begun) * SHARE)
            self._task = None
