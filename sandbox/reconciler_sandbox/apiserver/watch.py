"""Watch streams: replay, live events through a selector, bookmarks, the initial list."""

import asyncio
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache

import orjson

from reconciler_sandbox.apiserver.failures import Failure, expired
from reconciler_sandbox.apiserver.kinds import Kind
from reconciler_sandbox.apiserver.selectors import Predicate
from reconciler_sandbox.apiserver.store import Collection, Entry, Event, Manifest, Store

BOOKMARK_SECONDS = 60.0
PENDING_BYTES = 32 * 1024 * 1024
INITIAL_END = "k8s.io/initial-events-end"

Encode = Callable[[Entry], bytes]


@dataclass(frozen=True, slots=True)
class WatchOptions:
    """What a watch asks for; `since` None means: what is there as ADDED first."""

    namespace: str | None
    matches: Predicate | None
    since: int | None
    initial_end: bool
    bookmarks: bool
    seconds: float
    bookmark_seconds: float = BOOKMARK_SECONDS


class WatchStream:
    """The lines of one watch: an async iterator of JSON lines, told of changes by its collection."""

    def __init__(self, store: Store, kind: Kind, options: WatchOptions, encode: Encode) -> None:
        self._store = store
        self._kind = kind
        self._options = options
        self._encode = encode
        self._lines: deque[bytes] = deque()
        self._pending = 0
        self._waiting = asyncio.Event()
        self._ended = False
        self._cut = False
        self._deadline = asyncio.get_running_loop().time() + options.seconds
        self._bookmarked = 0
        self._quiet = False  # nothing has happened since the last bookmark: no timer runs for the next one
        self._collection = store.collection(kind.group, kind.plural)
        self._initial = self._begin()
        self._collection.watchers.add(self)

    def _begin(self) -> Iterator[bytes]:
        if self._options.since is None:
            return self._initial_lines(self._collection.sorted(self._options.namespace), self._store.version)
        if self._options.since < self._collection.oldest:
            self._ended = True
            return iter((error_line(too_old(self._options.since, self._collection)),))
        return self._replayed_lines(list(self._collection.since(self._options.since)))

    def _initial_lines(self, entries: list[Entry], version: int) -> Iterator[bytes]:
        matches = self._options.matches
        for entry in entries:
            if matches is None or matches(entry.manifest):
                yield line("ADDED", self._encode(entry))
        if self._options.initial_end:
            yield self._bookmark(version, {INITIAL_END: "true"})

    def _replayed_lines(self, events: list[Event]) -> Iterator[bytes]:
        for event in events:
            if self._options.namespace is not None and event.namespace != self._options.namespace:
                continue
            entry = Entry(orjson.loads(event.encoded), event.version, event.encoded)
            kind = self._seen_as(event.kind, entry.manifest, orjson.loads(event.before) if event.before else None)
            if kind:
                yield line(kind, self._encode(entry))

    def tell(self, kind: str, entry: Entry, before: Entry | None) -> None:
        """Take note of a change; a reader that is too slow is dropped."""
        if self._quiet:
            self._waiting.set()
        since, namespace = self._options.since, self._options.namespace
        if self._ended or (since is not None and entry.version <= since):
            return
        if namespace is not None and entry.manifest["metadata"].get("namespace", "") != namespace:
            return
        seen = self._seen_as(kind, entry.manifest, before.manifest if before else None)
        if seen:
            self._push(line(seen, self._encode(entry)))

    def _push(self, text: bytes) -> None:
        self._lines.append(text)
        self._pending += len(text)
        self._waiting.set()
        if self._pending > PENDING_BYTES:
            self._lines.clear()
            self._initial = iter(())
            self.cut()

    def _seen_as(self, kind: str, manifest: Manifest, before: Manifest | None) -> str:
        """What the change is to somebody who sees only what the selector matches; empty if nothing."""
        matches = self._options.matches
        if matches is None:
            return kind
        was = before is not None and matches(before)
        if kind == "DELETED":
            return kind if was else ""
        now = matches(manifest)
        return {(True, True): "MODIFIED", (True, False): "ADDED", (False, True): "DELETED"}.get((now, was), "")

    def end(self) -> None:
        """End the stream in good order after what is pending."""
        self._ended = True
        self._waiting.set()

    def cut(self) -> None:
        """End the stream as a broken connection does."""
        self._cut = True
        self.end()

    async def aclose(self) -> None:
        """Stop listening; what is pending is dropped."""
        self._collection.watchers.discard(self)
        self._lines.clear()
        self._initial = iter(())
        self.end()

    def __aiter__(self) -> "WatchStream":
        return self

    async def __anext__(self) -> bytes:
        while True:
            text = self.pending()
            if text is not None:
                return text
            if self._cut:
                raise ConnectionResetError("the watch was cut")
            if self._ended or await self._idle():
                self._collection.watchers.discard(self)
                raise StopAsyncIteration

    def pending(self) -> bytes | None:
        """The next line, if there is one without waiting."""
        for text in self._initial:
            return text
        if not self._lines:
            return None
        text = self._lines.popleft()
        self._pending -= len(text)
        return text

    async def _idle(self) -> bool:
        """Wait for something to send; true when the time is up."""
        clock = asyncio.get_running_loop().time
        left = self._deadline - clock()
        if left <= 0:
            return True
        self._waiting.clear()
        self._quiet = not self._options.bookmarks or self._collection.version <= self._bookmarked
        pause = left if self._quiet else min(left, self._options.bookmark_seconds)
        try:
            async with asyncio.timeout(pause):
                await self._waiting.wait()
        except TimeoutError:
            if not self._quiet and self._collection.version > self._bookmarked:
                self._push(self._bookmark(self._store.version))
        return False

    def _bookmark(self, version: int, annotations: dict[str, str] | None = None) -> bytes:
        self._bookmarked = version
        metadata = {"resourceVersion": str(version), **({"annotations": annotations} if annotations else {})}
        return line("BOOKMARK", orjson.dumps({"kind": self._kind.kind, "apiVersion": self._kind.api_version, "metadata": metadata}))


@lru_cache(maxsize=8)
def line(kind: str, encoded: bytes) -> bytes:
    """One event as a line: the same bytes for every watcher that is told of it, however many have not read it yet."""
    return b'{"type":"%b","object":%b}\n' % (kind.encode(), encoded)


def error_line(failure: Failure) -> bytes:
    """An ERROR event: how a watch that was accepted is refused."""
    return line("ERROR", failure.body())


def too_old(version: int, collection: Collection) -> Failure:
    """The history after a version is gone."""
    return expired(f"too old resource version: {version} ({collection.oldest})")
