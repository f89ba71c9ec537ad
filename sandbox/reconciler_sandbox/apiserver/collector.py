"""What goes on after a deletion: dependents of owners that are gone, contents of namespaces and of definitions.

Everything is level-triggered: a change puts keys into a queue, and a pass looks at the present state of its key.
"""

import asyncio
import logging
from collections.abc import Iterator
from typing import Any

from reconciler_sandbox.apiserver.customs import CLEANUP, kinds_of
from reconciler_sandbox.apiserver.deletion import FINALIZERS, Remover
from reconciler_sandbox.apiserver.kinds import DEFINITIONS, NAMESPACES, Kind, Registry
from reconciler_sandbox.apiserver.options import FOREGROUND, ORPHAN, Deletion
from reconciler_sandbox.apiserver.paths import Target
from reconciler_sandbox.apiserver.store import Collection, Entry, Place, Store
from reconciler_sandbox.apiserver.writes import is_finished

Manifest = dict[str, Any]
Address = tuple[str, str, Place]
"""Group, plural and place of an object."""

log = logging.getLogger(__name__)


class Collector:
    """The garbage, namespace and definition controllers, on the store itself."""

    def __init__(self, store: Store, registry: Registry, remover: Remover) -> None:
        self._store = store
        self._registry = registry
        self._remover = remover
        self._dependents: dict[str, set[Address]] = {}
        self._owners: dict[Address, frozenset[str]] = {}
        self._alive: set[str] = set()
        self._due: dict[Address, None] = {}
        self._wake = asyncio.Event()

    def observe(self, collection: Collection, kind: str, entry: Entry) -> None:
        """Take note of a change in the store."""
        fields = entry.manifest["metadata"]
        address = (collection.group, collection.plural, (fields.get("namespace", ""), fields["name"]))
        owners = frozenset() if kind == "DELETED" else frozenset(str(one.get("uid")) for one in fields.get("ownerReferences") or ())
        self._index(address, owners)
        uid = fields["uid"]
        if kind == "DELETED":
            self._alive.discard(uid)
            self._due.pop(address, None)
            self._add(*self._dependents.get(uid, ()), *self._above(entry.manifest, address))
            return
        self._alive.add(uid)
        if "deletionTimestamp" in fields or owners:
            self._add(address, *(self._above(entry.manifest, address) if "deletionTimestamp" in fields else ()))

    def _index(self, address: Address, owners: frozenset[str]) -> None:
        before = self._owners.pop(address, frozenset())
        for uid in before - owners:
            remaining = self._dependents.get(uid, set())
            remaining.discard(address)
            if not remaining:
                self._dependents.pop(uid, None)
        for uid in owners:
            self._dependents.setdefault(uid, set()).add(address)
        if owners:
            self._owners[address] = owners

    def _above(self, manifest: Manifest, address: Address) -> Iterator[Address]:
        """Whoever may have waited for an object to go: owners, its namespace, its definition."""
        for reference in manifest["metadata"].get("ownerReferences") or ():
            kind = self._registry.by_kind(str(reference.get("apiVersion")), str(reference.get("kind")))
            if kind is not None:
                yield (kind.group, kind.plural, (address[2][0] if kind.namespaced else "", str(reference.get("name"))))
        if address[2][0]:
            yield ("", "namespaces", ("", address[2][0]))
        yield (DEFINITIONS.group, DEFINITIONS.plural, ("", f"{address[1]}.{address[0]}"))

    def _add(self, *addresses: Address) -> None:
        """Look at these later, if they are there: whoever nobody looks after piles up no more than there is."""
        there = [address for address in addresses if self._entry(address) is not None]
        self._due.update(dict.fromkeys(there))
        if there:
            self._wake.set()

    def _entry(self, address: Address) -> Entry | None:
        collection = self._store.collections.get(address[:2])
        return collection.entries.get(address[2]) if collection else None

    async def run(self) -> None:
        """Work until cancelled; other work of the loop goes on between two passes."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._due:
                address = next(iter(self._due))
                del self._due[address]
                self._pass(address)
                await asyncio.sleep(0)

    def _pass(self, address: Address) -> None:
        try:
            self.collect(address)
        except Exception:  # one odd object must not keep all others from being collected
            log.exception("collecting %s", address)

    def collect(self, address: Address) -> None:
        """One pass over one object, if it is still there."""
        group, plural, place = address
        entry = self._entry(address)
        kind = next((one for path, one in self._registry.kinds.items() if (path[0], path[2]) == (group, plural)), None)
        if entry is None or kind is None:
            return
        target = Target(kind, *place)
        if "deletionTimestamp" in entry.manifest["metadata"]:
            self._finish(target, entry)
        elif entry.manifest["metadata"].get("ownerReferences"):
            self._collect_dependent(target, entry)

    def _finish(self, target: Target, entry: Entry) -> None:
        """Carry on with an object that is being deleted."""
        finalizers = entry.manifest["metadata"].get("finalizers") or ()
        if FINALIZERS[ORPHAN] in finalizers:
            self._orphan_dependents(entry)
            self._release(target, FINALIZERS[ORPHAN])
        elif FINALIZERS[FOREGROUND] in finalizers:
            if not self._blocked(entry):
                self._release(target, FINALIZERS[FOREGROUND])
        elif target.kind is NAMESPACES:
            self._empty_namespace(target)
        elif target.kind is DEFINITIONS and CLEANUP in finalizers:
            self._empty_definition(target, entry)

    def _entries(self, addresses: set[Address]) -> list[tuple[Address, Entry]]:
        found = ((one, self._store.collection(one[0], one[1]).entries.get(one[2])) for one in sorted(addresses))
        return [(address, entry) for address, entry in found if entry is not None]

    def _orphan_dependents(self, entry: Entry) -> None:
        uid = entry.manifest["metadata"]["uid"]
        for address, dependent in self._entries(self._dependents.get(uid, set())):
            self._disown(address, dependent, {uid})

    def _disown(self, address: Address, entry: Entry, gone: set[str]) -> None:
        fields = dict(entry.manifest["metadata"])
        kept = [one for one in fields.pop("ownerReferences") if one.get("uid") not in gone]
        metadata = {**fields, **({"ownerReferences": kept} if kept else {})}
        self._store.put(self._store.collection(address[0], address[1]), address[2], {**entry.manifest, "metadata": metadata})

    def _blocked(self, entry: Entry) -> bool:
        """Delete the dependents; whether one that blocks its owner's deletion is still there."""
        uid, blocked = entry.manifest["metadata"]["uid"], False
        for address, dependent in self._entries(self._dependents.get(uid, set())):
            references = dependent.manifest["metadata"].get("ownerReferences") or ()
            if any(str(one.get("uid")) != uid and str(one.get("uid")) in self._alive for one in references):
                self._disown(address, dependent, {uid})
                continue
            self._delete(address, dependent, Deletion(propagation=FOREGROUND if self._has_dependents(dependent) else "Background"))
            still_there = address[2] in self._store.collection(address[0], address[1]).entries
            blocked |= still_there and any(one.get("uid") == uid and one.get("blockOwnerDeletion") for one in references)
        return blocked

    def _has_dependents(self, entry: Entry) -> bool:
        return entry.manifest["metadata"]["uid"] in self._dependents

    def _release(self, target: Target, finalizer: str) -> None:
        """Take a finalizer off an object; it goes with its last one."""
        collection = self._store.collection(target.kind.group, target.kind.plural)
        manifest = collection.entries[target.place].manifest
        kept = [one for one in manifest["metadata"].get("finalizers") or () if one != finalizer]
        fields = {name: inner for name, inner in manifest["metadata"].items() if name != "finalizers"}
        self._settle(target, {**manifest, "metadata": {**fields, **({"finalizers": kept} if kept else {})}})

    def _settle(self, target: Target, manifest: Manifest) -> None:
        collection = self._store.collection(target.kind.group, target.kind.plural)
        if is_finished(target.kind, manifest):
            self._store.remove(collection, target.place)  # watchers see it as it last was
            return
        self._store.put(collection, target.place, manifest)

    def _collect_dependent(self, target: Target, entry: Entry) -> None:
        """Delete an object whose owners are all gone; forget the ones that are gone if another one lives."""
        references = [str(one.get("uid")) for one in entry.manifest["metadata"]["ownerReferences"]]
        gone = {uid for uid in references if uid not in self._alive}
        address = (target.kind.group, target.kind.plural, target.place)
        if len(gone) == len(set(references)):
            self._delete(address, entry, Deletion())
        elif gone:
            self._disown(address, entry, gone)

    def _delete(self, address: Address, entry: Entry, deletion: Deletion) -> None:
        kind = self._kind(address)
        if kind is not None and "deletionTimestamp" not in entry.manifest["metadata"]:
            self._remover.delete(Target(kind, *address[2]), entry, deletion)

    def _kind(self, address: Address) -> Kind | None:
        return next((one for path, one in self._registry.kinds.items() if (path[0], path[2]) == address[:2]), None)

    def _empty_namespace(self, target: Target) -> None:
        """Delete what is in a namespace; when nothing is left, let it go."""
        left = False
        for (group, plural), collection in list(self._store.collections.items()):
            for entry in collection.sorted(target.name):
                place = (target.name, entry.manifest["metadata"]["name"])
                self._delete((group, plural, place), entry, Deletion())
                left |= place in collection.entries
        if not left:
            manifest = self._store.collection("", "namespaces").entries[target.place].manifest
            self._settle(target, {**manifest, "spec": {}})

    def _empty_definition(self, target: Target, entry: Entry) -> None:
        """Delete the instances of a definition; when none is left, stop serving it."""
        spec = entry.manifest["spec"]
        collection = self._store.collection(spec["group"], spec["names"]["plural"])
        kind = kinds_of(entry.manifest)[0] if kinds_of(entry.manifest) else None
        for instance in list(collection.entries.values()) if kind else ():
            fields = instance.manifest["metadata"]
            if "deletionTimestamp" not in fields and kind is not None:
                self._remover.delete(Target(kind, fields.get("namespace", ""), fields["name"]), instance, Deletion())
        if not collection.entries or kind is None:
            self._release(target, CLEANUP)
