"""Holds an observed value against what was asked for. Pure; knows nothing of where the value came from."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

NOTHING = "nothing there"
LONGEST = 300


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


RULES: Mapping[str, tuple[str, Callable[[Any, Any], bool]]] = {
    "equals": ("is {}", lambda value, wanted: bool(value == wanted and isinstance(value, bool) == isinstance(wanted, bool))),
    "matches": ("matches {}", lambda value, wanted: re.search(str(wanted), _text(value)) is not None),
    "contains": ("contains {}", lambda value, wanted: str(wanted) in _text(value)),
    "lacks": ("does not contain {}", lambda value, wanted: str(wanted) not in _text(value)),
    "atLeast": ("is at least {}", lambda value, wanted: _is_number(value) and value >= wanted),
    "atMost": ("is at most {}", lambda value, wanted: _is_number(value) and value <= wanted),
}


@dataclass(frozen=True, slots=True)
class Comparison:
    """Rules by name with what each wants; all must hold for every value found. `absent` alone wants no value at all."""

    rules: Mapping[str, Any]
    absent: bool = False

    def holds(self, values: Sequence[Any]) -> bool:
        if self.absent:
            return not values
        return bool(values) and all(RULES[rule][1](value, wanted) for rule, wanted in self.rules.items() for value in values)

    def __str__(self) -> str:
        if self.absent:
            return "is absent"
        return " and ".join(RULES[rule][0].format(shown(wanted)) for rule, wanted in self.rules.items())


def shown(value: Any) -> str:
    """A value in one short line."""
    text = " ".join((value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)).split())
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def shown_all(values: Sequence[Any]) -> str:
    """What was found: one value, several, or nothing."""
    return ", ".join(shown(value) for value in values) or NOTHING
