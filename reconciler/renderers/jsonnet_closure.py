"""Which files the jsonnet of a folder is evaluated from: an import names its file literally, so they can be known beforehand. Pure."""

import posixpath
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

from reconciler.git.objects import Snapshot
from reconciler.sources.exclusion import excluded
from reconciler.sources.renderer import RenderOptions

ENTRY = ".jsonnet"
EVALUATED = (ENTRY, ".libsonnet")
IMPORT = re.compile(rb"""\bimport(?:str|bin)?\s*@?(?P<quote>["'])(?P<name>[^"'\n]+)(?P=quote)""")
"""An import in a comment or in a text is one file too many, which does no harm."""


@dataclass(frozen=True, slots=True)
class JsonnetFiles:
    """What is known of the files behind a folder.

    `entries` give manifests, `files` are all that are looked at, `libraries` the folders where imports are looked for beside the own one,
    `missing` is still to be asked for.
    """

    entries: tuple[str, ...]
    files: tuple[str, ...]
    libraries: tuple[str, ...]
    missing: tuple[str, ...] = ()

    def library(self, name: str) -> bool:
        """True for a file of a library: it is there to be imported."""
        return any(below(name, folder) for folder in self.libraries)


def entry_in(files: Collection[str], options: RenderOptions) -> bool:
    """True for a folder some file of which gives manifests by being evaluated."""
    places = tuple(place for text in options.jsonnet.libraries if (place := _place(options.path, text)) is not None)
    found = (
        name for name in files if name.endswith(ENTRY) and below(name, options.path) and not excluded(name, options.path, options.exclude)
    )
    return any(not any(below(name, place) for place in places) for name in found)


@dataclass(slots=True)
class _ImportWalk:
    """One way through the files and what they import."""

    files: Mapping[str, bytes]
    absent: Collection[str]
    libraries: tuple[str, ...]
    seen: dict[str, None] = field(default_factory=dict)
    missing: dict[str, None] = field(default_factory=dict)


def closure(snapshot: Snapshot, folder: str, libraries: Collection[str]) -> JsonnetFiles:
    """Everything that the jsonnet of a folder is evaluated from; `libraries` are folders below it, or with a slash from the root on."""
    places = tuple(place for text in libraries if (place := _place(folder, text)) is not None)
    walk = _ImportWalk(snapshot.files, snapshot.absent, places)
    own = posixpath.join(folder, f"*{ENTRY}")
    if own not in walk.absent:
        walk.missing[own] = None
    found = JsonnetFiles((), (), places)
    entries = tuple(sorted(name for name in walk.files if name.endswith(ENTRY) and below(name, folder) and not found.library(name)))
    waiting = list(entries)
    while waiting:
        name = waiting.pop()
        if name not in walk.seen:
            walk.seen[name] = None
            waiting += _imported(walk, name)
    return JsonnetFiles(entries, tuple(sorted(walk.seen)), places, tuple(walk.missing))


def _imported(walk: _ImportWalk, name: str) -> Iterator[str]:
    """The files that one file imports; those of which nothing is known are asked for, in the order in which they are looked for."""
    if not name.endswith(EVALUATED):
        return
    for found in IMPORT.finditer(walk.files[name]):
        text = found["name"].decode(errors="surrogateescape")
        for place in (posixpath.dirname(name), *walk.libraries):
            target = resolved(place, text)
            if target is None:
                continue
            if target in walk.files:
                yield target
                break
            if target not in walk.absent:
                walk.missing[target] = None
                break


def resolved(folder: str, text: str) -> str | None:
    """A name from the repository's root; None for one that leads out of it."""
    name = posixpath.normpath(posixpath.join(folder, text))
    return None if name.startswith(("/", "../")) or name in ("..", ".") or "\0" in name else name


def _place(folder: str, text: str) -> str | None:
    return resolved("" if text.startswith("/") else folder, text.strip("/"))


def below(name: str, folder: str) -> bool:
    """True for a file of a folder, at any depth."""
    return not folder or name.startswith(f"{folder}/")
