"""What an update by another manager means for server-side apply: it takes over the fields that it changed.

Kept only for objects that somebody applied: without that nobody asks, and it is half of such an object's bytes.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from reconciler.sandbox.apiserver.applying import Owner, Steps, Trie, at, fields_of, owned_part, owner_of, with_owners, without
from reconciler.sandbox.apiserver.shapes import Shape

Manifest = dict[str, Any]


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


def taken_over(old: Manifest, new: Manifest, shape: Shape, updated: Updated) -> Manifest:
    """The new object with managedFields brought up to date; one whose entries the update itself edits is left as it is."""
    entries = old["metadata"].get("managedFields")
    if not entries or new["metadata"].get("managedFields") != entries:
        return new
    before, after = owned_part(old), owned_part(new)
    had, has = set(_leaves(fields_of(before, shape))), set(_leaves(fields_of(after, shape)))
    changed = {steps for steps in had & has if steps[-1] != "." and at(before, steps, shape) != at(after, steps, shape)}
    mine, gone = changed | (has - had), changed | (had - has)
    left = {owner_of(entry): {**entry, "fieldsV1": without(entry.get("fieldsV1") or {}, gone)} for entry in entries}
    if mine:
        left[updated.owner] = _entry(updated, left.get(updated.owner), mine)
    known = {owner_of(entry): entry for entry in entries}
    kept = [known[owner] if known.get(owner) == entry else entry for owner, entry in left.items() if entry["fieldsV1"]]
    return with_owners(new, kept)


def _leaves(trie: Trie, path: Steps = ()) -> Iterator[Steps]:
    for step, inner in trie.items():
        if inner:
            yield from _leaves(inner, (*path, step))
        else:
            yield (*path, step)


def _entry(updated: Updated, before: Manifest | None, mine: set[Steps]) -> Manifest:
    """The manager's entry with more fields; its time moves with them."""
    trie = (before or {}).get("fieldsV1") or {}
    for steps in sorted(mine):
        trie = _with(trie, steps)
    subresource = {"subresource": updated.subresource} if updated.subresource else {}
    who = {"manager": updated.manager, "operation": "Update", "apiVersion": updated.api_version}
    return {**who, "time": updated.moment, "fieldsType": "FieldsV1", "fieldsV1": trie, **subresource}


def _with(trie: Trie, steps: Steps) -> Trie:
    """The trie with one leaf more; no other trie is touched."""
    first, *rest = steps
    return {**trie, first: _with(trie.get(first) or {}, tuple(rest)) if rest else trie.get(first, {})}
