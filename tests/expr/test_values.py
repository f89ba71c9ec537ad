"""Values compare and count as Go's do."""

import math
from datetime import timedelta

import pytest

from reconciler.expr.syntax import ExpressionError
from reconciler.expr.values import Spend, arithmetic, element, equal, ordered, type_name, wrapped
from tests.kit.analysis import NOW


def test_numbers_are_equal_across_kinds_and_nothing_else_is() -> None:
    free: Spend = [].append
    assert equal(1, 1.0, free) and equal([1, {"a": 2.0}], [1.0, {"a": 2}], free)
    for left, right in ((1, True), ("1", 1), (None, False), (math.nan, math.nan), ([1], [1, 2]), ({"a": 1}, {"b": 1})):
        assert not equal(left, right, free)


def test_values_are_compared_to_a_bounded_depth() -> None:
    def nested(depth: int) -> object:
        value: object = 1
        for _ in range(depth):
            value = [value]
        return value

    free: Spend = [].append
    assert equal(nested(100), nested(100), free)
    with pytest.raises(ExpressionError, match="nest too deeply"):
        equal(nested(101), nested(101), free)


def test_whole_numbers_overflow_as_in_64_bits() -> None:
    assert wrapped(2**63) == -(2**63)
    assert arithmetic("*", 2**62, 4) == 0


@pytest.mark.parametrize(
    ("left", "right", "expected"), [(1, 0, math.inf), (-1, 0, -math.inf), (1, -0.0, -math.inf), (10, 4, 2.5), (math.inf, 0, math.inf)]
)
def test_division_is_never_an_error(left: float, right: float, expected: float) -> None:
    assert arithmetic("/", left, right) == expected


def test_undefined_numbers_are_nan() -> None:
    assert math.isnan(arithmetic("/", 0, 0))
    assert math.isnan(arithmetic("**", -1, 0.5))
    assert arithmetic("**", 10, 400) == math.inf and arithmetic("**", -10, 401) == -math.inf and arithmetic("**", 0, -1) == math.inf


def test_times_and_spans() -> None:
    hour = timedelta(hours=1)
    assert arithmetic("+", NOW, hour) - NOW == hour == arithmetic("-", arithmetic("+", hour, NOW), NOW)
    assert arithmetic("*", 2, hour) == arithmetic("+", hour, hour)
    assert ordered("<", NOW, arithmetic("+", NOW, hour))
    with pytest.raises(ExpressionError):
        arithmetic("*", NOW, hour)


def test_only_like_things_have_an_order() -> None:
    assert ordered("<", 1, 1.5) and ordered(">=", "b", "a")
    for left, right in ((1, "1"), (True, False), (None, 1), ([], [])):
        with pytest.raises(ExpressionError):
            ordered("<", left, right)


def test_elements_of_lists_and_maps() -> None:
    assert element([1, 2], -1) == element([1, 2], 1.0) == 2
    assert element({"a": 1}, "b") is None
    for value, key in (([1], 2), ([1], 0.5), ([1], math.nan), ("text", 0), (None, "x")):
        with pytest.raises(ExpressionError):
            element(value, key)


def test_values_that_nest_too_deeply_are_not_compared() -> None:
    deep: list[object] = []
    for _ in range(200):
        deep = [deep]
    with pytest.raises(ExpressionError, match="nest too deeply"):
        equal(deep, deep, [].append)


def test_types_have_the_names_of_go() -> None:
    values = (None, True, 1, 1.0, "", [], {}, NOW, timedelta())
    names = "nil bool int float64 string []interface_{} map[string]interface_{} time.Time time.Duration"
    assert [type_name(value).replace(" ", "_") for value in values] == names.split()
