"""Spans of time as Go writes them (`1h30m`, `500ms`), for people and tools that expect exactly these words."""

import re
from datetime import timedelta
from decimal import Decimal

UNITS = {
    "ns": Decimal("0.001"),
    "us": Decimal(1),
    "µs": Decimal(1),
    "μs": Decimal(1),
    "ms": Decimal(1000),
    "s": Decimal(10**6),
    "m": Decimal(60 * 10**6),
    "h": Decimal(3600 * 10**6),
}
PART = re.compile(r"(\d+\.?\d*|\.\d+)([^\d.]*)", re.ASCII)
LONGEST = Decimal(2**63) / 1000
"""Go counts nanoseconds in 64 bits; we count microseconds."""


def parse_duration(text: str) -> timedelta:
    """The span a Go duration names. Raises ValueError in Go's words when it names none."""
    sign, rest = (-1, text[1:]) if text.startswith("-") else (1, text.removeprefix("+"))
    if rest == "0":
        return timedelta()
    parts = PART.findall(rest)
    if not parts or "".join(number + unit for number, unit in parts) != rest:
        raise ValueError(f'time: invalid duration "{text}"')
    total = sum((_microseconds(number, unit, text) for number, unit in parts), Decimal(0))
    if total >= LONGEST:
        raise ValueError(f'time: invalid duration "{text}"')
    return timedelta(microseconds=sign * int(total))


def words_of(span: timedelta) -> str:
    """A span of whole seconds as people write it: `1h30m`, `45s`; `0s` for none."""
    minutes, seconds = divmod(round(span.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    return "".join(f"{number}{unit}" for number, unit in ((hours, "h"), (minutes, "m"), (seconds, "s")) if number) or "0s"


def _microseconds(number: str, unit: str, text: str) -> Decimal:
    if not unit:
        raise ValueError(f'time: missing unit in duration "{text}"')
    if unit not in UNITS:
        raise ValueError(f'time: unknown unit "{unit}" in duration "{text}"')
    return Decimal(number) * UNITS[unit]
