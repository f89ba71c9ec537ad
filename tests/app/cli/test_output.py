"""Text or JSON, nothing else."""

import pytest
import typer

from reconciler.app.cli.output import known


def test_only_known_formats_are_taken() -> None:
    assert [known("text"), known("json")] == ["text", "json"]
    with pytest.raises(typer.BadParameter, match="'yaml' is not one of text, json"):
        known("yaml")
