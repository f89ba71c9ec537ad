"""The command `demo`: it teaches, and says in one line what it cannot play."""

import pytest

from reconciler.app.cli.main import run


def test_the_help_says_what_will_be_seen(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["demo", "-h"]) == 0
    text = capsys.readouterr().out
    assert "real Envoy" in text and "--interactive" in text and "--json" in text


def test_an_unknown_app_is_unreadable_input_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["demo", "--only", "bakery"]) == 3
    captured = capsys.readouterr()
    assert captured.out == "" and captured.err.count("\n") == 1 and "no such story" in captured.err
