"""Built-in objects in the one form that a real server keeps: typed, without unknown fields, and without what says nothing.

The field tables say what is what: a field of the wrong type is refused, one that no such kind has is left out, and so are null, an
empty list or map, and a zero that is no pointer's. Kinds without a table are only looked at as far as their metadata.
"""

import binascii
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from reconciler_sandbox.apiserver.fieldtables import FREE, LIST, MAP, PLAIN, SCALARS, Field, fields, message_of
from reconciler_sandbox.apiserver.kinds import Kind
from reconciler_sandbox.apiserver.quantities import QUANTITY, canonical
from reconciler_sandbox.apiserver.times import parse

Manifest = dict[str, Any]
TYPE_FIELDS = frozenset({"apiVersion", "kind"})
METADATA = Field("metadata", "ObjectMeta", PLAIN)
UNTYPED = frozenset({FREE, "Raw"})
TIMES = frozenset({"Time", "MicroTime"})
ZEROS: Mapping[str, Any] = {"text": "", "int": 0, "bool": False, "bytes": ""}
CLEARED = "ManagedFieldsEntry"  # an empty list of these asks for something
QUANTITIES = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"


class WrongType(Exception):
    """A field holds what it cannot hold: its path, and why."""

    def __init__(self, path: str, why: str) -> None:
        super().__init__(why)
        self.path = path
        self.why = why


@dataclass(slots=True)
class _Absent:
    """Marks a field that says nothing and is left out."""


ABSENT = _Absent()


def known(kind: Kind, manifest: Manifest, old: Manifest | None = None) -> tuple[Manifest, list[str]]:
    """The object in its one form, and the paths of its unknown fields; the very same object if nothing changes.

    `old` is in that form already: what is shared with it is not looked at again. Raises WrongType.
    """
    unknown: list[str] = []
    name = message_of(kind.api_version, kind.kind)
    if name:
        return _object(name, manifest, old or {}, "", unknown), unknown
    if "metadata" not in manifest:
        return manifest, unknown
    metadata = _object(METADATA.type, manifest["metadata"], (old or {}).get("metadata") or {}, "metadata.", unknown)
    return (manifest if metadata is manifest["metadata"] else {**manifest, "metadata": metadata}), unknown


def _object(message_name: str, value: Any, old: Any, path: str, unknown: list[str]) -> Any:
    if not isinstance(value, dict):
        raise _wrong(path.rstrip("."), "object", value)
    declared, before = fields(message_name), old if isinstance(old, dict) else {}
    changed: Manifest = {}
    for name, inner in value.items():
        field = declared.get(name)
        if field is None:
            if path or name not in TYPE_FIELDS:
                unknown.append(f"{path}{name}")
                changed[name] = ABSENT
        elif inner is not before.get(name, ABSENT):
            kept = _field(field, inner, before.get(name), f"{path}{name}", unknown)
            if kept is not inner:
                changed[name] = kept
    if not changed:
        return value
    return {name: one for name, inner in value.items() if (one := changed.get(name, inner)) is not ABSENT}


def _field(field: Field, value: Any, old: Any, path: str, unknown: list[str]) -> Any:
    if value is None:
        # A time that is no pointer is written as null.
        return None if field.type in TIMES and field.form == PLAIN else ABSENT
    if field.form == LIST:
        return _list(field, value, old, path, unknown)
    if field.form == MAP:
        return _map(field, value, old, path, unknown)
    if field.type not in SCALARS:
        return _object(field.type, value, old, f"{path}.", unknown)
    kept = _scalar(field.type, value, path)
    return ABSENT if field.form == PLAIN and field.type in ZEROS and kept == ZEROS[field.type] else kept


def _list(field: Field, value: Any, old: Any, path: str, unknown: list[str]) -> Any:
    if not isinstance(value, list):
        raise _wrong(path, "array", value)
    before = old if isinstance(old, list) else []
    items = [
        one if index < len(before) and one is before[index] else _item(field, one, f"{path}[{index}]", unknown)
        for index, one in enumerate(value)
    ]
    kept = value if all(new is one for new, one in zip(items, value, strict=True)) else items
    return kept or (kept if field.type == CLEARED else ABSENT)


def _map(field: Field, value: Any, old: Any, path: str, unknown: list[str]) -> Any:
    if not isinstance(value, dict):
        raise _wrong(path, "object", value)
    before = old if isinstance(old, dict) else {}
    changed = {
        name: kept
        for name, one in value.items()
        if one is not before.get(name, ABSENT) and (kept := _item(field, one, f"{path}.{name}", unknown)) is not one
    }
    return ({**value, **changed} if changed else value) or ABSENT


def _item(field: Field, value: Any, path: str, unknown: list[str]) -> Any:
    """An item of a list or map; null stands for the zero."""
    if field.type not in SCALARS:
        return _object(field.type, {} if value is None else value, {}, f"{path}.", unknown)
    return ZEROS.get(field.type) if value is None else _scalar(field.type, value, path)


def _scalar(kind: str, value: Any, path: str) -> Any:
    return value if kind in UNTYPED else FORMS[kind](value, path)


def _text(value: Any, path: str) -> Any:
    if not isinstance(value, str):
        raise _wrong(path, "string", value)
    return value


def _integer(value: Any, path: str) -> Any:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if not isinstance(value, int) or isinstance(value, bool):
        raise _wrong(path, "int", value)
    return value


def _truth(value: Any, path: str) -> Any:
    if not isinstance(value, bool):
        raise _wrong(path, "bool", value)
    return value


def _bytes(value: Any, path: str) -> Any:
    try:
        binascii.a2b_base64(_text(value, path), strict_mode=True)
    except (binascii.Error, ValueError) as error:
        raise WrongType(path, f"illegal base64 data: {error}") from error
    return value


def _quantity(value: Any, path: str) -> Any:
    if isinstance(value, bool) or not isinstance(value, str | int | float) or not QUANTITY.match(str(value)):
        raise WrongType(path, QUANTITIES)
    written = canonical(value)
    return value if written == value else written


def _int_or_string(value: Any, path: str) -> Any:
    return value if isinstance(value, str) else _integer(value, path)


def _time(value: Any, path: str) -> Any:
    if parse(_text(value, path)) is None:
        raise WrongType(path, f'parsing time "{value}" as "2006-01-02T15:04:05Z07:00": cannot parse it')
    return value


FORMS: Mapping[str, Callable[[Any, str], Any]] = {
    "text": _text,
    "int": _integer,
    "bool": _truth,
    "bytes": _bytes,
    "Quantity": _quantity,
    "IntOrString": _int_or_string,
    "Time": _time,
    "MicroTime": _time,
}
JSON_NAMES = ((bool, "bool"), (dict, "object"), (list, "array"), (str, "string"), (int | float, "number"))


def _wrong(path: str, expected: str, value: Any) -> WrongType:
    found = next((name for known, name in JSON_NAMES if isinstance(value, known)), "null")
    return WrongType(path, f"json: cannot unmarshal {found} into Go struct field {path} of type {expected}")
