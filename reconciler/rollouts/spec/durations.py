"""Durations of pause steps: whole seconds, a numeric text, or Go's `1h30m` (contract 1.4)."""

import re

from reconciler.kernel.duration import parse_duration


def parse_seconds(value: int | str) -> int | None:
    """Whole seconds, parts of a second cut off. None when the text is no duration."""
    if isinstance(value, int):
        return value
    text = value.strip()
    if re.fullmatch(r"[+-]?\d+", text):
        return int(text)
    try:
        return int(parse_duration(text).total_seconds())
    except ValueError:
        return None
