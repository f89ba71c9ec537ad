"""Aggregations: grouping, empty and NaN values, choices."""

import math

import pytest
from reconciler_sandbox.metrics.promql.aggregate import number_text
from reconciler_sandbox.metrics.promql.values import ExecutionFailed

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
        ("group(s)", {"{}": 1}),
        ("stdvar by (app) (s)", {'{app="a"}': 1, '{app="b"}': 0}),
        ("stddev by (app) (s)", {'{app="a"}': 1, '{app="b"}': 0}),
        ("quantile(0.5, s)", {"{}": 3}),
        ("quantile(0.25, s)", {"{}": 2}),
        ("quantile(-1, s)", {"{}": -math.inf}),
        ("quantile(2, s)", {"{}": math.inf}),
        ("quantile(NaN, s)", {"{}": math.nan}),
        ("topk(2, s)", {'s{app="b",pod="3"}': 10, 's{app="a",pod="2"}': 3}),
        ("topk by (app) (1, s)", {'s{app="b",pod="3"}': 10, 's{app="a",pod="2"}': 3}),
        ("bottomk(1, s)", {'s{app="a",pod="1"}': 1}),
        ("topk(0, s)", {}),
        ("topk(99, s)", {'s{app="b",pod="3"}': 10, 's{app="a",pod="2"}': 3, 's{app="a",pod="1"}': 1}),
    ],
)
def test_aggregations(query: str, expected: dict[str, float]) -> None:
    assert same(ask(filled(SHOP), query), expected)


@pytest.mark.parametrize("operator", ["sum", "avg", "min", "max", "count", "stddev"])
def test_nothing_aggregates_to_nothing_and_never_to_zero(operator: str) -> None:
    assert ask(filled({}), f"{operator}(s)") == {}


def test_min_and_max_ignore_nan_beside_numbers_but_sums_do_not() -> None:
    mixed = filled({'s{x="1"}': "NaN", 's{x="2"}': "5"})
    assert same(ask(mixed, "min(s)"), {"{}": 5})
    assert same(ask(mixed, "max(s)"), {"{}": 5})
    assert same(ask(mixed, "sum(s)"), {"{}": math.nan})
    assert same(ask(mixed, "topk(1, s)"), {'s{x="2"}': 5})
    assert same(ask(filled({"s": "NaN"}), "max(s)"), {"{}": math.nan})


def test_sums_are_compensated() -> None:
    numbers = {f's{{x="{number}"}}': value for number, value in enumerate(["1e100", "1", "-1e100"])}
    assert same(ask(filled(numbers), "sum(s)"), {"{}": 1})


def test_topk_comes_in_order() -> None:
    found = ask(filled(SHOP), "topk(3, s)")
    assert isinstance(found, dict)
    assert list(found.values()) == [10, 3, 1]


def test_topk_of_not_a_number_is_refused() -> None:
    with pytest.raises(ExecutionFailed, match="topk"):
        ask(filled(SHOP), "topk(NaN, s)")


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ('count_values("v", s > bool 2)', {'{v="1"}': 2, '{v="0"}': 1}),
        ('count_values by (app) ("v", s)', {'{app="a",v="1"}': 1, '{app="a",v="3"}': 1, '{app="b",v="10"}': 1}),
        ('count_values without (pod) ("v", s > bool 0)', {'{app="a",v="1"}': 2, '{app="b",v="1"}': 1}),
        ('count_values("app", s > bool 0)', {'{app="1"}': 3}),
    ],
)
def test_values_are_counted_under_a_label_of_their_own(query: str, expected: dict[str, float]) -> None:
    assert ask(filled(SHOP), query) == expected


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (5.0, "5"),
        (0.1, "0.1"),
        (1e20, "100000000000000000000"),
        (1.5e-7, "0.00000015"),
        (-0.0, "-0"),
        (math.inf, "+Inf"),
        (-math.inf, "-Inf"),
    ],
)
def test_a_number_as_a_label_has_no_exponent(value: float, text: str) -> None:
    assert number_text(value) == text and number_text(math.nan) == "NaN"


def test_a_label_has_a_name() -> None:
    with pytest.raises(ExecutionFailed, match='invalid label name ""'):
        ask(filled(SHOP), 'count_values("", s)')
