"""Events do not stay: each goes an hour after it was last written, the oldest ones earlier when there are too many or too large.

A real server has only the first rule; the others keep the memory of a sandbox bounded whatever is told to it.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from reconciler_sandbox.apiserver.store import Collection, Entry, Place, Store

EVENT_LIFE = timedelta(hours=1)
MAX_EVENTS = 10_000
MAX_BYTES = 32 * 1024 * 1024
SWEEP_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class _Kept:
    written: datetime
    size: int


class Expiry:
    """Watches the Events of a store and removes those whose time is over."""

    def __init__(self, store: Store, now: Callable[[], datetime]) -> None:
        self._store = store
        self._now = now
        self._events = store.collection("", "events")
        self._kept: OrderedDict[Place, _Kept] = OrderedDict()
        self._bytes = 0

    def observe(self, collection: Collection, kind: str, entry: Entry) -> None:
        """Take note of a change in the store; whatever it makes too much is removed at once."""
        if collection is not self._events:
            return
        fields = entry.manifest["metadata"]
        place = (fields.get("namespace", ""), fields["name"])
        before = self._kept.pop(place, None)
        self._bytes -= before.size if before else 0
        if kind == "DELETED":
            return
        self._kept[place] = _Kept(self._now(), len(entry.encoded))
        self._bytes += len(entry.encoded)
        while len(self._kept) > MAX_EVENTS or self._bytes > MAX_BYTES:
            self._store.remove(self._events, next(iter(self._kept)))

    async def run(self) -> None:
        """Look once a minute, until cancelled."""
        while True:
            self.sweep()
            await asyncio.sleep(SWEEP_SECONDS)

    def sweep(self) -> None:
        """Remove the Events whose hour is over."""
        limit = self._now() - EVENT_LIFE
        for place in [place for place, kept in self._kept.items() if kept.written < limit]:
            self._store.remove(self._events, place)
