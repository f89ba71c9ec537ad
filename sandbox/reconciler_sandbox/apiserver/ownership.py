"""What an update by another manager means for server-side apply: it takes over the fields that it changed.

Kept only in objects that somebody applied: without that nobody asks, and it is half of such an object's bytes (see `authors`).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from reconciler_sandbox.apiserver.applying import Owner, Steps, Trie, entered, fields_of, owned_part, owner_of, shared, with_owners, without
from reconciler_sandbox.apiserver.shapes import Shape

Manifest = dict[str, Any]
MOST_UPDATERS = 10
ANCIENT = "ancient-changes"
MISSING = object()


@dataclass(frozen=True, slots=True)
class Updated:
    """Who updates, through which subresource, and when."""

    manager: str
    api_version: str
    subresource: str
    moment: str

    @property
    def owner(self) -> Owner:
        """The key of its entry."""
        return (self.manager, "Update", self.subresource)

    def entry(self, fields: Trie) -> Manifest:
        """Its entry in managedFields."""
        subresource = {"subresource": self.subresource} if self.subresource else {}
        who = {"manager": self.manager, "operation": "Update", "apiVersion": self.api_version}
        return {**who, "time": self.moment, "fieldsType": "FieldsV1", "fieldsV1": shared(fields), **subresource}


def taken_over(old: Manifest, new: Manifest, shape: Shape, updated: Updated) -> Manifest:
    """The new object with managedFields brought up to date; one whose entries the update itself edits is left as it is."""
    entries = old["metadata"].get("managedFields")
    if not entries or new["metadata"].get("managedFields") != entries:
        return new
    before, after = owned_part(old), owned_part(new)
    mine, gone = set(written(before, after, shape)), set(written(after, before, shape))
    left = {owner_of(entry): {**entry, "fieldsV1": without(entry.get("fieldsV1") or {}, gone)} for entry in entries}
    if mine:
        left[updated.owner] = updated.entry(tree_of(mine, (left.get(updated.owner) or {}).get("fieldsV1") or {}))
    known = {owner_of(entry): entry for entry in entries}
    kept = [known[owner] if known.get(owner) == entry else entry for owner, entry in left.items() if entry["fieldsV1"]]
    return with_owners(new, capped(kept))


def capped(entries: list[Manifest]) -> list[Manifest]:
    """The entries with at most ten of updates: the oldest of one version become one, whose manager nobody remembers.

    As a real server does it, so that an object does not grow with everybody who ever touched it.
    """
    updates = sorted((entry for entry in entries if entry.get("operation") == "Update"), key=lambda entry: str(entry.get("time", "")))
    surplus = len(updates) - MOST_UPDATERS
    merged: dict[str, Manifest] = {}
    gone: list[Manifest] = []
    for entry in updates:
        if surplus <= 0:
            break
        version = str(entry.get("apiVersion", ""))
        first = merged.get(version)
        merged[version] = entry if first is None else _ancient(first, entry)
        surplus -= first is not None
        gone.append(entry)
    fresh = list(merged.values())
    return [*(entry for entry in entries if entry not in gone), *fresh] if fresh else entries


def _ancient(older: Manifest, newer: Manifest) -> Manifest:
    whole = {name: value for name, value in newer.items() if name != "subresource"}
    return {**whole, "manager": ANCIENT, "fieldsV1": tree_of(leaves(newer["fieldsV1"]), older["fieldsV1"])}


def written(old: Any, new: Any, shape: Shape) -> Iterator[Steps]:
    """The places that are new or hold something else; what both share is passed over."""
    if isinstance(old, dict) and isinstance(new, dict) and old and new and not shape.atomic:
        for name, inner in new.items():
            before = old.get(name, MISSING)
            if inner is not before and inner != before:
                yield from (("f:" + name, *rest) for rest in written(before, inner, shape.field(name)))
        return
    has = fields_of(new, shape)
    if not has:  # one value
        yield ()
    yield from _differing((fields_of(old, shape), has), (old, new), shape)


def _differing(tries: tuple[Trie, Trie], values: tuple[Any, Any], shape: Shape) -> Iterator[Steps]:
    """The leaves that are in the second trie only, or hold something else there."""
    had, has = tries
    for step, inner in has.items():
        if step == "." or (step.startswith("v:") and step in had):
            if step not in had:
                yield (step,)
            continue
        (before, inside), (after, _) = (entered(value, step, shape) for value in values)
        if inner:
            yield from ((step, *rest) for rest in _differing((had.get(step) or {}, inner), (before, after), inside))
        elif step not in had or had[step] or before != after:
            yield (step,)


def leaves(trie: Trie, path: Steps = ()) -> Iterator[Steps]:
    """The places of a trie; the trie of one value has none below it, and is one place itself."""
    for step, inner in trie.items():
        if inner:
            yield from leaves(inner, (*path, step))
        else:
            yield (*path, step)


def tree_of(places: Iterable[Steps], trie: Trie | None = None) -> Trie:
    """A trie with these places, and those of another, which is left as it is."""
    found = _copied(trie or {})
    for steps in sorted(places):
        level = found
        for step in steps:
            level = level.setdefault(step, {})
    return found


def _copied(trie: Trie) -> Trie:
    return {step: _copied(inner) for step, inner in trie.items()}
