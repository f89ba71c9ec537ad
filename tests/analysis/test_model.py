"""What the nouns of analysis say about themselves."""

from dataclasses import replace
from datetime import timedelta

from reconciler.analysis.model import RunPhase
from tests.kit.analysis import metric, result


def test_a_count_is_explicit_or_one_without_interval_or_endless() -> None:
    minute = timedelta(minutes=1)
    assert metric(count=3, interval=minute).effective_count == 3
    assert metric().effective_count == 1
    assert metric(interval=minute).effective_count is None


def test_four_phases_are_final_and_three_are_bad() -> None:
    assert {p for p in RunPhase if p.completed} == {"Successful", "Failed", "Error", "Inconclusive"}
    assert {p for p in RunPhase if p.bad} == {"Failed", "Error", "Inconclusive"}


def test_only_the_last_measurement_may_be_awaited() -> None:
    assert result("SR").unfinished is not None
    assert result("RS").unfinished is None
    assert replace(result("S"), measurements=()).last is None
