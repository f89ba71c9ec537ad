"""The values of conditions: their names, how they compare, and arithmetic as Go does it (contract 6.9)."""

import math
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from reconciler.expr.syntax import ExpressionError

Value = Any
"""None, bool, int, float, str, list, dict, an aware datetime or a timedelta."""
NAMES: tuple[tuple[type, str], ...] = (
    (bool, "bool"),
    (int, "int"),
    (float, "float64"),
    (str, "string"),
    (list, "[]interface {}"),
    (dict, "map[string]interface {}"),
    (datetime, "time.Time"),
    (timedelta, "time.Duration"),
)
Spend = Callable[[int], None]
"""Pays for work; raises ExpressionError when there is nothing left to pay with."""
DEEPEST_VALUE = 100
LETTERS_A_STEP = 16


def type_name(value: Value) -> str:
    """The name a Go program gives the type."""
    return next((name for kind, name in NAMES if isinstance(value, kind)), "nil")


def is_number(value: Value) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def wrapped(value: int) -> int:
    """A whole number kept in 64 bits, as Go's overflow does."""
    return (value + 2**63) % 2**64 - 2**63


def cost(value: Value) -> int:
    """What one look at a value costs: its elements, or its letters, which a machine compares many at a time."""
    if isinstance(value, str):
        return 1 + len(value) // LETTERS_A_STEP
    return 1 + len(value) if isinstance(value, list | dict) else 1


def equal(left: Value, right: Value, spend: Spend, depth: int = 0) -> bool:
    """True when two values are the same; numbers compare across kinds, nothing else does. Every element is paid for."""
    spend(cost(left))
    if depth > DEEPEST_VALUE:
        raise ExpressionError("values nest too deeply to be compared")
    if is_number(left) and is_number(right):
        return bool(left == right)
    if type(left) is not type(right):
        return False
    if isinstance(left, list):
        return len(left) == len(right) and all(equal(a, b, spend, depth + 1) for a, b in zip(left, right, strict=True))
    if isinstance(left, dict):
        return left.keys() == right.keys() and all(equal(value, right[key], spend, depth + 1) for key, value in left.items())
    return bool(left == right)


def ordered(operator: str, left: Value, right: Value) -> bool:
    """`<`, `<=`, `>` or `>=` of two comparable values."""
    comparable = (is_number(left) and is_number(right)) or (type(left) is type(right) and isinstance(left, str | datetime | timedelta))
    if not comparable:
        raise mismatch(operator, left, right)
    return ORDER[operator](left, right)


ORDER: Mapping[str, Callable[[Value, Value], bool]] = {
    "<": lambda left, right: bool(left < right),
    "<=": lambda left, right: bool(left <= right),
    ">": lambda left, right: bool(left > right),
    ">=": lambda left, right: bool(left >= right),
}


def mismatch(operator: str, left: Value, right: Value) -> ExpressionError:
    return ExpressionError(f"invalid operation: {operator} (mismatched types {type_name(left)} and {type_name(right)})")


def arithmetic(operator: str, left: Value, right: Value) -> Value:
    """`+ - * / %` and the powers. Raises ExpressionError for operands that do not go together."""
    if is_number(left) and is_number(right):
        return _numbers(operator, left, right)
    if operator == "+" and isinstance(left, str) and isinstance(right, str):
        return left + right
    if isinstance(left, datetime | timedelta) or isinstance(right, datetime | timedelta):
        return _times(operator, left, right)
    raise mismatch(operator, left, right)


def _numbers(operator: str, left: int | float, right: int | float) -> int | float:
    if operator == "%":
        return _remainder(left, right)
    if operator in NUMBERS:
        return NUMBERS[operator](float(left), float(right))
    if isinstance(left, float) or isinstance(right, float):
        return {"+": left + right, "-": left - right, "*": left * right}[operator]
    return wrapped({"+": left + right, "-": left - right, "*": left * right}[operator])


def _remainder(left: int | float, right: int | float) -> int:
    if isinstance(left, float) or isinstance(right, float):
        raise mismatch("%", left, right)
    if right == 0:
        raise ExpressionError("runtime error: integer divide by zero")
    return abs(left) % abs(right) * (-1 if left < 0 else 1)


def _divided(left: float, right: float) -> float:
    if right:
        return left / right
    return math.nan if left == 0 or math.isnan(left) else math.copysign(math.inf, left) * math.copysign(1.0, right)


def _power(left: float, right: float) -> float:
    try:
        return math.pow(left, right)
    except OverflowError:
        return math.copysign(math.inf, left) if right % 2 else math.inf
    except ValueError:
        return math.inf if left == 0 else math.nan


NUMBERS: Mapping[str, Callable[[float, float], float]] = {"/": _divided, "**": _power, "^": _power}


def _times(operator: str, left: Value, right: Value) -> Value:
    try:
        return TIMES[operator, type(left), type(right)](left, right)
    except KeyError:
        raise mismatch(operator, left, right) from None
    except (OverflowError, ValueError) as error:
        raise ExpressionError(f"invalid operation: {operator}: the time is out of range") from error


TIMES: Mapping[tuple[str, type, type], Callable[[Any, Any], Value]] = {
    ("+", datetime, timedelta): lambda left, right: left + right,
    ("+", timedelta, datetime): lambda left, right: right + left,
    ("+", timedelta, timedelta): lambda left, right: left + right,
    ("-", datetime, timedelta): lambda left, right: left - right,
    ("-", datetime, datetime): lambda left, right: left - right,
    ("-", timedelta, timedelta): lambda left, right: left - right,
    ("*", timedelta, int): lambda left, right: left * right,
    ("*", timedelta, float): lambda left, right: left * right,
    ("*", int, timedelta): lambda left, right: left * right,
    ("*", float, timedelta): lambda left, right: left * right,
    ("/", timedelta, timedelta): lambda left, right: _divided(left.total_seconds(), right.total_seconds()),
}


def element(value: Value, key: Value) -> Value:
    """`value[key]`: a list's element, from the end when negative, or a map's member, nil when missing."""
    if isinstance(value, dict):
        return value.get(key) if isinstance(key, str) else None
    if isinstance(value, list) and is_number(key) and key == key // 1:
        place = int(key) + (len(value) if key < 0 else 0)
        if not 0 <= place < len(value):
            raise ExpressionError(f"index out of range: {int(key)} (array length is {len(value)})")
        return value[place]
    raise ExpressionError(f"cannot fetch {key if isinstance(key, str | int | float) else type_name(key)} from {type_name(value)}")


def member(value: Value, name: str) -> Value:
    """`value.name`: only maps have members."""
    if isinstance(value, dict):
        return value.get(name)
    raise ExpressionError(f"cannot fetch {name} from {type_name(value)}")
