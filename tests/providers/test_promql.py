"""PromQL is understood before it is asked: its kind, what it answers without data, and what is wrong with it."""

import random
import time

import promql_parser
import pytest

from reconciler.providers.prometheus_queries import without_fallback
from reconciler.providers.promql import DEEPEST, LONGEST, AnswerKind, misread, understand
from tests.kit.promql import ask, filled
from tests.real.kit.queries import PICKED, counted, generated, of_our_files

OURS = [*of_our_files(), *counted()]


@pytest.mark.parametrize(
    ("kind", "queries"),
    [
        ("scalar", ["1 + 2", "scalar(x)", "time()", "-(1)"]),
        ("vector", ["x", "1 + x", "vector(1)", "x > bool 1", "sum(x)"]),
        ("matrix", ["x[5m]", "x[1h:5m]"]),
        ("string", ['"a"']),
    ],
)
def test_the_kind_of_an_answer_is_known_beforehand(kind: str, queries: list[str]) -> None:
    kinds = [found.kind if (found := understand(query)) is not None else None for query in queries]
    assert kinds == [AnswerKind(kind)] * len(queries)


@pytest.mark.parametrize(
    ("query", "fallback", "bare"),
    [
        ("x or vector(0)", 0, "x"),
        ("(x or vector(1))", 1, "x"),
        ("x or on() vector(0)", 0, "x"),
        ("x OR ON () vector(2) # why", 2, "x"),
        ("vector(3) or x", 3, "x"),
        ("sum(x or vector(1)) * 100", 100, "x"),
        ("100 * (1 - (x or vector(0)))", 100, "x"),
        ("-(x or vector(2))", -2, "x"),
        ("scalar(x or vector(2))", None, "x"),
        ("(a or vector(0)) / (b or vector(1))", 0, "(a) or (b)"),
        ("a or b or vector(0)", 0, "(a) or (b)"),
        ("a or (b or vector(4))", 4, "(a) or (b)"),
        ('x or label_replace(vector(0), "a", "b", "", "")', None, "x"),
        ("(a / b > 0) or vector(1)", 1, "(a / b > 0)"),
        (r'sum(rate(x{b="\"z",path=~"\\d+\\.q"}[5m])) or vector(0)', 0, r'sum(rate(x{b="\"z",path=~"\\d+\\.q"}[5m]))'),
        ("x or vector(scalar(y))", None, "(x) or (y)"),
    ],
)
def test_what_a_query_answers_without_data_is_known(query: str, fallback: float | None, bare: str) -> None:
    found = understand(query)
    assert found is not None and (found.bare or "(x) or (y)") == bare
    assert found.fallback == fallback


@pytest.mark.parametrize(
    "query",
    ["x", "(a or vector(0)) / b", "a * on(v) (b or vector(1))", "a unless vector(1)", "absent(x)", "x == 1", "time()", "vector(1)",
     "avg_over_time(x[5m])", "(a or vector(0)) and b"],
)  # fmt: skip
def test_a_query_that_is_silent_without_data_has_no_fallback(query: str) -> None:
    assert without_fallback(query) == ""


DATA = {"a": "1", "b": "2"}


@pytest.mark.parametrize(
    "query", ["(a or vector(0)) / (b or vector(1))", "sum(a or vector(1)) * 100", "(a or b or vector(0))", "-(a or vector(3))"]
)
@pytest.mark.parametrize("present", [(), ("a",), ("b",), ("a", "b")])
def test_the_bare_query_is_empty_exactly_where_only_the_fallback_speaks(query: str, present: tuple[str, ...]) -> None:
    store, empty = filled({name: DATA[name] for name in present}), filled({})
    answer, without = ask(store, query), ask(empty, query)
    silent = ask(store, without_fallback(query)) == {}
    assert silent is not any(name in query and name in present for name in DATA)
    assert answer == without if silent else answer


@pytest.mark.parametrize("query", OURS)
def test_our_own_queries_are_understood_and_written_anew_alike(query: str) -> None:
    assert misread(query) is None
    tree = promql_parser.parse(query)
    anew = promql_parser.parse(tree.prettify())
    assert sorted(str(anew)) == sorted(str(tree)), "but for the order of matchers"


@pytest.mark.parametrize(
    ("query", "words", "sure"),
    [
        ("sum(rate(x[5m])", "unclosed left parenthesis", True),
        ("x)", "unexpected right parenthesis", True),
        ('x{a="b}', "unterminated", True),
        ("x{a=b}", "unexpected identifier", True),
        ("1 or vector(1)", "set operator", True),
        ("sum by ({{args.by}}) (rate(x[{{args.window}}])", "unclosed", True),
        ("rate(x)", "expected type matrix", False),
        ("sum(rate(x[5m]) keep_metric_names)", "invalid", False),
        ("x default 0", "invalid", False),
    ],
)
def test_what_is_no_promql_is_told_and_what_another_server_may_take_is_doubted(query: str, words: str, *, sure: bool) -> None:
    found = misread(query)
    assert found is not None and words in found.words and found.sure is sure


@pytest.mark.parametrize(
    "query",
    [
        'x{v="{{args.version}}"}',
        "{{args.query}}",
        "sum by ({{args.by}}) (rate(x{ {{args.match}} }[{{ args.window }}]))",
        "x > {{args.limit}}",
        r'label_replace(x, "a", "$1", "b", "(\\d+)")',
        r"x{a=~`\d+`}",
        "({{args.a}} + {{args.b}} + {{args.c}} + {{args.d}}",
    ],
)
def test_a_query_that_may_be_right_is_not_told(query: str) -> None:
    assert misread(query) is None


BOMBS = ["(" * 100_000, "-" * 50_000 + "x", "x" + "+x" * (DEEPEST + 1), "x or " * 20_000 + "x", "x" * (LONGEST + 1), "sum(" * 9_000 + "x"]


@pytest.mark.parametrize("query", BOMBS, ids=range(len(BOMBS)))
def test_a_bomb_is_not_handed_to_the_parser(query: str) -> None:
    began = time.process_time()
    assert understand(query) is None and misread(query) is None
    assert time.process_time() - began < 5, "linear work"


def test_whatever_is_written_nothing_flies() -> None:
    dice, parts = (
        random.Random(12),
        [*"(){}[],\"'`=~!<>+-*/%^@:#\\ \n\0é", "or", "offset", "-9223372036854775808", "1e999", "\ud800", "{{args.x}}", "5m"],
    )
    queries = [*OURS, *PICKED, *generated(40)]
    for _ in range(3000):
        query = dice.choice(queries)
        for _ in range(dice.randint(1, 3)):
            place = dice.randrange(len(query) + 1)
            query = query[:place] + dice.choice(parts) + query[place + dice.randint(0, 4) :]
        understand(query)
        assert misread(query) is None or misread(query) != ""
