"""What a daemon decided and from which facts, pass by pass, so that other code can plan it again (`reconciler replay`).

A journal is a file of JSON lines: a head, then one line for each pass whose facts were others than the last time. It never holds the value
of a Secret or the text of a file (`packing`), and never more than its size: when half of that is written, the half before it is dropped.
"""

import hashlib
import os
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, Any, Protocol

import orjson
import structlog

from reconciler.kernel.errors import Terminal
from reconciler.kernel.moment import render_moment
from reconciler.kernel.unusable import reason_of
from reconciler.runtime.packing import Json, Packer, Unpackable, unpack

EDITION = 1
EARLIER = ".1"
MOST_KEYS = 4096
log = structlog.get_logger()


class Journal(Protocol):
    """Hears of every decision."""

    def keep(self, kind: str, about: str, given: Sequence[object], decided: object) -> None:
        """`given` are the arguments of the pure function that decides for a `kind`, `decided` is what it returned."""

    def close(self) -> None:
        """What was heard is complete."""


class Silence:
    """Keeps nothing."""

    def keep(self, kind: str, about: str, given: Sequence[object], decided: object) -> None:
        return None

    def close(self) -> None:
        """Nothing is open."""


class FileJournal:
    """Keeps at most `size` bytes in `path` and the file beside it, which has the earlier half. A full disk costs the journal alone."""

    def __init__(self, path: Path, size: int) -> None:
        self._path = path
        self._half = size // 2
        self._packer = Packer(secrets.token_bytes(32))
        self._file: IO[bytes] | None = None
        self._written = 0
        self._last: dict[tuple[str, str], bytes] = {}
        self._failing = False

    def keep(self, kind: str, about: str, given: Sequence[object], decided: object) -> None:
        """Raises nothing: what cannot be kept is said once in the log."""
        try:
            line = self._line(kind, about, given, decided)
            if line is not None:
                self._write(line)
            self._failing = False
        except (OSError, Unpackable) as error:
            if not self._failing:
                log.warning("journal: a pass is not kept", file=str(self._path), kind=kind, about=about, reason=str(error))
            self._failing = True

    def close(self) -> None:
        """The file is complete."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _line(self, kind: str, about: str, given: Sequence[object], decided: object) -> bytes | None:
        """None for a pass that knew and decided what the last one of its object did, whatever the time."""
        packed = [self._packer.pack(one) for one in given]
        answer = self._packer.pack(decided)
        timeless = orjson.dumps([one for one, value in zip(packed, given, strict=True) if not isinstance(value, datetime)])
        mark = hashlib.sha256(timeless + orjson.dumps(answer)).digest()
        if self._last.get((kind, about)) == mark:
            return None
        if len(self._last) >= MOST_KEYS:
            self._last.clear()
        self._last[kind, about] = mark
        moment = next((value for value in given if isinstance(value, datetime)), None)
        at = render_moment(moment) if moment is not None else ""
        return orjson.dumps({"at": at, "kind": kind, "about": about, "given": packed, "decided": answer}) + b"\n"

    def _write(self, line: bytes) -> None:
        if self._file is not None and self._written + len(line) > self._half:
            self.close()
            self._path.replace(self._path.with_name(self._path.name + EARLIER))
        if self._file is None:
            self._begin()
        if self._file is not None:
            self._file.write(line)
            self._file.flush()
            self._written += len(line)

    def _begin(self) -> None:
        """A new file; what an earlier daemon left becomes the earlier half."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        if self._path.exists():
            self._path.replace(self._path.with_name(self._path.name + EARLIER))
        self._file = os.fdopen(os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb")
        head = orjson.dumps({"journal": EDITION}) + b"\n"
        self._file.write(head)
        self._written = len(head)


@dataclass(frozen=True, slots=True)
class KeptPass:
    """One pass of a journal."""

    at: str
    kind: str
    about: str
    given: Json
    decided: Json

    def arguments(self) -> list[Any]:
        """What the pass was given. Raises Unpackable where this edition cannot read it."""
        try:
            return [unpack(one) for one in self.given]
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise Unpackable(f"{error}") from error


def entries(path: Path) -> Iterator[KeptPass]:
    """The passes of one file, in order. Raises Terminal: file, line and what is wrong; the last line may have been cut off."""
    try:
        lines = path.read_bytes().split(b"\n")
    except OSError as error:
        raise Terminal(f"{path}: cannot be read: {reason_of(error)}; name a journal, see docs/replay.md") from error
    if _decoded(lines[0]).get("journal") != EDITION:
        raise Terminal(f"{path}: is no journal of edition {EDITION}; name a file that the setting `journal` or a simulation wrote")
    for number, line in enumerate(lines[1:-1], 2):
        found = _decoded(line)
        try:
            yield KeptPass(str(found["at"]), str(found["kind"]), str(found["about"]), found["given"], found["decided"])
        except KeyError as error:
            raise Terminal(f"{path}:{number}: holds no pass: {error} is missing") from error


def _decoded(line: bytes) -> dict[str, Json]:
    try:
        found = orjson.loads(line)
    except orjson.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}
