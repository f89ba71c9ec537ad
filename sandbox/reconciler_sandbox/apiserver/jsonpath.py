"""The part of JSONPath that printer columns and scale paths use: fields, indexes, wildcards, equality filters, last items."""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

STEP = re.compile(
    r"\.?\['(?P<quoted>(?:[^'\\]|\\.)*)'\]"
    r"|\[\?\(\s*@\.(?P<field>[\w.\\-]+)\s*==\s*(?P<value>\"[^\"]*\"|'[^']*'|[\w.-]+)\s*\)\]"
    r"|\[(?P<index>-?\d+|\*|-?\d*:-?\d*)\]"
    r"|\.(?P<name>(?:[\w\-/$]|\\.)+|\*)"
)
Step = tuple[str, Any]


@lru_cache(maxsize=2_000)
def parse(path: str) -> tuple[Step, ...] | None:
    """The steps of a path; None if it uses more than this module reads."""
    text = path.strip().removeprefix("{").removesuffix("}").removeprefix("$")
    steps: list[Step] = []
    position = 0
    while position < len(text):
        found = STEP.match(text, position)
        if not found:
            return None
        steps.append(_step(found))
        position = found.end()
    return tuple(steps)


def _step(found: re.Match[str]) -> Step:
    if found["field"]:
        return ("filter", (found["field"].replace("\\", "").split("."), found["value"].strip("\"'")))
    if found["index"]:
        text = found["index"]
        if text == "*":
            return ("every", None)
        return ("slice", [int(one) if one else None for one in text.split(":")]) if ":" in text else ("index", int(text))
    name = found["quoted"] or found["name"] or ""
    return ("every", None) if name == "*" else ("field", re.sub(r"\\(.)", r"\1", name))


def find(value: Any, path: str) -> list[Any]:
    """Everything at a path; nothing for one that is not there or not understood."""
    steps = parse(path)
    found = [value] if steps is not None else []
    for step in steps or ():
        found = [inner for one in found for inner in _inside(one, step)]
    return found


def _inside(value: Any, step: Step) -> Iterator[Any]:
    kind, operand = step
    if isinstance(value, dict):
        if kind == "field" and operand in value:
            yield value[operand]
        elif kind == "every":
            yield from value.values()
    elif isinstance(value, list):
        yield from _items(value, kind, operand)


def _items(value: list[Any], kind: str, operand: Any) -> Iterator[Any]:
    if kind == "every":
        yield from value
    elif kind == "index" and -len(value) <= operand < len(value):
        yield value[operand]
    elif kind == "slice":
        yield from value[slice(*operand)]
    elif kind == "filter":
        yield from (one for one in value if _equals(one, *operand))


def _equals(value: Any, path: list[str], wanted: str) -> bool:
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return (str(value).lower() if isinstance(value, bool) else str(value)) == wanted


def with_number(manifest: dict[str, Any], path: str, number: int) -> dict[str, Any]:
    """The object with a number set at a dotted path; the maps on the way are copied."""
    first, _, rest = path.removeprefix(".").partition(".")
    inner = manifest.get(first)
    return {**manifest, first: with_number(inner if isinstance(inner, dict) else {}, rest, number) if rest else number}
