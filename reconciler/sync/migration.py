"""Objects last written by kubectl's client-side apply, made ours before the first server-side apply (ADR 0017).

Without this, a field that leaves Git would stay for ever: the server removes only what the applying manager owned.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from reconciler.kernel.identity import Manifest, annotations_of
from reconciler.sync.drift.diff import KEYS
from reconciler.sync.drift.effective import DESIRED
from reconciler.sync.drift.ownership import union

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
CLIENT_SIDE = "kubectl-client-side-apply"
Operations = list[Manifest]


def client_side(live: Manifest) -> bool:
    """True when kubectl's client-side apply has written this object and may still be thought to own it."""
    return LAST_APPLIED in annotations_of(live)


def migration(live: Manifest, payload: Manifest, manager: str) -> Operations | None:
    """The JSON patch that makes its fields ours; None when there is nothing to take over. `live` comes with managedFields.

    Where the server keeps managedFields, only they change (as kubectl does it). Where it keeps none, the patch carries out the three-way
    merge of kubectl itself, in one write, so that no version in between is ever seen.
    """
    entries = live["metadata"].get("managedFields") or []
    version = {"op": "replace", "path": "/metadata/resourceVersion", "value": live["metadata"]["resourceVersion"]}
    if any(_is_client_side(entry) for entry in entries):
        return [{"op": "replace", "path": "/metadata/managedFields", "value": _taken_over(entries, manager)}, version]
    last = _last_applied(live)
    if entries or last is None:
        return None
    return [version, *_operations(live, _merged(last, payload, live))]


def _is_client_side(entry: Manifest) -> bool:
    return entry.get("manager") == CLIENT_SIDE and entry.get("operation") == "Update" and not entry.get("subresource")


def _taken_over(entries: Sequence[Manifest], manager: str) -> list[Manifest]:
    """The same entries, with what client-side apply owned in one entry of ours."""
    theirs = [entry for entry in entries if _is_client_side(entry)]
    mine = [entry for entry in entries if _is_ours(entry, manager)]
    fields: Manifest = {}
    for entry in (*mine, *theirs):
        fields = union(fields, entry.get("fieldsV1") or {})
    ours = {**(mine or theirs)[0], "manager": manager, "operation": "Apply", "fieldsV1": fields}
    return [*[entry for entry in entries if entry not in theirs and entry not in mine], ours]


def _is_ours(entry: Manifest, manager: str) -> bool:
    return entry.get("manager") == manager and entry.get("operation") == "Apply" and not entry.get("subresource")


def _last_applied(live: Manifest) -> Manifest | None:
    """What kubectl wrote last; None when the annotation is not what kubectl writes."""
    try:
        last = msgspec.json.decode(annotations_of(live)[LAST_APPLIED])
    except msgspec.DecodeError:
        return None
    return last if isinstance(last, dict) else None


def _merged(last: Manifest, payload: Manifest, live: Manifest) -> Manifest:
    """The live object with Git's values, without what kubectl had written and Git no longer says; not yet marked as written by us."""
    annotations = {key: value for key, value in annotations_of(payload).items() if key != DESIRED}
    wanted = {**payload, "metadata": {"labels": payload["metadata"].get("labels") or {}, "annotations": annotations}}
    before = {**last, "metadata": {key: (last.get("metadata") or {}).get(key) or {} for key in ("labels", "annotations")}}
    before["metadata"]["annotations"] = {**before["metadata"]["annotations"], LAST_APPLIED: ""}
    merged: Manifest = _three_way(before, wanted, live, keyed=_lists_have_keys(payload))
    return merged


def _lists_have_keys(manifest: Manifest) -> bool:
    """Lists of built-in kinds are merged item by item; those of custom kinds are one value (as kubectl patches them)."""
    group = str(manifest["apiVersion"]).rpartition("/")[0]
    return "." not in group or group.endswith(".k8s.io")


def _three_way(last: Any, wanted: Any, live: Any, *, keyed: bool) -> Any:
    if isinstance(wanted, dict) and isinstance(live, dict):
        said = last if isinstance(last, dict) else {}
        kept = {key: value for key, value in live.items() if key in wanted or key not in said}
        return {**kept, **{key: _three_way(said.get(key), value, live.get(key), keyed=keyed) for key, value in wanted.items()}}
    if keyed and isinstance(wanted, list) and isinstance(live, list):
        before = last if isinstance(last, list) else []
        key = next((k for k in KEYS if all(isinstance(i, dict) and k in i for i in (*before, *wanted, *live))), None)
        return wanted if key is None else _items(key, (before, wanted, live))
    return wanted


def _items(key: str, lists: tuple[list[Any], list[Any], list[Any]]) -> list[Any]:
    """Git's items in Git's order, then what others added."""
    before, wanted, live = ({item[key]: item for item in items} for items in lists)
    ours = [_three_way(before.get(name), item, live.get(name), keyed=True) for name, item in wanted.items()]
    return [*ours, *(item for name, item in live.items() if name not in wanted and name not in before)]


def _operations(live: Manifest, merged: Manifest) -> Iterator[Manifest]:
    for key in sorted((live.keys() | merged.keys()) - {"apiVersion", "kind", "metadata", "status"}):
        if key not in merged:
            yield {"op": "remove", "path": f"/{key}"}
        elif merged[key] != live.get(key):
            yield {"op": "add", "path": f"/{key}", "value": merged[key]}
    for key in ("labels", "annotations"):
        if merged["metadata"].get(key, {}) != live["metadata"].get(key, {}):
            yield {"op": "add", "path": f"/metadata/{key}", "value": merged["metadata"].get(key, {})}
