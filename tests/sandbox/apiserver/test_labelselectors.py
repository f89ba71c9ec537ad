"""The grammar of label selectors."""

import pytest
from reconciler_sandbox.apiserver.failures import Failure
from reconciler_sandbox.apiserver.labelselectors import parse

LABELS = {"app": "web", "n": "5", "empty": ""}


@pytest.mark.parametrize(
    "text",
    [
        "", "app", "!nope", "! nope", "app=web", "app==web", "app = web", "app!=api", "nope!=x", "app in (web,api)", "app in(web)",
        "app notin (api)", "nope notin (x)", "empty=", "empty in ()", "empty in (,x)", "n>4", "n<6", "app=web,n", "app,n,!nope",
    ],
)  # fmt: skip
def test_what_holds_of_labels(text: str) -> None:
    assert all(requirement(LABELS) for requirement in parse(text))


@pytest.mark.parametrize(
    "text", ["nope", "!app", "app=api", "app!=web", "app in (api)", "app in ()", "app=", "nope=", "n>5", "n<5", "app>1"]
)
def test_what_does_not_hold_of_them(text: str) -> None:
    assert not all(requirement(LABELS) for requirement in parse(text))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("=web", "found '=', expected: !, identifier, or 'end of string'"),
        ("app=web,", "found '', expected: identifier after ','"),
        ("app,,n", "found ',', expected: identifier after ','"),
        ("app=a b", "found 'b', expected: ',' or 'end of string'"),
        ("a b", "unable to parse requirement: found 'b', expected: '=', '!=', '==', 'in', notin'"),
        ("app in web", "unable to parse requirement: found 'web' expected: '('"),
        ("app in (web", "unable to parse requirement: found '', expected: ',' or ')'"),
        ("app === web", "unable to parse requirement: found '=', expected: identifier"),
        ("app=(", "unable to parse requirement: found '(', expected: identifier"),
        ("!", "unable to parse requirement: found '', expected: identifier"),
        ("n>x", "unable to parse requirement: values[0]: Invalid value: \"x\": for 'Gt', 'Lt' operators, the value must be an integer"),
        ("-a", 'unable to parse requirement: <nil>: Invalid value: "-a": name part must consist of'),
        ("app=a/b", 'unable to parse requirement: values[0][app]: Invalid value: "a/b": a valid label must be'),
        ("app in (-)", 'unable to parse requirement: values[0][app]: Invalid value: "-": a valid label must be'),
    ],
)
def test_what_does_not_follow_the_grammar_is_told_where(text: str, words: str) -> None:
    with pytest.raises(Failure) as refused:
        parse(text)
    assert refused.value.code == 400 and refused.value.message.startswith(words)


def test_words_of_the_grammar_are_names_where_a_name_belongs() -> None:
    assert all(requirement({"in": "in"}) for requirement in parse("in in (in)"))
