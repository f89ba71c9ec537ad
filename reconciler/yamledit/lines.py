"""Takes whole entries out of a YAML file or puts them in, line by line. `restore` proves the result by parsing it again.

Only block style and only whole lines: anything else is Refused, because a guess about layout is a change that was not asked for.
"""

import re
from dataclasses import dataclass

from reconciler.yamledit.differences import entries_of
from reconciler.yamledit.nodes import BOM, FieldPath, MappingNode, Node, SequenceNode, compose, decode, node_at
from reconciler.yamledit.splice import EditRefused

RARE_BREAK = re.compile(r"[\x85\u2028\u2029]")
LINE = re.compile(r"[^\r\n]*(?:\r\n|\n|\r)|[^\r\n]+")


@dataclass(frozen=True, slots=True)
class Part:
    """One entry of a mapping or item of a list in a file."""

    content: bytes
    document: int
    path: FieldPath


@dataclass(frozen=True, slots=True)
class _Span:
    """The lines of one entry: first and last from 1, and the column of its key or dash from 1."""

    first: int
    last: int
    column: int


def remove_lines(part: Part) -> bytes:
    """The file without one entry. Raises Refused unless the entry fills whole lines and has a sibling that stays."""
    text = decode(part.content)
    collection = _collection(text, part)
    spans = _spans(text, collection)
    if len(spans) < 2:
        raise EditRefused("the entry is the only one of its mapping or list")
    span = _alone(text, part.path[-1], spans[part.path[-1]])
    return _put(part.content, (span.first - 1, span.last), [])


def insert_lines(part: Part, target: Part) -> bytes:
    """The file of `target` with the entry `part` of another version of it; `target.path` names the collection that takes it in.

    It goes behind the sibling that it follows in its own file, or else before the first one.
    """
    text, source = decode(target.content), decode(part.content)
    here = node_at(compose(text)[target.document].root, target.path)
    there = _collection(source, part)
    if here is None or type(here) is not type(there):
        raise EditRefused("the place that the entry belongs to is gone")
    spans = _spans(text, here)
    if not spans:
        raise EditRefused("the place that the entry belongs to is empty")
    behind = _sibling_before(here, there, part.path[-1])
    first_part, first = next(iter(spans.items()))
    at = spans[behind].last if behind is not None else _alone(text, first_part, first).first - 1
    return _put(target.content, (at, at), _moved(part, first.column))


def replace_lines(part: Part, target: Part) -> bytes:
    """The file of `target` with one entry, named by `target.path`, written as `part` writes it in another version."""
    text = decode(target.content)
    span = _alone(text, target.path[-1], _spans(text, _collection(text, target))[target.path[-1]])
    return _put(target.content, (span.first - 1, span.last), _moved(part, span.column))


def _moved(part: Part, column: int) -> list[str]:
    """The lines of one entry, indented so that they start at a column."""
    source = decode(part.content)
    span = _alone(source, part.path[-1], _spans(source, _collection(source, part))[part.path[-1]])
    return _indented(_lines(source)[span.first - 1 : span.last], column - span.column)


def _put(content: bytes, between: tuple[int, int], entry: list[str]) -> bytes:
    text = decode(content)
    before, behind = _lines(text, keep=True)[: between[0]], _lines(text, keep=True)[between[1] :]
    ending = "\r\n" if "\r\n" in text else "\n"
    if before and not before[-1].endswith(("\n", "\r")):
        raise EditRefused("the file does not end with a line end")
    return _bytes(content, "".join([*before, *(line + ending for line in entry), *behind]))


def _lines(text: str, keep: bool = False) -> list[str]:
    """The lines as libyaml counts them for the characters that we accept: LF, CRLF and CR only."""
    if RARE_BREAK.search(text):
        raise EditRefused("the file has line ends other than LF and CRLF")
    parts = LINE.findall(text)
    return parts if keep else [part.rstrip("\r\n") for part in parts]


def _collection(text: str, part: Part) -> Node:
    node = node_at(compose(text)[part.document].root, part.path[:-1])
    if node is None:
        raise EditRefused("the entry is gone")
    return node


def _spans(text: str, collection: Node) -> dict[str | int, _Span]:
    found: dict[str | int, _Span] = {}
    if isinstance(collection, MappingNode) and not collection.flow:
        for key, key_node, value in _keys(collection):
            found[key] = _Span(key_node.line, max(key_node.line, value.last_line), key_node.column)
    elif isinstance(collection, SequenceNode) and not collection.flow:
        for position, item in enumerate(collection.items):
            found[position] = _Span(item.line, item.last_line, collection.column)
    else:
        raise EditRefused("the entry is in a mapping or list written on one line")
    return {part: _trimmed(_lines(text), span) for part, span in found.items()}


def _keys(mapping: MappingNode) -> list[tuple[str, Node, Node]]:
    return [(part, key, value) for (key, value), part in zip(mapping.entries, entries_of(mapping), strict=True) if isinstance(part, str)]


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


def _indented(lines: list[str], delta: int) -> list[str]:
    if delta >= 0:
        return [" " * delta + line if line.strip() else line for line in lines]
    if any(line.strip() and line[:-delta].strip() for line in lines):
        raise EditRefused("the entry cannot be moved to the left")
    return [line[-delta:] for line in lines]


def _sibling_before(here: Node, there: Node, part: str | int) -> str | int | None:
    """The nearest entry before `part` over there that is also here."""
    mine, theirs = entries_of(here, there), entries_of(there, here)
    order = list(theirs)
    position = next(index for index, key in enumerate(order) if theirs[key][0] == part)
    return next((mine[key][0] for key in reversed(order[:position]) if key in mine), None)


def _bytes(content: bytes, text: str) -> bytes:
    return (BOM if content.startswith(BOM) else b"") + text.encode()
