"""Strangers' text on its way into logs, events and commit messages: it says what it said, and does nothing."""

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.kernel.text import clean, commit_line, commit_text, encodable, event_text, log_line, one_line, shortened

HOSTILE = st.lists(
    st.sampled_from(
        [
            *(
                "Closes",
                "closed",
                "FIXES",
                "fix",
                "Resolves:",
                "implements",
                "see",
                "cc",
                "web",
                "@ann",
                "@org/team",
                "a@b.example",
                "_@ann",
            ),
            *(
                "#7",
                "o/r#7",
                "GH-7",
                "gh-7",
                "!7",
                "ENG-12",
                "AB#7",
                "T7",
                "https://git.example/o/r/issues/7",
                "www.example.com",
                "$7",
                "%1.0",
            ),
            *("[skip ci]", "[ci skip]", "[no ci]", "[[skip-ci]]", "***NO_CI***", "skip-checks: true", "[Skip Actions]", "[1,2]"),
            *("\n", "\r\n", "\u2028", "\x85", "\n\n", "\x00", "\x1b[31m", "\u202e", "\u200b", "\ud800", "\u2066", "\U000e0041"),
            *("Co-authored-by: E <e@x>", "Reconciler-Release: shop/web", "Signed-off-by:", "BREAKING CHANGE: x", "-", ">", "# c", "/close"),
            *("0.95", "web@sha256:0123456789abcdef", "deploy/web.yaml:12", "é", "👍🏽", "{{args.x}}"),
        ]
    ),
    max_size=12,
).flatmap(lambda words: st.sampled_from(["", " ", "\n", "\u200b"]).map(lambda glue: glue.join(words)))
ACTS = (
    r"(?<![A-Za-z0-9])@\w",
    r"#\w",
    r"!\d",
    r"(?i)\bgh-\d",
    r"\w://",
    r"(?i)\bwww\.\w",
    r"(?i)\[[^\[\]]*\b(skip|no)[ _-]?(ci|actions)?\b[^\[\]]*\]",
    r"(?i)\[ci[ _-]skip\]",
    r"(?i)\*\*\*no_ci",
    r"(?i)skip-checks\s*:",
    r"(?i)\b(close[sd]?|fix(e[sd])?|resolve[sd]?|implements?)\b:?\s+\S*(#\d|GH-\d|!\d|[A-Z]+-\d|T\d|://)",
)


def unseen(text: str) -> list[str]:
    return [sign for sign in text if unicodedata.category(sign) in {"Cc", "Cf", "Cs"} and sign != "\n"]


@given(HOSTILE)
def test_a_line_of_a_commit_mentions_closes_links_and_skips_nothing(text: str) -> None:
    line = commit_line(text)
    assert not [act for act in ACTS if re.search(act, line)], line
    assert "\n" not in line and not unseen(line)
    assert not re.match(r"(?i)([a-z][a-z0-9-]*|breaking change)\s*:|#|/\w", line)
    assert commit_line(line) == line


@given(HOSTILE)
def test_every_line_of_a_paragraph_is_as_harmless(text: str) -> None:
    for line in commit_text(text, width=20).split("\n"):
        assert not [act for act in ACTS if re.search(act, line)], line
        assert not re.match(r"(?i)([a-z][a-z0-9-]*|breaking change)\s*:|#|/\w", line)


def test_a_paragraph_is_wrapped_between_words_and_no_line_is_wider() -> None:
    assert commit_text("one two three four", width=10) == "one two\nthree four"
    assert commit_text("one two three fours unbreakable", width=10) == "one two\nthree\nfours\nunbreakable"
    assert commit_text("unbreakable one", width=10) == "unbreakable\none"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("Closes #7", "Closes # 7"),
        ("fixes owner/repo#7 for @ann", "fixes owner/repo# 7 for @ ann"),
        ("resolves GH-7", "resolves GH - 7"),
        ("implements !7", "implements ! 7"),
        ("Fixes ENG-12, eng-13", "Fixes ENG - 12, eng - 13"),
        ("fix https://git.example/o/r/issues/7", "fix https: //git.example/o/r/issues/7"),
        ("done [skip ci]", "done (skip ci)"),
        ("one\nReconciler-Release: x", "one Reconciler-Release: x"),
        ("Reconciler-Release: x", "> Reconciler-Release: x"),
        ("image web@sha256:0123456789abcdef", "image web@sha256:0123456789abcdef"),
        ("[0.93,0.91] below 0.95", "[0.93,0.91] below 0.95"),
        ("web-1 failed: 3 of 5, 50% of p99-latency", "web-1 failed: 3 of 5, 50% of p99-latency"),
    ],
)
def test_what_is_taken_apart_can_still_be_read(text: str, line: str) -> None:
    assert commit_line(text) == line


@given(st.text())
def test_a_log_line_and_an_event_are_one_visible_line(text: str) -> None:
    for shown in (log_line(text), event_text(text)):
        assert not unseen(shown) and "\n" not in shown
        shown.encode()
    assert len(event_text(text * 50).encode()) <= 1024


def test_a_log_line_has_no_terminal_sequence() -> None:
    assert log_line("a\x1b[2Jb\nlevel=error c\u202e") == "a[2Jb level=error c"
    assert log_line("x" * 50, 10) == "x" * 9 + "…"


def test_events_keep_their_words() -> None:
    assert event_text("Rollout  is degraded,\n\ttwice ") == "Rollout  is degraded,  twice"
    assert event_text("é" * 1000) == "é" * 512


def test_clean_lines_and_lengths() -> None:
    assert clean("a\tb\r\nc\rd\u2028e\x00\u2066\ud800") == "a\tb\nc\nd\ne\ufffd"
    assert one_line(" a \n b ") == "a b"
    assert shortened("é" * 200, 140) == "é" * 139 + "…"
    assert shortened("é" * 140, 140) == "é" * 140
    assert encodable("a\ud800\n") == "a?\n"
