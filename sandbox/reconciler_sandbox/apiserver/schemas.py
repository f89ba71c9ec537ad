"""Structural schemas of custom resources: prune, default and validate in one walk that never changes its argument.

Children are built when first met: a definition of half a megabyte costs nothing until an object uses that corner of it.
Of limits the usual ones are checked; other words and rules in CEL are accepted and not evaluated, who brings them is warned (customs).
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from reconciler_sandbox.apiserver.causes import Cause

Raw = Mapping[str, Any]
PRESERVE = "x-kubernetes-preserve-unknown-fields"
INT_OR_STRING = "x-kubernetes-int-or-string"
EMBEDDED = "x-kubernetes-embedded-resource"
TYPE_FIELDS = ("apiVersion", "kind", "metadata")
MAX_CAUSES = 20


@dataclass(slots=True)
class Findings:
    """What a walk found: broken rules and the paths of unknown fields."""

    causes: list[Cause] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)

    def blame(self, path: str, message: str, reason: str = "Invalid") -> None:
        """Note a broken rule; only the first ones are kept."""
        if len(self.causes) < MAX_CAUSES:
            self.causes.append(Cause(path, message, reason))


class Schema:
    """One node of a structural schema."""

    __slots__ = ("_children", "_item", "_values", "checks", "raw")

    def __init__(self, raw: Raw) -> None:
        self.raw = raw
        self.checks = tuple((CHECKS[word], raw[word]) for word in raw if word in CHECKS)
        self._children: dict[str, Schema] = {}
        self._item: Schema | None = None
        self._values: Schema | None = None

    def child(self, name: str) -> "Schema | None":
        """The schema of a field; of any name if additional properties are described."""
        found = self._children.get(name)
        if found is not None:
            return found
        raw = (self.raw.get("properties") or {}).get(name)
        if raw is None:
            return self.values
        found = self._children[name] = Schema(raw)
        return found

    @property
    def values(self) -> "Schema | None":
        """The schema of all fields of a map."""
        described = self.raw.get("additionalProperties")
        if self._values is None and described is not None and described is not False:
            self._values = Schema(described if isinstance(described, dict) else {PRESERVE: True})
        return self._values

    @property
    def item(self) -> "Schema | None":
        """The schema of the items of a list."""
        if self._item is None and "items" in self.raw:
            self._item = Schema(self.raw["items"])
        return self._item

    @property
    def nullable(self) -> bool:
        """Whether null is a value."""
        return bool(self.raw.get("nullable"))


def conform_value(schema: Schema, value: Any, findings: Findings) -> Any:
    """One value inside of an object, pruned and with defaults."""
    return _walk(schema, value, "", findings)


def conform(schema: Schema, manifest: dict[str, Any], findings: Findings) -> dict[str, Any]:
    """The object pruned and with defaults; what breaks the schema is left in the findings."""
    return dict(_object(schema, manifest, "", findings, frozenset(TYPE_FIELDS)))


def _walk(schema: Schema, value: Any, path: str, findings: Findings) -> Any:
    if value is None and schema.nullable:
        return None
    if not _typed(schema, value, path, findings):
        return value
    for check, limit in schema.checks:
        check(limit, value, path, findings)
    if isinstance(value, dict):
        if schema.raw.get(EMBEDDED):
            _identified(value, path, findings)
        return _object(schema, value, path, findings, frozenset(TYPE_FIELDS) if schema.raw.get(EMBEDDED) else frozenset())
    if isinstance(value, list):
        return _list(schema, value, path, findings)
    return int(value) if isinstance(value, float) and schema.raw.get("type") == "integer" else value


def _identified(value: dict[str, Any], path: str, findings: Findings) -> None:
    """An object inside of another one says what it is."""
    for name in ("apiVersion", "kind"):
        if not value.get(name):
            findings.blame(f"{path}.{name}", "Required value: must not be empty", "Required")


def _object(schema: Schema, value: dict[str, Any], path: str, findings: Findings, exempt: frozenset[str]) -> dict[str, Any]:
    value = _defaulted(schema, value)
    result: dict[str, Any] = {}
    for name, inner in value.items():
        if name in exempt:
            result[name] = inner
            continue
        where = f"{path}.{name}" if path else name
        child = schema.child(name)
        if child is None:
            if schema.raw.get(PRESERVE):
                result[name] = inner
            else:
                findings.unknown.append(where)
        elif inner is not None or child.nullable or child is schema.values:
            result[name] = _walk(child, inner, where, findings)
    for name in schema.raw.get("required") or ():
        if name not in result and name not in exempt:
            findings.blame(f"{path}.{name}" if path else name, "Required value", "Required")
    return result


def _defaulted(schema: Schema, value: dict[str, Any]) -> dict[str, Any]:
    """The object with defaults for fields that are absent, or null where null is no value."""
    missing = {
        name: raw["default"]
        for name, raw in (schema.raw.get("properties") or {}).items()
        if "default" in raw and (name not in value or (value[name] is None and not raw.get("nullable")))
    }
    return {**value, **missing} if missing else value


def _list(schema: Schema, value: list[Any], path: str, findings: Findings) -> list[Any]:
    item = schema.item
    result = value if item is None else [_walk(item, inner, f"{path}[{index}]", findings) for index, inner in enumerate(value)]
    _unique(schema, result, path, findings)
    return result


def _unique(schema: Schema, items: list[Any], path: str, findings: Findings) -> None:
    kind = schema.raw.get("x-kubernetes-list-type")
    if kind not in ("map", "set"):
        return
    keys = schema.raw.get("x-kubernetes-list-map-keys") or ()
    seen: set[bytes] = set()
    for index, inner in enumerate(items):
        if kind == "map" and not isinstance(inner, dict):
            continue
        identity = orjson.dumps({key: inner.get(key) for key in keys} if kind == "map" else inner)
        if identity in seen:
            findings.blame(f"{path}[{index}]", f"Duplicate value: {identity.decode()}", "Duplicate")
        seen.add(identity)


def _typed(schema: Schema, value: Any, path: str, findings: Findings) -> bool:
    if schema.raw.get(INT_OR_STRING):
        fits = isinstance(value, str) or TYPES["integer"](value)
        expected = "integer,string"
    else:
        expected = schema.raw.get("type") or ""
        fits = expected not in TYPES or TYPES[expected](value)
    if not fits:
        found = _type_name(value)
        findings.blame(path, f'Invalid value: "{found}": {path} in body must be of type {expected}: "{found}"', "TypeInvalid")
    return fits


def _whole(value: Any) -> bool:
    return not isinstance(value, bool) and (isinstance(value, int) or (isinstance(value, float) and value.is_integer()))


TYPES: Mapping[str, Callable[[Any], bool]] = {
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "integer": _whole,
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
}


def _type_name(value: Any) -> str:
    names = ((bool, "boolean"), (dict, "object"), (list, "array"), (str, "string"), (int, "integer"), (float, "number"))
    return next((name for known, name in names if isinstance(value, known)), "null")


def _text(value: Any) -> str:
    return orjson.dumps(value).decode()


Check = Callable[[Any, Any, str, Findings], None]


def _number(word: str, holds: Callable[[float, float], bool]) -> Check:
    def check(limit: Any, value: Any, path: str, findings: Findings) -> None:
        if TYPES["number"](value) and not holds(value, limit):
            findings.blame(path, f"Invalid value: {_text(value)}: {path} in body should be {word} {limit}")

    return check


def _enum(allowed: list[Any], value: Any, path: str, findings: Findings) -> None:
    if value not in allowed:
        listed = ", ".join(_text(one) for one in allowed)
        findings.blame(path, f"Unsupported value: {_text(value)}: supported values: {listed}", "NotSupported")


def _pattern(pattern: str, value: Any, path: str, findings: Findings) -> None:
    try:
        fits = not isinstance(value, str) or re.search(pattern, value) is not None
    except re.error:
        return  # a pattern of Go's that Python does not read says nothing about the value
    if not fits:
        findings.blame(path, f"Invalid value: {_text(value)}: {path} in body should match '{pattern}'")


def _max_length(limit: int, value: Any, path: str, findings: Findings) -> None:
    if isinstance(value, str) and len(value) > limit:
        findings.blame(path, f"Too long: may not be more than {limit} bytes", "TooLong")


def _accepts(raw: Raw, value: Any) -> bool:
    findings = Findings()
    _walk(Schema({**raw, PRESERVE: True}), value, "", findings)
    return not findings.causes


def _any(options: list[Raw], value: Any, path: str, findings: Findings) -> None:
    if not any(_accepts(option, value) for option in options):
        findings.blame(path, f"Invalid value: {path} in body must validate at least one schema (anyOf)")


CHECKS: Mapping[str, Check] = {
    "enum": _enum,
    "pattern": _pattern,
    "minimum": _number("greater than or equal to", lambda value, limit: value >= limit),
    "maximum": _number("less than or equal to", lambda value, limit: value <= limit),
    "maxLength": _max_length,
    "anyOf": _any,
}
UNCHECKED = frozenset(
    {"allOf", "format", "maxItems", "maxProperties", "minItems", "minLength", "minProperties", "multipleOf", "not", "oneOf"}
    | {"exclusiveMaximum", "exclusiveMinimum", "x-kubernetes-validations"}
)


def unchecked(schema: Raw) -> frozenset[str]:
    """The words of a schema that are not evaluated."""
    inner = [*(schema.get("properties") or {}).values(), schema.get("items"), schema.get("additionalProperties")]
    return frozenset(UNCHECKED & schema.keys()).union(*(unchecked(one) for one in inner if isinstance(one, dict)))
