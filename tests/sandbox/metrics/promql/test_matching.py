"""Binary operators: numbers, vectors with numbers, and which sample meets which."""

import math

import pytest
from reconciler_sandbox.metrics.promql.values import ExecutionFailed

from tests.kit.promql import ask, filled, same

SIDES = {
    'a{x="1",code="200"}': "10",
    'a{x="2",code="200"}': "20",
    'b{x="1"}': "2",
    'b{x="3"}': "3",
    'c{x="1",zone="n"}': "7",
}


@pytest.mark.parametrize(
    ("query", "value"),
    [
        ("1 + 2 * 3", 7),
        ("2 ^ 3 ^ 2", 512),
        ("7 % 4", 3),
        ("-7 % 4", -3),
        ("1 / 0", math.inf),
        ("-1 / 0", -math.inf),
        ("1 > bool 2", 0),
        ("2 >= bool 2", 1),
        ("NaN == bool NaN", 0),
        ("10 ^ 400", math.inf),
    ],
)
def test_numbers(query: str, value: float) -> None:
    assert ask(filled({}), query) == value


@pytest.mark.parametrize("query", ["0 / 0", "5 % 0", "NaN + 1"])
def test_undefined_numbers(query: str) -> None:
    found = ask(filled({}), query)
    assert isinstance(found, float)
    assert math.isnan(found)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("b * 10", {'{x="1"}': 20, '{x="3"}': 30}),
        ("10 - b", {'{x="1"}': 8, '{x="3"}': 7}),
        ("b > 2", {'b{x="3"}': 3}),
        ("2 < b", {'b{x="3"}': 3}),
        ("b > bool 2", {'{x="1"}': 0, '{x="3"}': 1}),
        ("b == 9", {}),
        ("a / ignoring(code) b", {'{x="1"}': 5}),
        ("a / on(x) b", {'{x="1"}': 5}),
        ("a / b", {}),
        ("nothing / on() a", {}),  # nothing to match, so nothing is ambiguous
        ("a > ignoring(code) b", {'a{x="1"}': 10}),
        ("a > bool on(x) b", {'{x="1"}': 1}),
        ("a and on(x) b", {'a{code="200",x="1"}': 10}),
        ("a unless on(x) b", {'a{code="200",x="2"}': 20}),
        ("b or on(x) c", {'b{x="1"}': 2, 'b{x="3"}': 3}),
        ("b or vector(1)", {'b{x="1"}': 2, 'b{x="3"}': 3, "{}": 1}),
        ("nothing or vector(0)", {"{}": 0}),
        ("a + on(x) group_left(zone) c", {'{code="200",x="1",zone="n"}': 17}),
        ("c + on(x) group_right(zone) a", {'{code="200",x="1",zone="n"}': 17}),
        ("c - on(x) group_right() a", {'{code="200",x="1"}': -3}),
    ],
)
def test_vectors(query: str, expected: dict[str, float]) -> None:
    assert same(ask(filled(SIDES), query), expected)


def test_two_partners_on_one_side_are_ambiguous() -> None:
    twice = filled({'a{x="1",y="1"}': "1", 'a{x="1",y="2"}': "2", 'b{x="1"}': "3"})
    with pytest.raises(ExecutionFailed, match="many-to-one matching must be explicit"):
        ask(twice, "a + on(x) b")
    with pytest.raises(ExecutionFailed, match="found duplicate series for the match group"):
        ask(twice, "b + on(x) a")


def test_one_wrong_many_side_is_still_ambiguous() -> None:
    twice = filled({'a{x="1",y="1"}': "1", 'a{x="1",y="2"}': "2", 'b{x="1"}': "3"})
    with pytest.raises(ExecutionFailed, match="on the left hand-side"):
        ask(twice, "a + on(x) group_right() b")
