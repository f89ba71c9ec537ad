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
    "text",
    [
        "=web", "app=web,", "app,,n", "app=a b", "a b", "app in web", "app in (web", "app === web", "app=(", "!", "n>x", "-a", "app=a/b",
        "app in (-)", ",", "app in (a b)",
    ],
)  # fmt: skip
def test_what_does_not_follow_the_grammar_is_refused(text: str) -> None:
    with pytest.raises(Failure) as refused:
        parse(text)
    assert refused.value.code == 400 and refused.value.message.startswith("unable to parse requirement: ")


def test_words_of_the_grammar_are_names_where_a_name_belongs() -> None:
    assert all(requirement({"in": "in"}) for requirement in parse("in in (in)"))
