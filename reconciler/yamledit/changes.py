"""What differs between two JSON values, and how a change is taken back from a third: compared and set, part by part.

Items of a list are matched by their `name` where all have one, as in `differences`, which does the same for nodes with places.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, NoReturn

from reconciler.yamledit.differences import NameKey, canonical
from reconciler.yamledit.nodes import FieldPath

Key = str | int | NameKey


class Absent(Enum):
    """The value of a part that is not there; null is a value."""

    ABSENT = "absent"


ABSENT = Absent.ABSENT


class Moved(Exception):
    """A part holds neither the value before the change nor the one after it: it was set anew. `path` says which."""

    def __init__(self, path: FieldPath) -> None:
        super().__init__(".".join(map(str, path)))
        self.path = path


@dataclass(frozen=True, slots=True)
class PartChange:
    """One part that differs. On the side where it is absent the path is that of the collection it would belong to."""

    old_path: FieldPath
    new_path: FieldPath
    old: Any
    new: Any


def changes(old: Any, new: Any, old_path: FieldPath = (), new_path: FieldPath = ()) -> Iterator[PartChange]:
    """The parts that differ, in the order of the new value; removed parts last."""
    if not (_both_filled(old, new, dict) or _both_filled(old, new, list)):
        if canonical(old) != canonical(new):
            yield PartChange(old_path, new_path, old, new)
        return
    before, after = entries(old, new), entries(new, old)
    for key, (part, child) in after.items():
        if key in before:
            old_part, old_child = before[key]
            yield from changes(old_child, child, (*old_path, old_part), (*new_path, part))
        else:
            yield PartChange(old_path, (*new_path, part), ABSENT, child)
    for key, (part, child) in before.items():
        if key not in after:
            yield PartChange((*old_path, part), new_path, child, ABSENT)


def taken_back(old: Any, new: Any, now: Any) -> Any:
    """`now` with every change from `old` to `new` undone. Raises Moved for a part that holds neither value any more."""
    return undone((old, new), list(changes(old, new)), now)


def undone(between: tuple[Any, Any], found: Sequence[PartChange], now: Any) -> Any:
    """`now` with some of the changes between two values undone, in the order in which `changes` finds them. Raises Moved."""
    old, new = between
    # What was added goes last and from the end: positions before it stay true, and no collection runs empty on the way.
    for change in (*(one for one in found if one.old is not ABSENT), *(one for one in reversed(found) if one.old is ABSENT)):
        now = _undone(old, new, change, now)
    return now


def entries(value: Any, other: Any = ABSENT) -> dict[Key, tuple[str | int, Any]]:
    """The parts of a collection by identity: key, name, or else position. Names count where both lists name all their items."""
    if isinstance(value, dict):
        return {key: (key, child) for key, child in value.items()}
    if not isinstance(value, list):
        return {}
    named = _named(value) and (not isinstance(other, list) or _named(other))
    return {("name", child["name"]) if named else part: (part, child) for part, child in enumerate(value)}


def part_at(value: Any, path: FieldPath) -> Any:
    """The part at a path, or ABSENT."""
    for part in path:
        if isinstance(part, int):
            value = value[part] if isinstance(value, list) and part < len(value) else ABSENT
        else:
            value = value.get(part, ABSENT) if isinstance(value, dict) else ABSENT
    return value


def matching(value: Any, path: FieldPath, target: Any) -> FieldPath | None:
    """The path in `target` of the part that `path` names in `value`; None when it has no such part."""
    found: list[str | int] = []
    for part in path:
        mine, theirs = entries(value, target), entries(target, value)
        key = next((key for key, (own, _child) in mine.items() if own == part), None)
        if key is None or key not in theirs:
            return None
        value = mine[key][1]
        own_part, target = theirs[key]
        found.append(own_part)
    return tuple(found)


def put(value: Any, path: FieldPath, part: Any) -> Any:
    """The value with another part at a path, which may be a new key; ABSENT takes the part out."""
    if not path:
        return part
    key, rest = path[0], path[1:]
    inner = put(value[key], rest, part) if rest else part
    if isinstance(value, list):
        assert isinstance(key, int), "lists have positions"
        return [*value[:key], *(() if inner is ABSENT else (inner,)), *value[key + 1 :]]
    return {name: child for name, child in {**value, key: inner}.items() if child is not ABSENT}


def _undone(old: Any, new: Any, change: PartChange, now: Any) -> Any:
    whole, path = (old, change.old_path) if change.new is ABSENT else (new, change.new_path)
    here = matching(whole, path, now)
    value = ABSENT if here is None else part_at(now, here)
    if here is None and change.old is ABSENT:
        return now
    if here is not None and change.old is not ABSENT and canonical(value) == canonical(change.old):
        return now
    if change.new is ABSENT:
        return _put_back(old, change, now) if here is None else _refuse(path)
    if here is None or canonical(value) != canonical(change.new):
        _refuse(path)
    return put(now, here, change.old)


def _put_back(old: Any, change: PartChange, now: Any) -> Any:
    """`now` with a part that was removed, behind the nearest part that it followed."""
    parent, part = change.old_path[:-1], change.old_path[-1]
    here = matching(old, parent, now)
    holder = ABSENT if here is None else part_at(now, here)
    theirs = part_at(old, parent)
    if here is None or type(holder) is not type(theirs):
        _refuse(change.old_path)
    order, present = entries(theirs, holder), entries(holder, theirs)
    before = [key for key, (own, _child) in order.items() if key in present][: _rank(order, present, part)]
    at = list(present).index(before[-1]) + 1 if before else 0
    if isinstance(holder, list):
        return put(now, here, [*holder[:at], change.old, *holder[at:]])
    assert isinstance(holder, dict), "a collection is a list or a mapping"
    items = list(holder.items())
    return put(now, here, dict([*items[:at], (part, change.old), *items[at:]]))


def _rank(order: dict[Key, tuple[str | int, Any]], present: dict[Key, tuple[str | int, Any]], part: str | int) -> int:
    """How many of the parts before `part` are present."""
    earlier = list(order)[: next(place for place, (own, _child) in enumerate(order.values()) if own == part)]
    return sum(1 for key in earlier if key in present)


def _refuse(path: FieldPath) -> NoReturn:
    raise Moved(path)


def _both_filled(old: Any, new: Any, kind: type) -> bool:
    return isinstance(old, kind) and isinstance(new, kind) and bool(old) and bool(new)


def _named(items: list[Any]) -> bool:
    names = [item.get("name") if isinstance(item, dict) else None for item in items]
    return all(isinstance(name, str) for name in names) and len(set(names)) == len(names)
