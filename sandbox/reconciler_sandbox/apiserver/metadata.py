"""Object metadata: what a client may set, what the server sets, what never changes."""

from collections.abc import Mapping
from typing import Any

import orjson

from reconciler_sandbox.apiserver import names, qualified
from reconciler_sandbox.apiserver.causes import Cause
from reconciler_sandbox.apiserver.failures import bad_request, invalid
from reconciler_sandbox.apiserver.kinds import EXTENSIONS, Kind
from reconciler_sandbox.apiserver.paths import Target

Manifest = dict[str, Any]

FREE_NAMES = frozenset({"roles", "clusterroles", "rolebindings", "clusterrolebindings"})
SHORT_NAMES: Mapping[str, names.Rule] = {"services": names.SERVICE, "namespaces": names.LABEL}
MAX_SHORT_NAME = 63
UNQUALIFIED = "name is neither a standard finalizer name nor is it fully qualified"
UNQUALIFIED_FINALIZERS = frozenset({"orphan", "foregroundDeletion", "kubernetes"})
MAX_NAME = 253
MAX_ANNOTATIONS = 256 * 1024
IMMUTABLE_FIELDS = ("uid", "deletionTimestamp")
SERVER_FIELDS = ("uid", "creationTimestamp", "generation", "deletionTimestamp", "deletionGracePeriodSeconds", "resourceVersion")


def of(manifest: Manifest) -> Manifest:
    """The metadata of a body; an absent one is empty. Raises Failure 400 if it is no map."""
    metadata = manifest.get("metadata")
    if metadata is None:
        return {}
    if not isinstance(metadata, dict):
        raise bad_request("json: cannot unmarshal into Go struct field .metadata of type v1.ObjectMeta")
    return {name: inner for name, inner in metadata.items() if inner is not None and name != "selfLink"}


def addressed(target: Target, manifest: Manifest) -> Manifest:
    """The body with the kind, apiVersion, name and namespace of its URL. Raises Failure 400 where they differ."""
    kind = target.kind
    for field, words, wanted in (("apiVersion", "API version", kind.api_version), ("kind", "kind", kind.kind)):
        found = manifest.get(field)
        if found is None and kind.custom:
            raise bad_request(f"Object '{field}' is missing")
        if found not in (None, "", wanted):
            raise bad_request(f"the {words} in the data ({found}) does not match the expected {words} ({wanted})")
    if not isinstance(manifest.get("metadata"), dict | None):
        why = "json: cannot unmarshal into Go struct field metadata of type v1.ObjectMeta"
        raise bad_request(f'{kind.kind} in version "{kind.version}" cannot be handled as a {kind.kind}: {why}')
    metadata = of(manifest)
    if target.name and metadata.setdefault("name", target.name) != target.name:
        raise bad_request(f"the name of the object ({metadata['name']}) does not match the name on the URL ({target.name})")
    if not kind.namespaced:
        metadata.pop("namespace", None)
    elif (metadata.get("namespace") or target.namespace) != target.namespace:
        raise bad_request("the namespace of the provided object does not match the namespace sent on the request")
    else:
        metadata["namespace"] = target.namespace
    return {**manifest, "apiVersion": kind.stored_version, "kind": kind.kind, "metadata": metadata}


def require_name(target: Target, manifest: Manifest) -> None:
    """Refuse a whole object without its name (400)."""
    if not of(manifest).get("name"):
        raise bad_request(f"the name of the object ({target.name} based on URL) was undeterminable: name must be provided")


def restored(kind: Kind, new: Manifest, old: Manifest) -> Manifest:
    """New metadata with what no update can change. Raises Failure 422 for another uid or deletion, or finalizers added while deleting."""
    before, after = old["metadata"], dict(new["metadata"])
    name = before["name"]
    for field in IMMUTABLE_FIELDS:
        if after.get(field, before.get(field)) != before.get(field):
            raise invalid(kind, name, [Cause(f"metadata.{field}", f'Invalid value: "{after[field]}": field is immutable')])
    for field in SERVER_FIELDS:
        if field in before:
            after[field] = before[field]
        else:
            after.pop(field, None)
    if "managedFields" not in after and "managedFields" in before:
        after["managedFields"] = before["managedFields"]
    if after.get("managedFields") in ([], [{}]):
        del after["managedFields"]
    added = set(after.get("finalizers") or ()) - set(before.get("finalizers") or ())
    if added and "deletionTimestamp" in before:
        text = f"Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers {sorted(added)}"
        raise invalid(kind, name, [Cause("metadata.finalizers", text, "Forbidden")])
    return {**new, "metadata": after}


def validate(kind: Kind, manifest: Manifest) -> list[Cause]:
    """What is wrong with the metadata."""
    metadata = manifest["metadata"]
    causes = _name_causes(kind, metadata["name"])
    causes += _label_causes(metadata.get("labels"), "metadata.labels")
    causes += _annotation_causes(metadata.get("annotations"))
    causes += _finalizer_causes(kind, metadata.get("finalizers"))
    return causes + _owner_causes(metadata.get("ownerReferences"))


def _name_causes(kind: Kind, name: Any) -> list[Cause]:
    if not isinstance(name, str):
        return [Cause("metadata.name", "Invalid value: a name is text")]
    if kind.plural in FREE_NAMES and not kind.custom:
        return [Cause("metadata.name", f'Invalid value: "{name}": {why}') for why in _path_complaints(name)]
    limit = MAX_SHORT_NAME if kind.plural in SHORT_NAMES else MAX_NAME
    complaint = SHORT_NAMES.get(kind.plural, names.SUBDOMAIN).complaint(name)
    causes = [Cause("metadata.name", complaint)] if complaint else []
    if len(name) > limit:
        causes.append(Cause("metadata.name", f'Invalid value: "{name[:300]}": must be no more than {limit} characters'))
    return causes


def _path_complaints(name: str) -> list[str]:
    """What keeps a name from being one segment of a path."""
    if name in (".", ".."):
        return [f"may not be '{name}'"]
    return [f"may not contain '{mark}'" for mark in "/%" if mark in name]


def _label_causes(labels: Any, path: str) -> list[Cause]:
    if labels is None:
        return []
    if not isinstance(labels, dict):
        return [Cause(path, "Invalid value: must be a map of text")]
    causes = []
    for key, value in labels.items():
        causes += _complaints(path, key, qualified.name_complaints(key))
        causes += _complaints(path, value, qualified.value_complaints(value))
    return causes


def _complaints(path: str, value: str, found: list[str]) -> list[Cause]:
    return [Cause(path, f'Invalid value: "{value}": {why}') for why in found]


def _annotation_causes(annotations: Any) -> list[Cause]:
    if annotations is None:
        return []
    if not isinstance(annotations, dict):
        return [Cause("metadata.annotations", "Invalid value: must be a map of text")]
    path = "metadata.annotations"
    causes = [cause for key in annotations for cause in _complaints(path, key, qualified.name_complaints(key.lower()))]
    if sum(len(key) + len(value) for key, value in annotations.items()) > MAX_ANNOTATIONS:
        causes.append(Cause(path, f"Too long: may not be more than {MAX_ANNOTATIONS} bytes", "TooLong"))
    return causes


def _finalizer_causes(kind: Kind, finalizers: Any) -> list[Cause]:
    if finalizers is None:
        return []
    if not isinstance(finalizers, list):
        return [Cause("metadata.finalizers", "Invalid value: must be a list")]
    causes: list[Cause] = []
    for index, name in enumerate(finalizers):
        causes += _complaints("metadata.finalizers", name, qualified.name_complaints(name))
        if not kind.custom and kind.group != EXTENSIONS and "/" not in name and name not in UNQUALIFIED_FINALIZERS:
            causes.append(Cause(f"metadata.finalizers[{index}]", f'Invalid value: "{name}": {UNQUALIFIED}'))
    if {"orphan", "foregroundDeletion"} <= set(finalizers):
        text = f"Invalid value: {orjson.dumps(finalizers).decode()}: finalizer orphan and foregroundDeletion cannot be both set"
        causes.append(Cause("metadata.finalizers", text))
    return causes


def _owner_causes(owners: Any) -> list[Cause]:
    """Every owner is named whole, and one at most is the controller."""
    path = "metadata.ownerReferences"
    if owners is None:
        return []
    if not isinstance(owners, list) or not all(isinstance(one, dict) for one in owners):
        return [Cause(path, "Invalid value: must be a list of references")]
    fields = ("apiVersion", "kind", "name", "uid")
    causes = [
        Cause(f"{path}.{name}", f'Invalid value: "": {name} must not be empty') for one in owners for name in fields if not one.get(name)
    ]
    if sum(bool(one.get("controller")) for one in owners) > 1:
        text = f"Invalid value: {orjson.dumps(owners).decode()}: Only one reference can have Controller set to true"
        causes.append(Cause(path, text))
    return causes
