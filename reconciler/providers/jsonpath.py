"""The Kubernetes JSONPath that a web metric uses to look into an answer: `{$.a.b[0]}`, `[*]`, `..`, slices, unions, filters."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from reconciler.kernel.errors import Terminal

MATCHES = 100_000
LONGEST = 1000
TOKEN = re.compile(
    r"""\.\.(?P<deep>[\w$-]+|\*)
      | \.(?P<name>(?:[\w$/-]|\\.)+|\*)
      | \[\?\(\s*@(?P<path>[^\s=!<>]*)\s*(?:(?P<operator>==|!=|<=|>=|<|>)\s*(?P<literal>"[^"]*"|'[^']*'|[^\s)]+)\s*)?\)\]
      | \[(?P<every>\*)\]
      | \[(?P<keys>\s*(?:'[^']*'|"[^"]*")\s*(?:,\s*(?:'[^']*'|"[^"]*")\s*)*)\]
      | \[(?P<places>[\d\s,:-]+)\]""",
    re.VERBOSE,
)
SCALARS: Mapping[str, Any] = {"true": True, "false": False, "null": None, "nil": None}
COMPARE: Mapping[str, Callable[[Any, Any], bool]] = {
    "==": lambda left, right: bool(left == right),
    "!=": lambda left, right: bool(left != right),
    "<": lambda left, right: bool(left < right),
    "<=": lambda left, right: bool(left <= right),
    ">": lambda left, right: bool(left > right),
    ">=": lambda left, right: bool(left >= right),
}


@dataclass(frozen=True, slots=True)
class PathStep:
    """One step of a path: its kind and what it looks for."""

    kind: str
    text: str
    operator: str = ""
    literal: Any = None


def find(path: str, document: Any) -> list[Any]:
    """All values a path leads to, in the document's order. Raises Terminal for a path that cannot be read."""
    values = [document]
    for step in steps(path):
        values = [] if not values else _bounded(found for value in values for found in STEPS[step.kind](step, value))
    return values


def _bounded(found: Iterator[Any]) -> list[Any]:
    values = []
    for value in found:
        values.append(value)
        if len(values) > MATCHES:
            raise Terminal(f"jsonPath: more than {MATCHES} matches")
    return values


@lru_cache(maxsize=256)
def steps(path: str) -> tuple[PathStep, ...]:
    """The steps of a path; braces and the leading `$` may be left out."""
    text = path.strip()
    text = text[1:-1].strip() if text.startswith("{") and text.endswith("}") else text
    text = text.removeprefix("$").removeprefix("@")
    if len(text) > LONGEST:
        raise Terminal(f"jsonPath: longer than {LONGEST} characters")
    if text and text[0] not in ".[":
        text = "." + text
    found, place = [], 0
    while place < len(text) and text[place:] != ".":
        token = TOKEN.match(text, place)
        if token is None:
            raise Terminal(f"jsonPath: cannot read {path!r} at {text[place : place + 20]!r}")
        found.append(_step(token))
        place = token.end()
    return tuple(found)


def _step(token: re.Match[str]) -> PathStep:
    if token["path"] is not None:
        return PathStep("filter", token["path"], token["operator"] or "", _scalar(token["literal"]))
    kind, text = next((kind, text) for kind, text in token.groupdict().items() if text is not None)
    return PathStep("every" if text == "*" and kind != "deep" else kind, re.sub(r"\\(.)", r"\1", text) if kind == "name" else text)


def _scalar(text: str | None) -> Any:
    if text is None or text in SCALARS:
        return None if text is None else SCALARS[text]
    if text[0] in "'\"":
        return text[1:-1]
    try:
        return float(text)
    except ValueError as error:
        raise Terminal(f"jsonPath: {text[:50]!r} is no literal: write texts in quotes") from error


def _member(step: PathStep, value: Any) -> Iterator[Any]:
    if isinstance(value, dict) and step.text in value:
        yield value[step.text]


def _members(step: PathStep, value: Any) -> Iterator[Any]:
    for quoted in re.findall(r"'[^']*'|\"[^\"]*\"", step.text):
        yield from _member(PathStep("name", quoted[1:-1]), value)


def _every(step: PathStep, value: Any) -> Iterator[Any]:
    yield from value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()


def _deep(step: PathStep, value: Any) -> Iterator[Any]:
    """Every member of this name at any depth, outer ones first."""
    waiting = [value]
    while waiting:
        current = waiting.pop(0)
        children = list(_every(step, current))
        yield from children if step.text == "*" else _member(step, current)
        waiting = children + waiting


def _places(step: PathStep, value: Any) -> Iterator[Any]:
    if not isinstance(value, list):
        return
    for part in step.text.split(","):
        try:
            numbers = [int(number) if number.strip() else None for number in part.split(":")]
            chosen = value[slice(*numbers)] if len(numbers) > 1 else [value[numbers[0] or 0]]
        except (ValueError, TypeError) as error:
            raise Terminal(f"jsonPath: [{step.text}] is no index") from error
        except IndexError:
            continue
        yield from chosen


def _filter(step: PathStep, value: Any) -> Iterator[Any]:
    for item in _every(step, value):
        found = find(step.text, item)
        if found and (not step.operator or _holds(step, found[0])):
            yield item


def _holds(step: PathStep, value: Any) -> bool:
    try:
        return COMPARE[step.operator](value, step.literal)
    except TypeError:
        return False


STEPS: Mapping[str, Callable[[PathStep, Any], Iterator[Any]]] = {
    "name": _member,
    "keys": _members,
    "every": _every,
    "deep": _deep,
    "places": _places,
    "filter": _filter,
}
