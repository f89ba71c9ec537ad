"""What conditions mean (contract 6.9)."""

import math
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.analysis.conditions import Conditions, assess
from reconciler.analysis.model import RunPhase
from reconciler.expr.evaluate import evaluate, holds, moment
from reconciler.expr.syntax import ExpressionError
from tests.kit.analysis import NOW

ANY = {"f": 1.5, "n": None, "s": "text", "l": [3.0, 1.0, 2.0], "m": {"k": "v"}, "b": True}


def value(text: str, result: Any = ANY) -> Any:
    return evaluate(text, result, NOW)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1 + 2 * 3 - 4", 3),
        ("7 / 2", 3.5),
        ("6 / 3", 2.0),
        ("7 % 3", 1),
        ("-7 % 3", -1),
        ("2 ** 3", 8.0),
        ("2 ^ -1", 0.5),
        ("1 / 0", math.inf),
        ("-1 / 0", -math.inf),
        ("9223372036854775807 + 1", -(2**63)),
        ("'a' + 'b'", "ab"),
        ("1 == 1.0", True),
        ("1 < 2 and 2 <= 2 and 3 > 2.5 and not (1 >= 2)", True),
        ("1 < 2 < 3", True),
        ("3 > 2 > 2", False),
        ("1 != 2 == true", True),
        ("result.s == 1", False),
        ("'b' > 'a'", True),
        ("true ? 1 : 2", 1),
        ("false ?: true", True),
        ("result.n ?? 5", 5),
        ("result.n ?? result.n ?? -1", -1),
        ("if result.b {1} else {2}", 1),
        ("1 in [1, 2]", True),
        ("'a' in {'b': 1}", False),
        ("'b' in {'b': 1}", True),
        ("1 in {'b': 1}", False),
        ("'a' contains result.n", False),
        ("result.n contains 'a'", False),
        ("mean([])", 0.0),
        ("9223372036854775807", 2**63 - 1),
        ("abs(-1 / 0)", math.inf),
        ("'k' in result.m", True),
        ("3 not in [1, 2]", True),
        ("1 in nil", False),
        ("'abc' contains 'b'", True),
        ("'abc' startsWith 'a' && 'abc' endsWith 'c'", True),
        ("'abc' not contains 'z'", True),
        ("'v1.2' matches '^v\\\\d+'", True),
        ("nil matches 'a'", False),
        ("result.l[-1]", 2.0),
        ("result['l'][0]", 3.0),
        ("result.missing", None),
        ("result.n?.x.y", None),
        ("result?.f", 1.5),
        ("result.l[1:]", [1.0, 2.0]),
        ("result.l[:-1]", [3.0, 1.0]),
        ("'hello'[1:3]", "el"),
        ("1..3", [1, 2, 3]),
        ("3..1", []),
        ("let x = 2; x * x", 4),
        ("1; 2", 2),
        ("{a: 1, 'b': 2, (result.s): 3}", {"a": 1, "b": 2, "text": 3}),
        ("[1, 2,]", [1, 2]),
        ("$env.result.f", 1.5),
        ("result.l | filter(# > 1) | len()", 2),
        ("result | get('m').k", "v"),
        ("all(result.l, {# > 0})", True),
        ("duration('90s') > duration('1m')", True),
        ("(now() - duration('1h')) < now()", True),
        ("(now() - (now() - duration('90s'))).Minutes()", 1.5),
        ("now().Unix()", int(NOW.timestamp())),
        ("-duration('1s') + duration('1s') == duration('0s')", True),
    ],
)
def test_values(text: str, expected: Any) -> None:
    found = value(text)
    assert found == expected and type(found) is type(expected)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("unknown", "unknown name unknown"),
        ("true || unknown", "unknown name unknown"),
        ("foo(1)", "unknown name foo"),
        ("1 + 'a'", "invalid operation: + (mismatched types int and string)"),
        ("result.f + result.s", "invalid operation: + (mismatched types float64 and string)"),
        ("1 < 'a'", "invalid operation: < (mismatched types int and string)"),
        ("1 == 'a'", "invalid operation: == (mismatched types int and string)"),
        ("true && 1", "invalid operation: && (mismatched type int)"),
        ("!result.f", "invalid operation: ! (mismatched type float64)"),
        ("result.f % 2", "invalid operation: % (mismatched types float64 and int)"),
        ("1 % 0", "runtime error: integer divide by zero"),
        ("result.l[3]", "index out of range: 3 (array length is 3)"),
        ("result.n.x", "cannot fetch x from nil"),
        ("result.f.x", "cannot fetch x from float64"),
        ("#", "cannot use pointer accessor outside closure"),
        ("filter(1, true)", "builtin filter takes only array (got int)"),
        ("filter([1], #)", "predicate should return boolean (got int)"),
        ("len()", "not enough arguments to call len"),
        ("len('a', 'b')", "too many arguments to call len"),
        ("'a' matches '('", "error parsing regexp: missing ): ("),
        ("3 == 3 < 4", "invalid operation: < (mismatched types bool and int)"),
        ("float('1_0')", 'float: parsing "1_0": invalid syntax'),
        ("float(' 1')", 'float: parsing " 1": invalid syntax'),
        ("fromPairs([[1, 2]])", "fromPairs() takes an array of [string, any]"),
        ("fromPairs(['ab'])", "fromPairs() takes an array of [string, any]"),
        ("result.l['a']", "cannot fetch a from []interface {}"),
        ("result.l[1.5]", "cannot fetch 1.5 from []interface {}"),
        ("'a'..3", "invalid operation: .. (mismatched types string and int)"),
        ("1..'a'", "invalid operation: .. (mismatched types int and string)"),
        ("9223372036854775808", "integer literal 9223372036854775808 is out of range"),
        ("1 in 2", 'operator "in" not defined on int'),
        ("1 .. 1000000000", "memory budget exceeded: a range holds at most 100000 numbers"),
        ("map(1..90000, {map(1..90000, {#})})", "memory budget exceeded: the expression takes too much work"),
        ("count(1..1000, {map(1..400, 1) == map(1..400, 1)}) > 0", "memory budget exceeded: the expression takes too much work"),
        ("repeat('a', 1000000000)", "memory budget exceeded: the expression takes too much work"),
        ("let a = repeat('x', 300000); map(1..30, a + a)", "memory budget exceeded: the expression takes too much work"),
        ("isNaN(1)", "cannot use int as argument (type float64) to call isNaN"),
        ("now() + now()", "invalid operation: + (mismatched types time.Time and time.Time)"),
    ],
)
def test_errors_say_why(text: str, words: str) -> None:
    with pytest.raises(ExpressionError) as refused:
        value(text)
    assert str(refused.value) == words


def test_a_number_known_to_be_one_is_never_compared_with_text() -> None:
    with pytest.raises(ExpressionError, match="mismatched types float64 and string"):
        value("len(result) == 1 && result[0] == 'a'", [0.5])


def test_nan_compares_with_nothing() -> None:
    assert not holds("result[0] == result[0] || result[0] < 1 || result[0] > 1", [math.nan], NOW)


def test_a_condition_must_yield_a_boolean() -> None:
    with pytest.raises(ExpressionError, match=r"^expected bool, but got float64$"):
        holds("result[0]", [1.0], NOW)


T, F = "true", "false"


@pytest.mark.parametrize(
    ("success", "failure", "phase"),
    [
        ("", "", "Successful"),
        (T, "", "Successful"),
        (F, "", "Failed"),
        ("", T, "Failed"),
        ("", F, "Successful"),
        (T, T, "Failed"),
        (F, T, "Failed"),
        (T, F, "Successful"),
        (F, F, "Inconclusive"),
    ],
)
def test_the_table_of_two_conditions(success: str, failure: str, phase: str) -> None:
    assert assess(Conditions(success, failure), [1.0], NOW).phase == phase


@pytest.mark.parametrize("empty", [[], None])
def test_no_data_is_never_a_pass_nor_a_failure(empty: Any) -> None:
    assessed = assess(Conditions("result[0] < 5"), empty, NOW)
    assert assessed.phase is RunPhase.ERROR
    reason = "metric result is nil or empty: no data returned from the metric provider"
    assert assessed.message == f'could not evaluate successCondition "result[0] < 5": {reason}'


def test_a_broken_failure_condition_is_an_error_too() -> None:
    assessed = assess(Conditions("", "result.x.y"), {}, NOW)
    assert (assessed.phase, assessed.message) == (
        RunPhase.ERROR,
        'could not evaluate failureCondition "result.x.y": cannot fetch y from nil',
    )


@pytest.mark.parametrize(
    ("text", "result", "expected"),
    [
        ("isNaN(result[0])", [math.nan], True),
        ("len(result) == 0 or result[0] < 5", [], True),
        ("default(result, 0) < 5", None, True),
        ("default(result, 0) < 5", 7.0, False),
        ("isNil(result.anything)", {}, False),
        ("isNil(5)", None, True),
        ("isInf(result)", -math.inf, True),
        ("len(result) > 0 && !isNaN(result[0]) && result[0] >= 0.95", [0.97], True),
        ("len(result) > 0 && !isNaN(result[0]) && result[0] >= 0.95", [math.nan], False),
        ('result.status == "ok" && result.items[0].count >= 3', {"status": "ok", "items": [{"count": 3.0}]}, True),
        ("result == 'ok'", "ok", True),
        ("result", True, True),
        ("asFloat(result.v) > 0.5", {"v": "0.75"}, True),
        ("asInt(result.v) == 3", {"v": 3.9}, True),
        ("all(result, {.up == true})", [{"up": True}, {"up": True}], True),
    ],
)
def test_recipes(text: str, result: Any, expected: bool) -> None:
    assert holds(text, result, NOW) is expected


def test_hostile_patterns_cost_steps_not_minutes() -> None:
    assert holds("result matches '(a+)+$'", "a" * 200 + "b", NOW) is False
    with pytest.raises(ExpressionError, match="too much work"):
        holds("result matches '(x+x+){64}y'", "x" * 200_000, NOW)


HUGE = {"s": "x" * 2_000_000, "t": "x" * 2_000_000, "l": [[1.0] * 200_000]}


@pytest.mark.parametrize(
    "text",
    [
        "count(1..30000, {result.s contains 'yy'}) > 0",
        "count(1..30000, {result.s == result.t}) > 0",
        "count(1..30000, {result.s <= result.t}) > 0",
        "count(1..1000, {result.l == [map(1..3, 1.0)]}) > 0 || count(1..1000, {result.l == result.l}) > 0",
        "count(1..1000, {max(result.l) > 0}) > 0",
        "count(1..1000, {len(result.s[1:]) > 0}) > 0",
        "len(sort(result.l[0])) > 0",
        "len(sortBy(result.l[0], #)) > 0",
        "len(uniq(1..90000)) > 0",
    ],
)
def test_a_small_condition_cannot_do_unbounded_work_on_a_large_answer(text: str) -> None:
    with pytest.raises(ExpressionError, match="too much work"):
        value(text, HUGE)


def test_a_large_answer_may_be_looked_at() -> None:
    assert holds("len(result.s) == 2000000 && result.s startsWith 'x' && all(1..30000, # > 0)", HUGE, NOW)


def test_an_answer_that_nests_deeply_is_no_bug() -> None:
    deep: Any = 1.0
    for _ in range(900):
        deep = [deep]
    assert holds("max(result) == 1", deep, NOW)
    assert assess(Conditions("len(toJSON(result)) > 0"), deep, NOW).phase in ("Successful", "Error")
    assert assess(Conditions("result == result"), deep, NOW).phase == "Error"


def test_nothing_of_python_is_within_reach() -> None:
    for text in ("result.__class__", "result['__class__']", "$env.__class__", "''.format"):
        try:
            assert value(text) is None
        except ExpressionError:
            continue


def test_a_moment_is_an_expression_of_time() -> None:
    assert moment("now() - duration('1h')", NOW) == NOW - timedelta(hours=1)
    with pytest.raises(ExpressionError, match=r"expected time\.Time, but got int"):
        moment("1", NOW)


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=5),
    lambda x: st.lists(x, max_size=3) | st.dictionaries(st.text(max_size=3), x),
)
WORDS = """result [0] .a ?.b ?.[ + - * / % ** < == != && || ! ( ) [ ] { } # : , ? ?? .. 1 2.5 'x' nil true in matches | not if else
    len filter( map( sum( sort( let x = ; string( int( now() duration( repeat( max( reduce( date( split( join( get( $env"""
PIECES = st.sampled_from(WORDS.split())


@given(st.lists(PIECES, max_size=12).map(" ".join), JSON)
def test_any_condition_on_any_result_is_an_answer_or_an_explained_error(text: str, result: Any) -> None:
    first = assess(Conditions(text, text), result, NOW)
    assert first == assess(Conditions(text, text), result, NOW)
    assert first.phase is not RunPhase.ERROR or first.message
