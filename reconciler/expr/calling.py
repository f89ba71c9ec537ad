"""What a function of conditions is called with, and how many arguments it takes."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from reconciler.expr.syntax import ExpressionError
from reconciler.expr.values import Value, type_name


@dataclass(frozen=True, slots=True)
class Calling:
    """The surroundings of a call: the provider's whole result, the time, and the budget that pays for work."""

    result: Value
    now: datetime
    spend: Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Function:
    """One function; `most` 0 means exactly `least` arguments."""

    call: Callable[..., Value]
    least: int = 1
    most: int = 0

    def check_count(self, name: str, count: int) -> None:
        """Raises ExpressionError when it does not take so many arguments."""
        if count < self.least:
            raise ExpressionError(f"not enough arguments to call {name}")
        if count > (self.most or self.least):
            raise ExpressionError(f"too many arguments to call {name}")


def refusal(name: str, value: Value) -> ExpressionError:
    return ExpressionError(f"invalid argument for {name} (type {type_name(value)})")


def whole(text: str, name: str) -> int:
    """A whole number of 64 bits, as Go's Atoi reads it: `1.5` and spaces are refused."""
    value = int(text) if re.fullmatch(r"[+-]?\d{1,19}", text, re.ASCII) else None
    if value is None or not -(2**63) <= value < 2**63:
        raise ExpressionError(f'{name}: parsing "{text[:100]}": invalid syntax')
    return value
