"""YAML text as a tree of nodes with places, built from libyaml's events within limits. `documents` gives the nodes meaning.

Built from events, not by recursion: nesting and alias expansion are counted before anything is walked, so a small hostile
file cannot cost more than a large honest one.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NoReturn

import yaml

DEEPEST = 200
MOST_NODES = 100_000
FieldPath = tuple[str | int, ...]
"""Mapping keys and list positions from the root of a document."""
BOM = b"\xef\xbb\xbf"
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

    entries: tuple[tuple["Node", "Node"], ...]
    flow: bool
    start: int
    end: int
    line: int
    column: int
    last_line: int


@dataclass(frozen=True, slots=True, eq=False)
class SequenceNode:
    """One list with its items in order."""

    items: tuple["Node", ...]
    flow: bool
    start: int
    end: int
    line: int
    column: int
    last_line: int


Node = ScalarNode | MappingNode | SequenceNode


@dataclass(frozen=True, slots=True)
class Document:
    """One document of a file; `root` is None when it is empty. `shared` holds the ids of nodes that an alias repeats."""

    index: int
    root: Node | None
    shared: frozenset[int]


@dataclass(slots=True)
class _Frame:
    event: Any
    children: list[Node] = field(default_factory=list)
    size: int = 1
    height: int = 1


class _Builder:
    """Takes the events of one text in order and grows its documents."""

    def __init__(self) -> None:
        self.documents: list[Document] = []
        self.frames: list[_Frame] = []
        self.anchors: dict[str, tuple[Node, int, int] | None] = {}
        self.shared: set[int] = set()
        self.root: Node | None = None
        self.spent = 0

    def take(self, event: Any) -> None:
        match event:
            case yaml.ScalarEvent():
                self._add(_scalar(event), 1, 1, event)
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
        self._add(_collection(frame, event), frame.size, frame.height + 1, frame.event)

    def _repeat(self, event: Any) -> None:
        if event.anchor not in self.anchors:
            _refuse(event, f"alias *{event.anchor} has no anchor", f"define &{event.anchor} before it in the same document")
        anchored = self.anchors[event.anchor]
        if anchored is None:
            _refuse(event, f"alias *{event.anchor} is inside its own anchor", "write the value out")
        node, size, height = anchored
        self.shared.add(id(node))
        self._count(node, size, height, event)

    def _add(self, node: Node, size: int, height: int, event: Any) -> None:
        if event.anchor:
            self.anchors[event.anchor] = (node, size, height)
        self._count(node, size, height, event)

    def _count(self, node: Node, size: int, height: int, event: Any) -> None:
        if len(self.frames) + height > DEEPEST:
            _refuse(event, f"nested deeper than {DEEPEST} levels", "flatten it")
        if not self.frames:
            self.root = node
            self.spent += size
        else:
            frame = self.frames[-1]
            frame.children.append(node)
            frame.size += size
            frame.height = max(frame.height, height)
            size = frame.size
        if self.spent + size > MOST_NODES:
            _refuse(event, f"more than {MOST_NODES} values once aliases are written out", "split the file or write the aliases out")

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
    builder = _Builder()
    try:
        for event in yaml.parse(text, Loader=LOADER):
            builder.take(event)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise NotYaml(mark.line + 1 if mark else 0, f"not YAML: {error.problem or error.context}", "correct the syntax") from error
    except yaml.YAMLError as error:
        raise NotYaml(0, "not YAML: a character that YAML does not allow", "remove control characters") from error
    return tuple(builder.documents)


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
        yield from enumerate(node.items)
    elif isinstance(node, MappingNode):
        yield from ((key_text(key), value) for key, value in node.entries)


def key_text(key: Node) -> str:
    """The text of a mapping key. Raises NotYaml for keys that are collections: JSON has none."""
    if not isinstance(key, ScalarNode):
        raise NotYaml(key.line, "a mapping key is itself a mapping or list", "use a text as key")
    return key.text


def node_at(root: Node | None, path: FieldPath) -> Node | None:
    """The node at a path; for a repeated key the last one, as loaders that allow repetition do."""
    node = root
    for part in path:
        if node is None:
            return None
        node = dict(children(node)).get(part)
    return node


def _scalar(event: Any) -> ScalarNode:
    start, end = event.start_mark, event.end_mark
    # A block scalar ends where the next line starts.
    last_line = end.line if end.column == 0 and event.style in ("|", ">") else end.line + 1
    return ScalarNode(event.value, event.style or "", event.tag, start.index, end.index, start.line + 1, start.column + 1, last_line)


def _collection(frame: _Frame, closing: Any) -> Node:
    start, end = frame.event.start_mark, closing.end_mark
    flow = bool(frame.event.flow_style)
    inside = frame.children
    last_line = end.line + 1 if flow or not inside else inside[-1].last_line
    where = (flow, start.index, end.index, start.line + 1, start.column + 1, last_line)
    if isinstance(frame.event, yaml.SequenceStartEvent):
        return SequenceNode(tuple(inside), *where)
    return MappingNode(tuple(zip(inside[::2], inside[1::2], strict=True)), *where)


def _is_empty(root: Node | None) -> bool:
    return isinstance(root, ScalarNode) and not root.text and not root.style and root.tag is None


def _refuse(event: Any, message: str, remedy: str) -> NoReturn:
    raise NotYaml(event.start_mark.line + 1, message, remedy)
