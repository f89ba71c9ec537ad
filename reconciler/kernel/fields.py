"""Reading one member of a manifest at a time, with its path in every complaint."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from reconciler.kernel.identity import Manifest
from reconciler.kernel.moment import parse_moment
from reconciler.kernel.problem import InvalidField, invalid


@dataclass(frozen=True, slots=True)
class Fields:
    """An object inside a manifest and the path that leads to it. Null counts as absent everywhere."""

    path: str
    raw: Manifest = field(default_factory=dict)

    def has(self, key: str) -> bool:
        return self.raw.get(key) is not None

    def under(self, key: str) -> "Fields":
        """The object below `key`; an empty one when absent."""
        value = self.raw.get(key)
        if value is not None and not isinstance(value, dict):
            raise self.refusal(key, value, "must be an object")
        return Fields(f"{self.path}.{key}", value or {})

    def optional(self, key: str) -> "Fields | None":
        return self.under(key) if self.has(key) else None

    def each(self, key: str) -> list["Fields"]:
        """The objects of the list below `key`."""
        value = self.raw.get(key) or []
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            raise self.refusal(key, value, "must be a list of objects")
        return [Fields(f"{self.path}.{key}[{index}]", item) for index, item in enumerate(value)]

    def text(self, key: str) -> str:
        value = self.raw.get(key)
        if value is not None and not isinstance(value, str):
            raise self.refusal(key, value, "must be a string")
        return value or ""

    def flag(self, key: str, default: bool = False) -> bool:
        value = self.raw.get(key)
        if value is not None and not isinstance(value, bool):
            raise self.refusal(key, value, "must be a boolean")
        return default if value is None else value

    def number(self, key: str) -> int | None:
        """An integer; 3.0 is one (JSON has no other kind of number), true is none."""
        value = self.raw.get(key)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float) or (isinstance(value, float) and not value.is_integer()):
            raise self.refusal(key, value, "must be an integer")
        return int(value)

    def number_or(self, key: str, default: int) -> int:
        value = self.number(key)
        return default if value is None else value

    def amount(self, key: str) -> int | str:
        """A number of pods or a percentage, which is 25 % when absent (contract 1.3)."""
        value = self.raw.get(key)
        if value is None:
            return "25%"
        if isinstance(value, str):
            if not value.strip().removesuffix("%").isdecimal():
                raise self.refusal(key, value, "must be a number of pods or a percentage")
            return value
        number = self.number_or(key, 0)
        if number < 0:
            raise self.refusal(key, value, "must be a number of pods or a percentage")
        return number

    def moment(self, key: str) -> datetime | None:
        text = self.text(key)
        if not text:
            return None
        try:
            return parse_moment(text)
        except ValueError:
            raise self.refusal(key, text, "must be an RFC3339 time") from None

    def refusal(self, key: str, value: Any, detail: str) -> InvalidField:
        return InvalidField(invalid(f"{self.path}.{key}", value, detail))
