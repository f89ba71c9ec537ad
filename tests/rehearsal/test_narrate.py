"""The timeline on a terminal and elsewhere."""

import io

from reconciler_sandbox.rehearsal.narrate import Narrator
from rich.console import Console

from tests.kit.rehearsal import entry, outcome, report


def told(*entries: object, ending: bool = False) -> str:
    file = io.StringIO()
    narrator = Narrator(Console(file=file, width=140, highlight=False))
    for one in entries:
        narrator.tell(one)  # type: ignore[arg-type]
    if ending:
        narrator.ending(report(*entries, comment="<!-- m -->\n**proven** [x]"))  # type: ignore[arg-type]
    return file.getvalue()


def test_what_held_is_one_line_with_what_was_observed() -> None:
    assert told(entry("it holds", "outcome", at=3.2, came=outcome(observed="40"))) == "   3.2 s  web          ✓  it holds  40\n"


def test_what_was_missed_says_what_was_expected_and_observed() -> None:
    text = told(entry("it holds", "outcome", came=outcome(held=False, observed="41")))
    assert "✗  it holds" in text and "expected: wanted" in text and "observed: 41" in text


def test_text_in_brackets_is_text() -> None:
    assert "[red]not markup[/red]" in told(entry("[red]not markup[/red]"))


def test_the_ending_shows_log_comment_and_verdict() -> None:
    text = told(entry("it holds", "outcome", came=outcome()), ending=True)
    assert "abc1234 Restore web in demo" in text and "**proven** [x]" in text and "all 1 expectations held" in text
    assert "<!--" not in text


def test_the_ending_repeats_what_was_missed_and_where_it_is_written() -> None:
    text = told(entry("b", "outcome", came=outcome("b", held=False)), ending=True)
    assert "1 of 1 expectations missed" in text and "written at: web.yaml:7" in text


def test_what_is_real_is_said() -> None:
    file = io.StringIO()
    Narrator(Console(file=file, width=140)).parts([("real", "Envoy [x]")])
    assert "real        Envoy [x]" in file.getvalue()
