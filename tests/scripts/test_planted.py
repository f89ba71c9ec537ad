"""The table of planted bugs: each row still stands in the product, says something else, and names a law that exists."""

import pytest
from reconciler_sandbox.rehearsal.hunt.laws import TALE_REST, TALE_STEPS
from reconciler_sandbox.rehearsal.hunt.play import FROZEN

from scripts.planted import ROOT, TABLE, Planted, rows

TABLE_ROWS = list(rows(TABLE.read_text()))
LAWS = {law.__name__.replace("_", " ") for law in (*TALE_STEPS, *TALE_REST)} | {FROZEN}


def test_there_are_enough_of_them_and_most_laws_have_one() -> None:
    assert len(TABLE_ROWS) >= 15
    assert len({row.law for row in TABLE_ROWS}) >= 9


@pytest.mark.parametrize("row", TABLE_ROWS, ids=lambda row: f"{row.path}:{row.seed}")
def test_a_row_stands_in_the_product_once_and_is_still_code_when_it_is_inverted(row: Planted) -> None:
    text = (ROOT / row.path).read_text()
    assert text.count(row.before) == 1
    compile(text.replace(row.before, row.after), row.path, "exec")
    assert row.law in LAWS and row.seed.isdigit()


def test_a_row_is_five_parts_with_its_line_ends() -> None:
    [row] = rows("# a comment\n\na.py ::   if x:\\n    y ::   if False:\\n    y :: 7 :: no law\n")
    assert row == Planted("a.py", "  if x:\n    y", "  if False:\n    y", "7", "no law")
