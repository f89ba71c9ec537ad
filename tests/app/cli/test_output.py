"""Formats, spans of time, ages, and text from outside."""

from datetime import UTC, datetime, timedelta

import pytest
import typer

from reconciler.app.cli.output import age, cell, clean, known, known_of_tables, span, table

NOW = datetime(2026, 11, 25, 3, 0, tzinfo=UTC)


def test_only_known_formats_are_taken() -> None:
    assert [known(word) for word in ("text", "json", "yaml")] == ["text", "json", "yaml"]
    assert [known_of_tables(word) for word in ("wide", "name")] == ["wide", "name"]
    with pytest.raises(typer.BadParameter, match="'wide' is not one of text, json, yaml"):
        known("wide")


@pytest.mark.parametrize(("text", "seconds"), [("5s", 5), ("1m30s", 90), ("5", 5), ("0", 0), ("0.5", 0.5), ("250ms", 0.25)])
def test_a_length_of_time_is_typed_as_kubectl_takes_it(text: str, seconds: float) -> None:
    assert span(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "soon", "-5s", "-1", "nan", "inf", "5 s", "1d"])
def test_what_is_no_length_of_time_is_a_usage_error(text: str) -> None:
    with pytest.raises(typer.BadParameter, match="write 30s, 5m or 1h30m"):
        span(text)


@pytest.mark.parametrize(
    ("passed", "words"),
    [
        (timedelta(seconds=-5), "0s"),
        (timedelta(seconds=119), "119s"),
        (timedelta(minutes=3, seconds=5), "3m5s"),
        (timedelta(minutes=4), "4m"),
        (timedelta(minutes=179), "179m"),
        (timedelta(hours=3), "3h"),
        (timedelta(hours=47), "47h"),
        (timedelta(days=400), "400d"),
    ],
)
def test_an_age_reads_as_that_of_kubectl(passed: timedelta, words: str) -> None:
    assert age(NOW - passed, NOW) == words


def test_text_from_outside_moves_no_cursor_and_fills_no_screen() -> None:
    assert clean("a\x1b[31mred\nnext\u202e") == "a [31mred next"
    assert cell("x" * 100) == "x" * 59 + "…"
    assert cell("\n") == "-"


def test_a_table_is_as_wide_as_its_widest_cells() -> None:
    assert [*table([("A", "B"), ("long", "x")])] == ["A     B", "long  x"]
    assert [*table([("a", "b")], (4, 1))] == ["a     b"]
