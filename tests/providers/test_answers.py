"""Answers become measurements."""

from reconciler.analysis.provider import ended
from reconciler.providers.answers import failed, judged
from tests.kit.analysis import NOW, measurement, task


def test_conditions_judge_the_result_and_people_see_the_value() -> None:
    asked = task("web", {}, success_condition="result > 1", failure_condition="result > 2")
    found = judged(asked, 3.0, "3", {"series": "1"})
    assert (found.phase, found.value, found.started, found.finished, found.metadata) == ("Failed", "3", NOW, NOW, {"series": "1"})


def test_an_error_is_a_finished_measurement() -> None:
    found = failed(task("web", {}), ValueError("why"))
    assert (found.phase, found.message, found.finished) == ("Error", "why", NOW)


def test_an_awaited_measurement_is_ended() -> None:
    found = ended(task("web", {}), measurement("R"))
    assert (found.phase, found.message, found.finished, found.resume_at) == ("Inconclusive", "Metric Terminated", NOW, None)
