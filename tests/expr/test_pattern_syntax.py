"""Patterns as trees."""

import pytest

from reconciler.expr.pattern_syntax import Alternatives, Assertion, InvalidPattern, Letters, Repeat, Sequence, read


def test_a_pattern_is_a_tree() -> None:
    assert read("a|b*") == Alternatives((Sequence((letter("a"),)), Sequence((Repeat(letter("b"), 0, None),))))
    assert read("^$") == Sequence((Assertion("start"), Assertion("end")))


def letter(one: str) -> Letters:
    return Letters(((ord(one), ord(one)),))


def test_sets_know_what_they_contain() -> None:
    found = read("[a-c]")
    assert isinstance(found, Sequence)
    letters = found.parts[0]
    assert isinstance(letters, Letters)
    assert letters.contain("b") and not letters.contain("d")
    assert Letters(letters.ranges, negated=True).contain("d")
    assert Letters(letters.ranges, any_case=True).contain("B")


def test_flags_hold_for_the_rest_of_their_group() -> None:
    found = read("(?i)a(?-i)b")
    assert isinstance(found, Sequence)
    assert [part.any_case for part in found.parts if isinstance(part, Letters)] == [True, False]


def test_what_cannot_be_read_is_said() -> None:
    with pytest.raises(InvalidPattern, match=r"error parsing regexp: unexpected \)"):
        read(")")
