"""JSONPath as kubectl users write it, in the part that stories need: names, indexes, `[*]`, and `[?(@.a.b=="x")]`. Pure."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

NAME = re.compile(r"\.?((?:[A-Za-z0-9_/-]|\\\.)+)")
QUOTED = re.compile(r"\['([^']+)'\]|\[\"([^\"]+)\"\]")
INDEX = re.compile(r"\[(-?\d+)\]")
EVERY = re.compile(r"\.?\*|\[\*\]")
FILTER = re.compile(r"\[\?\(@\.([^=!]+?)\s*==\s*(?:\"([^\"]*)\"|'([^']*)'|([0-9]+|true|false))\)\]")


class BadPath(ValueError):
    """The text is no path in the part of JSONPath that stories know."""


@dataclass(frozen=True, slots=True)
class Key:
    """A field of an object; a number is also an element of a list."""

    name: str | int

    def among(self, value: Any) -> Iterator[Any]:
        if isinstance(value, dict):
            yield from (value[name] for name in (self.name,) if name in value)
        if isinstance(value, list) and isinstance(self.name, int):
            yield from value[self.name :][:1] if -len(value) <= self.name < len(value) else ()


@dataclass(frozen=True, slots=True)
class Every:
    """All elements of a list, or all values of an object."""

    def among(self, value: Any) -> Iterator[Any]:
        if isinstance(value, list):
            yield from value
        elif isinstance(value, dict):
            yield from value.values()


@dataclass(frozen=True, slots=True)
class Where:
    """The elements of a list whose field has this text (`true` and numbers as JSON writes them)."""

    path: tuple["Segment", ...]
    text: str

    def among(self, value: Any) -> Iterator[Any]:
        for item in value if isinstance(value, list) else ():
            if self.text in [plain_text(found) for found in follow(self.path, item)]:
                yield item


Segment = Key | Every | Where


def parse_path(text: str) -> tuple[Segment, ...]:
    """The segments of a path like `status.conditions[?(@.type=="Ready")].status`. Raises BadPath."""
    rest = text.strip().removeprefix("{").removesuffix("}").removeprefix("$")
    segments: list[Segment] = []
    while rest:
        segment, length = _first(rest, text)
        segments.append(segment)
        rest = rest[length:]
    if not segments:
        raise BadPath("the path is empty")
    return tuple(segments)


def find_all(document: Any, path: str) -> list[Any]:
    """Every value that the path leads to; null counts as absent, as in the Kubernetes API."""
    return [value for value in follow(parse_path(path), document) if value is not None]


def follow(path: Sequence[Segment], value: Any) -> list[Any]:
    found = [value]
    for segment in path:
        found = [inner for outer in found for inner in segment.among(outer)]
    return found


def plain_text(value: Any) -> str:
    """A scalar as JSON writes it, texts without quotes."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _first(rest: str, whole: str) -> tuple[Segment, int]:
    """The first segment and how many characters it takes."""
    if match := EVERY.match(rest):
        return Every(), match.end()
    if match := FILTER.match(rest):
        wanted = next(group for group in match.groups()[1:] if group is not None)
        return Where(parse_path(match[1]), wanted), match.end()
    if match := INDEX.match(rest):
        return Key(int(match[1])), match.end()
    if match := QUOTED.match(rest):
        return Key(match[1] or match[2]), match.end()
    if match := NAME.match(rest):
        return Key(match[1].replace("\\.", ".")), match.end()
    raise BadPath(
        f"{whole!r}: cannot read {rest!r}; write for example status.phase, spec.http[0].route[*].weight or metadata.labels['a/b']"
    )
