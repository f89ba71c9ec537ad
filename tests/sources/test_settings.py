"""What is done with a source, in the log's first words."""

from dataclasses import replace

import pytest

from reconciler.sources.settings import purpose
from tests.kit.desk import SETTINGS


@pytest.mark.parametrize(
    ("apply", "companion", "read_only", "begins"),
    [
        (True, False, False, "applies it, judges releases"),
        (False, True, False, "another tool applies it: releases are judged"),
        (False, False, False, "reports what would be applied, and judges nothing"),
        (True, False, True, "reports what would be done; nothing is written"),
        (False, True, True, "reports what would be done; nothing is written"),
    ],
)
def test_what_is_done_with_a_source_is_said_as_it_is_set(apply: bool, companion: bool, read_only: bool, begins: str) -> None:
    assert purpose(replace(SETTINGS, apply=apply, companion=companion), read_only=read_only).startswith(begins)
