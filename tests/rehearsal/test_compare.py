"""Values are held against rules; nothing there is never a pass."""

import pytest
from reconciler_sandbox.rehearsal.compare import Comparison, shown, shown_all


@pytest.mark.parametrize(
    ("rules", "values", "holds"),
    [
        ({"equals": 40}, [40], True),
        ({"equals": 40}, ["40"], False),
        ({"equals": 1}, [True], False),
        ({"matches": "^a.c$"}, ["abc"], True),
        ({"matches": "x"}, [{"a": "x"}], True),
        ({"contains": "b"}, ["abc"], True),
        ({"lacks": "b"}, ["abc"], False),
        ({"atLeast": 2, "atMost": 3}, [2, 3], True),
        ({"atLeast": 2}, [2, 1], False),
        ({"atLeast": 2}, ["many"], False),
        ({"equals": 40}, [], False),
    ],
)
def test_all_rules_hold_for_all_values_or_it_does_not_hold(rules: dict[str, object], values: list[object], holds: bool) -> None:
    assert Comparison(rules).holds(values) is holds


def test_absent_wants_no_value() -> None:
    absent = Comparison({}, absent=True)
    assert (absent.holds([]), absent.holds([0]), str(absent)) == (True, False, "is absent")


def test_a_comparison_reads_aloud() -> None:
    assert str(Comparison({"contains": "x", "atMost": 3})) == "contains x and is at most 3"


def test_what_was_found_is_one_short_line() -> None:
    assert shown("a\n b") == "a b"
    assert len(shown("x" * 1000)) == 300
    assert shown_all([]) == "nothing there"
    assert shown_all([1, {"a": "b"}]) == '1, {"a": "b"}'
