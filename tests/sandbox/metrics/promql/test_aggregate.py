"""Aggregations: grouping, empty and NaN values, choices."""

import math

import pytest

from tests.kit.promql import ask, filled, same

SHOP = {'s{app="a",pod="1"}': "1", 's{app="a",pod="2"}': "3", 's{app="b",pod="3"}': "10"}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("sum(s)", {"{}": 14}),
        ("sum by (app) (s)", {'{app="a"}': 4, '{app="b"}': 10}),
        ("sum without (pod) (s)", {'{app="a"}': 4, '{app="b"}': 10}),
        ("sum by (none) (s)", {"{}": 14}),
        ("avg(s)", {"{}": 14 / 3}),
        ("min by (app) (s)", {'{app="a"}': 1, '{app="b"}': 10}),
        ("max by (app) (s)", {'{app="a"}': 3, '{app="b"}': 10}),
        ("count by (app) (s)", {'{app="a"}': 2, '{app="b"}': 1}),
    ],
)
def test_aggregations(query: str, expected: dict[str, float]) -> None:
    assert same(ask(filled(SHOP), query), expected)


@pytest.mark.parametrize("operator", ["sum", "avg", "min", "max", "count"])
def test_nothing_aggregates_to_nothing_and_never_to_zero(operator: str) -> None:
    assert ask(filled({}), f"{operator}(s)") == {}


def test_min_and_max_ignore_nan_beside_numbers_but_sums_do_not() -> None:
    mixed = filled({'s{x="1"}': "NaN", 's{x="2"}': "5"})
    assert same(ask(mixed, "min(s)"), {"{}": 5})
    assert same(ask(mixed, "max(s)"), {"{}": 5})
    assert same(ask(mixed, "sum(s)"), {"{}": math.nan})
    assert same(ask(filled({"s": "NaN"}), "max(s)"), {"{}": math.nan})


def test_sums_are_compensated() -> None:
    numbers = {f's{{x="{number}"}}': value for number, value in enumerate(["1e100", "1", "-1e100"])}
    assert same(ask(filled(numbers), "sum(s)"), {"{}": 1})
