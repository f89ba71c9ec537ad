"""Durations as Argo writes them: whole seconds, a numeric text, or Go's `1h30m` (contract 1.4)."""

import re
from decimal import Decimal

UNITS = {"ns": Decimal("1e-9"), "us": Decimal("1e-6"), "µs": Decimal("1e-6"), "μs": Decimal("1e-6"), "ms": Decimal("1e-3")}
SECONDS = {**UNITS, "s": Decimal(1), "m": Decimal(60), "h": Decimal(3600)}
PART = re.compile(r"(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)")


def parse_seconds(value: int | str) -> int | None:
    """Whole seconds, parts of a second cut off. None when the text is no duration."""
    if isinstance(value, int):
        return value
    text = value.strip()
    if re.fullmatch(r"[+-]?\d+", text):
        return int(text)
    return _go_duration(text)


def _go_duration(text: str) -> int | None:
    sign, rest = (-1, text[1:]) if text.startswith("-") else (1, text.removeprefix("+"))
    if not rest or "".join(match.group(0) for match in PART.finditer(rest)) != rest:
        return None
    total = sum((Decimal(match.group(1)) * SECONDS[match.group(2)] for match in PART.finditer(rest)), Decimal(0))
    return sign * int(total)
