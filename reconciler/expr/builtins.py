"""The functions of conditions (contract 6.9): Argo's own, lists, maps, numbers, conversion. Texts and times: `builtin_texts`."""

import base64
import binascii
import json
import math
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from functools import cmp_to_key
from typing import Any

from reconciler.expr.builtin_texts import TEXTS, TIMES
from reconciler.expr.calling import Calling, Function, refusal, whole
from reconciler.expr.closures import compared, descending, sorting_cost
from reconciler.expr.syntax import ExpressionError
from reconciler.expr.text import plain
from reconciler.expr.values import Value, element, equal, is_number, type_name, wrapped

__all__ = ["FUNCTIONS", "METHODS", "Calling"]

KINDS = ((bool, "bool"), (int, "int"), (float, "float"), (str, "string"), (list, "array"), (dict, "map"), (datetime, "time.Time"))
MANY = 1000


def _as_int(calling: Calling, value: Value) -> int:
    if isinstance(value, str):
        return whole(value, "asInt")
    if is_number(value) and math.isfinite(value):
        return wrapped(int(value))
    raise ExpressionError(f"asInt() not supported on type {type_name(value)}")


def _as_float(calling: Calling, value: Value) -> float:
    if is_number(value):
        return float(value)
    if isinstance(value, str):
        return _decimal(value, "asFloat")
    raise ExpressionError(f"asFloat() not supported on type {type_name(value)}")


def _decimal(text: str, name: str) -> float:
    """Go's ParseFloat: no spaces around."""
    try:
        if text != text.strip() or "_" in text:
            raise ValueError(text)
        return float(text)
    except ValueError:
        raise ExpressionError(f'{name}: parsing "{text}": invalid syntax') from None


def _float_test(name: str, test: Callable[[float], bool]) -> Callable[[Calling, Value], bool]:
    """A question about a float64; a whole number is none, as the reference's types say."""

    def ask(calling: Calling, value: Value) -> bool:
        if not isinstance(value, float):
            raise ExpressionError(f"cannot use {type_name(value)} as argument (type float64) to call {name}")
        return test(value)

    return ask


def _is_nil(calling: Calling, _: Value) -> bool:
    """True when the provider answered nothing; the argument is ignored (contract 13.26)."""
    return calling.result is None


def _default(calling: Calling, _: Value, fallback: Value) -> Value:
    return fallback if calling.result is None else calling.result


def _list(value: Value, name: str) -> list[Value]:
    if not isinstance(value, list):
        raise refusal(name, value)
    return value


def _length(calling: Calling, value: Value) -> int:
    if not isinstance(value, str | list | dict):
        raise refusal("len", value)
    return len(value)


def _first(calling: Calling, value: Value) -> Value:
    return next(iter(_list(value, "first")), None)


def _last(calling: Calling, value: Value) -> Value:
    return next(reversed(_list(value, "last")), None)


def _take(calling: Calling, value: Value, count: Value) -> Value:
    if type(count) is not int or count < 0:
        raise ExpressionError("take() needs a number of elements")
    return _list(value, "take")[:count]


def _sort(calling: Calling, value: Value, order: Value = "asc") -> Value:
    calling.spend(sorting_cost(_list(value, "sort")))
    return sorted(value, key=cmp_to_key(compared), reverse=descending(order))


def _concat(calling: Calling, *values: Value) -> Value:
    return [item for value in values for item in _list(value, "concat")]


def _flatten(calling: Calling, value: Value) -> list[Value]:
    flat: list[Value] = []
    waiting = list(reversed(_list(value, "flatten")))
    while waiting:
        calling.spend(1)
        item = waiting.pop()
        if isinstance(item, list):
            waiting.extend(reversed(item))
        else:
            flat.append(item)
    return flat


def _unique(calling: Calling, value: Value) -> Value:
    unique: list[Value] = []
    for item in _list(value, "uniq"):
        if not any(equal(item, seen, calling.spend) for seen in unique):
            unique.append(item)
    return unique


def _join(calling: Calling, value: Value, separator: Value = "") -> str:
    items = _list(value, "join")
    if not isinstance(separator, str) or not all(isinstance(item, str) for item in items):
        raise ExpressionError("join() takes an array of strings and a string")
    calling.spend(len(separator) * len(items) + sum(map(len, items)))
    return separator.join(items)


def _numbers(calling: Calling, name: str, values: Iterable[Value]) -> list[float | int]:
    """All numbers of the arguments, lists opened."""
    numbers = _flatten(calling, list(values))
    for value in numbers:
        if not is_number(value):
            raise refusal(name, value)
    return numbers


def _extreme(name: str, choose: Callable[[list[float | int]], float | int]) -> Callable[..., Value]:
    def of(calling: Calling, *values: Value) -> Value:
        numbers = _numbers(calling, name, values)
        if not numbers:
            raise ExpressionError(f"not enough arguments to call {name}")
        return next((number for number in numbers if number != number), None) or choose(numbers)

    return of


def _mean(calling: Calling, *values: Value) -> float:
    numbers = _numbers(calling, "mean", values)
    return math.fsum(map(float, numbers)) / len(numbers) if numbers and all(map(math.isfinite, numbers)) else _unbounded(numbers)


def _unbounded(numbers: list[float | int]) -> float:
    total: float = 0.0
    for number in numbers:
        total += number
    return total


def _median(calling: Calling, *values: Value) -> float:
    numbers = sorted(_numbers(calling, "median", values))
    if not numbers:
        return 0.0
    middle = len(numbers) // 2
    return float(numbers[middle]) if len(numbers) % 2 else (numbers[middle - 1] + numbers[middle]) / 2


def _pick(calling: Calling, value: Value, key: Value) -> Value:
    try:
        return element(value, key)
    except ExpressionError:
        return None


def _mapping(value: Value, name: str) -> dict[str, Value]:
    if not isinstance(value, dict):
        raise refusal(name, value)
    return value


def _from_pairs(calling: Calling, value: Value) -> Value:
    pairs = _list(value, "fromPairs")
    if not all(isinstance(pair, list) and len(pair) == 2 and isinstance(pair[0], str) for pair in pairs):
        raise ExpressionError("fromPairs() takes an array of [string, any]")
    return dict(pairs)


def _number(name: str, change: Callable[[float | int], float | int]) -> Callable[[Calling, Value], Value]:
    def of(calling: Calling, value: Value) -> Value:
        if not is_number(value):
            raise refusal(name, value)
        return value if isinstance(value, float) and not math.isfinite(value) and name != "abs" else change(value)

    return of


def _half_away(value: float | int) -> float:
    return math.copysign(math.floor(abs(value) + 0.5), value)


def _int(calling: Calling, value: Value) -> int:
    if isinstance(value, str):
        return whole(value, "int")
    if is_number(value) and math.isfinite(value):
        return wrapped(int(value))
    raise refusal("int", value)


def _float(calling: Calling, value: Value) -> float:
    if isinstance(value, str):
        return _decimal(value, "float")
    if not is_number(value):
        raise refusal("float", value)
    return float(value)


def _bits(name: str, combine: Callable[[int, int], int]) -> Callable[[Calling, Value, Value], int]:
    def of(calling: Calling, left: Value, right: Value) -> int:
        if type(left) is not int or type(right) is not int:
            raise ExpressionError(f"cannot use {type_name(left)} and {type_name(right)} to call {name}")
        if "sh" in name and right < 0:
            raise ExpressionError(f"invalid operation: negative shift count {right}")
        return wrapped(combine(left, min(right, 64) if "sh" in name else right))

    return of


def _bit_not(calling: Calling, value: Value) -> int:
    if type(value) is not int:
        raise refusal("bitnot", value)
    return ~value


def _kind(calling: Calling, value: Value) -> str:
    if isinstance(value, timedelta):
        return "time.Duration"
    return next((name for kind, name in KINDS if isinstance(value, kind)), "nil")


def _string(calling: Calling, value: Value) -> str:
    return _to_json(calling, value) if isinstance(value, list | dict) else plain(value)


def _to_json(calling: Calling, value: Value) -> str:
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False, indent=2)
    except (ValueError, TypeError, RecursionError) as error:
        raise ExpressionError(f"json: unsupported value: {type_name(value)}") from error


def _from_json(calling: Calling, value: Value) -> Value:
    if not isinstance(value, str):
        raise refusal("fromJSON", value)
    try:
        return json.loads(value, parse_int=float)
    except (ValueError, RecursionError) as error:
        raise ExpressionError("fromJSON: invalid JSON") from error


def _to_base64(calling: Calling, value: Value) -> str:
    if not isinstance(value, str):
        raise refusal("toBase64", value)
    return base64.b64encode(value.encode()).decode()


def _from_base64(calling: Calling, value: Value) -> str:
    try:
        return base64.b64decode(value, validate=True).decode()
    except (ValueError, TypeError, binascii.Error) as error:
        raise ExpressionError("fromBase64: illegal base64 data") from error


METHODS: Mapping[tuple[type, str], Callable[[Any], Value]] = {
    (datetime, "Unix"): lambda moment: int(moment.timestamp()),
    (datetime, "Year"): lambda moment: moment.year,
    (datetime, "Day"): lambda moment: moment.day,
    (datetime, "Hour"): lambda moment: moment.hour,
    (datetime, "Minute"): lambda moment: moment.minute,
    (datetime, "Second"): lambda moment: moment.second,
    (timedelta, "Hours"): lambda span: span.total_seconds() / 3600,
    (timedelta, "Minutes"): lambda span: span.total_seconds() / 60,
    (timedelta, "Seconds"): lambda span: span.total_seconds(),
    (timedelta, "Milliseconds"): lambda span: span // timedelta(milliseconds=1),
}
FUNCTIONS: Mapping[str, Function] = {
    "asInt": Function(_as_int),
    "asFloat": Function(_as_float),
    "isNaN": Function(_float_test("isNaN", math.isnan)),
    "isInf": Function(_float_test("isInf", math.isinf)),
    "isNil": Function(_is_nil),
    "default": Function(_default, 2),
    "len": Function(_length),
    "first": Function(_first),
    "last": Function(_last),
    "take": Function(_take, 2),
    "reverse": Function(lambda calling, value: _list(value, "reverse")[::-1]),
    "sort": Function(_sort, 1, 2),
    "concat": Function(_concat, 1, MANY),
    "flatten": Function(_flatten),
    "uniq": Function(_unique),
    "join": Function(_join, 1, 2),
    "min": Function(_extreme("min", min), 1, MANY),
    "max": Function(_extreme("max", max), 1, MANY),
    "mean": Function(_mean, 1, MANY),
    "median": Function(_median, 1, MANY),
    "get": Function(_pick, 2),
    "keys": Function(lambda calling, value: list(_mapping(value, "keys"))),
    "values": Function(lambda calling, value: list(_mapping(value, "values").values())),
    "toPairs": Function(lambda calling, value: [[key, item] for key, item in _mapping(value, "toPairs").items()]),
    "fromPairs": Function(_from_pairs),
    "abs": Function(_number("abs", lambda value: wrapped(abs(value)) if isinstance(value, int) else abs(value))),
    "ceil": Function(_number("ceil", lambda value: float(math.ceil(value)))),
    "floor": Function(_number("floor", lambda value: float(math.floor(value)))),
    "round": Function(_number("round", _half_away)),
    "int": Function(_int),
    "float": Function(_float),
    "bitand": Function(_bits("bitand", lambda left, right: left & right), 2),
    "bitor": Function(_bits("bitor", lambda left, right: left | right), 2),
    "bitxor": Function(_bits("bitxor", lambda left, right: left ^ right), 2),
    "bitnand": Function(_bits("bitnand", lambda left, right: left & ~right), 2),
    "bitshl": Function(_bits("bitshl", lambda left, right: left << right), 2),
    "bitshr": Function(_bits("bitshr", lambda left, right: left >> right), 2),
    "bitushr": Function(_bits("bitushr", lambda left, right: (left % 2**64) >> right), 2),
    "bitnot": Function(_bit_not),
    "string": Function(_string),
    "type": Function(_kind),
    "toJSON": Function(_to_json),
    "fromJSON": Function(_from_json),
    "toBase64": Function(_to_base64),
    "fromBase64": Function(_from_base64),
    **TEXTS,
    **TIMES,
}
