"""Lines of a text that is no YAML, taken back one run at a time."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.yamledit.changes import Moved
from reconciler.yamledit.hunks import MOST_LINES, hunks, taken_back

OLD = b"a\nb\nc\nd\n"
TEXTS = st.lists(st.sampled_from([b"a", b"b", b"c", b"d", b""]), max_size=12).map(lambda lines: b"\n".join(lines))


def test_each_of_as_many_lines_is_one() -> None:
    found = list(hunks(OLD, b"a\nB\nC\nd\n"))
    assert [(one.old, one.new, one.new_start) for one in found] == [((b"b\n",), (b"B\n",), 1), ((b"c\n",), (b"C\n",), 2)]


def test_one_line_goes_back_and_its_changed_neighbour_stays() -> None:
    bad = b"a\nB\nC\nd\n"
    first, _second = hunks(OLD, bad)
    assert taken_back(bad, [first], bad) == b"a\nb\nC\nd\n"
    assert taken_back(bad, [first], b"new\na\nB\nelse\nd\n") == b"new\na\nb\nelse\nd\n"


def test_what_is_as_before_already_stays_and_what_is_set_anew_has_moved() -> None:
    bad = b"a\nB\nc\nd\n"
    (found,) = hunks(OLD, bad)
    assert taken_back(bad, [found], b"a\nb\nc\nd\nlater\n") == b"a\nb\nc\nd\nlater\n"
    with pytest.raises(Moved):
        taken_back(bad, [found], b"a\nother\nc\nd\n")


def test_lines_that_were_put_in_go_only_where_their_neighbours_are_as_they_were() -> None:
    bad = b"a\nb\nnew\nc\nd\n"
    (found,) = hunks(OLD, bad)
    assert taken_back(bad, [found], bad) == OLD
    assert taken_back(bad, [found], b"first\n" + bad) == b"first\n" + OLD
    with pytest.raises(Moved):
        taken_back(bad, [found], b"a\nb\nnew\nchanged\nd\n")


def test_a_very_long_text_is_one_run() -> None:
    old = b"x\n" * MOST_LINES
    (found,) = hunks(old, old + b"y\n")
    assert taken_back(old + b"y\n", [found], old + b"y\n") == old


@given(TEXTS, TEXTS)
def test_all_together_give_the_old_text(old: bytes, new: bytes) -> None:
    assert taken_back(new, list(hunks(old, new)), new) == old


@given(TEXTS, TEXTS, TEXTS)
def test_taking_nothing_back_changes_nothing_and_a_refusal_is_the_only_other_end(old: bytes, new: bytes, now: bytes) -> None:
    assert taken_back(new, [], now) == now
    for one in hunks(old, new):
        try:
            after = taken_back(new, [one], now)
        except Moved:
            continue
        assert len(after.splitlines()) - len(now.splitlines()) in (0, len(one.old) - len(one.new))
