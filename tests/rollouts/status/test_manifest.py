"""A status there and back again (contract 3.2)."""

from dataclasses import replace

from reconciler.kernel.identity import Manifest
from reconciler.rollouts.status.manifest import parse_status, render_status, status_patch
from reconciler.rollouts.status.model import RolloutStatus

FULL: Manifest = {
    "observedGeneration": "7",
    "workloadObservedGeneration": "3",
    "phase": "Paused",
    "message": "CanaryPauseStep",
    "currentPodHash": "a",
    "currentStepHash": "b",
    "currentStepIndex": 0,
    "stableRS": "c",
    "replicas": 5,
    "updatedReplicas": 1,
    "readyReplicas": 5,
    "availableReplicas": 5,
    "HPAReplicas": 5,
    "selector": "app=web",
    "collisionCount": 1,
    "conditions": [
        {
            "type": "Paused",
            "status": "True",
            "lastUpdateTime": "2030-01-01T00:00:00Z",
            "lastTransitionTime": "2030-01-01T00:00:00Z",
            "reason": "RolloutPaused",
            "message": "Rollout is paused",
        }
    ],
    "pauseConditions": [{"reason": "CanaryPauseStep", "startTime": "2030-01-01T00:00:00Z"}],
    "controllerPause": True,
    "abort": True,
    "abortedAt": "2030-01-01T00:00:00Z",
    "promoteFull": True,
    "restartedAt": "2030-01-01T00:00:00Z",
    "canary": {
        "weights": {
            "canary": {"weight": 0, "serviceName": "x", "podTemplateHash": "a"},
            "stable": {"weight": 90},
            "additional": [{"weight": 10, "serviceName": "e", "podTemplateHash": "f"}],
            "verified": False,
        },
        "currentStepAnalysisRunStatus": {"name": "r", "status": "Running", "message": "m"},
        "currentBackgroundAnalysisRunStatus": {"name": "r", "status": ""},
        "stablePingPong": "ping",
    },
    "blueGreen": {
        "activeSelector": "a",
        "previewSelector": "b",
        "scaleUpPreviewCheckPoint": True,
        "prePromotionAnalysisRunStatus": {"name": "r", "status": "Running"},
        "postPromotionAnalysisRunStatus": {"name": "r", "status": "Running"},
    },
    "duration": {
        "rolloutStartedAt": "2030-01-01T00:00:00Z",
        "completionStatus": "Aborted",
        "finishedAt": "2030-01-01T00:00:00Z",
        "manualPauseStartedAt": "2030-01-01T00:00:00Z",
        "totalManualPauseDurationSeconds": 4,
    },
}


def test_every_field_survives_the_way_there_and_back() -> None:
    assert render_status(parse_status(FULL)) == FULL


def test_what_is_empty_is_absent() -> None:
    assert render_status(RolloutStatus()) == {"canary": {}, "blueGreen": {}}
    assert parse_status(None) == parse_status({"pauseConditions": None, "canary": None}) == RolloutStatus()


def test_a_patch_removes_by_name_and_carries_the_version() -> None:
    rollout = {"metadata": {"resourceVersion": "9"}, "status": FULL}
    resumed = replace(parse_status(FULL), pauses=(), controller_pause=False)
    assert status_patch(rollout, resumed) == {
        "metadata": {"resourceVersion": "9"},
        "status": {"pauseConditions": None, "controllerPause": None},
    }


def test_the_same_status_needs_no_patch() -> None:
    assert status_patch({"metadata": {}, "status": FULL}, parse_status(FULL)) is None


def test_fields_of_features_that_are_gone_disappear() -> None:
    rollout = {"metadata": {}, "status": {**FULL, "alb": {"x": 1}}}
    patch = status_patch(rollout, parse_status(FULL))
    assert patch is not None and patch["status"] == {"alb": None}


def test_what_plugins_of_steps_said_is_written_as_it_was_read() -> None:
    entry = {"index": 0, "name": "a/b", "operation": "Run", "phase": "Running", "backoff": "30s", "executions": 2, "status": {"id": None}}
    times = {"startedAt": "2030-01-01T12:00:00Z", "updatedAt": "2030-01-01T12:00:01Z"}
    status = {"canary": {"stepPluginStatuses": [{**entry, **times}]}, "blueGreen": {}}
    assert render_status(parse_status(status)) == status
