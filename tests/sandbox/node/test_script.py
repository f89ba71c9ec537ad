"""What of the shell is understood, and what is named as not understood."""

import pytest
from reconciler_sandbox.node.script import parse, plain
from reconciler_sandbox.node.syntax import For, If, Simple, Unsupported, While


def test_lists_keep_how_their_commands_depend_on_each_other() -> None:
    steps = parse("true && false || echo no; ! echo yes\necho end").steps
    assert [step.connector for step in steps] == [";", "&&", "||", ";", ";"]
    assert [step.negated for step in steps] == [False, False, False, True, False]


def test_loops_and_conditions_become_nodes() -> None:
    script = parse("for i in a b; do echo $i; done\nwhile true; do echo; done; if true; then echo; elif false; then echo; else echo; fi")
    assert [type(step.node) for step in script.steps] == [For, While, If]


def test_a_keyword_as_an_argument_is_only_a_word() -> None:
    (step,) = parse("echo done if for").steps
    assert isinstance(step.node, Simple)
    assert [plain(word) for word in step.node.words] == ["echo", "done", "if", "for"]


@pytest.mark.parametrize(
    ("script", "named"),
    [
        ("curl a | grep b", "pipe"),
        ("sleep 1 &", "background"),
        ("echo `date`", "backquotes"),
        ("echo $((1+1))", "arithmetic"),
        ("case x in x) ;; esac", "case"),
        ("( echo )", r"\("),
        ("echo > /tmp/file", "redirection"),
        ("echo 'open", "never closed"),
        ('echo "open', "never closed"),
        ("echo $1", r"\$1"),
        ("echo ${x%y}", "expansion"),
        ("if true; then echo", "'fi' is missing"),
        ("for i; do echo; done", "without `in`"),
        ("echo )", "near"),
    ],
)
def test_what_is_not_understood_is_named(script: str, named: str) -> None:
    with pytest.raises(Unsupported, match=named):
        parse(script)
