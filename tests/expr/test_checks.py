"""What is refused without evaluating."""

from typing import Any

import pytest

from reconciler.expr.checks import check
from reconciler.expr.syntax import ExpressionError, parse


def refusal(text: str, result: Any) -> str | None:
    try:
        check(parse(text), result)
    except ExpressionError as error:
        return str(error)
    return None


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("false && unknown", 1.0),
        ("false && nothing(result)", 1.0),
        ("false && len(result, 2) > 1", []),
        ("false && #", []),
        ("true || result == 'a'", 1.0),
        ("true || result[0] == 'a'", [1.0]),
        ("true || result + 'a' == 'b'", 1.0),
        ("true || len(result) == 'a'", []),
        ("true || (result && true)", 1.0),
        ("true || 'a' - 'b' == 1", 1.0),
        ("true || isNaN(len(result))", []),
        ("true || (result | nothing())", 1.0),
    ],
)
def test_a_mistake_behind_a_short_cut_is_found(text: str, result: Any) -> None:
    assert refusal(text, result) is not None


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("result.a == 'x' && result.a == 1", {"a": "x"}),
        ("result[0] == 'x'", ["x"]),
        ("result[0] == 'x'", []),
        ("result == nil", None),
        ("let x = 1; x == 1.0", []),
        ("filter(result, # > 1 && #index > 0) == []", [1.0]),
        ("result | len() > 0", [1.0]),
        ("now() - duration('1h') < now()", 1.0),
        ("1 == 2 == true", 1.0),
        ("result[0] + result[1] * 2 > 1", [1.0, 2.0]),
    ],
)
def test_what_only_the_evaluation_can_tell_passes(text: str, result: Any) -> None:
    assert refusal(text, result) is None
