"""RE2's meaning in linear time."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.expr.patterns import InvalidPattern, compile_pattern


@pytest.mark.parametrize(
    ("pattern", "text", "found"),
    [
        ("", "", True),
        ("b", "abc", True),
        ("^b", "abc", False),
        ("c$", "abc", True),
        ("b$", "ab\n", False),
        ("(?m)b$", "ab\nc", True),
        ("a.c", "a\nc", False),
        ("(?s)a.c", "a\nc", True),
        ("(?i)ABC", "xabcx", True),
        ("a(?i:B)c", "aBC", False),
        ("^(a|bc){2,3}$", "abcbc", True),
        ("^(a|bc){2,3}$", "a", False),
        ("^a{2}$", "aaa", False),
        ("^a{2,}$", "aaaa", True),
        ("a{,2}", "a{,2}", True),
        ("^x*?y+?z??$", "xxyy", True),
        (r"^\d{3}-\w+\s\S$", "123-a_b !", True),
        (r"^[^\d\s]+$", "abc", True),
        (r"^[[:alpha:]_-]+$", "a-b_c", True),
        (r"^[[:^alpha:]]+$", "1-2", True),
        (r"^[\]a-]+$", "]a-", True),
        ("^[]a]+$", "]a", True),
        (r"\bfoo\b", "a foo b", True),
        (r"\bfoo\b", "afoob", False),
        (r"\Boo", "foo", True),
        (r"\Aa\z", "a", True),
        (r"\Q.*\E$", "x.*", True),
        (r"^\x41\x{42}\t$", "AB\t", True),
        ("(?P<n>a)(?:b)", "ab", True),
        ("a||b", "", True),
        ("^(?:)*$", "", True),
        ("(a*)*b", "aac", False),
    ],
)
def test_matches(pattern: str, text: str, found: bool) -> None:
    assert compile_pattern(pattern).search(text) is found


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        ("*", "no argument for repetition operator: *"),
        ("a**", "bad repetition operator: **"),
        ("(", "missing ): ("),
        ("a)", "unexpected ): a)"),
        ("[a", "missing ]: [a"),
        ("[z-a]", "invalid character class range: z-a"),
        ("(?=x)", "invalid perl operator: (?="),
        ("(?<!x)", "invalid perl operator: (?<!"),
        (r"(a)\1", r"invalid escape sequence: \1"),
        (r"a\C", r"invalid escape sequence: \C"),
        ("\\", "trailing \\"),
        ("a{2001}", "invalid repetition size: {2001}"),
        ("a{3,2}", "invalid repetition size: {3,2}"),
        ("((a{100}){100}){100}", "invalid repetition size: {100}"),
        (r"\pL{1000}", "pattern too large - compile failed"),
    ],
)
def test_what_re2_has_not_is_refused(pattern: str, words: str) -> None:
    with pytest.raises(InvalidPattern) as refused:
        compile_pattern(pattern)
    assert str(refused.value) == f"error parsing regexp: {words}"


def test_an_escaped_backslash_or_a_quotation_before_a_c_is_no_escape_sequence() -> None:
    assert compile_pattern(r"^\\C\Q\C\E$").search("\\C\\C")


def test_half_a_surrogate_pair_is_the_replacement_character_as_in_go() -> None:
    assert compile_pattern("^\ufffd$").search("\ud800")
    assert compile_pattern("^\ud800$").search("\ufffd")
    assert compile_pattern("^.$").search("\U0001f600")


def test_a_text_that_costs_too_much_is_refused() -> None:
    with pytest.raises(InvalidPattern, match="too many steps"):
        compile_pattern("(x+x+){64}y").search("x" * 1_000_000)


def test_a_pattern_that_python_would_try_for_hours_answers_at_once() -> None:
    assert not compile_pattern("^(x+x+)+y$").search("x" * 100_000)


ATOMS = st.sampled_from(["a", "b", ".", "[ab]", "[^a]", "(a|b)", "(?:(ab)*)", r"\d", r"\w", "(?:a?)", "(a|)"])
PARTS = st.tuples(ATOMS, st.sampled_from(["", "*", "+", "?", "{1,2}", "*?"])).map("".join)
PATTERNS = st.lists(PARTS, max_size=5).map("".join)


@given(PATTERNS, st.text("ab1\n", max_size=8), st.booleans())
def test_simple_patterns_mean_the_same_as_elsewhere(pattern: str, text: str, whole: bool) -> None:
    full = f"^{pattern}$" if whole else pattern
    python = re.compile(full.replace("$", r"\Z"), re.ASCII)
    assert compile_pattern(full).search(text) is (python.search(text) is not None)


@given(st.text(max_size=30) | st.text("ab()[]{}*+?|^$\\.-,0123:QEd", max_size=30), st.text("ab", max_size=10))
def test_random_patterns_answer_or_are_refused(pattern: str, text: str) -> None:
    try:
        assert compile_pattern(pattern).search(text) in (True, False)
    except InvalidPattern:
        return
