"""Functions of instant vectors."""

import math

import pytest

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
