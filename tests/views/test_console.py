"""What a person has to look at first, and how it is found."""

from typing import Any

import pytest

from reconciler.kernel.identity import Manifest
from reconciler.releases.model import Release, ReleasePhase, ReleaseStatus, Restore, RestoreState, Verdict
from reconciler.views.console import WorkloadFilter, workloads_of
from reconciler.views.measuring.spans import roughly, spoken
from reconciler.views.why.attention import Attention, attention_of
from tests.kit.releases import NOW, release

CLOSED = ReleaseStatus(phase=ReleasePhase.CLOSED, verdict=Verdict.PASSED, decided_at=NOW)
HELD = ReleaseStatus(phase=ReleasePhase.CLOSED, verdict=Verdict.FAILED, held=True, decided_at=NOW)
MOVING = ReleaseStatus(phase=ReleasePhase.WATCHING)
PAUSE = [{"reason": "CanaryPauseStep", "startTime": "2026-11-25T03:00:00Z"}]


def rollout(phase: str = "Healthy", steps: list[Manifest] | None = None, **status: Any) -> Manifest:
    strategy = status.pop("strategy", {"canary": {"steps": steps or []}})
    spec = {"strategy": strategy, **({"paused": True} if status.pop("paused", False) else {})}
    annotations = {"reconciler.dev/suspend": "true"} if status.pop("suspended", False) else {}
    metadata = {"name": "web", "namespace": "shop", "annotations": annotations}
    return {"metadata": metadata, "spec": spec, "status": {"phase": phase, "currentStepIndex": 0, **status}}


def restored(state: RestoreState) -> Release:
    return release(status=ReleaseStatus(phase=ReleasePhase.RESTORING, verdict=Verdict.FAILED, held=True, restore=Restore(state=state)))


@pytest.mark.parametrize(
    ("live", "newest", "expected"),
    [
        (rollout(), release(status=CLOSED), Attention.SETTLED),
        (rollout(), None, Attention.SETTLED),
        (rollout("Progressing"), release(status=CLOSED), Attention.MOVING),
        (rollout(), release(status=MOVING), Attention.MOVING),
        (rollout("Paused", [{"pause": {"duration": "1m"}}], pauseConditions=PAUSE), release(), Attention.MOVING),
        (rollout("Paused", [{"pause": {}}], pauseConditions=PAUSE), release(), Attention.WAITING),
        (rollout("Paused", [{"pause": {"duration": 5}}], pauseConditions=[{"reason": "InconclusiveAnalysisRun"}]), None, Attention.WAITING),
        (rollout("Paused", paused=True), release(), Attention.WAITING),
        (rollout(suspended=True), release(status=CLOSED), Attention.WAITING),
        (rollout("Paused", strategy={"blueGreen": {}}, pauseConditions=[{"reason": "BlueGreenPause"}]), None, Attention.WAITING),
        (
            rollout("Paused", strategy={"blueGreen": {"autoPromotionSeconds": 30}}, pauseConditions=[{"reason": "BlueGreenPause"}]),
            None,
            Attention.MOVING,
        ),
        (rollout(), release(status=HELD), Attention.HELD),
        (rollout("Degraded"), release(status=HELD), Attention.HELD),
        (rollout("Degraded"), None, Attention.DEGRADED),
        (rollout(), restored(RestoreState.PROPOSED), Attention.WAITING),
        (rollout(), restored(RestoreState.IMPOSSIBLE), Attention.WAITING),
        (rollout(), restored(RestoreState.WANTED), Attention.MOVING),
        (None, release(), Attention.SETTLED),
    ],
)
def test_how_it_stands_says_where_it_is_listed(live: Manifest | None, newest: Release | None, expected: Attention) -> None:
    assert attention_of(live, newest) is expected


def test_a_search_takes_every_word_wherever_it_stands() -> None:
    (workload,) = workloads_of([rollout()], {("shop", "web"): release()})
    for words in ("web", "WEB shop", "ann@example.com", "cccccccc", "web:1.1 demo", ""):
        assert WorkloadFilter(search=words).takes(workload), words
    for words in ("other", "web other"):
        assert not WorkloadFilter(search=words).takes(workload), words
    assert not WorkloadFilter(environment="production").takes(workload)
    assert not WorkloadFilter(attention="held").takes(workload)


@pytest.mark.parametrize(
    ("seconds", "whole", "rough"),
    [(0, "0 s", "0 s"), (59, "59 s", "59 s"), (250, "4 min 10 s", "4 min 10 s"), (900, "15 min", "15 min"), (915, "15 min 15 s", "15 min"),
     (6660, "1 h 51 min", "1 h 51 min"), (90000, "1 d 1 h", "1 d 1 h"), (-5, "0 s", "0 s")],
)  # fmt: skip
def test_lengths_of_time_are_said_as_people_say_them(seconds: float, whole: str, rough: str) -> None:
    assert (spoken(seconds), roughly(seconds)) == (whole, rough)
