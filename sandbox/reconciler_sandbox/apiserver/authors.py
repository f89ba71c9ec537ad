"""Who wrote what of objects that nobody has applied yet, so that a first server-side apply meets the owners a real server knows.

A real server writes it into every object. Here it is half of an object's bytes and nobody reads it before the first apply, so it
is kept beside the objects as places: everything is its creator's, but for what others have written since.
"""

from dataclasses import dataclass, replace
from typing import Any

from reconciler_sandbox.apiserver.applying import Steps, fields_of, owned_part, with_owners
from reconciler_sandbox.apiserver.ownership import ANCIENT, MOST_UPDATERS, Updated, leaves, tree_of, written
from reconciler_sandbox.apiserver.shapes import Shape
from reconciler_sandbox.apiserver.store import Collection, Entry

Manifest = dict[str, Any]
NOBODY_KNOWN = "before-first-apply"
SETS = 512
MOST_SHARED = 16
MANY_PLACES = 512


@dataclass(frozen=True, slots=True)
class _Note:
    """One writer and the places it wrote last; None: all that nobody else has."""

    by: Updated
    places: frozenset[Steps] | None


class Authors:
    """Notes of writes by the uid of their object; told of changes in the store, it forgets objects that are gone or applied."""

    def __init__(self) -> None:
        self._notes: dict[str, tuple[_Note, ...]] = {}
        self._sets: dict[frozenset[Steps], frozenset[Steps]] = {}

    def created(self, uid: str, by: Updated) -> None:
        """Everything in a new object is its creator's."""
        self._notes[uid] = (_Note(by, None),)

    def updated(self, old: Manifest, new: Manifest, shape: Shape, by: Updated) -> None:
        """What an update changed is its writer's from now on."""
        places = frozenset(written(owned_part(old), owned_part(new), shape))
        if not places:
            return
        uid = str(new["metadata"]["uid"])
        mine, others = places, []
        for note in self._notes.get(uid, ()):
            if note.by.owner == by.owner and note.places is not None:
                mine |= note.places
            else:
                others.append(note if note.places is None else replace(note, places=self._shared(note.places - places)))
        left = _capped([note for note in others if note.places is None or note.places])
        self._notes[uid] = self._without_gone((*left, _Note(by, self._shared(mine))), new, shape)

    def _without_gone(self, notes: tuple[_Note, ...], manifest: Manifest, shape: Shape) -> tuple[_Note, ...]:
        """The notes; when they are of many places, those that are gone from the object are forgotten."""
        if sum(len(note.places or ()) for note in notes) <= MANY_PLACES:
            return notes
        present = _present(manifest, shape)
        return tuple(note if note.places is None else replace(note, places=note.places & present) for note in notes)

    def attributed(self, manifest: Manifest, shape: Shape) -> Manifest:
        """The object with the managedFields that a real server would have kept; the very same one if it has some."""
        fields = manifest["metadata"]
        if "managedFields" in fields:
            return manifest
        unknown = Updated(NOBODY_KNOWN, manifest["apiVersion"], "", fields["creationTimestamp"])
        notes = self._notes.get(str(fields["uid"]), (_Note(unknown, None),))
        present = _present(manifest, shape)
        taken = frozenset[Steps]().union(*(note.places for note in notes if note.places is not None))
        entries = []
        for note in notes:
            places = present - taken if note.places is None else present & note.places
            if places:
                entries.append(note.by.entry(tree_of(places)))
        return with_owners(manifest, entries)

    def observe(self, collection: Collection, kind: str, entry: Entry) -> None:
        """Forget what is gone, and what is written in the object itself from now on."""
        if kind == "DELETED" or "managedFields" in entry.manifest["metadata"]:
            self._notes.pop(entry.manifest["metadata"]["uid"], None)

    def _shared(self, places: frozenset[Steps]) -> frozenset[Steps]:
        """The same set for the same places: what a controller writes is alike in all its objects."""
        if len(places) > MOST_SHARED:
            return places
        if len(self._sets) > SETS:
            self._sets.clear()
        return self._sets.setdefault(places, places)


def _present(manifest: Manifest, shape: Shape) -> frozenset[Steps]:
    return frozenset(leaves(fields_of(owned_part(manifest), shape)))


def _capped(notes: list[_Note]) -> list[_Note]:
    """Room for one more writer: the oldest two are one whom nobody remembers (see `ownership.capped`)."""
    placed = [note for note in notes if note.places is not None]
    if len(notes) < MOST_UPDATERS or len(placed) < 2:
        return notes
    first, second = placed[:2]
    places = (first.places or frozenset()) | (second.places or frozenset())
    ancient = _Note(replace(second.by, manager=ANCIENT, subresource=""), places)
    return [note for note in notes if note.places is None] + [ancient, *placed[2:]]
