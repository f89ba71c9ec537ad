"""The tables of docs/contract.md as data: a row of the page is a row of a test."""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

CONTRACT = Path(__file__).resolve().parent.parent.parent / "docs" / "contract.md"
Row = dict[str, str]


def table(section: str, heading: str) -> list[Row]:
    """The rows of the first table of a section whose header line begins with this cell; cells by the names of their columns."""
    lines = list(_lines(section))
    start = next(place for place, line in enumerate(lines) if _cells(line)[:1] == [heading])
    names = _cells(lines[start])
    assert len(set(names)) == len(names), f"{section}: two columns are called the same"
    return [dict(zip(names, row, strict=True)) for row in _rows(lines, start)]


def pairs(section: str, question: str, answer: str) -> list[tuple[str, str]]:
    """The pairs of a table that repeats two columns to save room, row by row."""
    lines = list(_lines(section))
    start = next(place for place, line in enumerate(lines) if _cells(line)[:2] == [question, answer])
    return [pair for row in _rows(lines, start) for pair in list(pairwise(row))[::2]]


def _rows(lines: list[str], start: int) -> Iterator[list[str]]:
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            return
        yield _cells(line)


def _lines(section: str) -> Iterator[str]:
    """The lines from a section's anchor to the next heading."""
    text = CONTRACT.read_text(encoding="utf-8")
    _, found, rest = text.partition(f'<a id="{section}"></a>')
    assert found, f"docs/contract.md has no section {section}"
    heading = rest.index("\n#")
    yield from rest[heading + 2 :].partition("\n## ")[0].partition("\n### ")[0].splitlines()


def _cells(line: str) -> list[str]:
    """The cells of a line; a bar that is escaped or stands in code is text."""
    inside, cells = False, [""]
    for sign, after in pairwise([*line.strip().strip("|"), " "]):
        if sign == "`":
            inside = not inside
        if sign == "|" and not inside:
            cells.append("")
        elif (sign, after) != ("\\", "|"):
            cells[-1] += sign
    return [cell.strip() for cell in cells]
