"""Spans of time in Go's words."""

from datetime import timedelta

import pytest

from reconciler.kernel.duration import parse_duration, words_of


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("30s", 30), ("1h30m", 5400), ("1.5s", 1.5), ("500ms", 0.5), ("20us", 0.00002), ("-2m", -120), ("+1s", 1), ("0", 0), (".5s", 0.5)],
)
def test_a_duration_is_read(text: str, seconds: float) -> None:
    assert parse_duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", 'time: invalid duration ""'),
        ("soon", 'time: invalid duration "soon"'),
        ("30", 'time: missing unit in duration "30"'),
        ("1d", 'time: unknown unit "d" in duration "1d"'),
        ("1 s", 'time: unknown unit " s" in duration "1 s"'),
        ("soon1s", 'time: invalid duration "soon1s"'),
        ("1s soon", 'time: unknown unit "s soon" in duration "1s soon"'),
        ("-", 'time: invalid duration "-"'),
        ("9999999999h", 'time: invalid duration "9999999999h"'),
        ("٣s", 'time: invalid duration "٣s"'),
    ],
)
def test_what_is_none_is_refused_in_gos_words(text: str, words: str) -> None:
    with pytest.raises(ValueError) as refused:
        parse_duration(text)
    assert str(refused.value) == words


@pytest.mark.parametrize(
    ("seconds", "words"), [(0, "0s"), (0.4, "0s"), (59.6, "1m"), (45, "45s"), (60, "1m"), (5400, "1h30m"), (3661, "1h1m1s"), (90000, "25h")]
)
def test_a_span_is_said_as_it_is_written(seconds: float, words: str) -> None:
    assert words_of(timedelta(seconds=seconds)) == words
