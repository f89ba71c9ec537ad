"""Which fields of a live object are no longer ours, by what the server keeps of its field managers (Kubernetes docs, "Field Management").

The manager that changes a field takes it over, and a removed field has none. What we own still and lives otherwise was written so by the
server, or by a webhook in our own write: that is no drift. Without managedFields nothing can be told, and nothing is.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

import msgspec

from reconciler.kernel.identity import Manifest
from reconciler.sync.drift.diff import KEYS, same

MANAGER = "reconciler"
"""Who we are in managedFields, in whatever way we write."""
UNCOMPARED = {"apiVersion", "kind", "metadata", "status"}
LITERAL = {"data", "binaryData", "metadata", "env", "args", "command"}
"""Below these a text is a text: `1` and `1.0` are two values."""
Trie = dict[str, Any]
"""FieldsV1: `f:name`, `k:{"key":"value"}` and `v:"value"` with what is below; an empty one is a field that is owned as a whole."""
Steps = tuple[str, ...]
NOBODY = ("", "")
EMPTY: Trie = {}


@dataclass(frozen=True, slots=True)
class LostField:
    """One field that Git sets, that lives otherwise, and that another manager owns by now."""

    steps: Steps
    """Its JSON pointer (RFC 6901), step by step; the index of a list's item is that in Git."""
    name: str
    """As people read it: `spec.containers[web].image`."""
    manager: str = ""
    """Who changed it last; empty where it was removed, of which nothing is kept."""
    since: str = ""
    """When that manager wrote last, as the server has it."""
    aliases: Steps = ()
    """The steps again, with the keys of list items where they have one."""

    @property
    def pointer(self) -> str:
        return "".join(f"/{step.replace('~', '~0').replace('/', '~1')}" for step in self.steps)


@dataclass(frozen=True, slots=True)
class _FieldPlace:
    """Where we are below the root: steps by index and by key, the way people write it, and the steps of FieldsV1."""

    steps: Steps = ()
    aliases: Steps = ()
    name: str = ""
    keys: Steps = ()

    def field(self, name: str) -> "_FieldPlace":
        dotted = f"{self.name}.{name}" if self.name else name
        return _FieldPlace((*self.steps, name), (*self.aliases, name), dotted, (*self.keys, f"f:{name}"))

    def item(self, index: int, label: str, key: str) -> "_FieldPlace":
        return _FieldPlace((*self.steps, str(index)), (*self.aliases, label), f"{self.name}[{label}]", (*self.keys, key))


@dataclass(frozen=True, slots=True)
class _Other:
    """A manager that is not ours, and what of the place it owns."""

    manager: str
    since: str
    fields: Trie


def lost_fields(desired: Manifest, live: Manifest, unmarked: Iterable[str] = ()) -> tuple[LostField, ...]:
    """Every field of `desired` that another manager has changed, or that was removed, since we wrote it.

    `unmarked` annotations do not count. Of an object that we have not written: none.
    """
    entries = _entries(live)
    mine = _ours(entries, str(desired["apiVersion"]))
    if not mine:
        return ()
    spots = _spots(_compared(desired, unmarked), live, mine, _FieldPlace())
    others: list[_Other] | None = None
    found: list[LostField] = []
    for spot in spots:
        others = _others(entries) if others is None else others
        found += _named(spot, others)
    return tuple(found)


def foreign_fields(desired: Manifest, live: Manifest) -> tuple[LostField, ...]:
    """The same; of an object that we have not written every field that lives otherwise."""
    entries = _entries(live)
    if _ours(entries, str(desired["apiVersion"])):
        return lost_fields(desired, live)
    return tuple(_named((_FieldPlace(), _compared(desired, ()), live), _others(entries)))


def _entries(live: Manifest) -> list[Manifest]:
    """What managers have of an object; the status is nothing that Git sets, and what has no fields tells nothing."""
    found = live["metadata"].get("managedFields") or ()
    return [entry for entry in found if entry.get("subresource") != "status" and isinstance(entry.get("fieldsV1") or {}, dict)]


def _others(entries: Sequence[Manifest]) -> list[_Other]:
    return [
        _Other(_writer_of(entry), str(entry.get("time") or ""), entry.get("fieldsV1") or {})
        for entry in entries
        if entry.get("manager") != MANAGER
    ]


def union(one: Manifest, other: Manifest) -> Manifest:
    """What two managers own together."""
    return {**one, **{key: union(one.get(key, {}), value) for key, value in other.items()}}


def _ours(entries: Sequence[Manifest], api_version: str) -> Trie:
    tries = [e.get("fieldsV1") or {} for e in entries if e.get("manager") == MANAGER and e.get("apiVersion", api_version) == api_version]
    return reduce(union, tries) if tries else {}


def _writer_of(entry: Manifest) -> str:
    subresource = entry.get("subresource")
    name = str(entry.get("manager") or "an unnamed manager")
    return f"{name} ({subresource})" if subresource else name


def _compared(desired: Manifest, unmarked: Iterable[str]) -> Manifest:
    """What of an object can be lost: no status, and of metadata what people write there."""
    metadata = desired.get("metadata") or {}
    annotations = {key: value for key, value in (metadata.get("annotations") or {}).items() if key not in set(unmarked)}
    kept = {key: value for key, value in (("labels", metadata.get("labels")), ("annotations", annotations)) if value}
    return {**{key: value for key, value in desired.items() if key not in UNCOMPARED}, **({"metadata": kept} if kept else {})}


Spot = tuple[_FieldPlace, Any, Any]
"""A place that we own nothing of any more, what Git says there, and what lives there (ABSENT where nothing does)."""
ABSENT = object()


def _spots(desired: Any, live: Any, mine: Trie | None, place: _FieldPlace) -> Iterator[Spot]:
    """Where what we own ends above what Git says. What is ours as a whole is as it should be, whatever the server made of it."""
    if desired is None or desired == live or mine == {}:
        return
    if mine is not None and isinstance(desired, dict):
        inner = live if isinstance(live, dict) else {}
        for name, value in desired.items():
            if (lives := inner.get(name, ABSENT)) != value:
                yield from _spots(value, lives, mine.get(f"f:{name}"), place.field(name))
    elif mine is not None and isinstance(desired, list) and (items := _items(desired, live, mine, place)) is not None:
        for inside, value, lives, key in items:
            yield from _spots(value, lives, mine.get(key), inside)
    else:
        yield place, desired, live


Item = tuple[_FieldPlace, Any, Any, str]
"""The place of a list's item, what Git says of it, what lives of it, and the step of FieldsV1 that it has."""


def _items(desired: Sequence[Any], live: Any, trie: Trie, place: _FieldPlace) -> list[Item] | None:
    """The items of a list whose items are owned one by one; None where the whole list is one value."""
    lives = live if isinstance(live, list) else []
    keyed = {key: values for key in trie if key.startswith("k:") and (values := _key_of(key))}
    if keyed:
        return _keyed_items(desired, lives, keyed, place)
    if not any(key.startswith("v:") for key in trie):
        return None
    found = []
    for index, value in enumerate(desired):
        key = f"v:{msgspec.json.encode(value).decode()}"
        found.append((place.item(index, str(value), key), value, value if value in lives else ABSENT, key))
    return found


def _key_of(step: str) -> Manifest:
    """The fields by which a list's item is known; none for a step that is not written as the server writes it."""
    try:
        return msgspec.json.decode(step[2:], type=dict[str, Any])
    except msgspec.DecodeError:
        return {}


def _keyed_items(desired: Sequence[Any], live: Sequence[Any], known: dict[str, Manifest], place: _FieldPlace) -> list[Item]:
    names = tuple(next(iter(known.values())))
    found = []
    for index, item in enumerate(desired):
        if not isinstance(item, dict):
            continue
        partner = next((one for one in live if isinstance(one, dict) and _fits(item, one, names)), None)
        step = next((key for key, values in known.items() if _fits(item, values, names)), _step(item, partner, names))
        found.append((place.item(index, str(item.get(names[0], index)), step), item, ABSENT if partner is None else partner, step))
    return found


def _fits(item: Manifest, other: Manifest, names: Sequence[str]) -> bool:
    """True when both are the same item; a key that Git leaves to the server's default fits any."""
    return all(name not in item or item[name] == other.get(name) for name in names)


def _step(item: Manifest, partner: Manifest | None, names: Sequence[str]) -> str:
    whole = {**(partner or {}), **item}
    return f"k:{msgspec.json.encode({name: whole.get(name) for name in names}).decode()}"


def _named(spot: Spot, others: Sequence[_Other]) -> Iterator[LostField]:
    """The fields at and below a spot that live otherwise, each with who has it; one value of another manager is one field."""
    place, desired, live = spot
    for depth in range(1, len(place.keys)):
        theirs = _below(others, place.keys[:depth])
        if any(not one.fields for one in theirs):
            yield _lost(_FieldPlace(place.steps[:depth], place.aliases[:depth], ".".join(place.aliases[:depth])), theirs)
            return
    yield from _walk(desired, live, _below(others, place.keys), place)


def _walk(desired: Any, live: Any, theirs: Sequence[_Other], place: _FieldPlace) -> Iterator[LostField]:
    if desired is None or same(desired, None if live is ABSENT else live, literal=not LITERAL.isdisjoint(place.steps)):
        return
    whole = any(not one.fields for one in theirs)
    if not whole and isinstance(desired, dict) and isinstance(live, dict):
        for name, value in desired.items():
            inside = place.field(name)
            yield from _walk(value, live.get(name, ABSENT), _below(theirs, inside.keys[-1:]), inside)
        return
    trie = reduce(union, (one.fields for one in theirs), EMPTY) or _guessed(desired, live)
    items = _items(desired, live, trie, place) if isinstance(desired, list) and isinstance(live, list) and not whole else None
    if items is None:
        yield _lost(place, theirs)
        return
    for inside, value, lives, key in items:
        yield from _walk(value, lives, _below(theirs, (key,)), inside)


def _guessed(desired: Any, live: Any) -> Trie:
    """The shape of a list of which nothing is owned: items with a name of their own are told apart by it."""
    items = [*desired, *live] if isinstance(desired, list) and isinstance(live, list) else []
    key = next((key for key in KEYS if items and all(isinstance(item, dict) and key in item for item in items)), None)
    return {f"k:{msgspec.json.encode({key: item[key]}).decode()}": {} for item in items} if key is not None else {}


def _below(others: Sequence[_Other], keys: Sequence[str]) -> list[_Other]:
    """What the managers own below a place; who owns nothing there is left out."""
    found = []
    for other in others:
        fields: Any = other.fields
        for key in keys:
            fields = fields.get(key) if fields is not None else None
        if fields is not None:
            found.append(_Other(other.manager, other.since, fields))
    return found


def _lost(place: _FieldPlace, theirs: Sequence[_Other]) -> LostField:
    manager, since = max(((one.manager, one.since) for one in theirs), key=lambda one: one[1], default=NOBODY)
    return LostField(place.steps, place.name, manager, since, place.aliases)
