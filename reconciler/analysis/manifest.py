"""AnalysisRuns and metrics: manifests to nouns and statuses back (contract 6.1). Errors name the field."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from reconciler.analysis.model import (
    PLUGIN,
    AnalysisRun,
    AnalysisStatus,
    Argument,
    Measurement,
    Metric,
    MetricResult,
    Retention,
    RunPhase,
    SecretKey,
    Summary,
    TimeToLive,
)
from reconciler.kernel.duration import parse_duration
from reconciler.kernel.errors import Terminal
from reconciler.kernel.fields import Fields
from reconciler.kernel.identity import Manifest
from reconciler.kernel.moment import render_moment

COUNTS = ("count", "successful", "failed", "inconclusive", "error")


class InvalidMetric(Terminal):
    """A metric that cannot be read; the message starts with `metrics[i]: ` (contract 6.8)."""


def parse_run(manifest: Manifest) -> AnalysisRun:
    """A run with its status. Raises InvalidField naming what cannot be read."""
    spec, status = Fields("spec", manifest.get("spec") or {}), Fields("status", manifest.get("status") or {})
    return AnalysisRun(
        manifest=manifest,
        metrics=tuple(metric.raw for metric in spec.each("metrics")),
        arguments=tuple(_argument(argument) for argument in spec.each("args")),
        dry_run=tuple(rule.text("metricName") for rule in spec.each("dryRun")),
        retention=tuple(Retention(rule.text("metricName"), rule.number_or("limit", 0)) for rule in spec.each("measurementRetention")),
        terminate=spec.flag("terminate"),
        time_to_live=_time_to_live(spec.under("ttlStrategy")),
        status=_status(status),
    )


def parse_metrics(manifests: tuple[Manifest, ...]) -> tuple[Metric, ...]:
    """Metrics whose arguments are filled in. Raises InvalidMetric."""
    return tuple(_metric(Fields(f"metrics[{index}]", manifest)) for index, manifest in enumerate(manifests))


def render_status(status: AnalysisStatus) -> Manifest:
    """The status as the reference writes it: what is zero or empty is absent."""
    rendered = {
        "phase": status.phase,
        "message": status.message,
        "metricResults": [_render_result(result) for result in status.results],
        "startedAt": _moment(status.started),
        "completedAt": _moment(status.completed),
        "runSummary": _render_counts(status.summary),
    }
    written = _present(rendered)
    if status.dry_run_summary is not None:
        written["dryRunSummary"] = _render_counts(status.dry_run_summary)
    return written


def _argument(argument: Fields) -> Argument:
    secret = argument.under("valueFrom").optional("secretKeyRef")
    key = SecretKey(secret.text("name"), secret.text("key")) if secret else None
    return Argument(argument.text("name"), argument.text("value") if argument.has("value") else None, key)


def _time_to_live(strategy: Fields) -> TimeToLive:
    return TimeToLive(
        after_completion=strategy.number("secondsAfterCompletion"),
        after_success=strategy.number("secondsAfterSuccess"),
        after_failure=strategy.number("secondsAfterFailure"),
    )


def _metric(metric: Fields) -> Metric:
    return Metric(
        name=_text(metric, "name"),
        providers=_providers(metric),
        interval=_span(metric, "interval", "interval"),
        initial_delay=_span(metric, "initialDelay", "startDelay"),
        count=_whole(metric, "count") or 0,
        success_condition=_text(metric, "successCondition"),
        failure_condition=_text(metric, "failureCondition"),
        failure_limit=_whole(metric, "failureLimit"),
        inconclusive_limit=_whole(metric, "inconclusiveLimit") or 0,
        consecutive_error_limit=_default(_whole(metric, "consecutiveErrorLimit"), 4),
        consecutive_success_limit=_whole(metric, "consecutiveSuccessLimit") or 0,
        consecutive_failure_limit=_whole(metric, "consecutiveFailureLimit"),
    )


def _providers(metric: Fields) -> Mapping[str, Manifest]:
    """Configured providers by kind; each plugin counts by itself (contract 6.8)."""
    try:
        provider = metric.under("provider")
        plugins = provider.under("plugin")
        kinds = {kind: provider.under(kind).raw for kind in provider.raw if kind != "plugin" and provider.has(kind)}
        named = {f"{PLUGIN}{name}": plugins.under(name).raw for name in plugins.raw}
    except Terminal as error:
        raise InvalidMetric(str(error)) from error
    return {**kinds, **named}


def _text(metric: Fields, key: str) -> str:
    value = metric.raw.get(key)
    if value is not None and not isinstance(value, str):
        raise InvalidMetric(f"{metric.path}: {key} must be a string")
    return value or ""


def _span(metric: Fields, key: str, word: str) -> timedelta | None:
    text = _text(metric, key)
    if not text:
        return None
    try:
        return parse_duration(text)
    except ValueError as error:
        raise InvalidMetric(f"{metric.path}: invalid {word} string: {error}") from error


def _whole(metric: Fields, key: str) -> int | None:
    """An integer, also written as text, so that `"{{args.n}}"` works (contract 6.1)."""
    value = metric.raw.get(key)
    if value is None or value == "":
        return None
    try:
        return int(value) if isinstance(value, str) and "_" not in value else metric.number(key)
    except (ValueError, Terminal) as error:
        raise InvalidMetric(f'{metric.path}: {key} must be an integer, got "{value}"') from error


def _default(value: int | None, default: int) -> int:
    return default if value is None else value


def _status(status: Fields) -> AnalysisStatus:
    return AnalysisStatus(
        phase=_phase(status) if status.text("phase") else None,
        message=status.text("message"),
        results=tuple(_result(result) for result in status.each("metricResults")),
        started=status.moment("startedAt"),
        completed=status.moment("completedAt"),
        summary=_summary(status.under("runSummary")),
        dry_run_summary=_summary(status.under("dryRunSummary")) if status.has("dryRunSummary") else None,
    )


def _phase(fields: Fields) -> RunPhase:
    text = fields.text("phase")
    try:
        return RunPhase(text or RunPhase.PENDING)
    except ValueError as error:
        raise fields.refusal("phase", text, "is no phase of an analysis") from error


def _result(result: Fields) -> MetricResult:
    return MetricResult(
        name=result.text("name"),
        phase=_phase(result),
        measurements=tuple(_measurement(measurement) for measurement in result.each("measurements")),
        message=result.text("message"),
        count=result.number_or("count", 0),
        successful=result.number_or("successful", 0),
        failed=result.number_or("failed", 0),
        inconclusive=result.number_or("inconclusive", 0),
        error=result.number_or("error", 0),
        consecutive_error=result.number_or("consecutiveError", 0),
        consecutive_success=result.number_or("consecutiveSuccess", 0),
        consecutive_failure=result.number_or("consecutiveFailure", 0),
        dry_run=result.flag("dryRun"),
        metadata=result.under("metadata").raw,
    )


def _measurement(measurement: Fields) -> Measurement:
    return Measurement(
        phase=_phase(measurement),
        started=measurement.moment("startedAt"),
        finished=measurement.moment("finishedAt"),
        resume_at=measurement.moment("resumeAt"),
        value=measurement.text("value"),
        message=measurement.text("message"),
        metadata=measurement.under("metadata").raw,
    )


def _summary(summary: Fields) -> Summary:
    return Summary(**{name: summary.number_or(name, 0) for name in COUNTS})


def _render_result(result: MetricResult) -> Manifest:
    rendered = {
        "name": result.name,
        "phase": result.phase,
        "measurements": [render_measurement(measurement) for measurement in result.measurements],
        "message": result.message,
        **{name: getattr(result, name) for name in COUNTS},
        "consecutiveError": result.consecutive_error,
        "consecutiveSuccess": result.consecutive_success,
        "consecutiveFailure": result.consecutive_failure,
        "dryRun": result.dry_run,
        "metadata": dict(result.metadata),
    }
    return _present(rendered)


def render_measurement(measurement: Measurement) -> Manifest:
    """One measurement as the reference writes it."""
    rendered = {
        "phase": measurement.phase,
        "message": measurement.message,
        "startedAt": _moment(measurement.started),
        "finishedAt": _moment(measurement.finished),
        "value": measurement.value,
        "metadata": dict(measurement.metadata),
        "resumeAt": _moment(measurement.resume_at),
    }
    return _present(rendered)


def _render_counts(summary: Summary) -> Manifest:
    return _present({name: getattr(summary, name) for name in COUNTS})


def _moment(moment: datetime | None) -> str | None:
    return None if moment is None else render_moment(moment)


def _present(rendered: Mapping[str, Any]) -> Manifest:
    return {key: str(value) if isinstance(value, RunPhase) else value for key, value in rendered.items() if value or key == "runSummary"}
