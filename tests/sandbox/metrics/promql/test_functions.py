"""Functions of instant vectors."""

import math

import pytest
from reconciler_sandbox.metrics.promql.values import ExecutionFailed

from tests.kit.promql import ask, filled, same

VALUES = {'v{n="a"}': "-1.5", 'v{n="b"}': "2.5", 'v{n="c"}': "NaN"}
NAN = math.nan


@pytest.mark.parametrize(
    ("query", "a", "b", "c"),
    [
        ("abs(v)", 1.5, 2.5, NAN),
        ("ceil(v)", -1, 3, NAN),
        ("floor(v)", -2, 2, NAN),
        ("round(v)", -1, 3, NAN),
        ("round(v, 5)", 0, 5, NAN),
        ("clamp_min(v, 0)", 0, 2.5, NAN),
        ("clamp_max(v, 0)", -1.5, 0, NAN),
        ("clamp(v, -1, 1)", -1, 1, NAN),
        ("clamp(v, NaN, 1)", NAN, NAN, NAN),
        ("sgn(v)", -1, 1, NAN),
        ("exp(v)", math.exp(-1.5), math.exp(2.5), NAN),
        ("sqrt(v)", NAN, math.sqrt(2.5), NAN),
        ("ln(v)", NAN, math.log(2.5), NAN),
    ],
)
def test_elementwise(query: str, a: float, b: float, c: float) -> None:
    assert same(ask(filled(VALUES), query), {'{n="a"}': a, '{n="b"}': b, '{n="c"}': c})


def test_an_inverted_clamp_is_empty() -> None:
    assert ask(filled(VALUES), "clamp(v, 1, 0)") == {}


def test_scalar_of_none_or_many_is_not_a_number() -> None:
    for query in ("scalar(v)", "scalar(nothing)"):
        found = ask(filled(VALUES), query)
        assert isinstance(found, float)
        assert math.isnan(found)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ('"dst", "$1-x", "src", "(.*)-end"', 'm{dst="a-x",src="a-end"}'),
        ('"dst", "${1}x", "src", "(.*)-end"', 'm{dst="ax",src="a-end"}'),
        ('"dst", "$1x", "src", "(.*)-end"', 'm{src="a-end"}'),  # a group called "1x" is empty, and so is the label
        ('"dst", "$word", "src", "(?P<word>.*)-end"', 'm{dst="a",src="a-end"}'),
        ('"dst", "new", "src", "nope"', 'm{src="a-end"}'),
        ('"src", "", "src", ".*"', "m"),
        ('"__name__", "k", "src", ".*"', 'k{src="a-end"}'),
    ],
)
def test_label_replace(arguments: str, expected: str) -> None:
    assert ask(filled({'m{src="a-end"}': "1"}), f"label_replace(m, {arguments})") == {expected: 1.0}


def test_label_replace_may_not_merge_series() -> None:
    two = filled({'m{src="a"}': "1", 'm{src="b"}': "2"})
    with pytest.raises(ExecutionFailed, match="same labelset"):
        ask(two, 'label_replace(m, "src", "same", "", "")')


def test_label_join_and_sort() -> None:
    two = filled({'m{src="a",n="1"}': "2", 'm{src="b",n="2"}': "1"})
    assert ask(two, 'label_join(m, "dst", "-", "src", "n")') == {'m{dst="a-1",n="1",src="a"}': 2.0, 'm{dst="b-2",n="2",src="b"}': 1.0}
    found = ask(two, "sort(m)")
    assert isinstance(found, dict)
    assert list(found.values()) == [1.0, 2.0]
