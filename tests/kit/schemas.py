"""Holds a value against a JSON Schema, in the part of the language that docs/schemas uses; anything else in a schema is an error."""

from datetime import datetime
from typing import Any

TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "null": (type(None),),
    "array": (list, tuple),
    "object": (dict,),
}
NOTES = {"$schema", "$defs", "title", "description", "default"}
RULES = {"$ref", "anyOf", "enum", "type", "format", "properties", "required", "additionalProperties", "items"}


def violations(value: Any, schema: dict[str, Any], root: dict[str, Any] | None = None, path: str = "$") -> list[str]:
    """Everything about a value that its schema does not allow."""
    root = root or schema
    unknown = schema.keys() - NOTES - RULES
    assert not unknown, f"{path}: the schema uses {unknown}"
    if "$ref" in schema:
        return violations(value, root["$defs"][schema["$ref"].removeprefix("#/$defs/")], root, path)
    if "anyOf" in schema:
        return [] if any(not violations(value, one, root, path) for one in schema["anyOf"]) else [f"{path}: fits none of anyOf: {value!r}"]
    if "enum" in schema and value not in schema["enum"]:
        return [f"{path}: {value!r} is none of {schema['enum']}"]
    kind = schema.get("type")
    if kind and (not isinstance(value, TYPES[kind]) or (kind != "boolean" and isinstance(value, bool))):
        return [f"{path}: {value!r} is no {kind}"]
    if schema.get("format") == "date-time" and not _is_moment(value):
        return [f"{path}: {value!r} is no time with a zone"]
    return _inside(value, schema, root, path)


def _is_moment(text: str) -> bool:
    try:
        return datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False


def _inside(value: Any, schema: dict[str, Any], root: dict[str, Any], path: str) -> list[str]:
    if isinstance(value, list | tuple):
        return [words for index, item in enumerate(value) for words in violations(item, schema.get("items", {}), root, f"{path}[{index}]")]
    if not isinstance(value, dict):
        return []
    properties, others = schema.get("properties", {}), schema.get("additionalProperties", True)
    found = [f"{path}: {name} is missing" for name in schema.get("required", []) if name not in value]
    for name, inner in value.items():
        if name in properties:
            found += violations(inner, properties[name], root, f"{path}.{name}")
        elif others is False:
            found.append(f"{path}: {name} is not in the schema")
        elif isinstance(others, dict):
            found += violations(inner, others, root, f"{path}.{name}")
    return found
