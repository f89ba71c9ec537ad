"""The small languages inside Istio's objects: durations, percentages and RE2 expressions; refused here before Envoy refuses them."""

import re
from typing import Any

from reconciler_sandbox.mesh.translate.terms import Json, Refused

SECONDS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}
DURATION = re.compile(r"(?:\d+(?:\.\d*)?|\.\d+)(?:ms|us|µs|ns|h|m|s)")
LONGEST_SECONDS = 315_576_000_000  # the limit of protobuf's Duration
LARGEST_REPEAT = 1000  # the limit of RE2

# What Python's engine has and RE2 has not, outside of escapes and character classes.
BACK_REFERENCE = re.compile(r"\\[1-9Z]")
BACKTRACKING = re.compile(r"\(\?(?:[=!>(#]|<[=!]|P=)|[*+?}]\+")
ESCAPE = re.compile(r"\\(?:[pPx]\{[^}]*\}|.)")
QUOTED = re.compile(r"\\Q.*?(?:\\E|$)")
CHARACTER_CLASS = re.compile(r"\[\^?\]?(?:\[:\^?\w+:\]|[^\]])*\]")
# What RE2 has and Python's engine has not, with something of the same shape that Python compiles.
RE2_ONLY = (
    (re.compile(r"\\[pP](?:[A-Z]|\{\^?\w+\})"), "x"),
    (re.compile(r"\[:\^?\w+:\]"), "x"),
    (re.compile(r"\\x\{[0-9a-fA-F]+\}"), "x"),
    (re.compile(r"\\[zC]"), "x"),
    (re.compile(r"\(\?<(?=\w)"), "(?P<"),
    (re.compile(r"\(\?[imsU]+(?:-[imsU]+)?\)"), ""),
    (re.compile(r"\(\?[imsU]*(?:-[imsU]+)?:"), "(?:"),
)


def duration(text: str) -> str:
    """An Istio duration (`1m30s`, `250ms`) as protobuf JSON (`90s`)."""
    if not text or DURATION.sub("", str(text)):
        raise Refused(f'"{text}" is not a duration such as 250ms or 1m30s')
    parts = (re.fullmatch(r"([\d.]+)(\D+)", part) for part in DURATION.findall(text))
    seconds = round(sum(float(part[1]) * SECONDS[part[2]] for part in parts if part), 9)
    if seconds > LONGEST_SECONDS:
        raise Refused(f'"{text}" is longer than Envoy\'s longest duration')
    return f"{seconds:.9f}".rstrip("0").rstrip(".") + "s"


def percentage(value: Any, default: float) -> Json:
    """Istio's `{value: 12.5}` (or a bare number) as Envoy's fraction of a million."""
    percent = default if value is None else float(value.get("value", 0) if isinstance(value, dict) else value)
    if not 0 <= percent <= 100:
        raise Refused(f"{percent:g} is not a percentage between 0 and 100")
    return {"numerator": round(percent * 10_000), "denominator": "MILLION"}


def regular_expression(pattern: str) -> Json:
    """Envoy's matcher for an RE2 expression over the whole value; refused if RE2 cannot compile it."""
    if not pattern:
        raise Refused("a regular expression is empty")
    _must_compile(pattern)
    return {"regex": pattern}


def _must_compile(pattern: str) -> None:
    """Raise Refused unless RE2 has every construct of the pattern, as far as Python's compiler can tell."""
    written = QUOTED.sub("x", pattern.replace("\\\\", "x"))
    bare = CHARACTER_CLASS.sub("x", ESCAPE.sub("x", written))
    if BACK_REFERENCE.search(written) or BACKTRACKING.search(bare):
        raise Refused(f'regular expression "{pattern}" uses look-around, back-references or possessive repeats, which RE2 does not have')
    bounds = (int(bound) for repeat in re.findall(r"\{(\d+)(?:,(\d*))?\}", bare) for bound in repeat if bound)
    if any(bound > LARGEST_REPEAT for bound in bounds):
        raise Refused(f'regular expression "{pattern}" repeats more than {LARGEST_REPEAT} times')
    for only, same_shape in RE2_ONLY:
        written = only.sub(same_shape, written)
    try:
        re.compile(written)
    except (re.error, OverflowError) as error:
        raise Refused(f'regular expression "{pattern}" does not compile: {error}') from error
