"""docs/deviations.md: every surprise of the contract and every row has a test, a decision, and a way back or why it needs none."""

import re
from pathlib import Path

import pytest

from reconciler.app.compat.rows import PAGE, Likeness, rows
from tests.kit.tables import Row, table

ROOT = Path(__file__).resolve().parents[3]
PLACE = ROOT / "docs" / "deviations.md"
TESTS = {
    name
    for page in (ROOT / "tests").rglob("test_*.py")
    for name in re.findall(r"^(?:async )?def (test_\w+)", page.read_text(encoding="utf-8"), re.MULTILINE)
}
HAS_ROW = [row for row in rows() if row.contract]
LINKED = re.compile(r"\[([^\]]+)\]\(([^)]+)\)")


def told(section: str) -> list[Row]:
    """The lines of one table of the page."""
    part = PLACE.read_text(encoding="utf-8").partition(f"\n## {section}\n")[2].partition("\n## ")[0]
    head, _, *lines = [line for line in part.splitlines() if line.startswith("|")]
    names = [cell.strip() for cell in head.strip("|").split("|")]
    return [dict(zip(names, (cell.strip() for cell in line.strip("|").split(" | ")), strict=True)) for line in lines]


def link(cell: str) -> tuple[str, str]:
    found = LINKED.fullmatch(cell)
    assert found is not None, f"{cell} is no link"
    return found[1], found[2]


def test_every_surprise_and_every_word_of_documentation_has_its_line() -> None:
    assert [line["item"] for line in told("Contract 13")] == [f"13.{number}" for number in range(1, 66)]
    assert [line["item"] for line in told("Contract 14")] == [row["Topic"] for row in table("14", "Topic")]


def test_every_row_has_its_line() -> None:
    assert [link(line["row"])[0] for line in told("Rows of the page of compatibility")] == [row.id for row in HAS_ROW]


@pytest.mark.parametrize("section", ["Contract 13", "Contract 14", "Rows of the page of compatibility"])
def test_every_line_names_a_test_that_there_is(section: str) -> None:
    named = [re.fullmatch(r"`(test_\w+)`", line["test"]) for line in told(section)]
    assert [name and name[1] for name in named if name is None or name[1] not in TESTS] == []


def test_the_test_of_a_surprise_bears_its_number() -> None:
    assert [line["item"] for line in told("Contract 13") if f"_{line['item'].replace('.', '_')}_" not in line["test"]] == []


def test_what_is_not_the_same_is_a_row_and_says_so_there() -> None:
    known = {row.id: str(row.likeness) for row in rows()}
    for line in (*told("Contract 13"), *told("Contract 14")):
        if line["row"] == "–":
            assert line["here"] == "same", line["item"]
            continue
        id, place = link(line["row"])
        assert place == f"{PAGE.removeprefix('docs/')}#{id}" and known[id] == line["here"], line["item"]


def test_what_is_not_the_same_has_a_way_back_or_a_reason() -> None:
    likeness = {row.id: row.likeness for row in HAS_ROW}
    lines = [(line["item"], line["here"], line["way back, or why none"]) for name in ("13", "14") for line in told(f"Contract {name}")]
    for line in told("Rows of the page of compatibility"):
        id = link(line["row"])[0]
        lines.append((id, str(likeness[id]), line["way back, or why none"]))
    for item, here, back in lines:
        if here != Likeness.SAME:
            assert len(back.removeprefix("none: ")) > 10 and back != "none", item


def test_what_brings_the_old_behaviour_back_is_shown_by_a_test() -> None:
    likeness = {row.id: row.likeness for row in HAS_ROW}
    ways = [(link(line["row"])[0], line["way back, or why none"]) for line in told("Rows of the page of compatibility")]
    switches = [(id, back) for id, back in ways if likeness[id] != Likeness.SAME and not back.startswith("none: ")]
    assert len(switches) > 10
    for id, back in switches:
        shown = re.search(r"\(`(test_\w+)`\)$", back)
        assert shown is not None and shown[1] in TESTS, id


def test_every_row_follows_from_a_decision() -> None:
    for line in told("Rows of the page of compatibility"):
        number, place = link(line["ADR"])
        assert place.startswith(f"adr/{number}-") and (PLACE.parent / place).is_file(), line["row"]
