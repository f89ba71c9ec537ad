"""Conditions with their values in them."""

from datetime import UTC, datetime

import pytest

from reconciler.expr.syntax import ExpressionError
from reconciler.expr.values import Value
from reconciler.expr.working import working

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "result", "worked"),
    [
        ("result[0] >= 0.95", [0.913], "0.913 >= 0.95"),
        ("len(result) == 0 || result[0] < 5", [], "0 == 0 || …"),
        ("len(result) == 0 || result[0] < 5", [7.0], "1 == 0 || 7 < 5"),
        ("len(result) > 0 and result[0] < 5", [], "0 > 0 && …"),
        ("(result > 1 or result > 5) and result < 4", 3.0, "(3 > 1 || …) && 3 < 4"),
        ("!(result > 1)", 3.0, "!(3 > 1)"),
        ("not isNaN(result)", float("nan"), "!isNaN(NaN)"),
        ("result > 1 ? result < 2 : result == 0", 3.0, "3 > 1 ? 3 < 2 : …"),
        ("result > 1 ? result < 2 : result == 0", 0.0, "0 > 1 ? … : 0 == 0"),
        ("let x = result[0]; x > 1", [3.0], "3 > 1"),
        ("all(result, {# > 0.9})", [0.95, 0.8], "all([0.95, 0.8], …)"),
        ("result.status == 'ok'", {"status": "bad"}, '"bad" == "ok"'),
        ("result matches '^2'", "200", '"200" matches "^2"'),
        ("1 < result < 3", 2.0, "1 < 2 < 3"),
        ("default(result, 0) == 0", None, "0 == 0"),
    ],
)
def test_operands_are_shown_as_their_values(text: str, result: Value, worked: str) -> None:
    assert working(text, result, NOW) == worked


def test_long_values_are_cut() -> None:
    shown = working("len(result) == 0 || result == 'x'", "y" * 5_000, NOW)
    assert len(shown) < 150 and "…" in shown


def test_what_cannot_be_evaluated_is_an_error() -> None:
    with pytest.raises(ExpressionError):
        working("result[0] > 1", [], NOW)


def test_it_is_paid_from_a_budget() -> None:
    with pytest.raises(ExpressionError, match="budget"):
        working("sum(map(1..90000, # * 2)) > 1 && sum(map(1..90000, # * 2)) > 1", 1.0, NOW)
