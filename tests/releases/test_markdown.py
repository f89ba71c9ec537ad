"""Escaping: what strangers write shows as text, and a cut comment is still whole."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.releases.announce.markdown import BREAK, LIMIT, cell, clean, code, cut, fenced, marker, plain, shortened, table


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("**bold** [a](b)", r"\*\*bold\*\* \[a\]\(b\)"),
        ("<script>", r"&lt;script\>"),
        ("<!-- reconciler:v1 x -->", r"&lt;\!\-\- reconciler:v1 x \-\-\>"),
        ("&#64;ann", rf"&amp;\#{BREAK}64;ann"),
        ("@ann and a@b", f"@{BREAK}ann and a@{BREAK}b"),
        ("see #12, gh-3", rf"see \#{BREAK}12, gh{BREAK}\-3"),
        ("https://x.example/y", f":{BREAK}//".join(["https", "x.example/y"])),
        ("one\ntwo\r\nthree", "one two three"),
        ("1. item", r"1\. item"),
        ("a\u202eb\x1b[31m", r"ab\[31m"),
    ],
)
def test_plain_text_is_only_text(text: str, shown: str) -> None:
    assert plain(text) == shown


@pytest.mark.parametrize(
    ("text", "span"),
    [("x", "`x`"), ("a`b", "``a`b``"), ("`a``b", "``` `a``b ```"), ("a\nb", "`a b`"), ("", ""), ("@ann <!--", "`@ann <!--`")],
)
def test_a_code_span_is_longer_than_the_backticks_in_it(text: str, span: str) -> None:
    assert code(text) == span


def test_a_fence_is_longer_than_any_in_it() -> None:
    assert fenced("a\n````\n@ann", "json") == "`````json\na\n````\n@ann\n`````"
    assert fenced("x", "js` onload") == "```jsonload\nx\n```"


@given(st.text(alphabet="`ab\n ~"))
def test_no_text_closes_its_fence(text: str) -> None:
    first, *inner, last = fenced(text).split("\n")
    assert first == last
    assert not any(re.fullmatch(r" {0,3}`+\s*", line) and len(line.strip()) >= len(first) for line in inner)


@pytest.mark.parametrize(("markup", "inside"), [("a|b", r"a\|b"), (r"a\|b", r"a\|b"), (r"a\\|b", r"a\\\|b"), ("a\nb", "a<br>b")])
def test_a_cell_ends_where_we_end_it(markup: str, inside: str) -> None:
    assert cell(markup) == inside


def test_a_table_has_a_head_and_rows() -> None:
    assert table(["metric", "value"], [["`a|b`", "1"]]) == "| metric | value |\n| --- | --- |\n| `a\\|b` | 1 |"


@given(st.text())
def test_a_marker_is_one_whole_html_comment(name: str) -> None:
    line = marker(name)
    assert re.fullmatch(r"<!-- reconciler:v1 (?:(?!--|>|\n).)* -->", line)


def test_a_short_body_is_not_touched() -> None:
    assert cut("x" * LIMIT) == "x" * LIMIT


def test_a_cut_ends_at_a_line_and_closes_what_is_open() -> None:
    body = "<details>\n<summary>x</summary>\n\n~~~~text\n" + "0123456789\n" * 100
    short = cut(body, 300, "more")
    assert len(short) <= 300
    assert short.endswith("0123456789\n~~~~\n\n</details>\n\nmore")


def test_a_fence_that_was_closed_is_not_closed_again() -> None:
    short = cut("```\ncode\n```\n" + "line\n" * 100, 100, "more")
    assert short.count("```") == 2


def test_details_inside_a_code_block_are_text() -> None:
    assert "</details>" not in cut("```\n<details>\n```\n" + "line\n" * 100, 100, "more")


@given(st.lists(st.sampled_from(["```", "~~~~", "text", "<details>", "</details>", "x" * 90, ""]), max_size=60), st.integers(200, 400))
def test_a_cut_never_exceeds_its_limit(lines: list[str], limit: int) -> None:
    body = "\n".join(lines)
    assert len(cut(body, limit, "more")) <= limit


def test_a_single_long_line_is_cut_inside() -> None:
    assert cut("x" * 500, 100, "more") == "x" * 94 + "\n\nmore"


def test_a_description_is_one_line_of_140() -> None:
    assert shortened("a\n b") == "a b"
    assert shortened("é" * 200) == "é" * 139 + "…"


def test_clean_keeps_line_ends_and_tabs() -> None:
    assert clean("a\tb\r\nc\rd\x00\u2066") == "a\tb\nc\nd"
