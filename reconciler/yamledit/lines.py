"""Takes whole entries out of a YAML file, puts them in or writes them anew, line by line. `pieces` proves the result by parsing it again.

Only block style and only whole lines: anything else is refused, because a guess about layout is a change that was not asked for.
"""

import re
from dataclasses import dataclass
from typing import Any

import yaml

from reconciler.yamledit.nodes import BOM, FieldPath, MappingNode, Node, Placed, SequenceNode, compose_each, decode
from reconciler.yamledit.splice import EditRefused, plain_is_safe
from reconciler.yamledit.values import key_name, placed_at

# Line ends as libyaml counts them.
END = re.compile(r"(?:\r\n|[\n\r\x85\u2028\u2029])\Z")
LINE = re.compile(r"[^\r\n\x85\u2028\u2029]*(?:\r\n|[\n\r\x85\u2028\u2029])|[^\r\n\x85\u2028\u2029]+")


@dataclass(frozen=True, slots=True)
class Part:
    """One place in a file: an entry of a mapping, an item of a list, or the whole document."""

    content: bytes
    document: int
    path: FieldPath


@dataclass(frozen=True, slots=True)
class Entry:
    """The lines of one entry, without their ends, and the column (from 1) at which it starts."""

    lines: tuple[str, ...]
    column: int


@dataclass(frozen=True, slots=True)
class _Span:
    """The lines of one entry: first and last from 1, and the column of its key or dash from 1."""

    first: int
    last: int
    column: int


class _Dumper(yaml.SafeDumper):
    """Writes texts so that every reader takes them for texts."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text.strip("\n") else None if plain_is_safe(text) else '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _represent_text)


def entry_of(part: Part) -> Entry:
    """One entry as a file writes it. Raises EditRefused unless it fills whole lines."""
    text = decode(part.content)
    span = _alone(text, part.path[-1], _span(text, part))
    return Entry(tuple(_bare(line) for line in _lines(text)[span.first - 1 : span.last]), span.column)


def new_entry(key: str | int, value: Any) -> Entry:
    """One entry as we write it where no text is known: block style, a key or an item of a list."""
    text = yaml.dump({key: value} if isinstance(key, str) else [value], Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=1 << 20)
    return Entry(tuple(text.splitlines()), 1)


def remove_lines(target: Part) -> bytes:
    """The file without one entry. Raises EditRefused unless the entry fills whole lines and has a sibling that stays."""
    text = decode(target.content)
    if len(_spans(text, _collection(text, target))) < 2:
        raise EditRefused("the entry is the only one of its mapping or list")
    span = _alone(text, target.path[-1], _span(text, target))
    return _put(target.content, (span.first - 1, span.last), ())


def insert_lines(entry: Entry, target: Part, behind: str | int | None) -> bytes:
    """The file with one more entry in the collection that `target` names: behind a sibling, or before the first one."""
    text = decode(target.content)
    spans = _spans(text, _collection(text, Part(target.content, target.document, (*target.path, ""))))
    if not spans:
        raise EditRefused("the place that the entry belongs to is empty")
    first_part, first = next(iter(spans.items()))
    at = spans[behind].last if behind is not None else _alone(text, first_part, first).first - 1
    return _put(target.content, (at, at), _moved(entry, first.column))


def replace_lines(entry: Entry, target: Part) -> bytes:
    """The file with one entry written anew."""
    text = decode(target.content)
    span = _alone(text, target.path[-1], _span(text, target))
    return _put(target.content, (span.first - 1, span.last), _moved(entry, span.column))


def _put(content: bytes, between: tuple[int, int], entry: tuple[str, ...]) -> bytes:
    """The file with other lines at a place. A file without a final line end stays so."""
    lines = _lines(decode(content))
    before, behind = lines[: between[0]], lines[between[1] :]
    ending = next((found[0] for line in (*reversed(before), *lines) if (found := END.search(line))), "\n")
    fresh = [line + ending for line in entry]
    if before and entry and not END.search(before[-1]):
        before = [*before[:-1], before[-1] + ending]
    if fresh and not behind and not END.search(lines[-1]):
        fresh[-1] = entry[-1]
    return (BOM if content.startswith(BOM) else b"") + "".join([*before, *fresh, *behind]).encode()


def _moved(entry: Entry, column: int) -> tuple[str, ...]:
    delta = column - entry.column
    if delta >= 0:
        return tuple(" " * delta + line if line.strip() else line for line in entry.lines)
    return tuple(_to_the_left(line, -delta) for line in entry.lines)


def _to_the_left(line: str, by: int) -> str:
    indentation = len(line) - len(line.lstrip(" "))
    if indentation < by and line.strip() and not line.lstrip().startswith("#"):
        raise EditRefused("the entry cannot be moved to the left")
    return line[min(by, indentation) :]


def _lines(text: str) -> list[str]:
    return LINE.findall(text)


def _bare(line: str) -> str:
    return END.sub("", line)


def _collection(text: str, part: Part) -> Node:
    root = compose_each(text)[part.document].root
    node = placed_at(root, part.path[:-1]) if root is not None else None
    if not isinstance(node, MappingNode | SequenceNode):
        raise EditRefused("the entry is gone, or behind an alias")
    return node


def _span(text: str, part: Part) -> _Span:
    spans = _spans(text, _collection(text, part))
    if part.path[-1] not in spans:
        raise EditRefused("the entry is not written where it is read")
    return spans[part.path[-1]]


def _spans(text: str, collection: Node) -> dict[str | int, _Span]:
    found: dict[str | int, _Span] = {}
    if isinstance(collection, MappingNode) and not collection.flow:
        for key, value in collection.entries:
            found[key_name(key)] = _entry_span(key, key.column, value)
    elif isinstance(collection, SequenceNode) and not collection.flow:
        for position, item in enumerate(collection.items):
            found[position] = _entry_span(item, collection.column, item)
    else:
        raise EditRefused("the entry is in a mapping or list written on one line")
    lines = _lines(text)
    return {part: _trimmed(lines, span) for part, span in found.items()}


def _entry_span(first: Placed, column: int, last: Placed) -> _Span:
    return _Span(first.line, max(first.line, last.last_line), column)


def _trimmed(lines: list[str], span: _Span) -> _Span:
    last = min(span.last, len(lines))
    while last > span.first and not lines[last - 1].strip():
        last -= 1
    return _Span(span.first, last, span.column)


def _alone(text: str, part: str | int, span: _Span) -> _Span:
    """The span, once nothing but indentation (and an item's dash) stands before its text."""
    line = _lines(text)[span.first - 1]
    dash = line[span.column - 1 : span.column]
    if line[: span.column - 1].strip() or (isinstance(part, int) and dash != "-"):
        raise EditRefused("the entry shares its line with another")
    return span
