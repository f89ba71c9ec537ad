"""The smallest pieces that do it: what is wanted is reached, and bytes outside of the pieces never change."""

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.yamledit.lines import Part
from reconciler.yamledit.nodes import compose_each, decode
from reconciler.yamledit.pieces import rewritten
from reconciler.yamledit.splice import EditRefused
from reconciler.yamledit.values import value_of

SCALARS = st.one_of(
    st.text("ab:#'\"{}[]é\U0001f600 -\n", max_size=6), st.integers(-9, 9), st.booleans(), st.none(), st.sampled_from(["on", "1e3"])
)
ITEMS = st.lists(st.dictionaries(st.sampled_from(["value", "ports"]), SCALARS, max_size=2), max_size=3)
VALUES = st.fixed_dictionaries(
    {"kind": st.just("X")},
    optional={
        "a": SCALARS,
        "b": st.dictionaries(st.sampled_from("xyz"), SCALARS, max_size=3),
        "c": st.lists(SCALARS, max_size=3),
        "d": ITEMS,
    },
)


def value(content: bytes, document: int = 0) -> object:
    root = compose_each(decode(content))[document].root
    assert root is not None
    return value_of(root)


def text(parsed: dict, flow: bool | None) -> str:
    named = {**parsed, "d": [{"name": f"n{at}", **item} for at, item in enumerate(parsed.get("d", []))]}
    return str(yaml.safe_dump(named, default_flow_style=flow, sort_keys=False, allow_unicode=True))


@settings(max_examples=300, deadline=None)
@given(now=VALUES, then=VALUES, flows=st.tuples(*[st.sampled_from([False, None])] * 2), ending=st.sampled_from(["\n", "\r\n"]))
def test_what_is_wanted_is_reached_and_the_rest_of_the_file_stays(now: dict, then: dict, flows: tuple, ending: str) -> None:
    before, behind = "# top\n---\nother: {{ .broken }}:80\nx: {{ if }}\n---\n", "---\nkind: Y # last\n"
    content = (before + text(now, flows[0]) + behind).replace("\n", ending).encode()
    model = text(then, flows[1]).replace("\n", ending).encode()
    at = len(compose_each(before.rstrip("-\n").replace("\n", ending)))
    wanted = value(model)
    result = rewritten(Part(content, at, ()), wanted, Part(model, 0, ()))
    assert value(result.content, at) == wanted
    assert result.content.startswith(before.replace("\n", ending).encode())
    assert result.content.endswith(behind.replace("\n", ending).encode())


@settings(max_examples=150, deadline=None)
@given(now=VALUES, then=VALUES)
def test_without_a_model_our_own_words_do(now: dict, then: dict) -> None:
    content, wanted = text(now, None).encode(), value(text(then, None).encode())
    assert value(rewritten(Part(content, 0, ()), wanted, None).content) == wanted


def test_a_file_that_is_as_wanted_is_the_same_file() -> None:
    content = b"a:   1 # note"
    assert rewritten(Part(content, 0, ()), {"a": 1}, None).content == content


def test_an_alias_whose_anchor_stays_makes_way_for_the_value() -> None:
    content = b"i: &x web:2\nm: *x\n"
    assert rewritten(Part(content, 0, ()), {"i": "web:2", "m": "web:1"}, None).content == b"i: &x web:2\nm: web:1\n"


def test_an_object_in_a_document_that_is_gone_is_refused() -> None:
    with pytest.raises(EditRefused):
        rewritten(Part(b"a: 1\n", 1, ()), {"a": 2}, None)


def test_a_whole_document_in_one_line_is_refused_and_not_stumbled_over() -> None:
    with pytest.raises(EditRefused, match="the whole document would have to be written anew"):
        rewritten(Part(b"a: {b: 1}\n", 0, ()), {}, Part(b"{}\n", 0, ()))
