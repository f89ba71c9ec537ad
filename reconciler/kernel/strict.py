"""Reads decoded YAML or JSON strictly: every value is asked for by name and type, and what was not asked for is an error."""

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from typing import Any, TypeVar

from reconciler.kernel.address import is_web_address
from reconciler.kernel.errors import Terminal

Read = TypeVar("Read")
UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3}
PART = re.compile(r"(\d+(?:\.\d+)?)(ms|h|m|s)", re.ASCII)


class FieldError(Terminal):
    """One field is wrong. `path` is dotted, e.g. `sources[0].branch`."""

    def __init__(self, path: str, message: str) -> None:
        super().__init__(f"{path or 'document'}: {message}")
        self.path = path
        self.problem = message


class StrictFields:
    """One mapping being read. Call `done` when every known field was asked for."""

    def __init__(self, value: Any, path: str = "") -> None:
        if not isinstance(value, Mapping):
            raise FieldError(path, f"expected a mapping, got {_name(value)}")
        self._value = value
        self._path = path
        self._asked: set[str] = set()

    def has(self, name: str) -> bool:
        return self._value.get(name) is not None

    def raw(self, name: str) -> Any:
        self._asked.add(name)
        return self._value.get(name)

    def text(self, name: str, default: str | None = None) -> str:
        return str(self._typed(name, default, str, "a text"))

    def flag(self, name: str, default: bool | None = None) -> bool:
        return bool(self._typed(name, default, bool, "true or false"))

    def whole(self, name: str, default: int | None = None, *, least: int = 0) -> int:
        value = self._typed(name, default, int, "a whole number")
        if isinstance(value, bool) or value < least:
            raise FieldError(self.path(name), f"expected a whole number of at least {least}, got {value!r}")
        return int(value)

    def duration(self, name: str, default: str | None = None) -> timedelta:
        """A Go duration such as `1h30m` or `90s`; zero is one."""
        text = self.text(name, default)
        return duration_of(text, self.path(name))

    def span(self, name: str, default: str | None = None) -> timedelta:
        """A duration that something is waited for: never zero, or it would not be waited for at all."""
        found = self.duration(name, default)
        if not found:
            raise FieldError(self.path(name), "must be longer than zero")
        return found

    def matching(self, name: str, pattern: re.Pattern[str], words: str) -> str:
        """A required text that has to have a form, which `words` name."""
        text = self.text(name)
        if not pattern.fullmatch(text):
            raise FieldError(self.path(name), f"{text!r} is not {words}")
        return text

    def address(self, name: str, default: str | None = None) -> str:
        """An address on the web, without a slash at its end; the default need not be one."""
        text = self.text(name, default)
        if self.has(name) and not is_web_address(text):
            raise FieldError(self.path(name), "is no address: write one like https://host.example.com:8443/path")
        return text.rstrip("/")

    def choice(self, name: str, allowed: tuple[str, ...], default: str | None = None) -> str:
        text = self.text(name, default)
        if text not in allowed:
            raise FieldError(self.path(name), f"{text!r} is not one of {', '.join(allowed)}")
        return text

    def texts(self, name: str) -> tuple[str, ...]:
        return tuple(self._item_text(name, index, item) for index, item in enumerate(self._items(name)))

    def inner(self, name: str, read: Callable[["StrictFields"], Read]) -> Read | None:
        """A nested mapping read by `read`; None when absent."""
        value = self.raw(name)
        return None if value is None else read(StrictFields(value, self.path(name)))

    def each(self, name: str, read: Callable[["StrictFields"], Read]) -> tuple[Read, ...]:
        """A list of mappings, each read by `read`; empty when absent."""
        return tuple(read(StrictFields(item, f"{self.path(name)}[{index}]")) for index, item in enumerate(self._items(name)))

    def done(self) -> None:
        """Every field that was not asked for is an error."""
        for name in self._value:
            if name not in self._asked:
                known = ", ".join(sorted(self._asked))
                raise FieldError(self.path(str(name)), f"unknown field; known here: {known}")

    def path(self, name: str) -> str:
        return f"{self._path}.{name}" if self._path else name

    def _items(self, name: str) -> Iterator[Any]:
        value = self.raw(name)
        if value is not None and not isinstance(value, list):
            raise FieldError(self.path(name), f"expected a list, got {_name(value)}")
        yield from value or []

    def _item_text(self, name: str, index: int, item: Any) -> str:
        if not isinstance(item, str):
            raise FieldError(f"{self.path(name)}[{index}]", f"expected a text, got {_name(item)}")
        return item

    def _typed(self, name: str, default: Any, kind: type, words: str) -> Any:
        value = self.raw(name)
        if value is None:
            if default is None:
                raise FieldError(self.path(name), f"is required: {words}")
            return default
        if not isinstance(value, kind):
            raise FieldError(self.path(name), f"expected {words}, got {_name(value)}")
        return value


def duration_of(text: str, path: str) -> timedelta:
    """A Go duration (time.ParseDuration, without sub-millisecond units)."""
    parts = PART.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise FieldError(path, f"{text!r} is not a duration; write for example 90s, 10m or 1h30m")
    try:
        return timedelta(seconds=sum(float(number) * UNITS[unit] for number, unit in parts))
    except OverflowError as error:
        raise FieldError(path, f"{text!r} is longer than anything we can wait for") from error


def _name(value: Any) -> str:
    names = {dict: "a mapping", list: "a list", str: f"the text {value!r:.60}", type(None): "nothing"}
    return names.get(type(value), repr(value))
