"""Prometheus's text exposition format (version 0.0.4): lines → samples."""

import re
from collections.abc import Iterator
from functools import lru_cache

from reconciler_sandbox.metrics.labels import NAME, Labels, labels

LINE = re.compile(r"([a-zA-Z_:][a-zA-Z0-9_:]*)\s*(\{.*\})?\s*(\S+)(?:\s+(-?\d+))?\s*")
LABEL = re.compile(r'\s*([a-zA-Z_][a-zA-Z0-9_]*)\s*=\s*"((?:[^"\\]|\\.)*)"\s*(,|$)')
ESCAPES = {"\\\\": "\\", '\\"': '"', "\\n": "\n"}
ESCAPE = re.compile(r'\\[\\"n]')
NOT_NUMBERS = ("_", " ")  # Python's float accepts digit groups


class Malformed(Exception):
    """The text is not in the exposition format; the message quotes the line."""


def samples(text: str) -> Iterator[tuple[Labels, float, int | None]]:
    """(labels with the name, value, time in ms if the target gives one) for each line; raises Malformed."""
    for line in text.splitlines():
        if not line or line.isspace() or line.lstrip().startswith("#"):
            continue
        found = LINE.fullmatch(line.strip())
        if not found:
            raise Malformed(f"not a sample: {line[:120]}")
        name, inside, value, time = found.groups()
        yield _labels(name, inside or "{}"), _number(value, line), int(time) if time else None


@lru_cache(maxsize=65_536)  # a target writes the same series in every scrape
def _labels(name: str, inside: str) -> Labels:
    rest = inside[1:-1].strip()
    found = {NAME: name}
    position = 0
    while position < len(rest):
        label = LABEL.match(rest, position)
        if not label:
            raise Malformed(f"labels of {name} do not read: {inside[:120]}")
        found[label[1]] = ESCAPE.sub(lambda escape: ESCAPES[escape[0]], label[2])
        position = label.end()
    return labels(found)


def _number(value: str, line: str) -> float:
    try:
        if any(part in value for part in NOT_NUMBERS):
            raise ValueError(value)
        return float(value)
    except ValueError as error:
        raise Malformed(f"not a number: {line[:120]}") from error
