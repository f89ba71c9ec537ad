"""What the server holds: one version counter, immutable entries with their JSON, a bounded history per resource, watchers.

A commit is one synchronous step (count, remember, tell), so reads and writes are linear without locks.
"""

from bisect import bisect_right
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol
from weakref import WeakKeyDictionary

import orjson

Manifest = dict[str, Any]
Place = tuple[str, str]
"""Namespace (empty for cluster-scoped objects) and name."""


HISTORY_EVENTS = 2_000
HISTORY_BYTES = 8 * 1024 * 1024
"""Of one resource; what was before the oldest changes may be held besides, at most as much again."""

ALL_HISTORY_BYTES = 64 * 1024 * 1024
"""Of all resources together."""

SNAPSHOTS = 32
SNAPSHOT_BYTES = 64 * 1024 * 1024
OBJECT_BYTES = 1536 * 1024
"""What etcd takes in one request, here of the object as JSON."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One object in one version; neither it nor anything in it is ever changed."""

    manifest: Manifest
    version: int
    encoded: bytes


@dataclass(frozen=True, slots=True)
class Event:
    """One change. `kind` is ADDED, MODIFIED or DELETED; `before` is the JSON of the object before it."""

    version: int
    kind: str
    namespace: str
    encoded: bytes
    before: bytes


class Watcher(Protocol):
    """Who is told of each change to a collection."""

    def tell(self, kind: str, entry: Entry, before: Entry | None) -> None: ...

    def end(self) -> None: ...


class Watchers:
    """Who watches, held weakly and told in the order in which they came: a set's order would differ between two runs."""

    def __init__(self) -> None:
        self._known: WeakKeyDictionary[Watcher, None] = WeakKeyDictionary()

    def add(self, watcher: Watcher) -> None:
        self._known[watcher] = None

    def discard(self, watcher: Watcher) -> None:
        self._known.pop(watcher, None)

    def __iter__(self) -> Iterator[Watcher]:
        return iter(self._known)

    def __len__(self) -> int:
        return len(self._known)


@dataclass(slots=True, eq=False)
class Collection:
    """The objects of one resource in all namespaces, and its recent changes.

    Watchers are held weakly: a stream that nobody reads any more ends by itself.
    """

    group: str
    plural: str
    entries: dict[Place, Entry] = field(default_factory=dict)
    watchers: Watchers = field(default_factory=Watchers)
    oldest: int = 0
    version: int = 0
    _history: deque[Event] = field(default_factory=deque)
    history_bytes: int = 0

    def sorted(self, namespace: str | None, matches: Callable[[Manifest], bool] | None = None) -> list[Entry]:
        """The entries of a namespace (None: of all) that match, by namespace and name."""
        found = [
            (place, entry)
            for place, entry in self.entries.items()
            if (namespace is None or place[0] == namespace) and (matches is None or matches(entry.manifest))
        ]
        return [entry for _, entry in sorted(found, key=lambda pair: pair[0])]

    def remember(self, event: Event) -> None:
        """Add an event to the history; the oldest ones leave when it is full."""
        self._history.append(event)
        self.history_bytes += len(event.encoded)
        while len(self._history) > HISTORY_EVENTS or (self.history_bytes > HISTORY_BYTES and len(self._history) > 1):
            self.forget_oldest()
        self.version = event.version

    def forget_oldest(self) -> None:
        """Let go of the oldest event: a watch from before it has expired."""
        gone = self._history.popleft()
        self.history_bytes -= len(gone.encoded)
        self.oldest = gone.version

    def since(self, version: int) -> Iterator[Event]:
        """The events after a version, which must not be before `oldest`."""
        versions = [event.version for event in self._history]
        yield from list(self._history)[bisect_right(versions, version) :]

    def forget_history(self, version: int) -> None:
        """Behave as after a compaction at a version: every watch or list from before it has expired."""
        self._history.clear()
        self.history_bytes = 0
        self.oldest = version


Observer = Callable[[Collection, str, Entry], None]


class TooLarge(Exception):
    """An object is larger than a real server could keep."""


class Store:
    """All collections under one version counter, which never runs backwards."""

    def __init__(self) -> None:
        self.version = 1
        self.floor = 0
        self.collections: dict[tuple[str, str], Collection] = {}
        self.observers: list[Observer] = []
        self._snapshots = Snapshots()
        self._remembered = 0

    def collection(self, group: str, plural: str) -> Collection:
        """The collection of a resource; an empty one is made."""
        found = self.collections.get((group, plural))
        if found is None:
            found = self.collections[(group, plural)] = Collection(group, plural, oldest=self.floor, version=self.version)
        return found

    def put(self, collection: Collection, place: Place, manifest: Manifest) -> Entry:
        """Keep an object under the next version. Raises TooLarge."""
        before = collection.entries.get(place)
        entry = self._committed(collection, "MODIFIED" if before else "ADDED", place, manifest)
        collection.entries[place] = entry
        self._publish(collection, "MODIFIED" if before else "ADDED", place, (entry, before))
        return entry

    def remove(self, collection: Collection, place: Place, manifest: Manifest | None = None) -> Entry:
        """Let go of an object; its last state (or the one given) is told with the version of the deletion."""
        before = collection.entries[place]
        entry = self._committed(collection, "DELETED", place, manifest or before.manifest)
        del collection.entries[place]
        self._publish(collection, "DELETED", place, (entry, before))
        return entry

    def _committed(self, collection: Collection, kind: str, place: Place, manifest: Manifest) -> Entry:
        """The object under the next version. Raises TooLarge, and then the version is given to the next change."""
        version = self.version + 1
        stamped = {**manifest, "metadata": {**manifest["metadata"], "resourceVersion": str(version)}}
        # The encoder leaves spare room behind what it returns; a copy is a sixth of it for a small object.
        entry = Entry(stamped, version, memoryview(orjson.dumps(stamped)).tobytes())
        if len(entry.encoded) > OBJECT_BYTES and kind != "DELETED":
            raise TooLarge("etcdserver: request is too large")
        self.version = version
        return entry

    def _publish(self, collection: Collection, kind: str, place: Place, change: tuple[Entry, Entry | None]) -> None:
        entry, before = change
        held = collection.history_bytes
        collection.remember(Event(entry.version, kind, place[0], entry.encoded, before.encoded if before else b""))
        self._remembered += collection.history_bytes - held
        if self._remembered > ALL_HISTORY_BYTES:
            self._forget_most()
        for watcher in collection.watchers:
            watcher.tell(kind, entry, before)
        for observer in self.observers:
            observer(collection, kind, entry)

    def _forget_most(self) -> None:
        """Forget the oldest changes of whoever remembers most, until all together are well below what they may hold."""
        held = {id(one): one for one in self.collections.values() if one.history_bytes}
        self._remembered = sum(one.history_bytes for one in held.values())
        while self._remembered > ALL_HISTORY_BYTES * 7 // 8:
            most = max(held.values(), key=lambda one: one.history_bytes)
            before = most.history_bytes
            most.forget_oldest()
            self._remembered -= before - most.history_bytes

    def drop(self, group: str, plural: str) -> None:
        """End a resource that is served no more and has no objects: its watches are over, what was before now is not known any more."""
        collection = self.collections.get((group, plural))
        if collection is None or collection.entries:
            return
        del self.collections[(group, plural)]
        self.floor = self.version
        for watcher in list(collection.watchers):
            watcher.end()

    def keep_snapshot(self, name: str, entries: list[Entry]) -> None:
        """Keep what a list in pages goes on with."""
        self._snapshots.keep(name, entries)

    def snapshot(self, name: str) -> list[Entry] | None:
        """The entries kept under a name, if they still are."""
        return self._snapshots.find(name)


class Snapshots:
    """Lists that are read in pages, bounded in number and bytes: the ones unused for longest are forgotten, never the last one."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, tuple[list[Entry], int]] = OrderedDict()
        self._bytes = 0

    def keep(self, name: str, entries: list[Entry]) -> None:
        """Keep a list under a name."""
        before, size = self._kept.pop(name, ([], 0))
        self._bytes -= size
        if before is not entries:
            size = sum(len(entry.encoded) for entry in entries)
        self._kept[name] = (entries, size)
        self._bytes += size
        while len(self._kept) > SNAPSHOTS or (self._bytes > SNAPSHOT_BYTES and len(self._kept) > 1):
            _, (_, gone) = self._kept.popitem(last=False)
            self._bytes -= gone

    def find(self, name: str) -> list[Entry] | None:
        """The list under a name, which is used by that."""
        found = self._kept.get(name)
        if found is None:
            return None
        self._kept.move_to_end(name)
        return found[0]
