"""Object metadata: what a client may set, what the server sets, what never changes (reference apiserver.md §3.2)."""

import re
from collections.abc import Mapping
from typing import Any

from reconciler.sandbox.apiserver import names
from reconciler.sandbox.apiserver.causes import Cause
from reconciler.sandbox.apiserver.failures import bad_request, invalid
from reconciler.sandbox.apiserver.kinds import Kind
from reconciler.sandbox.apiserver.paths import Target

Manifest = dict[str, Any]

LABEL_KEY = re.compile(r"^([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$")
LABEL_VALUE = re.compile(r"^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$")
LABEL_RULE = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', "
    "and must start and end with an alphanumeric character"
)
LABEL_RULE = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', "
    "and must start and end with an alphanumeric character"
)
KEY_RULE = (
    "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character, "
    "with an optional DNS subdomain prefix and '/'"
)
FREE_NAMES = frozenset({"roles", "clusterroles", "rolebindings", "clusterrolebindings"})
SHORT_NAMES: Mapping[str, names.Rule] = {"services": names.SERVICE, "namespaces": names.LABEL}
MAX_SHORT_NAME = 63
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
    for field, wanted in (("apiVersion", kind.api_version), ("kind", kind.kind)):
        found = manifest.get(field)
        if found is None and kind.custom:
            raise bad_request(f"Object '{field}' is missing")
        if found not in (None, "", wanted):
            raise bad_request(_mismatch(field, found, wanted))
    metadata = of(manifest)
    if target.name and metadata.setdefault("name", target.name) != target.name:
        raise bad_request(f"the name of the object ({metadata['name']}) does not match the name on the URL ({target.name})")
    if not kind.namespaced:
        metadata.pop("namespace", None)
    elif metadata.get("namespace", target.namespace) != target.namespace:
        raise bad_request("the namespace of the provided object does not match the namespace sent on the request")
    else:
        metadata["namespace"] = target.namespace
    return {**manifest, "apiVersion": kind.stored_version, "kind": kind.kind, "metadata": metadata}


def _mismatch(field: str, found: Any, wanted: str) -> str:
    return f"the {field} in the data ({found}) does not match the expected {field} ({wanted})"


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
    causes += _finalizer_causes(metadata.get("finalizers"))
    return causes + _owner_causes(metadata.get("ownerReferences"))


def _name_causes(kind: Kind, name: Any) -> list[Cause]:
    if not isinstance(name, str):
        return [Cause("metadata.name", "Invalid value: a name is text")]
    if kind.plural in FREE_NAMES and not kind.custom:
        return (
            []
            if not re.search(r"[/%]|^\.{1,2}$", name)
            else [Cause("metadata.name", f"Invalid value: \"{name}\": may not contain '/' or '%'")]
        )
    limit = MAX_SHORT_NAME if kind.plural in SHORT_NAMES else MAX_NAME
    complaint = SHORT_NAMES.get(kind.plural, names.SUBDOMAIN).complaint(name)
    causes = [Cause("metadata.name", complaint)] if complaint else []
    if len(name) > limit:
        causes.append(Cause("metadata.name", f'Invalid value: "{name[:300]}": must be no more than {limit} characters'))
    return causes


def _label_causes(labels: Any, path: str) -> list[Cause]:
    if labels is None:
        return []
    if not isinstance(labels, dict):
        return [Cause(path, "Invalid value: must be a map of text")]
    causes = []
    for key, value in labels.items():
        if not LABEL_KEY.match(key):
            causes.append(Cause(path, f'Invalid value: "{key}": {KEY_RULE}'))
        if not isinstance(value, str) or not LABEL_VALUE.match(value):
            causes.append(Cause(path, f'Invalid value: "{value}": {LABEL_RULE}'))
    return causes


def _annotation_causes(annotations: Any) -> list[Cause]:
    if annotations is None:
        return []
    if not isinstance(annotations, dict) or not all(isinstance(value, str) for value in annotations.values()):
        return [Cause("metadata.annotations", "Invalid value: must be a map of text")]
    wrong = [key for key in annotations if not LABEL_KEY.match(key.lower())]
    causes = [Cause("metadata.annotations", f'Invalid value: "{key}": {KEY_RULE}') for key in wrong]
    if sum(len(key) + len(value) for key, value in annotations.items()) > MAX_ANNOTATIONS:
        causes.append(Cause("metadata.annotations", f"Too long: may not be more than {MAX_ANNOTATIONS} bytes", "TooLong"))
    return causes


def _finalizer_causes(finalizers: Any) -> list[Cause]:
    if finalizers is None:
        return []
    if not isinstance(finalizers, list):
        return [Cause("metadata.finalizers", "Invalid value: must be a list")]
    wrong = [
        name
        for name in finalizers
        if not isinstance(name, str) or ("/" not in name and "." not in name and name not in UNQUALIFIED_FINALIZERS)
    ]
    return [
        Cause("metadata.finalizers", f'Invalid value: "{name}": name is neither a standard finalizer name nor is it fully qualified')
        for name in wrong
    ]


def _owner_causes(owners: Any) -> list[Cause]:
    if owners is None:
        return []
    if not isinstance(owners, list) or not all(isinstance(one, dict) for one in owners):
        return [Cause("metadata.ownerReferences", "Invalid value: must be a list of references")]
    causes = []
    for index, one in enumerate(owners):
        missing = [field for field in ("apiVersion", "kind", "name", "uid") if not one.get(field)]
        causes += [Cause(f"metadata.ownerReferences[{index}].{field}", 'Invalid value: "": must not be empty') for field in missing]
    if sum(bool(one.get("controller")) for one in owners) > 1:
        text = "Invalid value: Only one reference can have Controller set to true"
        causes.append(Cause("metadata.ownerReferences", text))
    return causes
