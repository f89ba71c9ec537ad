"""What a repository of charts answers: its `index.yaml`, and archives of charts. Both may be hostile. Pure.

An index is read as a stream of events, so that neither nesting nor aliases cost more than its bytes. An archive is unpacked in memory, to
be looked at and never written: helm loads it as it is.
"""

import gzip
import hashlib
import io
import posixpath
import re
import tarfile
import zlib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

import yaml

from reconciler.renderers.helm_lock import CHART, mapping_of
from reconciler.sources.charts import ChartWish
from reconciler.yamledit.nodes import LOADER, NotYaml

LARGEST_UNPACKED = 64 << 20
MOST_MEMBERS = 10_000
LARGEST_CHART_YAML = 1 << 20
ENTRY = 4
"""How deep an entry of `entries: {name: [entry]}` stands: the root is 1."""
DRIVE = re.compile(r"[A-Za-z]:")


class NotUsable(Exception):
    """What a repository answered cannot be used; the text says why."""


@dataclass(frozen=True, slots=True)
class IndexEntry:
    """Where the archive of one version is, and the SHA-256 of its bytes; empty where the index does not say."""

    url: str
    digest: str


@dataclass(slots=True)
class _OpenNode:
    """One mapping or list that is open; in a mapping, the key whose value comes next."""

    mapping: bool
    key: str | None = None


@dataclass(slots=True)
class _IndexReader:
    """Keeps what was said of the wanted charts."""

    wanted: Mapping[tuple[str, str], ChartWish]
    levels: list[_OpenNode] = field(default_factory=list)
    entry: dict[str, str] = field(default_factory=dict)
    found: dict[ChartWish, IndexEntry] = field(default_factory=dict)

    def open(self, mapping: bool) -> None:
        self.levels.append(_OpenNode(mapping))

    def close(self) -> None:
        self.levels.pop()
        if len(self.levels) == ENTRY - 1 and self._inside:
            wish = self.wanted.get((str(self.levels[1].key), self.entry.get("version", "")))
            if wish is not None and wish not in self.found:
                self.found[wish] = IndexEntry(self.entry.get("urls", ""), self.entry.get("digest", "").removeprefix("sha256:"))
            self.entry = {}
        self._said()

    def scalar(self, text: str) -> None:
        top = self.levels[-1] if self.levels else None
        if top is not None and top.mapping and top.key is None:
            top.key = text
            return
        if self._inside and len(self.levels) in (ENTRY, ENTRY + 1):
            self.entry.setdefault(str(self.levels[ENTRY - 1].key), text)
        self._said()

    @property
    def _inside(self) -> bool:
        return bool(self.levels) and self.levels[0].key == "entries"

    def _said(self) -> None:
        """A value has ended: a mapping now waits for its next key. A key that is no text is none that is looked for."""
        if self.levels and self.levels[-1].mapping:
            self.levels[-1].key = "" if self.levels[-1].key is None else None


def entries_of(index: bytes, wishes: Collection[ChartWish]) -> Mapping[ChartWish, IndexEntry]:
    """What an index says of these charts, of those that it has. Raises NotUsable."""
    reader = _IndexReader({(wish.name, wish.version): wish for wish in wishes})
    try:
        for event in yaml.parse(index, Loader=LOADER):
            match event:
                case yaml.MappingStartEvent():
                    reader.open(mapping=True)
                case yaml.SequenceStartEvent():
                    reader.open(mapping=False)
                case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                    reader.close()
                case yaml.ScalarEvent():
                    reader.scalar(event.value)
                case yaml.AliasEvent():
                    reader.scalar("")
    except (yaml.YAMLError, UnicodeDecodeError, ValueError) as error:
        raise NotUsable("its index.yaml is no YAML") from error
    return reader.found


def check_archive(wish: ChartWish, content: bytes, digest: str) -> None:
    """Refuses an archive that is not the chart that was wanted, or that holds anything but files of its own. Raises NotUsable."""
    if digest and hashlib.sha256(content).hexdigest() != digest.lower():
        raise NotUsable("its archive has another digest than the index says")
    try:
        chart = _chart_in(wish, content)
        _, value = mapping_of(chart, "chart")
    except (tarfile.TarError, OSError, EOFError, zlib.error, ValueError, LookupError, ArithmeticError) as error:
        raise NotUsable("its archive is no .tgz that can be read") from error
    except NotYaml as error:
        raise NotUsable(f"the {CHART} in its archive: {error.message}") from error
    if (value.get("name"), str(value.get("version", ""))) != (wish.name, wish.version):
        raise NotUsable("its archive holds another chart or another version")


def _chart_in(wish: ChartWish, content: bytes) -> bytes:
    """The bytes of its `Chart.yaml`, once everything else was looked at."""
    with gzip.GzipFile(fileobj=io.BytesIO(content)) as packed:
        unpacked = packed.read(LARGEST_UNPACKED + 1)
    if len(unpacked) > LARGEST_UNPACKED:
        raise NotUsable(f"its archive holds more than {LARGEST_UNPACKED >> 20} MiB")
    with tarfile.open(fileobj=io.BytesIO(unpacked), mode="r:") as archive:
        members = list(_members(archive, wish.name))
        marker = next((member for member in members if posixpath.normpath(member.name) == f"{wish.name}/{CHART}"), None)
        file = archive.extractfile(marker) if marker is not None and marker.size <= LARGEST_CHART_YAML else None
        if file is None:
            raise NotUsable(f"its archive has no {wish.name}/{CHART}")
        return file.read()


def _members(archive: tarfile.TarFile, name: str) -> Iterator[tarfile.TarInfo]:
    """The files of an archive. Raises NotUsable for a link, a device, a name that leads out, and for too many."""
    for count, member in enumerate(archive, 1):
        if count > MOST_MEMBERS:
            raise NotUsable(f"its archive holds more than {MOST_MEMBERS} files")
        parts = member.name.rstrip("/").split("/")
        if member.name.startswith("/") or ".." in parts or "\\" in member.name or "\0" in member.name or DRIVE.match(member.name):
            raise NotUsable("its archive holds a name that leads out of it")
        if not (member.isreg() or member.isdir()) or member.issparse():
            raise NotUsable("its archive holds a link or a device")
        if next((part for part in parts if part != "."), "") not in (name, ""):
            raise NotUsable(f"its archive holds files beside the folder {name}")
        if member.isreg():
            yield member
