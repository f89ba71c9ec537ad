"""From the path of a field, as messages write it, to the place in a file where it stands."""

import re

from reconciler.yamledit.nodes import MappingNode, Node, SequenceNode, key_text, unaliased

PART = re.compile(r"\[(\d+)\]|\['([^']*)'\]|([^.\[\]]+)")
SKIPPED = ("canary", "blueGreen")
"""Levels that the contract's own messages leave out (contract 12.1)."""
Place = tuple[int, int]
"""Line and column, both from 1."""


def line_of(root: Node | None, path: str) -> int:
    """The line (from 1) of the deepest part of a path that exists; 1 for an empty document."""
    return place_of(root, path)[0]


def place_of(root: Node | None, path: str) -> Place:
    """Line and column of the deepest part of a path that exists; the very first for an empty document."""
    if root is None:
        return 1, 1
    node, place = root, (root.line, root.column)
    for index, quoted, key in PART.findall(path):
        step = _below(node, int(index) if index else quoted or key)
        if step is None:
            break
        place, node = step
    return place


def _below(node: Node, part: str | int) -> tuple[Place, Node] | None:
    """The place where a part begins, and its node."""
    if isinstance(node, SequenceNode) and isinstance(part, int):
        item = node.items[part] if part < len(node.items) else None
        return ((item.line, item.column), unaliased(item)) if item is not None else None
    if not isinstance(node, MappingNode):
        return None
    known = {key_text(key): ((key.line, key.column), unaliased(value)) for key, value in node.entries}
    if part in known:
        return known[str(part)]
    passed = (known[level][1] for level in SKIPPED if level in known)
    return next((step for inner in passed if (step := _below(inner, part))), None)
