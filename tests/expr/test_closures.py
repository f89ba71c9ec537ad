"""Walks over lists (contract 6.9)."""

from typing import Any

import pytest

from reconciler.expr.evaluate import evaluate
from reconciler.expr.syntax import ExpressionError
from tests.kit.analysis import NOW

ITEMS = [{"n": 3.0, "k": "a"}, {"n": 1.0, "k": "b"}, {"n": 2.0, "k": "a"}]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("all(result, .n > 0)", True),
        ("any(result, {#.n > 2})", True),
        ("one(result, .n > 2)", True),
        ("none(result, .n > 3)", True),
        ("map(result, .n + #index)", [3.0, 2.0, 4.0]),
        ("filter(result, .k == 'b')", ITEMS[1:2]),
        ("find(result, .k == 'a').n", 3.0),
        ("find(result, .k == 'z')", None),
        ("findIndex(result, .k == 'b')", 1),
        ("findLast(result, .k == 'a').n", 2.0),
        ("findLastIndex(result, .k == 'a')", 2),
        ("count(result, .k == 'a')", 2),
        ("count([true, false])", 1),
        ("sum([1, 2, 3])", 6),
        ("sum(result, .n)", 6.0),
        ("sum([])", 0),
        ("keys(groupBy(result, .k))", ["a", "b"]),
        ("map(sortBy(result, .n), .n)", [1.0, 2.0, 3.0]),
        ("map(sortBy(result, .n, 'desc'), .n)", [3.0, 2.0, 1.0]),
        ("reduce(result, #acc + #.n, 10)", 16.0),
        ("reduce([1, 2, 3], #acc * #)", 6),
        ("map([[1, 2], [3]], sum(#))", [3, 3]),
        ("map([1, 2], {let y = # * 2; y + 1})", [3, 5]),
    ],
)
def test_walks(text: str, expected: Any) -> None:
    assert evaluate(text, ITEMS, NOW) == expected


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("map([1], #nothing)", "unknown pointer #nothing"),
        ("count([1])", "predicate should return boolean (got int)"),
        ("sum(['a'])", "invalid argument for sum (type string)"),
        ("groupBy([1], #)", "groupBy needs strings as keys (got int)"),
        ("reduce([], #)", "reduce of empty array with no initial value"),
        ("sortBy([1, 2], #, 'up')", 'invalid order, expected "asc" or "desc"'),
        ("all([1])", "invalid number of arguments for all (expected 2, got 1)"),
    ],
)
def test_refusals(text: str, words: str) -> None:
    with pytest.raises(ExpressionError) as refused:
        evaluate(text, ITEMS, NOW)
    assert str(refused.value) == words
