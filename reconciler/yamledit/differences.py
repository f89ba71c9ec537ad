"""What differs between two node trees, as the smallest parts that were set, added or removed.

Items of a list are matched by their `name` where all have one (containers, env, volumes): position is not identity.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from reconciler.yamledit.nodes import FieldPath, MappingNode, Node, ScalarNode, SequenceNode, children
from reconciler.yamledit.values import value_of

NameKey = tuple[str | int, str]


@dataclass(frozen=True, slots=True)
class Difference:
    """One part that differs: its path and node on both sides, None on the side where it is absent."""

    old_path: FieldPath
    new_path: FieldPath
    old: Node | None
    new: Node | None


def differences(old: Node | None, new: Node | None, old_path: FieldPath = (), new_path: FieldPath = ()) -> Iterator[Difference]:
    """The parts that differ, in the order of the new tree; removed parts last."""
    if old is None or new is None:
        if old is not new:
            yield Difference(old_path, new_path, old, new)
        return
    if _both_collections(old, new):
        yield from _inside(old, new, old_path, new_path)
    elif text_or_value(old, old_path) != text_or_value(new, new_path):
        yield Difference(old_path, new_path, old, new)


def canonical(value: Any) -> str:
    """A text that is equal exactly for equal JSON values: unlike `==`, it tells `1` from `true` and from `1.0`."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False)


def text_or_value(node: Node, path: FieldPath) -> str:
    """What two nodes are compared by: the JSON value, for images the raw text."""
    if path and path[-1] == "image" and isinstance(node, ScalarNode):
        return node.text
    return canonical(value_of(node))


def entries_of(node: Node, sibling: Node | None = None) -> dict[str | NameKey, tuple[str | int, Node]]:
    """The parts of a collection by identity: the key of a mapping, the name or else the position of an item.

    Names count only where both this list and `sibling` name all their items.
    """
    if isinstance(node, MappingNode):
        return {str(part): (part, child) for part, child in children(node)}
    named = _named(node) and (sibling is None or _named(sibling))
    return {_item_key(position, child, named): (position, child) for position, child in children(node)}


def _both_collections(old: Node, new: Node) -> bool:
    both = (isinstance(old, MappingNode) and isinstance(new, MappingNode)) or (
        isinstance(old, SequenceNode) and isinstance(new, SequenceNode)
    )
    return both and any(True for _ in children(old)) and any(True for _ in children(new))


def _inside(old: Node, new: Node, old_path: FieldPath, new_path: FieldPath) -> Iterator[Difference]:
    before, after = entries_of(old, new), entries_of(new, old)
    for identity, (part, child) in after.items():
        if identity in before:
            old_part, old_child = before[identity]
            yield from differences(old_child, child, (*old_path, old_part), (*new_path, part))
        else:
            yield Difference(old_path, (*new_path, part), None, child)
    for identity, (part, child) in before.items():
        if identity not in after:
            yield Difference((*old_path, part), new_path, child, None)


def _named(node: Node) -> bool:
    names = [_name(child) for _part, child in children(node)]
    return None not in names and len(set(names)) == len(names)


def _name(node: Node) -> str | None:
    if not isinstance(node, MappingNode):
        return None
    return next((child.text for part, child in children(node) if part == "name" and isinstance(child, ScalarNode)), None)


def _item_key(position: str | int, child: Node, named: bool) -> NameKey:
    return ("name", _name(child) or "") if named else (position, "")
