"""An append-only file of every change, so that a sandbox that is started again has its objects, and versions never run backwards.

A change is in the file before anybody hears of it: killed at any instruction, the next start finds all that was told. A machine
that loses power may lose the last changes, never the order of versions: they are reserved on disk before they are given away.
When more than half of the file is of the past it is written anew beside itself and put in its own place.
"""

import errno
import fcntl
import io
import logging
import os
import random
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from reconciler_sandbox.apiserver import records
from reconciler_sandbox.apiserver.records import AnotherFormat, Change, Head, Mark, Resource, Unreadable
from reconciler_sandbox.apiserver.store import Commit, Entry, NotKept, Place, Store

LINE_LIMIT = 32 * 1024 * 1024
SLACK = 1024 * 1024
"""Bytes of the past that a small file may hold."""

RESERVE = 10_000
"""Versions that are reserved at a time; a start after a kill skips what is left of them."""

OWNER_ONLY = 0o600
"""Among the objects are Secrets."""

OVERHEAD = 160
"""About what a line says besides its object."""

MEND = "put back a copy of the file, or take this line out and lose that one change"
AWAY = "name another file, or move this one away to start empty"

log = logging.getLogger(__name__)
Objects = dict[Resource, dict[Place, Entry]]
Live = Iterable[tuple[Resource, Place, Entry]]


class JournalError(Exception):
    """The journal cannot be used as it is: which file, which line, why, and what to do."""


@dataclass(slots=True)
class Found:
    """What a file held: the objects, and the version to go on from."""

    version: int = 1
    objects: Objects = field(default_factory=dict)

    def take(self, change: Change) -> None:
        """Bring the objects up to date."""
        kept = self.objects.setdefault(change.resource, {})
        kept.pop(change.place, None)
        if change.entry is not None:
            kept[change.place] = change.entry

    def live(self) -> Iterator[tuple[Resource, Place, Entry]]:
        """Every object there is."""
        return ((resource, place, entry) for resource, kept in self.objects.items() for place, entry in kept.items())


class Journal:
    """An open journal; only one process at a time has it. `found` is what was in it, until it is taken."""

    def __init__(self, path: Path, lock: io.FileIO, found: Found) -> None:
        self.path = path
        self._lock = lock
        self._found: Found | None = found
        self._live: Callable[[], Live] = found.live
        self._file: io.FileIO | None = None
        self._size = 0
        self._weight = sum(_weight(place, entry) for _, place, entry in found.live())
        self._version = found.version
        self._reserved = found.version
        self._retry_at = 0
        self._broken = ""

    @classmethod
    def open(cls, path: Path) -> "Journal":
        """Read a file, or begin one. Raises JournalError for a file that is not ours, is damaged or in use; it stays as it is then."""
        path = path.resolve()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            lock = _locked(path)
        except OSError as error:
            raise JournalError(f"{path}: {error.strerror or error}; {AWAY}") from error
        try:
            journal = cls(path, lock, _read(path))
            journal._rewrite()
        except OSError as error:
            lock.close()
            raise JournalError(f"{path}: {error.strerror or error}; give it room and rights, or name another file") from error
        except JournalError:
            lock.close()
            raise
        return journal

    def taken(self, live: Callable[[], Live]) -> Found:
        """What was found, for once; from now on `live` says what there is."""
        found, self._found, self._live = self._found or Found(self._version), None, live
        return found

    @property
    def size(self) -> int:
        """Bytes in the file."""
        return self._size

    def keep(self, commit: Commit) -> None:
        """Write a change before it is made. Raises NotKept when it cannot be, and then it must not be made."""
        if self._size > max(2 * self._weight + SLACK, self._retry_at):
            self._compact()
        if commit.entry.version >= self._reserved:
            self._append(records.mark_line(Mark(records.RESERVED, commit.entry.version + RESERVE)))
            self._reserved = commit.entry.version + RESERVE
            self._sync()
        self._append(records.commit_line(commit))
        self._version = commit.entry.version
        before, after = commit.before, None if commit.kind == records.REMOVED else commit.entry
        self._weight += (_weight(commit.place, after) if after else 0) - (_weight(commit.place, before) if before else 0)

    def close(self) -> None:
        """End in good order: the next start goes on from the very version."""
        if self._file is None:
            return
        with suppress(NotKept):  # without its last line the file is that of a process that was killed
            self._append(records.mark_line(Mark(records.CLOSED, self._version)))
            self._sync()
        self._file.close()
        self._file = None
        self._lock.close()

    def _append(self, line: bytes) -> None:
        if self._file is None or self._broken:
            raise NotKept(f"{self.path}: {self._broken or 'the journal is closed'}")
        try:
            if self._file.write(line) != len(line):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        except OSError as error:
            self._take_back(error)
            raise NotKept(f"{self.path}: {error.strerror or error}; nothing was changed, give it room and try again") from error
        self._size += len(line)

    def _take_back(self, error: OSError) -> None:
        """Cut off half a line; when even that fails nothing more may be written behind it."""
        try:
            os.ftruncate(self._fileno(), self._size)
        except OSError:
            self._broken = f"{error.strerror or error}, and half a line could not be taken back; start the sandbox again"

    def _sync(self) -> None:
        try:
            os.fsync(self._fileno())
        except OSError as error:
            self._broken = f"{error.strerror or error}; start the sandbox again"
            raise NotKept(f"{self.path}: {self._broken}") from error

    def _fileno(self) -> int:
        assert self._file is not None
        return self._file.fileno()

    def _compact(self) -> None:
        """Leave the past out of the file; when that fails the old file goes on, and it is tried again later."""
        try:
            self._rewrite()
            self._retry_at = 0
        except OSError as error:
            self._retry_at = self._size + SLACK
            log.warning("%s could not be compacted (%s); it grows until it can be", self.path, error.strerror or error)

    def _rewrite(self) -> None:
        """A new file with what there is, on disk before it takes the place of the old one."""
        fresh = _beside(self.path, ".new")
        reserved = self._version + RESERVE
        file = io.FileIO(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND | os.O_CLOEXEC, OWNER_ONLY), "a")
        try:
            size = _write_all(file, Head(self._version, reserved), self._live())
            os.fsync(file.fileno())
            os.replace(fresh, self.path)
            _sync_folder(self.path.parent)
        except OSError:
            file.close()
            fresh.unlink(missing_ok=True)
            raise
        if self._file is not None:
            self._file.close()
        self._file, self._size, self._reserved = file, size, reserved


def _write_all(file: io.FileIO, head: Head, live: Live) -> int:
    """Write a whole file, objects by their versions as a reader expects them; its size."""
    buffered = io.BufferedWriter(file, 1024 * 1024)
    try:
        size = buffered.write(records.head_line(head))
        for resource, place, entry in sorted(live, key=lambda one: one[2].version):
            size += buffered.write(records.entry_line(resource, place, entry))
        buffered.flush()
    finally:
        with suppress(OSError, ValueError):
            buffered.detach()
    return size


def _beside(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)


def _locked(path: Path) -> io.FileIO:
    """The lock of a journal, which ends with the process that has it. Raises JournalError when another one does."""
    lock = io.FileIO(os.open(_beside(path, ".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, OWNER_ONLY), "r+")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        lock.close()
        raise JournalError(f"{path}: another sandbox is using it; stop that one, or name another file") from error
    return lock


def _sync_folder(folder: Path) -> None:
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def _weight(place: Place, entry: Entry) -> int:
    return len(entry.encoded) + len(place[0]) + len(place[1]) + OVERHEAD


def _read(path: Path) -> Found:
    """What a file holds; nothing when there is none or it is empty. Raises JournalError."""
    if not path.exists():
        return Found()
    if not path.is_file():
        raise JournalError(f"{path}: it is no file; {AWAY}")
    with path.open("rb") as file:
        if not path.stat().st_size:
            return Found()
        return _Reading(path, file).found()


class _Reading:
    """One file that is being read, line by line."""

    def __init__(self, path: Path, file: BinaryIO) -> None:
        self._path = path
        self._file = file
        self._number = 0

    def found(self) -> Found:
        """The objects, and the version that comes after all that may have been told."""
        head = self._head()
        found, before, reserved, closed = Found(head.version), 0, head.reserved, False
        while line := self._line():
            said = self._parsed(line)
            if isinstance(said, Change):
                before = self._later(said.version, before)
                found.version = max(found.version, said.version)
                found.take(said)
            elif said.kind == records.RESERVED:
                reserved = max(reserved, said.version)
            closed = isinstance(said, Mark) and said.kind == records.CLOSED
        found.version = found.version if closed else max(reserved, found.version)
        return found

    def _head(self) -> Head:
        line = self._file.readline(LINE_LIMIT)
        self._number = 1
        try:
            if not line.endswith(b"\n"):
                raise Unreadable("it has no end")
            return records.parse_head(line)
        except AnotherFormat as other:
            todo = "start it with the program that wrote it, or move it away to start empty"
            raise JournalError(f"{self._path}, line 1: the journal has {other}; {todo}") from None
        except Unreadable as why:
            raise JournalError(f"{self._path}, line 1: not a journal of a sandbox: {why}; {AWAY}") from None

    def _line(self) -> bytes:
        """The next whole line; a torn one at the end is left out, and said."""
        line = self._file.readline(LINE_LIMIT)
        self._number += 1
        if not line or line.endswith(b"\n"):
            return line
        if len(line) >= LINE_LIMIT:
            raise self._unreadable("it is longer than a line of a journal can be")
        text = "%s, line %d: the sandbox was killed in the middle of writing it; its %d bytes are cut off, nobody had heard of that change"
        log.warning(text, self._path, self._number, len(line))
        return b""

    def _parsed(self, line: bytes) -> Change | Mark:
        try:
            return records.parse(line)
        except Unreadable as why:
            raise self._unreadable(str(why)) from None

    def _later(self, version: int, before: int) -> int:
        """The version of a line, which is after that of the line before it."""
        if version <= before:
            raise self._unreadable("its version is not after that of the line before it")
        return version

    def _unreadable(self, why: str) -> JournalError:
        return JournalError(f"{self._path}, line {self._number}: unreadable: {why}; {MEND}")


def restored(journal: Journal | None) -> Store:
    """A store with what is in a journal, which keeps each change from now on; an empty one that keeps nothing without a journal."""
    store = Store()
    if journal is not None:
        found = journal.taken(store.live)
        store.restore(found.version, found.objects)
        store.keep = journal.keep
    return store


def chance_of(seed: int | None, store: Store) -> random.Random:
    """Chance from a seed; after a restart another one than before, as uids and names must not come twice."""
    return random.Random(seed if seed is None or not store.floor else f"{seed}/{store.floor}")
