"""Custom resource definitions: from the object to the kinds it serves, and its own status."""

from collections.abc import Iterable
from typing import Any

from reconciler_sandbox.apiserver.kinds import DEFINITIONS, Kind, Registry, Scale
from reconciler_sandbox.apiserver.schemas import Schema, unchecked
from reconciler_sandbox.apiserver.store import Collection, Entry, Store

Manifest = dict[str, Any]
CLEANUP = "customresourcecleanup.apiextensions.k8s.io"


def kinds_of(definition: Manifest) -> list[Kind]:
    """The kinds that a definition serves, one per served version."""
    versions = definition["spec"]["versions"]
    storage = next(version for version in versions if version.get("storage"))
    return [_kind(definition["spec"], version, storage) for version in versions if version.get("served")]


def _kind(spec: Manifest, version: Manifest, storage: Manifest) -> Kind:
    names, subresources = spec["names"], version.get("subresources") or {}
    scale = subresources.get("scale")
    return Kind(
        group=spec["group"],
        version=version["name"],
        plural=names["plural"],
        kind=names["kind"],
        namespaced=spec["scope"] == "Namespaced",
        short_names=tuple(names.get("shortNames") or ()),
        categories=tuple(names.get("categories") or ()),
        subresources=tuple(name for name in ("status", "scale") if name in subresources),
        scale=_scale(scale) if scale else None,
        generations=True,
        schema=Schema(version["schema"]["openAPIV3Schema"]),
        selectable=tuple(str(one.get("jsonPath", "")).removeprefix(".") for one in version.get("selectableFields") or ()),
        singular=names.get("singular") or names["kind"].lower(),
        list_kind=names.get("listKind") or "",
        storage=storage["name"],
        kept=None if storage is version else Schema(storage["schema"]["openAPIV3Schema"]),
    )


def _scale(scale: Manifest) -> Scale:
    paths = (scale.get("specReplicasPath", ""), scale.get("statusReplicasPath", ""), scale.get("labelSelectorPath", ""))
    return Scale(*paths)


def with_status(definition: Manifest, others: Iterable[Manifest], moment: str) -> Manifest:
    """The definition with its conditions; names that another one holds in the group are not accepted, and nothing is served."""
    taken = _conflict(definition, others)
    accepted = ("False", *taken) if taken else ("True", "NoConflicts", "no conflicts found")
    established = ("True", "InitialNamesAccepted", "the initial names have been accepted")
    if taken:
        established = ("False", "NotAccepted", "not all names are accepted")
    before = definition.get("status") or {}
    conditions = before.get("conditions") or []
    for kind, state in (("NamesAccepted", accepted), ("Established", established)):
        conditions = with_condition(conditions, kind, state, moment)
    storage = next(version["name"] for version in definition["spec"]["versions"] if version.get("storage"))
    stored = before.get("storedVersions") or []
    names = before.get("acceptedNames") or {"plural": "", "kind": ""} if taken else definition["spec"]["names"]
    status = {"conditions": conditions, "acceptedNames": names, "storedVersions": stored if storage in stored else [*stored, storage]}
    return {**definition, "status": {**before, **status}}


def warnings(definition: Manifest, old: Manifest | None) -> list[str]:
    """What whoever changes the definition should know: which words of its schemas will not be evaluated."""
    if old is not None and old["spec"] == definition["spec"]:
        return []
    schemas = [(version.get("schema") or {}).get("openAPIV3Schema") or {} for version in definition["spec"]["versions"]]
    words = sorted(frozenset[str]().union(*(unchecked(schema) for schema in schemas)))
    return [f"spec.versions: {', '.join(words)} in schemas are accepted and not evaluated by this server"] if words else []


def with_condition(conditions: list[Manifest], kind: str, state: tuple[str, str, str], moment: str) -> list[Manifest]:
    """The conditions with one set to (status, reason, message); its time moves only with the status."""
    status, reason, message = state
    before = next((one for one in conditions if one.get("type") == kind), None)
    since = before["lastTransitionTime"] if before and before.get("status") == status else moment
    condition = {"type": kind, "status": status, "lastTransitionTime": since, "reason": reason, "message": message}
    if before is None:
        return [*conditions, condition]
    return [condition if one is before else one for one in conditions]


def _conflict(definition: Manifest, others: Iterable[Manifest]) -> tuple[str, str] | None:
    """Reason and message if an accepted definition of the group already uses one of the names."""
    spec = definition["spec"]
    for other in others:
        if other["metadata"]["name"] == definition["metadata"]["name"] or other["spec"]["group"] != spec["group"] or not established(other):
            continue
        held = other["spec"]["names"]
        for field, word in (("kind", "KindConflict"), ("singular", "SingularConflict"), ("listKind", "ListKindConflict")):
            name = spec["names"].get(field)
            if name and name == held.get(field):
                return word, f'"{name}" is already in use'
    return None


def established(definition: Manifest) -> bool:
    """Whether the definition serves its kinds."""
    conditions = (definition.get("status") or {}).get("conditions") or ()
    return any(one.get("type") == "Established" and one.get("status") == "True" for one in conditions)


class Definitions:
    """Keeps the registry equal to the definitions in the store: a new kind is served with the write that brings it.

    What a definition leaves behind when it goes, goes too: the history of its objects, and watches of them.
    """

    def __init__(self, registry: Registry, store: Store) -> None:
        self._registry = registry
        self._store = store
        self._specs: dict[str, Manifest] = {}

    def observe(self, collection: Collection, kind: str, entry: Entry) -> None:
        """Take note of a change in the store."""
        if (collection.group, collection.plural) != (DEFINITIONS.group, DEFINITIONS.plural):
            return
        spec, name = entry.manifest["spec"], entry.manifest["metadata"]["name"]
        wanted = {} if kind == "DELETED" or not established(entry.manifest) else spec
        if wanted == self._specs.get(name, {}):
            return
        self._registry.replace(spec["group"], spec["names"]["plural"], kinds_of(entry.manifest) if wanted else ())
        if wanted:
            self._specs[name] = wanted
            return
        del self._specs[name]
        self._store.drop(spec["group"], spec["names"]["plural"])
