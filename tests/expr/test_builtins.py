"""Functions of lists, maps, numbers and conversion (contract 6.9)."""

import math
from typing import Any

import pytest

from reconciler.expr.evaluate import evaluate
from reconciler.expr.syntax import ExpressionError
from tests.kit.analysis import NOW


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("len('häß')", 3),
        ("len({a: 1})", 1),
        ("first([1, 2])", 1),
        ("last([])", None),
        ("take([1, 2, 3], 2)", [1, 2]),
        ("reverse([1, 2])", [2, 1]),
        ("sort([3, 1, 2])", [1, 2, 3]),
        ("sort(['b', 'a'], 'desc')", ["b", "a"]),
        ("concat([1], [2, 3])", [1, 2, 3]),
        ("flatten([1, [2, [3]]])", [1, 2, 3]),
        ("uniq([1, 1.0, 'a', 'a'])", [1, "a"]),
        ("join(['a', 'b'], '-')", "a-b"),
        ("min(3, [1, 2])", 1),
        ("max(1, 2.5)", 2.5),
        ("mean([1, 2, 6])", 3.0),
        ("mean(1, 2)", 1.5),
        ("median([3, 1, 2])", 2.0),
        ("median(1, 2)", 1.5),
        ("get({a: 1}, 'a')", 1),
        ("get([1], 5)", None),
        ("keys({a: 1})", ["a"]),
        ("values({a: 1})", [1]),
        ("toPairs({a: 1})", [["a", 1]]),
        ("fromPairs([['a', 1]])", {"a": 1}),
        ("abs(-3)", 3),
        ("ceil(1.2)", 2.0),
        ("floor(-1.2)", -2.0),
        ("round(2.5)", 3.0),
        ("round(-2.5)", -3.0),
        ("int('42')", 42),
        ("int(3.9)", 3),
        ("float('1.5')", 1.5),
        ("bitand(6, 3)", 2),
        ("bitor(6, 1)", 7),
        ("bitxor(6, 3)", 5),
        ("bitnand(6, 3)", 4),
        ("bitshl(1, 4)", 16),
        ("bitshl(1, 64)", 0),
        ("bitshr(-16, 2)", -4),
        ("bitushr(-1, 63)", 1),
        ("bitnot(0)", -1),
        ("string(1.5)", "1.5"),
        ("string(1000000.0)", "1e+06"),
        ("string(true)", "true"),
        ("type(1) + type(1.0) + type('') + type(nil) + type([]) + type({}) + type(true)", "intfloatstringnilarraymapbool"),
        ("fromJSON('{\"a\": [1]}').a[0]", 1.0),
        ("toJSON(1.5)", "1.5"),
        ("toBase64('hi')", "aGk="),
        ("fromBase64('aGk=')", "hi"),
        ("asInt('12')", 12),
        ("asInt(-1.9)", -1),
        ("asFloat(3)", 3.0),
    ],
)
def test_functions(text: str, expected: Any) -> None:
    found = evaluate(text, {}, NOW)
    assert found == expected and type(found) is type(expected)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("asInt('1.5')", 'asInt: parsing "1.5": invalid syntax'),
        ("asInt(' 1')", 'asInt: parsing " 1": invalid syntax'),
        ("asInt(true)", "asInt() not supported on type bool"),
        ("asFloat('x')", 'asFloat: parsing "x": invalid syntax'),
        ("asFloat(nil)", "asFloat() not supported on type nil"),
        ("asInt('99999999999999999999')", 'asInt: parsing "99999999999999999999": invalid syntax'),
        ("len(1)", "invalid argument for len (type int)"),
        ("max([])", "not enough arguments to call max"),
        ("sort([1, 'a'])", "invalid operation: < (mismatched types string and int)"),
        ("sort([1], 'up')", 'invalid order, expected "asc" or "desc"'),
        ("fromJSON('{')", "fromJSON: invalid JSON"),
        ("fromBase64('!')", "fromBase64: illegal base64 data"),
        ("bitshl(1, -1)", "invalid operation: negative shift count -1"),
        ("bitand(1.5, 1)", "cannot use float64 and int to call bitand"),
        ("toJSON(now())", "json: unsupported value: time.Time"),
        ("take([1], -1)", "take() needs a number of elements"),
        ("join([1])", "join() takes an array of strings and a string"),
    ],
)
def test_refusals(text: str, words: str) -> None:
    with pytest.raises(ExpressionError) as refused:
        evaluate(text, {}, NOW)
    assert str(refused.value) == words


def test_nan_spreads_through_numbers() -> None:
    for text in ("min(result)", "max(result)", "mean(result)", "sum(result)"):
        assert math.isnan(evaluate(text, [1.0, math.nan, 2.0], NOW)), text
    assert evaluate("mean(result)", [math.inf, 1.0], NOW) == math.inf
