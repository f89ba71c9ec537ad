"""Facts and plans as JSON and back: what a journal keeps of a pass. Pure.

Plain values stand for themselves; everything else is an object with the key `!`, which says what it is. Values of Secrets and the bytes of
files are never packed: a handle stands for each, the same for the same value under one key, so that plans which compare them come out as
they did.
"""

import hashlib
import hmac
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime, timedelta
from enum import Enum
from importlib import import_module
from typing import Any

from msgspec import Struct

from reconciler.kernel.identity import Manifest

Json = Any
MARK = "!"
OWN = "reconciler."
HIDDEN = ("data", "stringData")
HANDLE = "secret:"


class Unpackable(ValueError):
    """Something that a journal cannot hold, or one that this edition cannot read: in words for people."""


class Packer:
    """Packs values; `key` makes the handles of secrets, and is kept nowhere."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def pack(self, value: object) -> Json:
        """The value as JSON. Raises Unpackable."""
        if value is None or (isinstance(value, bool | int | float | str) and not isinstance(value, Enum)):
            return value
        for kind, pack in self._packs.items():
            if isinstance(value, kind):
                return pack(self, value)
        names = _fields(type(value))
        if names:
            return {MARK: _name(type(value)), "fields": {name: self.pack(getattr(value, name)) for name in names}}
        if type(value).__module__.startswith(OWN) and not callable(value):
            return {MARK: _name(type(value)), "state": self.pack(getattr(value, "__dict__", {}))}
        raise Unpackable(f"{type(value).__module__}.{type(value).__qualname__} cannot be packed")

    def _mapping(self, value: Mapping[Any, Any]) -> Json:
        shown = self._hidden(value) if value.get("kind") == "Secret" and "metadata" in value else value
        if all(isinstance(name, str) and not isinstance(name, Enum) for name in shown) and MARK not in shown:
            return {name: self.pack(one) for name, one in shown.items()}
        return {MARK: "map", "items": [[self.pack(name), self.pack(one)] for name, one in shown.items()]}

    def _hidden(self, secret: Mapping[str, Any]) -> Manifest:
        """A Secret with handles in place of its values, and without annotations: one of them may repeat the values."""
        found = {name: self._opaque_each(value) if name in HIDDEN else value for name, value in secret.items()}
        metadata = dict(found["metadata"])
        metadata["annotations"] = self._opaque_each(metadata.get("annotations") or {})
        return {**found, "metadata": metadata}

    def _opaque_each(self, values: Any) -> Any:
        return {name: self._opaque(value) for name, value in values.items()} if isinstance(values, Mapping) else self._opaque(values)

    def _opaque(self, value: object) -> str:
        content = value if isinstance(value, bytes) else str(value).encode()
        return HANDLE + hmac.new(self._key, content, hashlib.sha256).hexdigest()[:16]

    _packs: Mapping[type, Callable[["Packer", Any], Json]] = {
        Enum: lambda self, value: {MARK: _name(type(value)), "value": self.pack(value.value)},
        datetime: lambda _, value: {MARK: "moment", "value": value.isoformat()},
        timedelta: lambda _, value: {MARK: "span", "days": value.days, "seconds": value.seconds, "microseconds": value.microseconds},
        bytes: lambda self, value: self._opaque(value),
        Mapping: lambda self, value: self._mapping(value),
        tuple: lambda self, value: {MARK: "tuple", "items": [self.pack(one) for one in value]},
        list: lambda self, value: [self.pack(one) for one in value],
        frozenset: lambda self, value: {MARK: "set", "items": sorted((self.pack(one) for one in value), key=repr)},
    }


def unpack(packed: Json) -> Any:
    """The value that was packed, made of the classes of this edition. Raises Unpackable where they are others by now."""
    if isinstance(packed, list):
        return [unpack(one) for one in packed]
    if not isinstance(packed, dict):
        return packed
    mark = packed.get(MARK)
    if mark is None:
        return {name: unpack(one) for name, one in packed.items()}
    known = UNPACKS.get(mark)
    return known(packed) if known is not None else _object(mark, packed)


UNPACKS: Mapping[str, Callable[[Mapping[str, Json]], Any]] = {
    "moment": lambda packed: datetime.fromisoformat(packed["value"]),
    "span": lambda packed: timedelta(packed["days"], packed["seconds"], packed["microseconds"]),
    "map": lambda packed: {unpack(name): unpack(one) for name, one in packed["items"]},
    "tuple": lambda packed: tuple(unpack(one) for one in packed["items"]),
    "set": lambda packed: frozenset(unpack(one) for one in packed["items"]),
}


def _object(mark: str, packed: Mapping[str, Json]) -> Any:
    cls = _class(mark)
    if "value" in packed:
        try:
            return cls(packed["value"])
        except ValueError as error:
            raise Unpackable(f"{mark} has no {packed['value']!r} in this edition") from error
    if "state" in packed:
        made = cls.__new__(cls)
        for name, one in packed["state"].items():
            setattr(made, name, unpack(one))
        return made
    known = _fields(cls)
    try:
        return cls(**{name: unpack(one) for name, one in packed["fields"].items() if name in known})
    except TypeError as error:
        raise Unpackable(f"{mark} needs in this edition what was not recorded: {error}") from error


def _class(mark: str) -> Any:
    """A class of ours by its name; nothing else is ever made from a file."""
    module, _, name = mark.partition(":")
    try:
        found = getattr(import_module(module), name) if module.startswith(OWN) else None
    except (ImportError, AttributeError):
        found = None
    if not isinstance(found, type) or found.__module__ != module:
        raise Unpackable(f"{mark} is no class of this edition")
    return found


def _fields(cls: type) -> tuple[str, ...]:
    """The names that one of them is made from; none for a class that is no record."""
    if issubclass(cls, Struct):
        return cls.__struct_fields__
    return tuple(one.name for one in fields(cls) if one.init) if is_dataclass(cls) else ()


def _name(cls: type) -> str:
    return f"{cls.__module__}:{cls.__qualname__}"
