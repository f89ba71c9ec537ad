"""Functions of texts and times (contract 6.9)."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from reconciler.expr.evaluate import evaluate
from reconciler.expr.syntax import ExpressionError
from tests.kit.analysis import NOW


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("trim('  a ')", "a"),
        ("trim('xax', 'x')", "a"),
        ("trimPrefix('v1', 'v')", "1"),
        ("trimSuffix('1%', '%')", "1"),
        ("upper('a') + lower('B')", "Ab"),
        ("split('a,b,c', ',')", ["a", "b", "c"]),
        ("split('a,b,c', ',', 2)", ["a", "b,c"]),
        ("split('abc', '')", ["a", "b", "c"]),
        ("split('abc', '', 2)", ["a", "bc"]),
        ("split('a', ',', 0)", []),
        ("splitAfter('a,b', ',')", ["a,", "b"]),
        ("replace('aaa', 'a', 'b')", "bbb"),
        ("replace('aaa', 'a', 'b', 2)", "bba"),
        ("repeat('ab', 2)", "abab"),
        ("indexOf('abcb', 'b')", 1),
        ("lastIndexOf('abcb', 'b')", 3),
        ("indexOf('a', 'z')", -1),
        ("hasPrefix('abc', 'a') && hasSuffix('abc', 'c')", True),
        ("duration('1h30m')", timedelta(minutes=90)),
        ("now()", NOW),
        ("date('2026-11-25')", datetime(2026, 11, 25, tzinfo=UTC)),
        ("date('2026-11-25T10:00:00+02:00')", datetime(2026, 11, 25, 8, tzinfo=UTC)),
        ("date('25/11/2026', '02/01/2006')", datetime(2026, 11, 25, tzinfo=UTC)),
        ("timezone('UTC')", "UTC"),
    ],
)
def test_functions(text: str, expected: Any) -> None:
    assert evaluate(text, {}, NOW) == expected


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("trim(1)", "invalid argument for trim (type int)"),
        ("repeat('a', -1)", "invalid argument for repeat (expected positive integer)"),
        ("split('a', ',', 'x')", "a limit must be an integer"),
        ("duration('soon')", 'time: invalid duration "soon"'),
        ("date('someday')", "invalid date someday"),
        ("timezone('Mars/Olympus')", "unknown time zone Mars/Olympus: only UTC is known here"),
        ("replace(repeat('a', 100000), 'a', repeat('b', 1000))", "memory budget exceeded: the expression takes too much work"),
        ("now() - duration('2562047h') * 1000", "invalid operation: -: the time is out of range"),
    ],
)
def test_refusals(text: str, words: str) -> None:
    with pytest.raises(ExpressionError) as refused:
        evaluate(text, {}, NOW)
    assert str(refused.value) == words
