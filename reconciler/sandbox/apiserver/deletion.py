"""Deletions: preconditions, grace, finalizers, collections (reference apiserver.md §3.2)."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from reconciler.sandbox.apiserver.failures import conflict
from reconciler.sandbox.apiserver.kinds import NAMESPACES, PODS
from reconciler.sandbox.apiserver.options import FOREGROUND, ORPHAN, Deletion
from reconciler.sandbox.apiserver.paths import Target
from reconciler.sandbox.apiserver.store import Entry, Store
from reconciler.sandbox.apiserver.times import rfc3339
from reconciler.sandbox.apiserver.writes import is_finished

Manifest = dict[str, Any]
FINALIZERS = {FOREGROUND: "foregroundDeletion", ORPHAN: "orphan"}
POD_GRACE = 30


class Remover:
    """Deletes objects, at once or by marking them until their finalizers and grace are over."""

    def __init__(self, store: Store, now: Callable[[], datetime]) -> None:
        self._store = store
        self._now = now

    def delete(self, target: Target, entry: Entry, deletion: Deletion) -> Manifest:
        """Delete an object: a Status when it is gone, the marked object while something keeps it. Raises Failure 409."""
        self._check(target, entry, deletion)
        marked = self._marked(target, entry.manifest, deletion)
        collection = self._store.collection(target.kind.group, target.kind.plural)
        if is_finished(target.kind, marked):
            if not deletion.dry_run:
                self._store.remove(collection, target.place, _last_state(entry.manifest, marked))
            return success(target, entry.manifest)
        if marked == entry.manifest or deletion.dry_run:
            return marked
        return self._store.put(collection, target.place, marked).manifest

    def _check(self, target: Target, entry: Entry, deletion: Deletion) -> None:
        uid = entry.manifest["metadata"]["uid"]
        for field, wanted, found, happened in (
            ("UID", deletion.uid, uid, "deleted and then recreated"),
            ("ResourceVersion", deletion.version, str(entry.version), "modified"),
        ):
            if wanted and wanted != found:
                why = f"the {field} in the precondition ({wanted}) does not match the {field} in record ({found})."
                raise conflict(target.kind, target.name, f"{why} The object might have been {happened}")

    def _marked(self, target: Target, manifest: Manifest, deletion: Deletion) -> Manifest:
        fields = manifest["metadata"]
        grace = _grace(target, manifest, deletion)
        if "deletionTimestamp" in fields:
            # A repeated deletion can only shorten the grace.
            if grace >= fields.get("deletionGracePeriodSeconds", 0):
                return manifest
            return {**manifest, "metadata": {**fields, **self._until(grace)}}
        finalizers = _finalizers(fields, deletion)
        kept = {name: inner for name, inner in fields.items() if name != "finalizers"}
        marked = {**kept, **({"finalizers": finalizers} if finalizers else {}), **self._until(grace)}
        if "generation" in fields:
            marked["generation"] = fields["generation"] + 1
        terminating = {"status": {**(manifest.get("status") or {}), "phase": "Terminating"}} if target.kind is NAMESPACES else {}
        return {**manifest, "metadata": marked, **terminating}

    def _until(self, grace: int) -> Manifest:
        return {"deletionTimestamp": rfc3339(self._now() + timedelta(seconds=grace)), "deletionGracePeriodSeconds": grace}


def _grace(target: Target, manifest: Manifest, deletion: Deletion) -> int:
    """Seconds until the object may go: only a pod on a node has any."""
    if target.kind is not PODS or not manifest["spec"].get("nodeName"):
        return 0
    if (manifest.get("status") or {}).get("phase") in ("Succeeded", "Failed") and deletion.grace is None:
        return 0
    if deletion.grace is not None:
        return deletion.grace
    own = manifest["spec"].get("terminationGracePeriodSeconds")
    return POD_GRACE if own is None else int(own)


def _finalizers(fields: Manifest, deletion: Deletion) -> list[str]:
    wanted = FINALIZERS.get(deletion.propagation)
    kept = [name for name in fields.get("finalizers") or () if name not in FINALIZERS.values()]
    return [*kept, wanted] if wanted else kept


def _last_state(manifest: Manifest, marked: Manifest) -> Manifest:
    """What watchers see of an object that goes: marked if it was marked before, else as it last was."""
    return marked if "deletionTimestamp" in manifest["metadata"] else manifest


def success(target: Target, manifest: Manifest) -> Manifest:
    """The Status of an object that is gone."""
    kind = target.kind
    group = {"group": kind.group} if kind.group else {}
    details = {"name": manifest["metadata"]["name"], **group, "kind": kind.plural, "uid": manifest["metadata"]["uid"]}
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details}
