"""Differences of JSON values, and taking them back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.yamledit.changes import ABSENT, Moved, PartChange, changes, put, taken_back

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(0, 3) | st.sampled_from(["a", "b"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("xyz"), inner, max_size=3),
    max_leaves=8,
)


@given(JSON, JSON)
def test_what_changed_is_taken_back_whole(old: object, new: object) -> None:
    assert list(changes(taken_back(old, new, new), old)) == []
    assert list(changes(taken_back(old, new, old), old)) == []


def test_other_parts_stay_and_another_value_is_not_touched() -> None:
    assert taken_back({"a": 1}, {"a": 2}, {"a": 2, "b": 3}) == {"a": 1, "b": 3}
    with pytest.raises(Moved) as moved:
        taken_back({"a": 1}, {"a": 2}, {"a": 4})
    assert moved.value.path == ("a",)


def test_items_are_matched_by_name() -> None:
    old, new = [{"name": "x", "v": 1}, {"name": "y"}], [{"name": "y"}, {"name": "x", "v": 2}]
    assert list(changes(old, new)) == [PartChange((0, "v"), (1, "v"), 1, 2)]


def test_one_and_true_differ_and_null_is_a_value() -> None:
    assert [change.new for change in changes({"a": 1}, {"a": True})] == [True]
    assert [change.old for change in changes({}, {"a": None, "b": 1})] == [{}]
    assert [change.old for change in changes({"b": 1}, {"a": None, "b": 1})] == [ABSENT]
    assert put({"a": {"b": 1}}, ("a", "b"), ABSENT) == {"a": {}}
