"""Writes: body → metadata → defaults → validation → generation and status rules → no-op check → store, without a pause between.

That there is no `await` from reading the old object to storing the new one is what makes versions preconditions that hold.
"""

import random
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import orjson

from reconciler_sandbox.apiserver import customs, defaults, metadata, validation
from reconciler_sandbox.apiserver.admission import allocated, require_namespace
from reconciler_sandbox.apiserver.authors import Authors
from reconciler_sandbox.apiserver.causes import Cause
from reconciler_sandbox.apiserver.failures import Failure, already_exists, bad_request, conflict, invalid, not_found
from reconciler_sandbox.apiserver.kinds import DEFINITIONS, Kind
from reconciler_sandbox.apiserver.known import WrongType, known
from reconciler_sandbox.apiserver.options import WriteOptions
from reconciler_sandbox.apiserver.ownership import Updated, taken_over
from reconciler_sandbox.apiserver.patching import untyped
from reconciler_sandbox.apiserver.paths import Target
from reconciler_sandbox.apiserver.schemas import Findings, conform
from reconciler_sandbox.apiserver.shapes import shape_of
from reconciler_sandbox.apiserver.store import Entry, Store
from reconciler_sandbox.apiserver.times import normalised, rfc3339

Manifest = dict[str, Any]
SUFFIX = "bcdfghjklmnpqrstvwxz2456789"
SUFFIX_LENGTH = 5
MAX_GENERATED = 58
# Beside custom resources: whoever replaces these says which version he has seen.
NEED_VERSION = frozenset({"leases.coordination.k8s.io", "poddisruptionbudgets.policy", DEFINITIONS.qualified})
UNNAMED = "unknown"
MALFORMED = (TypeError, AttributeError, KeyError, IndexError, ValueError)


@dataclass(frozen=True, slots=True)
class Written:
    """What a write came to; `removed` when it took the last finalizer of an object being deleted."""

    manifest: Manifest
    created: bool = False
    removed: bool = False
    warnings: list[str] = field(default_factory=list)
    entry: Entry | None = None


class Writer:
    """Creates and updates objects; deletions are in `deletion`."""

    def __init__(self, store: Store, now: Callable[[], datetime], chance: random.Random) -> None:
        self._store = store
        self._now = now
        self._chance = chance
        self.authors = Authors()
        store.observers.append(self.authors.observe)

    def moment(self) -> str:
        """Now, as a Time."""
        return rfc3339(self._now())

    def find(self, target: Target) -> Entry:
        """The object at a target. Raises Failure 404."""
        entry = self._store.collection(target.kind.group, target.kind.plural).entries.get(target.place)
        if entry is None:
            raise not_found(target.kind, target.name)
        return entry

    def create(self, target: Target, body: Manifest, options: WriteOptions, encoded: bytes = b"") -> Written:
        """Create an object in the target's collection."""
        kind = target.kind
        manifest, warnings = self._typed(target, metadata.addressed(target, body), None, options)
        if manifest["metadata"].get("resourceVersion"):
            raise Failure(500, "InternalError", "resourceVersion should not be set on objects to be created")
        name = self._name(kind, manifest["metadata"])
        require_namespace(self._store, target, name)
        place = (target.namespace, name)
        collection = self._store.collection(kind.group, kind.plural)
        if place in collection.entries:
            raise already_exists(kind, name, deleting="deletionTimestamp" in collection.entries[place].manifest["metadata"])
        fresh = {**manifest, "metadata": self._new_metadata(kind, manifest["metadata"], name)}
        if kind.has_status:
            fresh.pop("status", None)
        if kind.has_status and not kind.custom:
            fresh["status"] = {}
        fresh, more = self._conformed(target, normalised(fresh, encoded) if not kind.custom else fresh, None, options)
        warnings += more
        if options.dry_run:
            return Written(fresh, created=True, warnings=warnings)
        entry = self._store.put(collection, place, fresh)
        if not options.applies:
            self.authors.created(entry.manifest["metadata"]["uid"], self._author(target, options))
        return Written(entry.manifest, created=True, warnings=warnings, entry=entry)

    def _name(self, kind: Kind, fields: Manifest) -> str:
        name, prefix = fields.get("name"), fields.get("generateName")
        if not name and not prefix:
            raise invalid(kind, "", [Cause("metadata.name", "Required value: name or generateName is required", "Required")])
        if not name:
            return str(prefix)[:MAX_GENERATED] + "".join(self._chance.choices(SUFFIX, k=SUFFIX_LENGTH))
        return str(name)

    def _new_metadata(self, kind: Kind, fields: Manifest, name: str) -> Manifest:
        kept = {field: inner for field, inner in fields.items() if field not in metadata.SERVER_FIELDS and inner != []}
        uid = str(uuid.UUID(int=self._chance.getrandbits(128), version=4))
        generation = {"generation": 1} if kind.generations else {}
        cleanup = {"finalizers": [*(fields.get("finalizers") or ()), customs.CLEANUP]} if kind is DEFINITIONS else {}
        return {**kept, "name": name, "uid": uid, "creationTimestamp": self.moment(), **generation, **cleanup}

    def update(self, target: Target, body: Manifest, options: WriteOptions, encoded: bytes = b"") -> Written:
        """Replace the object at a target, or its status through the subresource, with a whole new one."""
        kind, old = target.kind, self.find(target)
        metadata.require_name(target, body)
        new, warnings = self._typed(target, metadata.addressed(target, body), old.manifest, options)
        self._check_version(target, new["metadata"].get("resourceVersion") or "0", old)
        new = _scoped(target, metadata.restored(kind, new, old.manifest), old.manifest)
        new, more = self._conformed(target, normalised(new, encoded) if not kind.custom else new, old.manifest, options)
        warnings += more
        new = new if target.subresource == "status" else _counted(kind, new, old.manifest)
        if new == old.manifest:
            return Written(new, warnings=warnings, entry=old)
        if not options.applies:
            new = taken_over(old.manifest, new, shape_of(kind.schema), self._author(target, options))
        if options.dry_run:
            return Written(new, warnings=warnings)
        if not options.applies:
            self._note(target, old.manifest, new, options)
        return self._stored(target, new, warnings)

    def _check_version(self, target: Target, version: str, old: Entry) -> None:
        """Raises Failure 409 for another version, 422 for none where one is needed."""
        kind = target.kind
        if not version.isdigit():
            raise Failure(500, "", f'strconv.ParseUint: parsing "{version}": invalid syntax')
        if int(version) == 0 and (kind.custom or kind.qualified in NEED_VERSION):
            cause = Cause("metadata.resourceVersion", "Invalid value: 0: must be specified for an update")
            raise invalid(replace(kind, kind=kind.plural), target.name, [cause])  # in the place of the kind, as a real server does
        if int(version) and int(version) != old.version:
            raise conflict(kind, target.name)

    def _author(self, target: Target, options: WriteOptions) -> Updated:
        return Updated(options.manager or UNNAMED, target.kind.api_version, target.subresource, self.moment())

    def _note(self, target: Target, old: Manifest, new: Manifest, options: WriteOptions) -> None:
        """Keep in mind who wrote what, as long as the object itself does not."""
        if "managedFields" not in old["metadata"] and "managedFields" not in new["metadata"]:
            self.authors.updated(old, new, shape_of(target.kind.schema), self._author(target, options))

    def attributed(self, target: Target) -> Manifest:
        """The object at a target with its owners, whoever they were before anybody applied it. Raises Failure 404."""
        return self.authors.attributed(self.find(target).manifest, shape_of(target.kind.schema))

    def _stored(self, target: Target, new: Manifest, warnings: list[str]) -> Written:
        collection = self._store.collection(target.kind.group, target.kind.plural)
        if is_finished(target.kind, new):
            self._store.remove(collection, target.place)  # watchers see it as it last was
            return Written(new, removed=True, warnings=warnings)
        entry = self._store.put(collection, target.place, new)
        return Written(entry.manifest, warnings=warnings, entry=entry)

    def change(self, target: Target, manifest: Manifest) -> Entry:
        """Store an object as it is: for what the server itself writes."""
        return self._store.put(self._store.collection(target.kind.group, target.kind.plural), target.place, manifest)

    def _typed(self, target: Target, manifest: Manifest, old: Manifest | None, options: WriteOptions) -> tuple[Manifest, list[str]]:
        """The object with fields of the right types only, and the warnings about the others. Raises Failure 400, 422 or 500."""
        try:
            manifest, unknown = known(target.kind, manifest, old)
        except WrongType as error:
            raise _mistyped(target, manifest, error, options) from error
        return manifest, _unknown_fields(target.kind, unknown, options)

    def _conformed(self, target: Target, manifest: Manifest, old: Manifest | None, options: WriteOptions) -> tuple[Manifest, list[str]]:
        """The object with defaults, valid, and the warnings about it. Raises Failure 400 or 422."""
        kind = target.kind
        try:
            manifest, causes, warnings = self._filled(target, manifest, old, options)
        except MALFORMED as error:
            raise _malformed(kind, error) from error
        if causes:
            raise invalid(kind, str(manifest["metadata"].get("name", "")), causes)
        return manifest, warnings

    def _filled(
        self, target: Target, manifest: Manifest, old: Manifest | None, options: WriteOptions
    ) -> tuple[Manifest, list[Cause], list[str]]:
        kind = target.kind
        if old is None or old["metadata"] != manifest["metadata"]:
            causes = metadata.validate(kind, manifest)
            if causes:
                return manifest, causes, []
        if kind.schema is not None:
            findings = Findings()
            shaped = conform(kind.schema, manifest, findings)
            if kind.kept is not None and not findings.causes:
                shaped = conform(kind.kept, shaped, Findings())  # what its own version does not know is not kept
            return shaped, findings.causes, _unknown_fields(kind, findings.unknown, options)
        warnings: list[str] = []
        filled = allocated(self._store, target, defaults.fill(kind, manifest), old)
        causes = validation.validate(kind, filled, old)
        if kind is DEFINITIONS and not causes:
            others = [entry.manifest for entry in self._store.collection(kind.group, kind.plural).entries.values()]
            filled = customs.with_status(filled, others, self.moment())
            warnings += customs.warnings(filled, old)
        return filled, causes, warnings


def _mistyped(target: Target, manifest: Manifest, error: WrongType, options: WriteOptions) -> Failure:
    """A field of the wrong type: of the body, of what an apply asks for, or of what a patch comes to."""
    if options.applies:
        return untyped(target, f"{error.path}: {error.why}")
    if not options.patches:
        kind = target.kind
        return bad_request(f'{kind.kind} in version "{kind.version}" cannot be handled as a {kind.kind}: {error.why}')
    text = f"Invalid value: {orjson.dumps(orjson.dumps(manifest).decode()).decode()}: {error.why}"
    causes = [{"reason": "FieldValueInvalid", "message": text, "field": "patch"}]
    return Failure(422, "Invalid", f' "" is invalid: patch: {text}', {"causes": causes})


def _malformed(kind: Kind, error: Exception) -> Failure:
    text = f'{kind.kind} in version "{kind.version}" cannot be handled as a {kind.kind}: {type(error).__name__}: {error}'
    return bad_request(text[:500])


def _unknown_fields(kind: Kind, unknown: list[str], options: WriteOptions) -> list[str]:
    if not unknown or options.validation == "Ignore":
        return []
    if options.validation == "Strict":
        listed = ", ".join(f'unknown field "{name}"' for name in unknown)
        raise bad_request(f'{kind.kind} in version "{kind.version}" cannot be handled as a {kind.kind}: strict decoding error: {listed}')
    return [f'unknown field "{name}"' for name in unknown]


def _scoped(target: Target, new: Manifest, old: Manifest) -> Manifest:
    """The part of an update that its path may change: the main path keeps the status, the status path everything else."""
    kind = target.kind
    if target.subresource == "status":
        scoped = {**old, "metadata": _status_metadata(kind, new["metadata"], old["metadata"])}
        return {**scoped, "status": new["status"]} if "status" in new else {name: one for name, one in scoped.items() if name != "status"}
    if not kind.has_status:
        return new
    kept = {"status": old["status"]} if "status" in old else {}
    return {**{name: inner for name, inner in new.items() if name != "status"}, **kept}


# Kind → the metadata that its status path leaves alone; every other built-in kind lets all of it through.
KEPT_BY_STATUS: Mapping[str, str] = {"deployments.apps": "labels", "pods": "ownerReferences"}


def _status_metadata(kind: Kind, new: Manifest, old: Manifest) -> Manifest:
    """The metadata after a write of the status."""
    closed = kind.custom or kind is DEFINITIONS
    changed, kept = (old, new) if closed else (new, old)
    name = "managedFields" if closed else KEPT_BY_STATUS.get(kind.qualified, "")
    rest = {field: inner for field, inner in changed.items() if field != name}
    return {**rest, **({name: kept[name]} if name in kept else {})}


def _counted(kind: Kind, new: Manifest, old: Manifest) -> Manifest:
    """The object with the next generation if its specification changed."""
    if not kind.generations or not _specified_otherwise(kind, new, old):
        return new
    return {**new, "metadata": {**new["metadata"], "generation": old["metadata"].get("generation", 0) + 1}}


def _specified_otherwise(kind: Kind, new: Manifest, old: Manifest) -> bool:
    if not kind.custom:
        annotated = kind.plural == "deployments" and new["metadata"].get("annotations") != old["metadata"].get("annotations")
        return new.get("spec") != old.get("spec") or annotated
    ignored = {"metadata", "status"} if kind.has_status else {"metadata"}
    return any(new.get(name) != old.get(name) for name in {*new, *old} - ignored)


def is_finished(kind: Kind, manifest: Manifest) -> bool:
    """Whether nothing keeps an object that is being deleted."""
    fields = manifest["metadata"]
    if "deletionTimestamp" not in fields or fields.get("finalizers") or fields.get("deletionGracePeriodSeconds"):
        return False
    return kind.qualified != "namespaces" or not (manifest.get("spec") or {}).get("finalizers")
