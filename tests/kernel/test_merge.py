"""The patch that turns one object into another (RFC 7386)."""

from hypothesis import given
from hypothesis import strategies as st

from reconciler.kernel.merge import merge_patch
from reconciler.rollouts.status.model import Phase
from tests.kit.store import merged

VALUES = st.one_of(st.booleans(), st.integers(0, 3), st.text(max_size=2), st.lists(st.integers(0, 2), max_size=2))
OBJECTS = st.recursive(
    st.dictionaries(st.sampled_from("abc"), VALUES, max_size=3),
    lambda inner: st.dictionaries(st.sampled_from("abc"), st.one_of(VALUES, inner), max_size=3),
    max_leaves=8,
)


def test_gone_members_become_null_and_lists_are_whole() -> None:
    assert merge_patch({"a": 1, "b": [1], "c": {"d": 1}}, {"b": [1, 2], "c": {}}) == {"a": None, "b": [1, 2], "c": {"d": None}}


def test_equal_objects_need_no_patch_but_true_is_not_one() -> None:
    assert merge_patch({"a": {"b": 1}}, {"a": {"b": 1}}) == {}
    assert merge_patch({"a": 1}, {"a": True}) == {"a": True}
    assert merge_patch({"a": False}, {"a": 0}) == {"a": 0}
    for old, new in (({"b": {"c": False}}, {"b": {"c": 0}}), ({"b": [{"c": 1}]}, {"b": [{"c": True}]}), ({"b": [0]}, {"b": [False]})):
        assert repr(merged(old, merge_patch(old, new))) == repr(new)


def test_what_is_the_same_text_is_not_said_again() -> None:
    assert merge_patch({"phase": "Paused"}, {"phase": Phase.PAUSED}) == {}
    assert merge_patch({"phase": "Paused"}, {"phase": Phase.HEALTHY}) == {"phase": "Healthy"}


@given(OBJECTS, OBJECTS)
def test_applying_the_patch_gives_the_new_object(old: dict[str, object], new: dict[str, object]) -> None:
    assert _leaves(merged(old, merge_patch(old, new))) == _leaves(new)


def _leaves(value: object) -> object:
    """Objects as they are, with an emptied object equal to a new empty one."""
    return {k: _leaves(v) for k, v in value.items()} if isinstance(value, dict) else (type(value), value)
