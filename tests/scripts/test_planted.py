"""The table of planted bugs: each guard still stands in the product, says something else, and names a law that exists."""

import pytest
from reconciler_sandbox.rehearsal.hunt.laws import TALE_REST, TALE_STEPS
from reconciler_sandbox.rehearsal.hunt.play import FROZEN

from scripts.planted import FAULTS, KINDS, PAGE, ROOT, TABLE, Planted, guards, laws_by_row, options_of, page, unseen, written

TEXT = TABLE.read_text()
GUARDS, UNSEEN = guards(TEXT), unseen(TEXT)
LAWS = {law.__name__.replace("_", " ") for law in (*TALE_STEPS, *TALE_REST)} | {FROZEN}


def test_there_are_enough_of_them_and_most_laws_have_one() -> None:
    assert len(GUARDS) >= 30
    assert len({guard.law for guard in GUARDS}) >= 11


@pytest.mark.parametrize("guard", GUARDS, ids=lambda guard: f"{guard.path}:{guard.tale}:{guard.before[:20]}")
def test_a_guard_stands_in_the_product_once_and_is_still_code_when_it_is_inverted(guard: Planted) -> None:
    text = (ROOT / guard.path).read_text()
    assert text.count(guard.before) == 1
    compile(text.replace(guard.before, guard.after), guard.path, "exec")
    assert guard.law in LAWS and options_of(guard.tale)[-1].isdigit()


def test_each_line_of_the_first_four_kinds_is_seen_by_a_law_or_has_a_reason() -> None:
    every, seen = set(KINDS.findall(FAULTS.read_text())), set(laws_by_row(GUARDS))
    without = [row for one in UNSEEN for row in one.rows]
    assert seen <= every and every == seen | set(without)
    assert len(without) == len(set(without)) and not seen & set(without)
    assert all(one.why for one in UNSEEN)


def test_the_page_has_the_tables_of_today() -> None:
    document = PAGE.read_text()
    assert written(document, TEXT) == document and all(line in document for line in page(TEXT))


def test_a_brief_tale_is_asked_for_as_one() -> None:
    assert options_of("brief 7") == ["--brief", "--seed", "7"] and options_of("7") == ["--seed", "7"]
