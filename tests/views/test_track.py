"""The steps of a rollout, what is next and when."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from reconciler.kernel.identity import Manifest
from reconciler.kernel.moment import render_moment
from reconciler.views.track import StepState, forecast, track_of
from reconciler.views.tree import Family

NOW = datetime(2026, 11, 25, 3, 0, tzinfo=UTC)
STEPS: list[Manifest] = [
    {"setWeight": 20},
    {"pause": {"duration": "10m"}},
    {"setWeight": 60},
    {"pause": {"duration": 300}},
]
ANALYSIS: Manifest = {"analysis": {"templates": [{"templateName": "errors"}]}}


def family(steps: list[Manifest], *runs: Manifest, strategy: Manifest | None = None, **status: Any) -> Family:
    known = {"phase": "Paused", "currentPodHash": "new", "stableRS": "old", **status}
    spec = {"strategy": strategy or {"canary": {"steps": steps}}}
    return Family({"metadata": {"name": "web", "namespace": "shop"}, "spec": spec, "status": known}, (), (), runs)


def paused(minutes: float, reason: str = "CanaryPauseStep") -> list[Manifest]:
    return [{"reason": reason, "startTime": render_moment(NOW - timedelta(minutes=minutes))}]


def run(*, begun: float, step: int = 0, pod_hash: str = "new", **metric: Any) -> Manifest:
    labels = {"rollouts-pod-template-hash": pod_hash, "step-index": str(step)}
    started = render_moment(NOW - timedelta(minutes=begun))
    return {
        "metadata": {"name": "r", "labels": labels},
        "spec": {"metrics": [metric]},
        "status": {"phase": "Running", "startedAt": started},
    }


def states(found: Family) -> list[str]:
    return [step.state.value for step in track_of(found).steps]


def test_steps_are_done_now_or_next() -> None:
    assert states(family(STEPS, currentStepIndex=1)) == ["done", "now", "next", "next"]
    assert states(family(STEPS, phase="Healthy", currentStepIndex=4)) == ["done"] * 4
    assert states(family(STEPS, currentStepIndex=4, phase="Progressing")) == ["done"] * 4


def test_an_aborted_attempt_reaches_nothing_more() -> None:
    track = track_of(family(STEPS, currentStepIndex=0, abort=True, phase="Degraded"))
    assert track.came_home and {step.state for step in track.steps} == {StepState.NOT_REACHED}
    assert forecast(track, 0, NOW) is None


def test_a_pause_ends_when_its_length_is_over_and_the_rest_follows() -> None:
    track = track_of(family(STEPS, currentStepIndex=1, pauseConditions=paused(4)))
    assert track.ends == NOW + timedelta(minutes=6)
    expected = forecast(track, 20, NOW)
    assert expected is not None and expected.until is None and expected.reached == NOW + timedelta(minutes=11)
    assert [(one.at - NOW, one.weight) for one in expected.ahead] == [(timedelta(minutes=6), 60), (timedelta(minutes=11), 100)]


def test_a_pause_that_should_be_over_is_over_now() -> None:
    expected = forecast(track_of(family(STEPS, currentStepIndex=1, pauseConditions=paused(30))), 20, NOW)
    assert expected is not None and expected.ahead[0].at == NOW


@pytest.mark.parametrize("step", [{"pause": {}}, ANALYSIS, {"experiment": {}}, {"plugin": {}}])
def test_the_forecast_ends_at_what_has_no_length(step: Manifest) -> None:
    steps = [*STEPS[:3], step, {"setWeight": 80}]
    expected = forecast(track_of(family(steps, currentStepIndex=1, pauseConditions=paused(4))), 20, NOW)
    assert expected is not None and expected.until is not None and expected.until.number == 4
    assert [one.weight for one in expected.ahead] == [60]


def test_a_step_that_waits_for_a_person_says_so_and_has_no_end() -> None:
    track = track_of(family([{"setWeight": 5}, {"pause": {}}], currentStepIndex=1, pauseConditions=paused(4)))
    assert track.present is not None and track.present.person and track.ends is None


def test_an_analysis_ends_when_it_has_asked_as_often_as_it_is_told() -> None:
    of_this_step = run(begun=1, interval="1m", count=5, initialDelay="30s")
    assert track_of(family([ANALYSIS], of_this_step, currentStepIndex=0)).ends == NOW + timedelta(minutes=3, seconds=30)
    for other in (
        run(begun=1, interval="1m", count=5, step=3),
        run(begun=1, interval="1m", count=5, pod_hash="old"),
        run(begun=1, interval="1m"),
    ):
        assert track_of(family([ANALYSIS], other, currentStepIndex=0)).ends is None


def test_blue_green_waits_before_the_switch_and_measures_after_it() -> None:
    told = {"prePromotionAnalysis": {}, "postPromotionAnalysis": {"templates": []}, "autoPromotionSeconds": 600}
    strategy = {"blueGreen": {**told, "prePromotionAnalysis": {"templates": []}}}
    waiting = family([], strategy=strategy, pauseConditions=paused(4, "BlueGreenPause"), blueGreen={"activeSelector": "old"})
    track = track_of(waiting)
    assert track.present is not None and track.present.label == "wait 600 s" and track.ends == NOW + timedelta(minutes=6)
    assert states(family([], strategy=strategy, blueGreen={"activeSelector": "old"}))[0] == "now"
    switched = track_of(family([], strategy=strategy, phase="Progressing", blueGreen={"activeSelector": "new"}))
    assert switched.present is not None and switched.present.label == "measure after the switch"
    person = track_of(family([], strategy={"blueGreen": {"autoPromotionEnabled": False}}, pauseConditions=paused(4, "BlueGreenPause")))
    assert person.present is not None and person.present.person and person.ends is None
