"""Deletions: preconditions, grace, finalizers, collections."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from reconciler_sandbox.apiserver.customs import with_condition
from reconciler_sandbox.apiserver.failures import conflict, forbidden
from reconciler_sandbox.apiserver.kinds import DEFINITIONS, NAMESPACES, PODS
from reconciler_sandbox.apiserver.options import FOREGROUND, ORPHAN, Deletion
from reconciler_sandbox.apiserver.paths import Target
from reconciler_sandbox.apiserver.store import Entry, Store
from reconciler_sandbox.apiserver.times import rfc3339
from reconciler_sandbox.apiserver.writes import is_finished

Manifest = dict[str, Any]
FINALIZERS = {FOREGROUND: "foregroundDeletion", ORPHAN: "orphan"}
POD_GRACE = 30
GOING = "CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon"
IMMORTAL = frozenset({"default", "kube-system", "kube-public"})
TOLD_WHOLE = frozenset({"serviceaccounts", "podtemplates", "persistentvolumeclaims"})


class Remover:
    """Deletes objects, at once or by marking them until their finalizers and grace are over."""

    def __init__(self, store: Store, now: Callable[[], datetime]) -> None:
        self._store = store
        self._now = now

    def delete(self, target: Target, entry: Entry, deletion: Deletion) -> Manifest:
        """Delete an object: a Status when it is gone, the marked object while something keeps it. Raises Failure 409."""
        if target.kind is NAMESPACES and target.name in IMMORTAL:
            raise forbidden(target.kind, target.name, "this namespace may not be deleted")
        self._check(target, entry, deletion)
        marked = self._marked(target, entry.manifest, deletion)
        collection = self._store.collection(target.kind.group, target.kind.plural)
        if is_finished(target.kind, marked):
            if not deletion.dry_run:
                self._store.remove(collection, target.place, _last_state(entry.manifest, marked))
            return _told(target, entry.manifest, marked)
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
                named = replace(target.kind, plural=target.kind.kind)  # by its kind, as a real server does here
                raise conflict(named, target.name, f"{why} The object might have been {happened}")

    def _marked(self, target: Target, manifest: Manifest, deletion: Deletion) -> Manifest:
        fields = manifest["metadata"]
        grace, finalizers = _grace(target, manifest, deletion), _finalizers(target, fields, deletion)
        kept = {name: inner for name, inner in fields.items() if name != "finalizers"}
        marked = {**kept, **({"finalizers": finalizers} if finalizers else {})}
        if "deletionTimestamp" in fields:
            # A repeated deletion can only shorten the grace.
            shorter = grace < fields.get("deletionGracePeriodSeconds", 0)
            return {**manifest, "metadata": {**marked, **(self._until(grace) if shorter else {})}}
        marked |= self._until(grace)
        if "generation" in fields:
            marked["generation"] = fields["generation"] + 1
        if target.kind is NAMESPACES:
            del marked["deletionGracePeriodSeconds"]
        if target.kind is DEFINITIONS:
            return _going(manifest, marked)
        terminating = {"status": {**(manifest.get("status") or {}), "phase": "Terminating"}} if target.kind is NAMESPACES else {}
        return {**manifest, "metadata": marked, **terminating}

    def _until(self, grace: int) -> Manifest:
        return {"deletionTimestamp": rfc3339(self._now() + timedelta(seconds=grace)), "deletionGracePeriodSeconds": grace}


def _going(manifest: Manifest, marked: Manifest) -> Manifest:
    """A definition that is being deleted."""
    state = ("True", "InstanceDeletionPending", GOING)
    conditions = with_condition((manifest.get("status") or {}).get("conditions") or [], "Terminating", state, marked["deletionTimestamp"])
    return {**manifest, "metadata": marked, "status": {**(manifest.get("status") or {}), "conditions": conditions}}


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


def _finalizers(target: Target, fields: Manifest, deletion: Deletion) -> list[str]:
    """The finalizers of an object being deleted; without a policy those that say one are kept, and Jobs leave their pods behind."""
    before = fields.get("finalizers") or []
    said = [name for name in before if name in FINALIZERS.values()]
    if not deletion.propagation and said:
        return list(before)
    default = ORPHAN if target.kind.qualified == "jobs.batch" else ""
    wanted = FINALIZERS.get(deletion.propagation or default)
    kept = [name for name in before if name not in said]
    return [*kept, wanted] if wanted else kept


def _last_state(manifest: Manifest, marked: Manifest) -> Manifest:
    """What watchers see of an object that goes: marked if it was marked before, else as it last was."""
    return marked if "deletionTimestamp" in manifest["metadata"] else manifest


def _told(target: Target, manifest: Manifest, marked: Manifest) -> Manifest:
    """What an immediate deletion answers: a Status, or for some kinds the object that is gone."""
    if target.kind is PODS:
        return marked
    return manifest if target.kind.qualified in TOLD_WHOLE else success(target, manifest)


def success(target: Target, manifest: Manifest) -> Manifest:
    """The Status of an object that is gone."""
    kind = target.kind
    group = {"group": kind.group} if kind.group else {}
    details = {"name": manifest["metadata"]["name"], **group, "kind": kind.plural, "uid": manifest["metadata"]["uid"]}
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details}
