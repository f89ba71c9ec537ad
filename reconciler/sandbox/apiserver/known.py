"""Fields of built-in kinds that no such kind has: found by the field tables, and left out as a real server does.

Kinds without a table, and parts that the tables do not look into, keep what they are given.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any

from reconciler.sandbox.apiserver.kinds import Kind
from reconciler.sandbox.apiserver.protobuf.fields import LIST, MAP, SCALARS, Field
from reconciler.sandbox.apiserver.protobuf.tables import message, message_of

Manifest = dict[str, Any]
TYPE_FIELDS = frozenset({"apiVersion", "kind"})


def known(kind: Kind, manifest: Manifest) -> tuple[Manifest, list[str]]:
    """The object without unknown fields, and their paths; the very same object if there are none."""
    name = message_of(kind.api_version, kind.kind)
    if not name:
        return manifest, []
    unknown: list[str] = []
    return _kept(name, manifest, "", unknown), unknown


@cache
def names(message_name: str) -> Mapping[str, Field]:
    """The fields of a message by their names, those of embedded messages among them."""
    found: dict[str, Field] = {}
    for field in message(message_name).values():
        found |= names(field.type) if field.embedded else {field.name: field}
    return found


def _kept(message_name: str, value: Any, path: str, unknown: list[str]) -> Any:
    if not isinstance(value, dict):
        return value
    fields = names(message_name)
    changed: Manifest = {}
    for name, inner in value.items():
        field = fields.get(name)
        if field is None:
            if path or name not in TYPE_FIELDS:
                unknown.append(f"{path}{name}")
                changed[name] = None
        elif field.type not in SCALARS:
            kept = _inside(field, inner, f"{path}{name}", unknown)
            if kept is not inner:
                changed[name] = kept
    if not changed:
        return value
    return {name: changed.get(name, inner) for name, inner in value.items() if name in fields or name not in changed}


def _inside(field: Field, value: Any, path: str, unknown: list[str]) -> Any:
    """A part without unknown fields; one of the wrong type is left for validation to refuse."""
    if field.form == MAP:
        return (
            {name: _kept(field.type, one, f"{path}.{name}.", unknown) for name, one in value.items()} if isinstance(value, dict) else value
        )
    if field.form != LIST:
        return _kept(field.type, value, f"{path}.", unknown)
    if not isinstance(value, list):
        return value
    items = [_kept(field.type, one, f"{path}[{index}].", unknown) for index, one in enumerate(value)]
    return value if all(new is old for new, old in zip(items, value, strict=True)) else items
