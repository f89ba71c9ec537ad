"""Cutting a script into operators and words."""

from reconciler_sandbox.node.lexer import Lexer
from reconciler_sandbox.node.script import parse
from reconciler_sandbox.node.syntax import Silence, Substitution, Text, Variable


def tokens(text: str) -> list[object]:
    return list(Lexer(text, parse).tokens())


def test_comments_and_continued_lines_disappear() -> None:
    assert len(tokens("echo a \\\n b # the rest")) == 3


def test_quotes_join_into_one_word_and_mark_what_is_not_split() -> None:
    (word,) = tokens("""a'b c'"d $X" """)
    assert isinstance(word, tuple)
    assert "".join(part.text for part in word if isinstance(part, Text)) == "ab cd "
    assert [part for part in word if isinstance(part, Variable)] == [Variable("X", "", quoted=True)]


def test_a_substitution_ends_at_its_own_parenthesis() -> None:
    (word,) = tokens("$(echo ')' $(echo x))")
    assert isinstance(word, tuple)
    assert isinstance(word[0], Substitution)
    assert len(word) == 1


def test_only_standard_output_sent_to_nowhere_silences_a_command() -> None:
    assert [token for token in tokens("echo >/dev/null 2>&1") if isinstance(token, Silence)]
    assert not [token for token in tokens("echo 2>/dev/null") if isinstance(token, Silence)]


def test_a_default_stands_in_for_a_variable() -> None:
    assert tokens("${X:-y}") == [(Variable("X", "y", quoted=False),)]
