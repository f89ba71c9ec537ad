"""The status of a Rollout, read from and written to the object's own words (contract 3.2)."""

from collections.abc import Mapping
from datetime import UTC, datetime
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

LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


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
        step_index=_count(raw, "currentStepIndex"),
        stable_hash=_text(raw, "stableRS"),
        replicas=_number(raw, "replicas"),
        updated=_number(raw, "updatedReplicas"),
        ready=_number(raw, "readyReplicas"),
        available=_number(raw, "availableReplicas"),
        hpa_replicas=_number(raw, "HPAReplicas"),
        selector=_text(raw, "selector"),
        collisions=_count(raw, "collisionCount"),
        conditions=tuple(parse_condition(c) for c in _each(raw, "conditions")),
        pauses=tuple(_pause(p) for p in _each(raw, "pauseConditions")),
        controller_pause=bool(raw.get("controllerPause")),
        abort=bool(raw.get("abort")),
        aborted_at=_moment(raw, "abortedAt"),
        promote_full=bool(raw.get("promoteFull")),
        restarted_at=_moment(raw, "restartedAt"),
        canary=_canary(_under(raw, "canary")),
        blue_green=_blue_green(_under(raw, "blueGreen")),
        duration=_duration(_under(raw, "duration")),
        balancers=_each(raw, "albs"),
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
    return _count(raw, key) or 0


def _count(raw: Mapping[str, Any], key: str) -> int | None:
    """A number that may be absent. One below zero begins at the bottom: only people write it."""
    value = raw.get(key)
    return max(0, value) if isinstance(value, int) and not isinstance(value, bool) else None


def _moment(raw: Mapping[str, Any], key: str) -> datetime | None:
    value = raw.get(key)
    try:
        return parse_moment(value) if isinstance(value, str) else None
    except (ValueError, OverflowError):
        return None


def _under(raw: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = raw.get(key)
    return value if isinstance(value, dict) else {}


def _each(raw: Mapping[str, Any], key: str) -> tuple[Mapping[str, Any], ...]:
    value = raw.get(key)
    return tuple(item for item in value if isinstance(item, dict)) if isinstance(value, list) else ()


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
    """A pause without a readable start is kept: dropped, it would count as resumed."""
    return PauseCondition(_text(raw, "reason"), _moment(raw, "startTime") or LONG_AGO)


def _canary(raw: Mapping[str, Any]) -> CanaryStatus:
    return CanaryStatus(
        weights=_weights(_under(raw, "weights")),
        step_run=_run(_under(raw, "currentStepAnalysisRunStatus")),
        background_run=_run(_under(raw, "currentBackgroundAnalysisRunStatus")),
        experiment=_text(raw, "currentExperiment"),
        stable_ping_pong=_text(raw, "stablePingPong"),
        plugins=tuple(_plugin(entry) for entry in _each(raw, "stepPluginStatuses")),
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
        pre_run=_run(_under(raw, "prePromotionAnalysisRunStatus")),
        post_run=_run(_under(raw, "postPromotionAnalysisRunStatus")),
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


def _run(raw: Mapping[str, Any]) -> RunStatus | None:
    return RunStatus(_text(raw, "name"), _text(raw, "status"), _text(raw, "message")) if raw else None


def _render_run(run: RunStatus | None) -> Manifest | None:
    if run is None:
        return None
    return {"name": run.name, "status": run.status, **_filled({"message": run.message})}


def _weights(raw: Mapping[str, Any]) -> Weights | None:
    if not raw:
        return None
    additional = tuple(_share(share) for share in _each(raw, "additional"))
    return Weights(_share(_under(raw, "canary")), _share(_under(raw, "stable")), additional, raw.get("verified"))


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


def _duration(raw: Mapping[str, Any]) -> Duration | None:
    if not raw:
        return None
    return Duration(
        started=_moment(raw, "rolloutStartedAt"),
        completion=_text(raw, "completionStatus"),
        finished=_moment(raw, "finishedAt"),
        manual_pause_started=_moment(raw, "manualPauseStartedAt"),
        manual_pause_seconds=_count(raw, "totalManualPauseDurationSeconds"),
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
