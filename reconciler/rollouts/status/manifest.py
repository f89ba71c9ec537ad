"""The status of a Rollout, read from and written to the object's own words (contract 3.2)."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from reconciler.kernel.identity import Manifest
from reconciler.kernel.merge import merge_patch
from reconciler.kernel.moment import parse_moment, render_moment
from reconciler.rollouts.status.model import (
    BlueGreenStatus,
    CanaryStatus,
    Condition,
    Duration,
    PauseCondition,
    RolloutStatus,
    RunStatus,
    Share,
    StepPluginStatus,
    Weights,
)


def parse_status(status: Manifest | None) -> RolloutStatus:
    """A status as nouns. Whatever is absent, null or of another shape counts as never written."""
    raw = status or {}
    return RolloutStatus(
        observed_generation=_text(raw, "observedGeneration"),
        workload_observed_generation=_text(raw, "workloadObservedGeneration"),
        phase=_text(raw, "phase"),
        message=_text(raw, "message"),
        current_hash=_text(raw, "currentPodHash"),
        step_hash=_text(raw, "currentStepHash"),
        step_index=raw.get("currentStepIndex"),
        stable_hash=_text(raw, "stableRS"),
        replicas=_number(raw, "replicas"),
        updated=_number(raw, "updatedReplicas"),
        ready=_number(raw, "readyReplicas"),
        available=_number(raw, "availableReplicas"),
        hpa_replicas=_number(raw, "HPAReplicas"),
        selector=_text(raw, "selector"),
        collisions=raw.get("collisionCount"),
        conditions=tuple(parse_condition(c) for c in raw.get("conditions") or ()),
        pauses=tuple(_pause(p) for p in raw.get("pauseConditions") or ()),
        controller_pause=bool(raw.get("controllerPause")),
        abort=bool(raw.get("abort")),
        aborted_at=_moment(raw, "abortedAt"),
        promote_full=bool(raw.get("promoteFull")),
        restarted_at=_moment(raw, "restartedAt"),
        canary=_canary(raw.get("canary") or {}),
        blue_green=_blue_green(raw.get("blueGreen") or {}),
        duration=_duration(raw.get("duration")),
        balancers=tuple(found for found in raw.get("albs") or () if isinstance(found, dict)),
    )


def render_status(status: RolloutStatus) -> Manifest:
    """A status in the object's words; what is empty is absent, but for the two strategy objects, which are always there."""
    return {
        **_filled(
            {
                "observedGeneration": status.observed_generation,
                "workloadObservedGeneration": status.workload_observed_generation,
                "phase": status.phase,
                "message": status.message,
                "currentPodHash": status.current_hash,
                "currentStepHash": status.step_hash,
                "stableRS": status.stable_hash,
                "replicas": status.replicas,
                "updatedReplicas": status.updated,
                "readyReplicas": status.ready,
                "availableReplicas": status.available,
                "HPAReplicas": status.hpa_replicas,
                "selector": status.selector,
                "controllerPause": status.controller_pause,
                "abort": status.abort,
                "abortedAt": _written(status.aborted_at),
                "promoteFull": status.promote_full,
                "restartedAt": _written(status.restarted_at),
                "conditions": [render_condition(c) for c in status.conditions],
                "pauseConditions": [{"reason": p.reason, "startTime": render_moment(p.started)} for p in status.pauses],
                "duration": _render_duration(status.duration) if status.duration else None,
                "alb": status.balancers[0] if status.balancers else None,
                "albs": list(status.balancers),
            }
        ),
        **_present({"currentStepIndex": status.step_index, "collisionCount": status.collisions}),
        "canary": _render_canary(status.canary),
        "blueGreen": _render_blue_green(status.blue_green),
    }


def status_patch(rollout: Manifest, status: RolloutStatus) -> Manifest | None:
    """The merge patch that makes this status the rollout's, bound to the version it was decided on. None when it already is."""
    change = merge_patch(rollout.get("status") or {}, render_status(status))
    if not change:
        return None
    return {"metadata": {"resourceVersion": rollout["metadata"].get("resourceVersion")}, "status": change}


def _text(raw: Mapping[str, Any], key: str) -> str:
    value = raw.get(key)
    return "" if value is None else str(value)


def _number(raw: Mapping[str, Any], key: str) -> int:
    return int(raw.get(key) or 0)


def _moment(raw: Mapping[str, Any], key: str) -> datetime | None:
    value = raw.get(key)
    return parse_moment(value) if value else None


def _written(moment: datetime | None) -> str | None:
    return render_moment(moment) if moment else None


def parse_condition(raw: Mapping[str, Any]) -> Condition:
    """One condition as it stands in a status."""
    return Condition(
        type=_text(raw, "type"),
        status=_text(raw, "status"),
        reason=_text(raw, "reason"),
        message=_text(raw, "message"),
        updated=_moment(raw, "lastUpdateTime"),
        changed=_moment(raw, "lastTransitionTime"),
    )


def render_condition(condition: Condition) -> Manifest:
    """One condition as the reference writes it."""
    return {
        "type": condition.type,
        "status": condition.status,
        **_filled({"lastUpdateTime": _written(condition.updated), "lastTransitionTime": _written(condition.changed)}),
        "reason": condition.reason,
        "message": condition.message,
    }


def _pause(raw: Mapping[str, Any]) -> PauseCondition:
    return PauseCondition(_text(raw, "reason"), parse_moment(raw["startTime"]))


def _canary(raw: Mapping[str, Any]) -> CanaryStatus:
    return CanaryStatus(
        weights=_weights(raw.get("weights")),
        step_run=_run(raw.get("currentStepAnalysisRunStatus")),
        background_run=_run(raw.get("currentBackgroundAnalysisRunStatus")),
        experiment=_text(raw, "currentExperiment"),
        stable_ping_pong=_text(raw, "stablePingPong"),
        plugins=tuple(_plugin(entry) for entry in raw.get("stepPluginStatuses") or ()),
    )


def _render_canary(canary: CanaryStatus) -> Manifest:
    return _filled(
        {
            "weights": _render_weights(canary.weights) if canary.weights else None,
            "currentStepAnalysisRunStatus": _render_run(canary.step_run),
            "currentBackgroundAnalysisRunStatus": _render_run(canary.background_run),
            "currentExperiment": canary.experiment,
            "stablePingPong": canary.stable_ping_pong,
            "stepPluginStatuses": [_render_plugin(entry) for entry in canary.plugins],
        }
    )


def _plugin(raw: Mapping[str, Any]) -> StepPluginStatus:
    return StepPluginStatus(
        index=_number(raw, "index"),
        name=_text(raw, "name"),
        operation=_text(raw, "operation"),
        phase=_text(raw, "phase"),
        message=_text(raw, "message"),
        started=_moment(raw, "startedAt"),
        updated=_moment(raw, "updatedAt"),
        finished=_moment(raw, "finishedAt"),
        backoff=_text(raw, "backoff"),
        executions=_number(raw, "executions"),
        disabled=bool(raw.get("disabled")),
        status=raw.get("status"),
    )


def _render_plugin(entry: StepPluginStatus) -> Manifest:
    return {
        "index": entry.index,
        "name": entry.name,
        **_filled(
            {
                "message": entry.message,
                "phase": entry.phase,
                "startedAt": _written(entry.started),
                "updatedAt": _written(entry.updated),
                "finishedAt": _written(entry.finished),
                "backoff": entry.backoff,
                "executions": entry.executions,
                "disabled": entry.disabled,
                "operation": entry.operation,
            }
        ),
        **_present({"status": entry.status}),
    }


def _blue_green(raw: Mapping[str, Any]) -> BlueGreenStatus:
    return BlueGreenStatus(
        active_selector=_text(raw, "activeSelector"),
        preview_selector=_text(raw, "previewSelector"),
        checkpoint=bool(raw.get("scaleUpPreviewCheckPoint")),
        pre_run=_run(raw.get("prePromotionAnalysisRunStatus")),
        post_run=_run(raw.get("postPromotionAnalysisRunStatus")),
    )


def _render_blue_green(blue_green: BlueGreenStatus) -> Manifest:
    return _filled(
        {
            "activeSelector": blue_green.active_selector,
            "previewSelector": blue_green.preview_selector,
            "scaleUpPreviewCheckPoint": blue_green.checkpoint,
            "prePromotionAnalysisRunStatus": _render_run(blue_green.pre_run),
            "postPromotionAnalysisRunStatus": _render_run(blue_green.post_run),
        }
    )


def _run(raw: Mapping[str, Any] | None) -> RunStatus | None:
    return RunStatus(_text(raw, "name"), _text(raw, "status"), _text(raw, "message")) if raw else None


def _render_run(run: RunStatus | None) -> Manifest | None:
    if run is None:
        return None
    return {"name": run.name, "status": run.status, **_filled({"message": run.message})}


def _weights(raw: Mapping[str, Any] | None) -> Weights | None:
    if not raw:
        return None
    additional = tuple(_share(s) for s in raw.get("additional") or ())
    return Weights(_share(raw.get("canary") or {}), _share(raw.get("stable") or {}), additional, raw.get("verified"))


def _render_weights(weights: Weights) -> Manifest:
    return {
        "canary": _render_share(weights.canary),
        "stable": _render_share(weights.stable),
        **_filled({"additional": [_render_share(s) for s in weights.additional]}),
        **_present({"verified": weights.verified}),
    }


def _share(raw: Mapping[str, Any]) -> Share:
    return Share(_number(raw, "weight"), _text(raw, "serviceName"), _text(raw, "podTemplateHash"))


def _render_share(share: Share) -> Manifest:
    return {"weight": share.weight, **_filled({"serviceName": share.service, "podTemplateHash": share.hash})}


def _duration(raw: Mapping[str, Any] | None) -> Duration | None:
    if not raw:
        return None
    return Duration(
        started=_moment(raw, "rolloutStartedAt"),
        completion=_text(raw, "completionStatus"),
        finished=_moment(raw, "finishedAt"),
        manual_pause_started=_moment(raw, "manualPauseStartedAt"),
        manual_pause_seconds=raw.get("totalManualPauseDurationSeconds"),
    )


def _render_duration(duration: Duration) -> Manifest:
    return {
        **_filled(
            {
                "rolloutStartedAt": _written(duration.started),
                "completionStatus": duration.completion,
                "finishedAt": _written(duration.finished),
                "manualPauseStartedAt": _written(duration.manual_pause_started),
            }
        ),
        **_present({"totalManualPauseDurationSeconds": duration.manual_pause_seconds}),
    }


def _filled(members: Manifest) -> Manifest:
    """Only the members that say something: Argo writes no empty text, zero, false or empty list."""
    return {key: value for key, value in members.items() if value}


def _present(members: Manifest) -> Manifest:
    """Only the members that have a value; zero and false are values here."""
    return {key: value for key, value in members.items() if value is not None}
