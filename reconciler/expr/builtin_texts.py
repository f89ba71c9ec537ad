"""The functions of conditions on texts and times (contract 6.9)."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from reconciler.expr.calling import Calling, Function, refusal
from reconciler.expr.syntax import ExpressionError
from reconciler.expr.values import Value
from reconciler.kernel.duration import parse_duration

# Go writes a layout as the reference time 2006-01-02 15:04:05; strptime has letters for the same parts.
LAYOUT = {
    "2006": "%Y",
    "January": "%B",
    "Jan": "%b",
    "01": "%m",
    "02": "%d",
    "15": "%H",
    "03": "%I",
    "04": "%M",
    "05": "%S",
    "PM": "%p",
    "Monday": "%A",
    "Mon": "%a",
    "MST": "%Z",
    "Z07:00": "%z",
    "-0700": "%z",
    "-07:00": "%z",
}
PART = re.compile("|".join(sorted(map(re.escape, LAYOUT), key=len, reverse=True)))
FORMATS = (
    "%Y-%m-%d",
    "%H:%M:%S",
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%dT%H:%M:%S%z",
    "%Y-%m-%dT%H:%M:%S.%f%z",
    "%d %b %y %H:%M %Z",
    "%A, %d-%b-%y %H:%M:%S %Z",
    "%a, %d %b %Y %H:%M:%S %Z",
)
SPACES = " \t\n\v\f\r\x85\xa0"


def _text(name: str, *values: Value) -> None:
    for value in values:
        if not isinstance(value, str):
            raise refusal(name, value)


def _trim(calling: Calling, text: Value, letters: Value = SPACES) -> str:
    _text("trim", text, letters)
    return str(text.strip(letters))


def _trim_prefix(calling: Calling, text: Value, prefix: Value = " ") -> str:
    _text("trimPrefix", text, prefix)
    return str(text.removeprefix(prefix))


def _trim_suffix(calling: Calling, text: Value, suffix: Value = " ") -> str:
    _text("trimSuffix", text, suffix)
    return str(text.removesuffix(suffix))


def _changed(name: str, change: Callable[[str], str]) -> Callable[[Calling, Value], str]:
    def of(calling: Calling, text: Value) -> str:
        _text(name, text)
        return change(text)

    return of


def _limit(limit: Value) -> int:
    if type(limit) is not int:
        raise ExpressionError("a limit must be an integer")
    return limit


def _split(calling: Calling, text: Value, separator: Value, limit: Value = -1) -> list[str]:
    _text("split", text, separator)
    if _limit(limit) == 0:
        return []
    if separator:
        return list(text.split(separator, limit - 1 if limit > 0 else -1))
    return list(text) if limit < 0 or limit >= len(text) else [*text[: limit - 1], text[limit - 1 :]]


def _split_after(calling: Calling, text: Value, separator: Value, limit: Value = -1) -> list[str]:
    parts = _split(calling, text, separator, limit)
    calling.spend(len(separator) * len(parts))
    return [part + separator for part in parts[:-1]] + parts[-1:]


def _replace(calling: Calling, text: Value, old: Value, new: Value, limit: Value = -1) -> str:
    _text("replace", text, old, new)
    calling.spend(len(new) * (text.count(old) + 1))
    return str(text.replace(old, new, _limit(limit)))


def _repeat(calling: Calling, text: Value, count: Value) -> str:
    _text("repeat", text)
    if _limit(count) < 0:
        raise ExpressionError("invalid argument for repeat (expected positive integer)")
    calling.spend(len(text) * count)
    return str(text * count)


def _found(name: str, search: Callable[[str, str], Value]) -> Callable[[Calling, Value, Value], Value]:
    def of(calling: Calling, text: Value, part: Value) -> Value:
        _text(name, text, part)
        return search(text, part)

    return of


def _now(calling: Calling) -> datetime:
    return calling.now


def _duration(calling: Calling, text: Value) -> Value:
    _text("duration", text)
    try:
        return parse_duration(text)
    except ValueError as error:
        raise ExpressionError(str(error)) from error


def _date(calling: Calling, text: Value, layout: Value = None, zone: Value = "UTC") -> datetime:
    """A time from its text: by one layout in Go's way of writing it, or by the usual ones."""
    _text("date", text, zone)
    _zone(calling, zone)
    if layout is not None:
        _text("date", layout)
    formats = FORMATS if layout is None else (PART.sub(lambda part: LAYOUT[part[0]], layout.replace("%", "%%")),)
    for known in formats:
        try:
            moment = datetime.strptime(text, known)
        except (ValueError, re.error):
            continue
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    raise ExpressionError(f"invalid date {text[:100]}")


def _zone(calling: Calling, name: Value) -> str:
    """Zone names other than UTC would need the machine's files, which a decision does not read."""
    if name not in ("UTC", ""):
        raise ExpressionError(f"unknown time zone {name}: only UTC is known here")
    return "UTC"


TEXTS: Mapping[str, Function] = {
    "trim": Function(_trim, 1, 2),
    "trimPrefix": Function(_trim_prefix, 1, 2),
    "trimSuffix": Function(_trim_suffix, 1, 2),
    "upper": Function(_changed("upper", str.upper)),
    "lower": Function(_changed("lower", str.lower)),
    "split": Function(_split, 2, 3),
    "splitAfter": Function(_split_after, 2, 3),
    "replace": Function(_replace, 3, 4),
    "repeat": Function(_repeat, 2),
    "indexOf": Function(_found("indexOf", str.find), 2),
    "lastIndexOf": Function(_found("lastIndexOf", str.rfind), 2),
    "hasPrefix": Function(_found("hasPrefix", str.startswith), 2),
    "hasSuffix": Function(_found("hasSuffix", str.endswith), 2),
}
TIMES: Mapping[str, Function] = {
    "now": Function(_now, 0),
    "duration": Function(_duration),
    "date": Function(_date, 1, 3),
    "timezone": Function(_zone),
}
