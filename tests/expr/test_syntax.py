"""Text to tree: what can be written, what is refused, and that nothing hostile gets further."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.expr.syntax import DEEPEST, LONGEST, ExpressionError, SyntaxNode, parse


def shape(node: SyntaxNode) -> object:
    """A tree in short."""
    word = node.word if node.word is not None else node.kind
    return (word, *map(shape, node.parts)) if node.parts else word


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("a + b * c", "a + (b * c)"),
        ("a * b ** c ** d", "a * (b ** (c ** d))"),
        ("-a ** b", "-(a ** b)"),
        ("!a || b && c", "(!a) || (b && c)"),
        ("not a or b and c", "(!a) || (b && c)"),
        ("a ?? b + c", "(a ?? b) + c"),
        ("a + 1 < b * 2", "(a + 1) < (b * 2)"),
        ("a ? b : c ? d : e", "a ? b : (c ? d : e)"),
        ("if a {b} else {c}", "a ? b : c"),
        ("if a {b} else if c {d} else {e}", "a ? b : (c ? d : e)"),
        ("1..2+3", "1..(2+3)"),
        ("filter(x, {# > 1})", "filter(x, # > 1)"),
        ("all(x, .y)", "all(x, #.y)"),
        ("'a\\u0041\\x42\\n'", '"aAB\\n"'),
        ("`a\\b`", "'a\\\\b'"),
        ("0x1F + 1_000 + 0b11 + 0o17", "31 + 1000 + 3 + 15"),
        ("1 /* two */ + 3 // four", "1 + 3"),
        ("a?.b?.[0]", "(a)?.b?.[0]"),
        ("a not in b", "a not  in b"),
        ("a + b | f(c) > d | g()", "g(f(a + b, c) > d)"),
        ("a | f().x[0] ? b : c", "f(a).x[0] ? b : c"),
    ],
)
def test_two_ways_to_write_the_same(one: str, other: str) -> None:
    def flat(node: SyntaxNode) -> object:
        if node.kind == "chain" and len(node.parts) == 1:
            return flat(node.parts[0])
        return (node.kind, node.word, *map(flat, node.parts))

    assert flat(parse(one)) == flat(parse(other))


def test_words_that_begin_like_operators_are_names() -> None:
    assert [parse(name).kind for name in ("inside", "order", "android", "notes", "letter", "iffy", "matcher")] == ["name"] * 7


def test_members_may_be_called_like_operators() -> None:
    assert shape(parse("result.in")) == ("chain", "result", "in")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "unexpected token EOF"),
        ("1 +", "unexpected token EOF"),
        ("1 2", 'unexpected token "2" (1:3)'),
        ("a = 1", 'unexpected token "=" (1:3)'),
        ("result[", "unexpected token EOF"),
        ("'open", 'unexpected token "\'" (1:1)'),
        ("'\\q'", "unknown escape \\q"),
        ("'\\uZZZZ'", "invalid escape \\uZZZZ"),
        ("99999999999999999999", "integer literal 99999999999999999999 is out of range"),
        ("1 | 2", "a function call must follow |"),
        ("1 | -f()", "a function call must follow |"),
        ("08x", 'unexpected token "x" (1:3)'),
        ("a" * (LONGEST + 1), f"expression is longer than {LONGEST} characters"),
        ("(" * 100 + "-1" + ")" * 100 + "+ [" * 0, None),
        ("-" * (DEEPEST + 5) + "1", f"expression nests deeper than {DEEPEST} levels"),
        ("[" * 80 + "]" * 80, f"expression nests deeper than {DEEPEST} levels"),
        ("x" + "[0" * 80 + "]" * 80, f"expression nests deeper than {DEEPEST} levels"),
    ],
)
def test_what_is_refused_says_why(text: str, words: str | None) -> None:
    if words is None:
        assert parse(text).kind == "sign"
        return
    with pytest.raises(ExpressionError) as refused:
        parse(text)
    assert str(refused.value) == words


@given(st.text(max_size=60) | st.text("result[]().,:;?!<>=+-*/%&|#{}'\"` \n0123456789abinot$", max_size=60))
def test_random_text_is_a_tree_or_a_refusal(text: str) -> None:
    try:
        parse(text)
    except ExpressionError:
        return
