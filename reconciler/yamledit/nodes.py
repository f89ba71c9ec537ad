"""YAML text as a tree of nodes with places, built from libyaml's events within limits. `documents` gives the nodes meaning.

Built from events, not by recursion: nesting and alias expansion are counted before anything is walked, so a small hostile
file cannot cost more than a large honest one.
"""

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, NoReturn

import yaml

DEEPEST = 200
MOST_NODES = 100_000
FieldPath = tuple[str | int, ...]
"""Mapping keys and list positions from the root of a document."""
BOM = b"\xef\xbb\xbf"
KEPT, LARGEST_KEPT = 16, 64 << 10
"""Trees of so many texts of at most so many characters are kept: an edit asks for the same few texts again and again."""
# A line that starts a document, with the directives before it: nothing else can start so, not even within a block of text.
DOCUMENT = re.compile(r"^(?:%[^\r\n]*(?:\r\n|\n|\r))*---(?=\s|\Z)", re.MULTILINE)
LINE_END = re.compile(r"\r\n|[\n\r\x85\u2028\u2029]")
LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class NotYaml(Exception):
    """A text that cannot be used: the line (from 1, 0 unknown), what is wrong, what to do."""

    def __init__(self, line: int, message: str, remedy: str) -> None:
        super().__init__(message)
        self.line = line
        self.message = message
        self.remedy = remedy


@dataclass(frozen=True, slots=True, eq=False)
class ScalarNode:
    """One scalar. `text` is unescaped but never typed; `style` is "" for plain; offsets count code points after a BOM."""

    text: str
    style: str
    tag: str | None
    start: int
    end: int
    line: int
    column: int
    last_line: int


@dataclass(frozen=True, slots=True, eq=False)
class MappingNode:
    """One mapping with its entries in order."""

    entries: tuple[tuple["Placed", "Placed"], ...]
    flow: bool
    start: int
    end: int
    line: int
    column: int
    last_line: int


@dataclass(frozen=True, slots=True, eq=False)
class SequenceNode:
    """One list with its items in order."""

    items: tuple["Placed", ...]
    flow: bool
    start: int
    end: int
    line: int
    column: int
    last_line: int


@dataclass(frozen=True, slots=True, eq=False)
class AliasNode:
    """One alias where it stands; `target` is the node that it repeats. `children` sees through it."""

    target: "ScalarNode | MappingNode | SequenceNode"
    start: int
    end: int
    line: int
    column: int
    last_line: int


Node = ScalarNode | MappingNode | SequenceNode
Placed = Node | AliasNode
"""A node or an alias of one: what stands at a place of the text."""


@dataclass(frozen=True, slots=True)
class Document:
    """One document of a file; `root` is None when it is empty or when `problem` says why it cannot be read.

    `shared` holds the ids of nodes that an alias repeats; `source` is the text of an unreadable document.
    """

    index: int
    root: Node | None
    shared: frozenset[int]
    problem: NotYaml | None = None
    source: str = ""


@dataclass(slots=True)
class _Frame:
    event: Any
    children: list[Placed] = field(default_factory=list)
    size: int = 1
    height: int = 1


class _Builder:
    """Takes the events of one text in order and grows its documents. The text may start within a file: at `offset`, after `lines`."""

    def __init__(self, offset: int = 0, lines: int = 0, spent: int = 0) -> None:
        self.offset = offset
        self.lines = lines
        self.documents: list[Document] = []
        self.frames: list[_Frame] = []
        self.anchors: dict[str, tuple[Node, int, int] | None] = {}
        self.shared: set[int] = set()
        self.root: Node | None = None
        self.spent = spent

    def take(self, event: Any) -> None:
        match event:
            case yaml.ScalarEvent():
                self._add(self._scalar(event), 1, 1, event)
            case yaml.AliasEvent():
                self._repeat(event)
            case yaml.MappingStartEvent() | yaml.SequenceStartEvent():
                self._open(event)
            case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                self._close(event)
            case yaml.DocumentEndEvent():
                self._finish()
            case _:
                pass

    def _open(self, event: Any) -> None:
        if len(self.frames) >= DEEPEST:
            _refuse(event, f"nested deeper than {DEEPEST} levels", "flatten it")
        if event.anchor:
            self.anchors[event.anchor] = None
        self.frames.append(_Frame(event))

    def _close(self, event: Any) -> None:
        frame = self.frames.pop()
        self._add(self._collection(frame, event), frame.size, frame.height + 1, frame.event)

    def _repeat(self, event: Any) -> None:
        if event.anchor not in self.anchors:
            _refuse(event, f"alias *{event.anchor} has no anchor", f"define &{event.anchor} before it in the same document")
        anchored = self.anchors[event.anchor]
        if anchored is None:
            _refuse(event, f"alias *{event.anchor} is inside its own anchor", "write the value out")
        node, size, height = anchored
        self.shared.add(id(node))
        start, end = event.start_mark, event.end_mark
        place = (
            start.index + self.offset,
            end.index + self.offset,
            start.line + 1 + self.lines,
            start.column + 1,
            end.line + 1 + self.lines,
        )
        self._count(AliasNode(node, *place), size, height, event)

    def _add(self, node: Node, size: int, height: int, event: Any) -> None:
        if event.anchor:
            self.anchors[event.anchor] = (node, size, height)
        self._count(node, size, height, event)

    def _count(self, node: Placed, size: int, height: int, event: Any) -> None:
        if len(self.frames) + height > DEEPEST:
            _refuse(event, f"nested deeper than {DEEPEST} levels", "flatten it")
        if not self.frames:
            self.root = unaliased(node)
            self.spent += size
        else:
            frame = self.frames[-1]
            frame.children.append(node)
            frame.size += size
            frame.height = max(frame.height, height)
            size = frame.size
        if self.spent + size > MOST_NODES:
            _refuse(event, f"more than {MOST_NODES} values once aliases are written out", "split the file or write the aliases out")

    def _scalar(self, event: Any) -> ScalarNode:
        start, end = event.start_mark, event.end_mark
        # A block scalar ends where the next line starts.
        last_line = end.line if end.column == 0 and event.style in ("|", ">") else end.line + 1
        where = (start.index + self.offset, end.index + self.offset, start.line + 1 + self.lines, start.column + 1, last_line + self.lines)
        return ScalarNode(event.value, event.style or "", event.tag, *where)

    def _collection(self, frame: _Frame, closing: Any) -> Node:
        start, end = frame.event.start_mark, closing.end_mark
        flow, inside = bool(frame.event.flow_style), frame.children
        last_line = end.line + 1 + self.lines if flow or not inside else inside[-1].last_line
        where = (flow, start.index + self.offset, end.index + self.offset, start.line + 1 + self.lines, start.column + 1, last_line)
        if isinstance(frame.event, yaml.SequenceStartEvent):
            return SequenceNode(tuple(inside), *where)
        return MappingNode(tuple(zip(inside[::2], inside[1::2], strict=True)), *where)

    def _finish(self) -> None:
        root = None if _is_empty(self.root) else self.root
        self.documents.append(Document(len(self.documents), root, frozenset(self.shared)))
        self.root, self.anchors, self.shared = None, {}, set()


def decode(content: bytes) -> str:
    """The text of a file without its BOM. Raises NotYaml unless it is UTF-8."""
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise NotYaml(1, "the file is UTF-16 or UTF-32", "save it as UTF-8")
    try:
        return content.removeprefix(BOM).decode("utf-8")
    except UnicodeDecodeError as error:
        raise NotYaml(content.count(b"\n", 0, error.start) + 1, "the file is not UTF-8", "save it as UTF-8") from error


def compose(text: str) -> tuple[Document, ...]:
    """The documents of a text. Raises NotYaml for malformed, too deep or too large ones."""
    return _composed(text, _Builder())


def compose_each(text: str) -> tuple[Document, ...]:
    """The documents of a text, each for itself: one that cannot be read has a `problem` and costs only itself."""
    return _composed_lately(text) if len(text) <= LARGEST_KEPT else _each(text)


@lru_cache(maxsize=KEPT)
def _composed_lately(text: str) -> tuple[Document, ...]:
    return _each(text)


def _each(text: str) -> tuple[Document, ...]:
    try:
        return compose(text)
    except NotYaml:
        return _one_by_one(text)


def _one_by_one(text: str) -> tuple[Document, ...]:
    found: list[Document] = []
    edges = [0, *(match.start() for match in DOCUMENT.finditer(text) if match.start()), len(text)]
    lines = spent = 0
    for start, end in itertools.pairwise(edges):
        chunk = text[start:end]
        builder = _Builder(start, lines, spent)
        try:
            found += [replace(one, index=len(found)) for one in _composed(chunk, builder)]
        except NotYaml as problem:
            found.append(Document(len(found), None, frozenset(), problem, chunk))
        # All documents together may not cost more than one may.
        spent = builder.spent
        lines += len(LINE_END.findall(chunk))
    return tuple(found)


def _composed(text: str, builder: _Builder) -> tuple[Document, ...]:
    try:
        for event in yaml.parse(text, Loader=LOADER):
            builder.take(event)
    except NotYaml as error:
        raise NotYaml(error.line + builder.lines, error.message, error.remedy) from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 + builder.lines if mark else 0
        raise NotYaml(line, f"not YAML: {error.problem or error.context}", "correct the syntax") from error
    except yaml.YAMLError as error:
        raise NotYaml(0, "not YAML: a character that YAML does not allow", "remove control characters") from error
    return tuple(builder.documents)


def wording(text: str, document: Document) -> str:
    """The very text of a document's value, or of the document when it cannot be read."""
    return document.source if document.root is None else text[document.root.start : document.root.end]


@dataclass(frozen=True, slots=True)
class Leaf:
    """One leaf of a document: its path, its node, and whether an alias makes it stand in several places."""

    path: FieldPath
    node: Node
    shared: bool


def leaves(document: Document) -> Iterator[Leaf]:
    """Every scalar and every empty collection of a document, aliases written out, in order."""
    if document.root is not None:
        yield from _leaves(document.root, (), False, document.shared)


def _leaves(node: Node, path: FieldPath, shared: bool, aliased: frozenset[int]) -> Iterator[Leaf]:
    shared = shared or id(node) in aliased
    inside = list(children(node))
    if not inside:
        yield Leaf(path, node, shared)
    for part, child in inside:
        yield from _leaves(child, (*path, part), shared, aliased)


def children(node: Node) -> Iterator[tuple[str | int, Node]]:
    """The parts of a collection with the key or position of each; nothing for a scalar."""
    if isinstance(node, SequenceNode):
        yield from enumerate(map(unaliased, node.items))
    elif isinstance(node, MappingNode):
        yield from ((key_text(key), unaliased(value)) for key, value in node.entries)


def unaliased(placed: Placed) -> Node:
    """What stands at a place, aliases written out."""
    return placed.target if isinstance(placed, AliasNode) else placed


def key_text(key: Placed) -> str:
    """The text of a mapping key. Raises NotYaml for keys that are collections: JSON has none."""
    key = unaliased(key)
    if not isinstance(key, ScalarNode):
        raise NotYaml(key.line, "a mapping key is itself a mapping or list", "use a text as key")
    return key.text


def node_at(root: Node | None, path: FieldPath) -> Node | None:
    """The node at a path; for a repeated key the last one, as loaders that allow repetition do."""
    node = root
    for part in path:
        if node is None:
            return None
        node = _item(node, part) if isinstance(node, SequenceNode) else dict(children(node)).get(part)
    return node


def _item(node: SequenceNode, part: str | int) -> Node | None:
    """One item, without a look at the others: a file may name thousands, and each is asked for by its place."""
    return unaliased(node.items[part]) if isinstance(part, int) and 0 <= part < len(node.items) else None


def _is_empty(root: Node | None) -> bool:
    return isinstance(root, ScalarNode) and not root.text and not root.style and root.tag is None


def _refuse(event: Any, message: str, remedy: str) -> NoReturn:
    raise NotYaml(event.start_mark.line + 1, message, remedy)
