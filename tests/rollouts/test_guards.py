"""Guards of a pass that hold only in a corner: each of these fails when one operand, comparison or early return is missing."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from reconciler.kernel.identity import Manifest
from reconciler.kernel.resources import ANALYSIS_TEMPLATES
from reconciler.rollouts import bluegreen
from reconciler.rollouts import canary as canaries
from reconciler.rollouts.finish import finished, fresh_status
from reconciler.rollouts.passes import Pass
from reconciler.rollouts.plan import speak_of_pauses
from reconciler.rollouts.pods.scaling import scale_blue_green_new, scale_canary_new
from reconciler.rollouts.spec.manifest import parse_rollout
from reconciler.rollouts.status.model import RolloutStatus
from reconciler.rollouts.traffic.services import rolling_back_dynamically
from reconciler.rollouts.validation.spec import spec_problem
from reconciler.routers.registry import ROUTERS
from tests.kit.passes import begun, moving, replica_set
from tests.kit.rollouts import analysis_template, canary, istio_routing, measured, pause, rollout, service, weight
from tests.kit.world import deployed

HEADER = {"setHeaderRoute": {"name": "h", "match": [{"headerName": "x", "headerValue": {"exact": "y"}}]}}
LONG_DONE = {"status": "True", "lastUpdateTime": "2030-01-01T10:00:00Z", "lastTransitionTime": "2030-01-01T10:00:00Z"}


def status_of(pass_: Pass) -> RolloutStatus:
    assert pass_.status is not None
    return pass_.status


def test_a_canary_that_is_promoted_in_full_stands_at_its_end_and_takes_no_step() -> None:
    strategy = canary(HEADER, weight(50), istio=True, trafficRouting=istio_routing("h"))
    sets = (replica_set("old", 4, age=10), replica_set("new", 2))
    step = begun(rollout(image="image:new", canary=strategy), *sets, status=moving(promoteFull=True, currentStepIndex=0))
    done = canaries.finish(step)
    assert status_of(done).step_index == 2 and not [e for e in done.effects if getattr(e, "reason", "") == "RolloutStepCompleted"]


@pytest.mark.parametrize(("abort", "accepted"), [(False, True), (True, False)])
def test_an_aborted_preview_is_never_accepted(abort: bool, accepted: bool) -> None:
    strategy = {"activeService": "active", "previewReplicaCount": 1}
    selecting = service("active") | {"spec": {"selector": {"rollouts-pod-template-hash": "old"}}}
    status = moving(abort=abort, blueGreen={"activeSelector": "old"})
    sets = (replica_set("old", 4, age=10), replica_set("new", 1))
    step = begun(rollout(image="image:new", blue_green=strategy), *sets, status=status, services={"active": selecting})
    assert status_of(bluegreen.finish(step)).blue_green.checkpoint is accepted


@pytest.mark.parametrize(("observed", "spoken"), [("1", True), ("0", False)])
def test_a_pause_is_spoken_of_only_for_the_generation_that_was_observed(observed: str, spoken: bool) -> None:
    manifest = rollout(image="image:new", canary=canary(weight(50)), paused=True)
    manifest["metadata"]["generation"] = 1
    step = begun(manifest, replica_set("new", 4), status=moving(observedGeneration=observed))
    assert speak_of_pauses(step).ended is spoken


def promoted_long_ago(**spec: Any) -> Pass:
    """Healthy for hours; this pass finds another version wanted and nothing else that moved."""
    words = [
        LONG_DONE | {"type": "Healthy", "reason": "RolloutHealthy"},
        LONG_DONE | {"type": "Progressing", "reason": "NewReplicaSetAvailable"},
    ]
    manifest = rollout(image="image:new", canary=canary(), **spec)
    status = moving(conditions=words, replicas=4, updatedReplicas=0, readyReplicas=4, availableReplicas=4, currentStepHash="x")
    step = begun(manifest, replica_set("old", 4, age=10), replica_set("new", 0), status=status)
    return replace(step, facts=replace(step.facts, step_hash="x"))


def test_a_version_that_stops_being_healthy_begins_its_deadline_anew() -> None:
    step = promoted_long_ago(progressDeadlineAbort=True)
    status = status_of(finished(step, fresh_status(step)))
    progress = status.condition("Progressing")
    assert progress is not None and progress.reason == "ReplicaSetUpdated" and not status.abort


def test_a_way_back_under_dynamic_stable_scale_asks_for_all_pods_whatever_the_threshold() -> None:
    threshold = {"type": "Pods", "value": 1}
    strategy = canary(weight(50), istio=True, dynamicStableScale=True, replicaProgressThreshold=threshold)
    weights = {"canary": {"weight": 50, "podTemplateHash": "new"}, "stable": {"weight": 50, "podTemplateHash": "old"}}
    status = {"stableRS": "old", "currentPodHash": "old", "canary": {"weights": weights}}
    sets = (replica_set("old", 2, age=10), replica_set("new", 2))
    assert rolling_back_dynamically(begun(rollout(image="image:old", canary=strategy), *sets, status=status))


@pytest.mark.parametrize(("size", "marked"), [(0, False), (2, True)])
def test_an_aborted_version_without_pods_needs_no_deadline(size: int, marked: bool) -> None:
    strategy = canary(weight(50), istio=True)
    sets = (replica_set("old", 4, age=10), replica_set("new", size))
    step = begun(rollout(image="image:new", canary=strategy), *sets, status=moving(abort=True))
    assert step.facts.spec.canary is not None
    after = scale_canary_new(step, step.facts.spec.canary)[0]
    assert (after.wake_at is not None, bool(after.effects)) == (marked, marked)
    green = rollout(image="image:new", blue_green={"activeService": "active"})
    other = begun(green, *sets, status=moving(abort=True))
    assert other.facts.spec.blue_green is not None
    assert (scale_blue_green_new(other, other.facts.spec.blue_green).wake_at is not None) is marked


def limited(history: int, limit: int) -> Manifest:
    strategy = {"activeService": "a", "previewService": "p", "scaleDownDelayRevisionLimit": limit}
    return rollout(blue_green=strategy, revisionHistoryLimit=history)


@pytest.mark.parametrize(("limit", "refused"), [(2, False), (3, False), (4, True)])
def test_as_many_old_versions_may_wait_as_are_kept(limit: int, refused: bool) -> None:
    manifest = limited(3, limit)
    assert (spec_problem(manifest, parse_rollout(manifest), ROUTERS) is not None) is refused


def test_an_aborted_attempt_is_not_measured_again_before_it_is_retried() -> None:
    world = deployed(rollout(canary=canary(measured(), pause())), (ANALYSIS_TEMPLATES, analysis_template())).push("web:2").settle()
    world.end_run(next(iter(world.runs)), "Failed").settle().wait(300)
    assert len(world.runs) == 1 and world.phase.startswith("Degraded RolloutAborted")
    world.press(abort=False).settle()
    assert len(world.runs) == 2


@pytest.mark.parametrize("seconds", [59, 61])
def test_the_deadline_is_over_only_after_its_last_second(seconds: int) -> None:
    world = deployed(rollout(canary=canary(), progressDeadlineSeconds=60)).breaks("web:2").push("web:2").settle()
    begin = world.condition("Progressing")["lastUpdateTime"]
    world.clock.time += timedelta(seconds=seconds)
    world.one_pass()
    assert (world.condition("Progressing")["reason"] == "ProgressDeadlineExceeded") is (seconds > 60)
    assert begin
