"""`docs/faults.md`: each fault that was found stands beside the tests that would see it again, and each of those tests exists."""

import ast
import re
from functools import cache
from pathlib import Path

from tests.kit.source import parsed

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "faults.md"
KINDS = ("K1", "K2", "K3", "K4", "K5", "K6", "K7", "K8", "K10", "K11")
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")
ROW = re.compile(r"^\| (K\d+\.\d+) \| (.+?) \| (.+?) \| (.+) \|$")


@cache
def known_in(file: str) -> frozenset[str]:
    """The functions of one file that pytest collects."""
    path = ROOT / file
    if not path.is_file():
        return frozenset()
    functions = (node for node in parsed(path.read_text()).body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    return frozenset(node.name for node in functions)


def rows() -> list[tuple[str, str, str, str]]:
    """Number, what broke, what holds now, and the tests, line by line."""
    return [found.groups() for line in PAGE.read_text().splitlines() if (found := ROW.match(line))]  # type: ignore[misc]


def unknown(text: str) -> list[str]:
    return [f"{file}::{name}" for file, name in NAMED.findall(text) if name not in known_in(file)]


def test_every_test_that_the_page_names_exists() -> None:
    assert unknown(PAGE.read_text()) == []


def test_a_test_that_does_not_exist_is_seen() -> None:
    here = Path(__file__).relative_to(ROOT)
    assert unknown(f"`{here}::test_a_test_that_does_not_exist_is_seen`") == []
    assert unknown(f"`{here}::test_of_nothing`, `tests/test_gone.py::test_a`") == [f"{here}::test_of_nothing", "tests/test_gone.py::test_a"]


def test_every_row_names_a_test_and_every_line_of_a_table_is_a_row() -> None:
    assert [number for number, _, _, tests in rows() if not NAMED.search(tests)] == []
    written = [line for line in PAGE.read_text().splitlines() if line.startswith("| K")]
    assert len(written) == len(rows())


def test_the_rows_of_each_kind_are_counted_from_one() -> None:
    numbers = [number for number, *_ in rows()]
    assert {number.partition(".")[0] for number in numbers} == set(KINDS)
    for kind in KINDS:
        own = [int(number.partition(".")[2]) for number in numbers if number.startswith(f"{kind}.")]
        assert own == list(range(1, len(own) + 1)), kind
