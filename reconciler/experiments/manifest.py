"""Experiments: manifests to nouns and statuses back (contract 8.1). Errors name the field."""

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from typing import Any, TypeVar

from reconciler.analysis.model import RunPhase
from reconciler.experiments.model import (
    DEFAULT_DEADLINE,
    DEFAULT_DELAY,
    Experiment,
    ExperimentAnalysis,
    ExperimentSpec,
    ExperimentStatus,
    ExperimentTemplate,
    MeasuredStatus,
    PodCounts,
    TemplateCode,
    TemplateStatus,
)
from reconciler.kernel.fields import Fields
from reconciler.kernel.identity import Manifest
from reconciler.kernel.moment import render_moment
from reconciler.rollouts.spec.durations import parse_seconds
from reconciler.rollouts.status.manifest import parse_condition, render_condition

Word = TypeVar("Word", bound=StrEnum)


def parse_experiment(manifest: Manifest) -> Experiment:
    """An Experiment with its status. Raises InvalidField naming what cannot be read."""
    whole = Fields("experiment", manifest)
    return Experiment(manifest, _spec(Fields("spec", whole.under("spec").raw)), _status(Fields("status", whole.under("status").raw)))


def render_status(status: ExperimentStatus) -> Manifest:
    """The status as the reference writes it: what is empty is absent, counts of pods never are."""
    return _present(
        {
            "phase": status.phase,
            "message": status.message,
            "availableAt": None if status.available_at is None else render_moment(status.available_at),
            "templateStatuses": [_render_template(template) for template in status.templates],
            "analysisRuns": [_render_run(run) for run in status.runs],
            "conditions": [render_condition(condition) for condition in status.conditions],
        }
    )


def _spec(spec: Fields) -> ExperimentSpec:
    return ExperimentSpec(
        templates=tuple(_template(template) for template in spec.each("templates")),
        analyses=tuple(_analysis(analysis) for analysis in spec.each("analyses")),
        duration=_duration(spec),
        progress_deadline=spec.number_or("progressDeadlineSeconds", DEFAULT_DEADLINE),
        scale_down_delay=spec.number_or("scaleDownDelaySeconds", DEFAULT_DELAY),
        terminate=spec.flag("terminate"),
        dry_run=tuple(rule.raw for rule in spec.each("dryRun")),
        retention=tuple(rule.raw for rule in spec.each("measurementRetention")),
        run_metadata=spec.under("analysisRunMetadata").raw,
    )


def _duration(spec: Fields) -> timedelta | None:
    """Seconds, a numeric text, or Go's `1h30m`; empty counts as absent."""
    value = spec.raw.get("duration")
    if value is None or value == "":
        return None
    seconds = parse_seconds(value) if isinstance(value, int | str) and not isinstance(value, bool) else None
    if seconds is None or seconds < 0:
        raise spec.refusal("duration", value, "must be seconds or a duration such as 5m")
    return timedelta(seconds=seconds)


def _template(template: Fields) -> ExperimentTemplate:
    service = template.optional("service")
    return ExperimentTemplate(
        name=template.text("name"),
        replicas=template.number_or("replicas", 1),
        min_ready_seconds=template.number_or("minReadySeconds", 0),
        selector=template.under("selector").raw,
        template=template.under("template").raw,
        service=None if service is None else service.text("name"),
    )


def _analysis(analysis: Fields) -> ExperimentAnalysis:
    return ExperimentAnalysis(
        name=analysis.text("name"),
        template_name=analysis.text("templateName"),
        cluster_scope=analysis.flag("clusterScope"),
        arguments=tuple(argument.raw for argument in analysis.each("args")),
        required=analysis.flag("requiredForCompletion"),
    )


def _status(status: Fields) -> ExperimentStatus:
    return ExperimentStatus(
        phase=_word(status, "phase", RunPhase),
        message=status.text("message"),
        available_at=status.moment("availableAt"),
        templates=tuple(_template_status(template) for template in status.each("templateStatuses")),
        runs=tuple(_measured(run) for run in status.each("analysisRuns")),
        conditions=tuple(parse_condition(condition.raw) for condition in status.each("conditions")),
    )


def _word(fields: Fields, key: str, words: type[Word]) -> Word | None:
    text = fields.text(key)
    if not text:
        return None
    try:
        return words(text)
    except ValueError:
        raise fields.refusal(key, text, f"must be one of {', '.join(words)}") from None


def _template_status(template: Fields) -> TemplateStatus:
    return TemplateStatus(
        name=template.text("name"),
        counts=PodCounts(
            replicas=template.number_or("replicas", 0),
            ready=template.number_or("readyReplicas", 0),
            available=template.number_or("availableReplicas", 0),
        ),
        collisions=template.number("collisionCount"),
        code=_word(template, "status", TemplateCode),
        message=template.text("message"),
        moved=template.moment("lastTransitionTime"),
        service=template.text("serviceName"),
        hash=template.text("podTemplateHash"),
    )


def _measured(run: Fields) -> MeasuredStatus:
    return MeasuredStatus(
        name=run.text("name"), run=run.text("analysisRun"), phase=_word(run, "phase", RunPhase), message=run.text("message")
    )


def _render_template(template: TemplateStatus) -> Manifest:
    counts = {
        "replicas": template.counts.replicas,
        "updatedReplicas": template.counts.replicas,
        "readyReplicas": template.counts.ready,
        "availableReplicas": template.counts.available,
    }
    words = {
        "status": template.code,
        "message": template.message,
        "lastTransitionTime": None if template.moved is None else render_moment(template.moved),
        "serviceName": template.service,
        "podTemplateHash": template.hash,
    }
    collisions = {} if template.collisions is None else {"collisionCount": template.collisions}
    return {"name": template.name, **counts, **collisions, **_present(words)}


def _render_run(run: MeasuredStatus) -> Manifest:
    """All but the message are always written, as the reference's type says."""
    return {"name": run.name, "analysisRun": run.run, "phase": str(run.phase or ""), **_present({"message": run.message})}


def _present(rendered: Mapping[str, Any]) -> Manifest:
    return {key: str(value) if isinstance(value, StrEnum) else value for key, value in rendered.items() if value}
