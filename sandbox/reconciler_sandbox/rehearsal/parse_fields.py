"""Words that several parts of a story share: names of objects, seconds, rates, mappings by name."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from reconciler.kernel import resources
from reconciler.kernel.identity import Resource
from reconciler.kernel.strict import FieldError, StrictFields
from reconciler.rollouts.traffic.router import kinds_of
from reconciler.routers.registry import ROUTERS
from reconciler_sandbox.rehearsal.compare import RULES, Comparison
from reconciler_sandbox.rehearsal.jsonpath import BadPath, parse_path
from reconciler_sandbox.rehearsal.story import ObjectName

Read = TypeVar("Read")
KINDS: Mapping[str, Resource] = {
    known.kind: known for known in (*kinds_of(ROUTERS), *vars(resources).values()) if isinstance(known, Resource)
}


def mapping(fields: StrictFields, name: str) -> Mapping[str, Any]:
    """A mapping by texts; empty when absent."""
    value = fields.raw(name)
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise FieldError(fields.path(name), "expected a mapping")
    for key in value:
        if not isinstance(key, str):
            raise FieldError(fields.path(name), f"the key {key!r} is no text: put it in quotes")
    return value


def each_named(fields: StrictFields, name: str, read: Callable[[StrictFields], Read]) -> Mapping[str, Read]:
    """A mapping from names to mappings, each read by `read`."""
    return {key: read(StrictFields(value, f"{fields.path(name)}.{key}")) for key, value in mapping(fields, name).items()}


def own_path(fields: StrictFields) -> str:
    """The dotted path of the mapping itself."""
    return fields.path("").removesuffix(".")


def nested(fields: StrictFields, name: str) -> StrictFields:
    """The mapping under a name, which must be there."""
    return StrictFields(fields.raw(name), fields.path(name))


def only_one(fields: StrictFields, names: tuple[str, ...], words: str) -> str:
    """The one of these fields that is there."""
    present = [name for name in names if fields.has(name)]
    if len(present) != 1:
        found = " and ".join(present) or "none"
        raise FieldError(own_path(fields), f"say {words} by exactly one of {', '.join(names)}; found {found}")
    return present[0]


def seconds(fields: StrictFields, name: str, default: str | None = None) -> float:
    """A Go duration, in seconds."""
    return fields.duration(name, default).total_seconds()


def optional_seconds(fields: StrictFields, name: str) -> float | None:
    return None if fields.raw(name) is None else seconds(fields, name)


def optional_whole(fields: StrictFields, name: str, *, least: int = 0) -> int | None:
    return None if fields.raw(name) is None else fields.whole(name, least=least)


def rate(fields: StrictFields, name: str, *, most: float = 1.0, default: float = 0.0) -> float:
    """A number between 0 and `most`."""
    value = fields.raw(name)
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= most:
        raise FieldError(fields.path(name), f"expected a number between 0 and {most:g}, got {value!r}")
    return float(value)


def object_name(fields: StrictFields, name: str) -> ObjectName:
    """`Kind namespace/name`, or `Kind name` for what lives in no namespace."""
    return named_object(fields.text(name), fields.path(name))


def named_object(text: str, path: str) -> ObjectName:
    """The object that a text names; `path` is where the text is written."""
    kind, _, place = text.partition(" ")
    if kind not in KINDS:
        raise FieldError(path, f"unknown kind {kind!r}; known: {', '.join(sorted(KINDS))}")
    resource = KINDS[kind]
    namespace, slash, own = place.strip().rpartition("/")
    if not own or bool(slash) != resource.namespaced:
        form = f"{kind} namespace/name" if resource.namespaced else f"{kind} name"
        raise FieldError(path, f"write {form}")
    return ObjectName(resource, namespace, own)


def path_text(fields: StrictFields, name: str) -> str:
    """A JSONPath that can be read."""
    text = fields.text(name)
    try:
        parse_path(text)
    except BadPath as error:
        raise FieldError(fields.path(name), str(error)) from error
    return text


def comparison(fields: StrictFields) -> Comparison:
    """What is asked of the values: at least one rule, or `absent: true`."""
    found = {rule: fields.raw(rule) for rule in RULES}
    rules = {rule: wanted for rule, wanted in found.items() if wanted is not None}
    absent = fields.flag("absent", False)
    if absent == bool(rules):
        raise FieldError(own_path(fields), f"say what is expected by {', '.join(RULES)}, or absent: true")
    for rule in ("atLeast", "atMost"):
        if rule in rules and (isinstance(rules[rule], bool) or not isinstance(rules[rule], int | float)):
            raise FieldError(fields.path(rule), "expected a number")
    return Comparison(rules, absent)


def optional_comparison(fields: StrictFields) -> Comparison | None:
    return comparison(fields) if any(fields.has(rule) for rule in (*RULES, "absent")) else None
