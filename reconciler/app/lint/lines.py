"""From the path of a field, as messages write it, to the line of a file where it stands."""

import re

from reconciler.yamledit.nodes import MappingNode, Node, SequenceNode, key_text, unaliased

PART = re.compile(r"\[(\d+)\]|\['([^']*)'\]|([^.\[\]]+)")
SKIPPED = ("canary", "blueGreen")
"""Levels that the contract's own messages leave out (contract 12.1)."""


def line_of(root: Node | None, path: str) -> int:
    """The line (from 1) of the deepest part of a path that exists; 1 for an empty document."""
    if root is None:
        return 1
    node, line = root, root.line
    for index, quoted, key in PART.findall(path):
        step = _below(node, int(index) if index else quoted or key)
        if step is None:
            break
        line, node = step
    return line


def _below(node: Node, part: str | int) -> tuple[int, Node] | None:
    """The line where a part begins, and its node."""
    if isinstance(node, SequenceNode) and isinstance(part, int):
        return (node.items[part].line, unaliased(node.items[part])) if part < len(node.items) else None
    if not isinstance(node, MappingNode):
        return None
    known = {key_text(key): (key.line, unaliased(value)) for key, value in node.entries}
    if part in known:
        return known[str(part)]
    passed = (known[level][1] for level in SKIPPED if level in known)
    return next((step for inner in passed if (step := _below(inner, part))), None)
