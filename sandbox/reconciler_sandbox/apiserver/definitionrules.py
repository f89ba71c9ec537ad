"""What custom resource definitions insist on: names, versions, structural schemas, paths into their objects."""

import re
from collections.abc import Iterator
from typing import Any

from reconciler_sandbox.apiserver import names, rules
from reconciler_sandbox.apiserver.causes import Cause
from reconciler_sandbox.apiserver.schemas import INT_OR_STRING, PRESERVE, Findings, Schema, conform_value

Manifest = dict[str, Any]
TYPES = ("array", "boolean", "integer", "number", "object", "string")
COLUMN_TYPES = ("boolean", "date", "integer", "number", "string")
FIXED = ("spec.group", "spec.scope", "spec.names.plural", "spec.names.kind")


def definition(new: Manifest, old: Manifest | None) -> list[Cause]:
    """What is wrong with a definition, or with its change."""
    spec = new["spec"]
    causes = rules.required(spec, "spec", "group", "names", "scope", "versions") or rules.required(
        spec["names"], "spec.names", "plural", "kind"
    )
    if causes:
        return causes
    causes = _fixed(new, old) or list(_named(new))
    causes += rules.choice(spec, "spec", "scope", ("Cluster", "Namespaced"))
    if spec.get("preserveUnknownFields"):
        why = "cannot set to true, set x-preserve-unknown-fields to true in spec.versions[*].schema instead"
        causes.append(rules.invalid("spec.preserveUnknownFields", value=True, why=why))
    conversion = spec.get("conversion") or {}
    if conversion.get("strategy") == "Webhook" and not conversion.get("webhook"):
        causes.append(rules.missing("spec.conversion.webhookClientConfig", "required when strategy is set to Webhook"))
    return causes + list(_versions(spec["versions"], (old or {}).get("spec", {}).get("versions")))


def _fixed(new: Manifest, old: Manifest | None) -> list[Cause]:
    """Names that never change."""
    if old is None:
        return []
    return [rules.invalid(path, _at(new, path), "field is immutable") for path in FIXED if _at(new, path) != _at(old, path)]


def _at(manifest: Manifest, path: str) -> Any:
    value: Any = manifest
    for name in path.split("."):
        value = value.get(name)
    return value


def _named(new: Manifest) -> Iterator[Cause]:
    spec, given = new["spec"], new["spec"]["names"]
    if new["metadata"]["name"] != f"{given['plural']}.{spec['group']}":
        yield rules.invalid("metadata.name", new["metadata"]["name"], 'must be spec.names.plural+"."+spec.group')
    for field in ("plural", "singular", "kind", "listKind"):
        name = str(given.get(field) or "")
        complaint = names.SERVICE.complaint(name.lower() if field in ("kind", "listKind") else name) if name else ""
        if complaint:
            yield Cause(f"spec.names.{field}", complaint)


def _versions(versions: list[Manifest], before: list[Manifest] | None) -> Iterator[Cause]:
    called = [str(version.get("name")) for version in versions]
    if sum(bool(version.get("storage")) for version in versions) != 1:
        yield rules.invalid("spec.versions", called, "must have exactly one version marked as storage version")
    if len(set(called)) != len(called):
        yield rules.invalid("spec.versions", called, "must contain unique version names")
    for index, version in enumerate(versions):
        path = f"spec.versions[{index}]"
        complaint = names.SERVICE.complaint(str(version.get("name") or ""))
        if complaint:
            yield Cause(f"{path}.name", complaint) if version.get("name") else rules.missing(f"{path}.name")
        if before is None or version not in before:  # a large schema that has not changed is not looked at again
            yield from _version(version, path)


def _version(version: Manifest, path: str) -> Iterator[Cause]:
    schema = (version.get("schema") or {}).get("openAPIV3Schema")
    where = f"{path}.schema.openAPIV3Schema"
    if not schema:
        yield rules.missing(where, "schemas are required")
    elif schema.get("type") != "object":
        found = schema.get("type")
        yield rules.invalid(f"{where}.type", found, "must be object at the root") if found else rules.missing(f"{where}.type", EMPTY_ROOT)
    else:
        yield from _schema(schema, where)
    yield from _scale((version.get("subresources") or {}).get("scale"), f"{path}.subresources.scale")
    for index, column in enumerate(version.get("additionalPrinterColumns") or ()):
        yield from _column(column, f"{path}.additionalPrinterColumns[{index}]")


EMPTY_ROOT = "must not be empty at the root"


def _scale(scale: Manifest | None, path: str) -> Iterator[Cause]:
    if scale is None:
        return
    yield from rules.required(scale, path, "specReplicasPath", "statusReplicasPath")
    for name in ("specReplicasPath", "statusReplicasPath", "labelSelectorPath"):
        yield from _simple_path(scale.get(name), f"{path}.{name}")


def _simple_path(value: Any, path: str) -> Iterator[Cause]:
    if value and not str(value).startswith("."):
        yield rules.invalid(path, value, "must be a simple json path starting with .")


def _column(column: Manifest, path: str) -> Iterator[Cause]:
    yield from rules.required(column, path, "name", "type", "jsonPath")
    yield from _simple_path(column.get("jsonPath"), f"{path}.jsonPath")
    if column.get("type") and column["type"] not in COLUMN_TYPES:
        yield rules.invalid(f"{path}.type", column["type"], f"must be one of {','.join(COLUMN_TYPES)}")


def _schema(schema: Manifest, path: str) -> Iterator[Cause]:
    """A structural schema below its root."""
    yield from _keys(schema, path)
    yield from _pattern(schema, path)
    if "default" in schema:
        yield from _default(schema, path)
    for name, inner in (schema.get("properties") or {}).items():
        yield from _typed(inner, f"{path}.properties[{name}]", "must not be empty for specified object fields")
    for name, why in (("items", "must not be empty for specified array items"), ("additionalProperties", "must not be empty")):
        if isinstance(schema.get(name), dict):
            yield from _typed(schema[name], f"{path}.{name}", why)
    if schema.get("type") == "array" and "items" not in schema:
        yield rules.missing(f"{path}.items", "must be specified")


def _typed(schema: Any, path: str, why: str) -> Iterator[Cause]:
    kind = schema.get("type")
    if kind is None and not schema.get(INT_OR_STRING) and not schema.get(PRESERVE):
        yield rules.missing(f"{path}.type", why)
    yield from rules.choice(schema, path, "type", TYPES)
    yield from _schema(schema, path)


def _keys(schema: Manifest, path: str) -> Iterator[Cause]:
    """A list that is a map has keys, and every item has a value for each."""
    if schema.get("x-kubernetes-list-type") != "map":
        return
    keys, item = schema.get("x-kubernetes-list-map-keys") or [], schema.get("items") or {}
    if not keys:
        yield rules.missing(f"{path}.x-kubernetes-list-map-keys", "must not be empty if x-kubernetes-list-type is map")
    for key in keys:
        described = (item.get("properties") or {}).get(key)
        if described is None:
            yield rules.invalid(f"{path}.x-kubernetes-list-map-keys", keys, "entries must all be names of item properties")
        elif key not in (item.get("required") or ()) and "default" not in described:
            why = "this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property"
            yield rules.missing(f"{path}.items.properties[{key}].default", why)


def _pattern(schema: Manifest, path: str) -> Iterator[Cause]:
    pattern = schema.get("pattern")
    if not pattern:
        return
    try:
        re.compile(pattern)
    except re.error as error:
        if GO_ONLY.search(pattern) is None:
            yield rules.invalid(f"{path}.pattern", pattern, f"must be a valid regular expression, but isn't: {error}")


GO_ONLY = re.compile(r"\\[pPzQ]|\[\[:")  # what Go reads and Python does not


def _default(schema: Manifest, path: str) -> Iterator[Cause]:
    findings = Findings()
    conform_value(Schema(schema), schema["default"], findings)
    for cause in findings.causes:
        yield Cause(f"{path}.default", cause.message, cause.reason)
