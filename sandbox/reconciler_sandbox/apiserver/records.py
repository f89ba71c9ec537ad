"""The lines of a journal: a head that says what file it is, then one JSON document for each change; no line is half believed."""

from dataclasses import dataclass
from typing import Any

import orjson

from reconciler_sandbox.apiserver.store import Commit, Entry, Place

Manifest = dict[str, Any]
NAME = "journal of a reconciler sandbox"
FORMAT = 1
CHANGES = ("ADDED", "MODIFIED")
REMOVED = "DELETED"
RESERVED = "RESERVED"
CLOSED = "CLOSED"
Resource = tuple[str, str]
"""Group and plural."""


class Unreadable(Exception):
    """A line that is not what it should be: why, without a word of its content, which may be secret."""


class AnotherFormat(Exception):
    """The head of a journal that another version of this program wrote."""


@dataclass(frozen=True, slots=True)
class Head:
    """The first line: the version that the file begins with, and up to which versions may have been given away."""

    version: int
    reserved: int


@dataclass(frozen=True, slots=True)
class Change:
    """One line about an object: its new state, or None when it was removed."""

    resource: Resource
    place: Place
    version: int
    entry: Entry | None


@dataclass(frozen=True, slots=True)
class Mark:
    """One line about versions: RESERVED up to one, or CLOSED in good order at one."""

    kind: str
    version: int


def head_line(head: Head) -> bytes:
    """The first line of a file."""
    return orjson.dumps({"journal": NAME, "format": FORMAT, "version": head.version, "reserved": head.reserved}) + b"\n"


def mark_line(mark: Mark) -> bytes:
    """A line about versions."""
    return orjson.dumps({"version": mark.version, "kind": mark.kind}) + b"\n"


def commit_line(commit: Commit) -> bytes:
    """The line of one change; an object that was removed is not repeated."""
    told = (commit.entry.version, commit.kind, commit.resource, commit.place)
    return _line(*told, b"null" if commit.kind == REMOVED else commit.entry.encoded)


def entry_line(resource: Resource, place: Place, entry: Entry) -> bytes:
    """The line of an object as it is."""
    return _line(entry.version, CHANGES[0], resource, place, entry.encoded)


def _line(version: int, kind: str, resource: Resource, place: Place, encoded: bytes) -> bytes:
    (group, plural), (namespace, name) = resource, place
    head = {"version": version, "kind": kind, "group": group, "plural": plural, "namespace": namespace, "name": name}
    return b'%b,"object":%b}\n' % (orjson.dumps(head)[:-1], encoded)


def parse_head(line: bytes) -> Head:
    """The head of a file. Raises Unreadable if the file is none of ours, AnotherFormat if it is a newer or older one."""
    parsed = _document(line)
    if parsed.get("journal") != NAME:
        raise Unreadable("it does not say that it is the journal of a sandbox")
    if parsed.get("format") != FORMAT:
        raise AnotherFormat(f"format {str(parsed.get('format'))[:20]}, and this program reads and writes format {FORMAT}")
    return Head(_number(parsed, "version"), _number(parsed, "reserved"))


def parse(line: bytes) -> Change | Mark:
    """What a line says. Raises Unreadable."""
    parsed = _document(line)
    kind, version = parsed.get("kind"), _number(parsed, "version")
    if kind in (RESERVED, CLOSED):
        return Mark(kind, version)
    resource = (_text(parsed, "group"), _text(parsed, "plural"))
    place = (_text(parsed, "namespace"), _text(parsed, "name"))
    if kind == REMOVED:
        return Change(resource, place, version, None)
    if kind not in CHANGES:
        raise Unreadable("its kind is none that is known")
    return Change(resource, place, version, _entry(parsed.get("object"), place, version))


def _entry(manifest: Any, place: Place, version: int) -> Entry:
    fields = manifest.get("metadata") if isinstance(manifest, dict) else None
    if not isinstance(fields, dict):
        raise Unreadable("its object is none")
    said = (fields.get("namespace", ""), fields.get("name"), fields.get("resourceVersion"))
    if said != (*place, str(version)):
        raise Unreadable("its object is another one than the line says, or another version of it")
    if not all(isinstance(text, str) for text in (fields.get("uid"), manifest.get("apiVersion"), manifest.get("kind"))):
        raise Unreadable("its object has no uid, apiVersion or kind")
    return Entry(manifest, version, memoryview(orjson.dumps(manifest)).tobytes())


def _document(line: bytes) -> Manifest:
    try:
        parsed = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise Unreadable(f"it is no JSON (at character {error.pos})") from None
    if not isinstance(parsed, dict):
        raise Unreadable("it is no JSON object")
    return parsed


def _number(parsed: Manifest, name: str) -> int:
    value = parsed.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise Unreadable(f"its {name} is no number")
    return value


def _text(parsed: Manifest, name: str) -> str:
    value = parsed.get(name)
    if not isinstance(value, str):
        raise Unreadable(f"its {name} is no text")
    return value
