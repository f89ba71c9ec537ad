"""What custom resource definitions insist on: one name, one stored version, structural schemas."""

from collections.abc import Iterator
from typing import Any

from reconciler_sandbox.apiserver.causes import Cause, invalid, missing, required, unsupported
from reconciler_sandbox.apiserver.schemas import INT_OR_STRING, PRESERVE, Findings, Schema, conform_value

Manifest = dict[str, Any]
TYPES = ("array", "boolean", "integer", "number", "object", "string")
FIXED = ("spec.group", "spec.scope", "spec.names.plural", "spec.names.kind")


def definition(new: Manifest, old: Manifest | None) -> list[Cause]:
    """What is wrong with a definition, or with its change."""
    spec = new["spec"]
    causes = required(spec, "spec", "group", "names", "scope", "versions") or required(spec["names"], "spec.names", "plural", "kind")
    if causes:
        return causes
    causes = _fixed(new, old) + unsupported("spec.scope", spec["scope"], ("Cluster", "Namespaced"))
    if old is None and new["metadata"]["name"] != f"{spec['names']['plural']}.{spec['group']}":
        causes.append(invalid("metadata.name", new["metadata"]["name"], 'must be spec.names.plural+"."+spec.group'))
    return causes + list(_versions(spec["versions"], (old or {}).get("spec", {}).get("versions")))


def _fixed(new: Manifest, old: Manifest | None) -> list[Cause]:
    """Names that never change."""
    if old is None:
        return []
    return [invalid(path, _at(new, path), "field is immutable") for path in FIXED if _at(new, path) != _at(old, path)]


def _at(manifest: Manifest, path: str) -> Any:
    value: Any = manifest
    for name in path.split("."):
        value = value.get(name)
    return value


def _versions(versions: list[Manifest], before: list[Manifest] | None) -> Iterator[Cause]:
    called = [str(version.get("name")) for version in versions]
    if sum(bool(version.get("storage")) for version in versions) != 1:
        yield invalid("spec.versions", called, "must have exactly one version marked as storage version")
    if len(set(called)) != len(called):
        yield invalid("spec.versions", called, "must contain unique version names")
    for index, version in enumerate(versions):
        path = f"spec.versions[{index}]"
        if before is None or version not in before:  # a large schema that has not changed is not looked at again
            yield from _version(version, path)


def _version(version: Manifest, path: str) -> Iterator[Cause]:
    schema = (version.get("schema") or {}).get("openAPIV3Schema")
    where = f"{path}.schema.openAPIV3Schema"
    if not schema:
        yield missing(where, "schemas are required")
    elif schema.get("type") != "object":
        found = schema.get("type")
        yield invalid(f"{where}.type", found, "must be object at the root") if found else missing(f"{where}.type", EMPTY_ROOT)
    else:
        yield from _schema(schema, where)
    yield from _scale((version.get("subresources") or {}).get("scale"), f"{path}.subresources.scale")


EMPTY_ROOT = "must not be empty at the root"


def _scale(scale: Manifest | None, path: str) -> Iterator[Cause]:
    if scale is None:
        return
    yield from required(scale, path, "specReplicasPath", "statusReplicasPath")
    for name in ("specReplicasPath", "statusReplicasPath", "labelSelectorPath"):
        yield from _simple_path(scale.get(name), f"{path}.{name}")


def _simple_path(value: Any, path: str) -> Iterator[Cause]:
    if value and not str(value).startswith("."):
        yield invalid(path, value, "must be a simple json path starting with .")


def _schema(schema: Manifest, path: str) -> Iterator[Cause]:
    """A structural schema below its root."""
    yield from _keys(schema, path)
    if "default" in schema:
        yield from _default(schema, path)
    for name, inner in (schema.get("properties") or {}).items():
        yield from _typed(inner, f"{path}.properties[{name}]", "must not be empty for specified object fields")
    for name, why in (("items", "must not be empty for specified array items"), ("additionalProperties", "must not be empty")):
        if isinstance(schema.get(name), dict):
            yield from _typed(schema[name], f"{path}.{name}", why)
    if schema.get("type") == "array" and "items" not in schema:
        yield missing(f"{path}.items", "must be specified")


def _typed(schema: Any, path: str, why: str) -> Iterator[Cause]:
    kind = schema.get("type")
    if kind is None and not schema.get(INT_OR_STRING) and not schema.get(PRESERVE):
        yield missing(f"{path}.type", why)
    yield from unsupported(f"{path}.type", kind, TYPES)
    yield from _schema(schema, path)


def _keys(schema: Manifest, path: str) -> Iterator[Cause]:
    """A list that is a map has keys, and every item has a value for each."""
    if schema.get("x-kubernetes-list-type") != "map":
        return
    keys, item = schema.get("x-kubernetes-list-map-keys") or [], schema.get("items") or {}
    if not keys:
        yield missing(f"{path}.x-kubernetes-list-map-keys", "must not be empty if x-kubernetes-list-type is map")
    for key in keys:
        described = (item.get("properties") or {}).get(key)
        if described is None:
            yield invalid(f"{path}.x-kubernetes-list-map-keys", keys, "entries must all be names of item properties")
        elif key not in (item.get("required") or ()) and "default" not in described:
            why = "this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property"
            yield missing(f"{path}.items.properties[{key}].default", why)


def _default(schema: Manifest, path: str) -> Iterator[Cause]:
    findings = Findings()
    conform_value(Schema(schema), schema["default"], findings)
    for cause in findings.causes:
        yield Cause(f"{path}.default", cause.message, cause.reason)
