"""One list of the cluster: read, then watched for as long as pages ask for it; asked again and again where it may not be watched."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

from reconciler.app.console.reading import ListQuestion, ListReading, Trouble, TroubleKind
from reconciler.kernel.clock import Clock
from reconciler.kernel.errors import Terminal, Transient
from reconciler.kernel.identity import Manifest, name_of, namespace_of
from reconciler.kube.client import Client, Event, ListSelection
from reconciler.kube.errors import ApiError, Forbidden, Gone, NotServed

FRESH = 2.0
"""Seconds for which an answer is good for everybody who asks, where nothing is watched; longer where reading itself takes long."""
SHARE = 4.0
"""Reading again takes at most one part in so many of the time: ten thousand objects are not listed every two seconds."""
PATIENCE, FIRST_PATIENCE = 3.0, 12.0
"""Seconds a page waits for news; longer when nothing is known yet."""
SURE = 5.0
"""Seconds after which a watch alone is not believed: a connection may hang, and a right that was taken back ends no watch."""
IDLE = 60.0
"""Seconds after which a list that nobody asks for is watched no more."""
SHORT = 1.0
"""A watch that ends sooner and says nothing is one that something on the way cuts off."""
WATCHED = 30
"""Seconds of one watch; then it is looked whether anybody asks still."""
UNWATCHED = 60.0
"""Seconds until a list that could not be watched is tried again."""
Place = tuple[str, str]


class Watcher(Protocol):
    """Who keeps the shelves."""

    def moved(self, question: ListQuestion) -> None:
        """A list has changed, or has to be read anew."""
        ...

    def may_watch(self) -> bool:
        """True while another list may be watched: each is a connection to the server that stays open."""
        ...


class Shelf:
    """One list. Asked by one task at a time; a watch beside it keeps what was read equal to the cluster."""

    def __init__(self, question: ListQuestion, client: Client, clock: Clock, watcher: "Watcher") -> None:
        self._question = question
        self._client = client
        self._clock = clock
        self._watcher = watcher
        self._reading = ListReading(question)
        self._objects: dict[Place, Manifest] = {}
        self._has_news = False
        self._good_until = self._asked = 0.0
        self._unwatched_until = float("-inf")
        self._task: asyncio.Task[None] | None = None
        self._watch: asyncio.Task[None] | None = None

    async def read(self) -> ListReading:
        """The list as it is; as it was last known where the server is away or slow."""
        self._asked = self._clock.monotonic()
        if self._task is None and self._asked >= self._good_until:
            self._task = asyncio.create_task(self._asked_once())
        if self._task is not None:
            patience = PATIENCE if self._reading.at is not None else FIRST_PATIENCE
            done, _ = await asyncio.wait([self._task], timeout=patience)
            for task in done:
                task.result()
            if not done and self._reading.trouble is None:
                return replace(self._known(), trouble=Trouble(TroubleKind.AWAY, f"no answer in {patience:g} s"))
        return self._known()

    def forget(self) -> None:
        """The next answer is asked of the server, whatever a watch has said."""
        self._unwatch()
        self._good_until = 0.0

    @property
    def busy(self) -> bool:
        """True while it is asked."""
        return self._task is not None

    def close(self) -> None:
        """Stop reading."""
        self._unwatch()
        if self._task is not None:
            self._task.cancel()

    @property
    def watched(self) -> bool:
        return self._watch is not None and not self._watch.done()

    def _known(self) -> ListReading:
        """The same items for as long as nothing changes, so that who compares them need not look into them."""
        if self._has_news:
            self._reading, self._has_news = replace(self._reading, items=tuple(self._objects.values())), False
        if not self.watched:
            return self._reading
        return replace(self._reading, at=self._clock.now(), watched=True)

    async def _asked_once(self) -> None:
        begun, fresh = self._clock.monotonic(), FRESH
        try:
            if self.watched:
                await self._confirm()
            else:
                await self._list()
            fresh = SURE if self.watched else FRESH
        finally:
            now = self._clock.monotonic()
            self._good_until = now + max(fresh, (now - begun) * SHARE)
            self._task = None

    async def _confirm(self) -> None:
        """The server still answers, and lets us."""
        try:
            await self._client.reach(self._question.resource, self._question.namespace)
        except (ApiError, Transient, Terminal) as error:
            self._unwatch()
            self._troubled(error)

    async def _list(self) -> None:
        question = self._question
        try:
            items, version = await self._items()
        except (ApiError, Transient, Terminal) as error:
            self._troubled(error)
            return
        self._reading, self._has_news = ListReading(question, items, self._clock.now()), False
        if version and self._clock.monotonic() >= self._unwatched_until and self._watcher.may_watch():
            self._objects = {(namespace_of(one), name_of(one)): one for one in items}
            self._watch = asyncio.create_task(self._watch_on(version))

    async def _items(self) -> tuple[Sequence[Manifest], str]:
        """The objects, and the version from which they can be watched; none for a single object."""
        question = self._question
        if question.name:
            found = await self._client.find(question.resource, question.namespace, question.name)
            return (() if found is None else (found,)), ""
        listing = await self._client.listing(question.resource, question.namespace, labels=question.labels, fields=question.fields)
        return tuple(listing.items), listing.version

    def _troubled(self, error: Exception) -> None:
        """The last known state where the server is away; nothing where it says that there is none, or none for us."""
        kind = next((kind for errors, kind in TROUBLES if isinstance(error, errors)), TroubleKind.REFUSED)
        trouble = Trouble(kind, str(error))
        if kind is TroubleKind.AWAY:
            self._reading = replace(self._known(), trouble=trouble, watched=False)
        else:
            self._reading, self._has_news = ListReading(self._question, (), self._clock.now(), trouble), False

    async def _watch_on(self, version: str) -> None:
        """Watch until it cannot be done any more or no page asks; what then is to be read anew is said to who waits."""
        try:
            while self._clock.monotonic() - self._asked < IDLE:
                version = await self._one_watch(version)
        except Gone:
            pass
        except (ApiError, Terminal):
            self._unwatched_until = self._clock.monotonic() + UNWATCHED
        except Transient:
            pass
        self._good_until = 0.0
        self._watcher.moved(self._question)

    async def _one_watch(self, version: str) -> str:
        """One watch to its end. Raises Refused for one that was cut off at once: then asking again and again is what is left."""
        question, begun, reached = self._question, self._clock.monotonic(), version
        only = ListSelection(question.namespace, question.labels, question.fields)
        async for event in self._client.watch(question.resource, version, seconds=WATCHED, only=only):
            reached = str(event.object["metadata"].get("resourceVersion", reached))
            self._take(event)
        if reached == version and self._clock.monotonic() - begun < SHORT:
            raise Terminal("the watch ended at once")
        return reached

    def _take(self, event: Event) -> None:
        if event.type == "BOOKMARK":
            return
        place = (namespace_of(event.object), name_of(event.object))
        if event.type == "DELETED":
            self._objects.pop(place, None)
        else:
            self._objects[place] = event.object
        self._has_news = True
        self._watcher.moved(self._question)

    def _unwatch(self) -> None:
        if self._watch is not None:
            self._watch.cancel()
        self._watch = None


TROUBLES: Sequence[tuple[type[Exception], TroubleKind]] = (
    (NotServed, TroubleKind.NOT_SERVED),
    (Forbidden, TroubleKind.FORBIDDEN),
    (Transient, TroubleKind.AWAY),
)
