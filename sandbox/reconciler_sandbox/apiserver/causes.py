"""What is wrong with one field of an object, in the API's words."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson


@dataclass(frozen=True, slots=True)
class Cause:
    """One field that is wrong; `reason` is without its prefix FieldValue, e.g. Invalid or Required."""

    field: str
    message: str
    reason: str = "Invalid"

    @property
    def code(self) -> str:
        """The machine word of the cause."""
        return f"FieldValue{self.reason}"

    def __str__(self) -> str:
        return f"{self.field}: {self.message}" if self.field else self.message


def invalid(path: str, value: Any, why: str) -> Cause:
    """A value that may not be."""
    return Cause(path, f"Invalid value: {orjson.dumps(value).decode()}: {why}")


def missing(path: str, why: str = "") -> Cause:
    """A field that must be there."""
    return Cause(path, f"Required value: {why}" if why else "Required value", "Required")


def required(holder: Any, path: str, *fields: str) -> list[Cause]:
    """Fields that are absent or empty."""
    absent = [name for name in fields if not isinstance(holder, dict) or holder.get(name) in (None, "", [], {})]
    return [missing(f"{path}.{name}") for name in absent]


def unsupported(path: str, value: Any, allowed: Iterable[str]) -> list[Cause]:
    """A field that has a few values only; an absent one is not looked at."""
    if value is None or value in (known := list(allowed)):
        return []
    listed = ", ".join(f'"{one}"' for one in known)
    return [Cause(path, f"Unsupported value: {orjson.dumps(value).decode()}: supported values: {listed}", "NotSupported")]


def unchanged(new: Mapping[str, Any], old: Mapping[str, Any] | None, path: str, *fields: str) -> list[Cause]:
    """Fields that never change once the object is there."""
    if old is None:
        return []
    return [invalid(f"{path}{name}", new.get(name), "field is immutable") for name in fields if new.get(name) != old.get(name)]
