"""Durations of pause steps (contract 1.4)."""

import pytest

from reconciler.rollouts.spec.durations import parse_seconds


@pytest.mark.parametrize(
    ("value", "seconds"),
    [(30, 30), ("30", 30), ("10m", 600), ("1h30m", 5400), ("1.5s", 1), ("0", 0), ("-5", -5), ("soon", None), ("", None), ("5x", None)],
)
def test_seconds_texts_and_go_durations_are_read(value: int | str, seconds: int | None) -> None:
    assert parse_seconds(value) == seconds
