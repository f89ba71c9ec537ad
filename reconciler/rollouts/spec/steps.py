"""The steps of a canary, and the analyses a rollout asks for (contract 1.4, 1.5)."""

from reconciler.kernel.fields import Fields
from reconciler.kernel.identity import Labels
from reconciler.rollouts.spec.durations import parse_seconds
from reconciler.rollouts.spec.model import CanaryScale, ExperimentStep, Pause, PluginStep, RolloutAnalysis, Step, StepTemplate
from reconciler.rollouts.traffic.model import HeaderMatch, HeaderRoute, MirrorRoute

UNREADABLE = -1


def parse_steps(canary: Fields) -> tuple[Step, ...]:
    return tuple(_step(step) for step in canary.each("steps"))


def parse_analysis(analysis: Fields | None) -> RolloutAnalysis | None:
    """An analysis as written; also one without templates, which measures nothing."""
    if analysis is None:
        return None
    return RolloutAnalysis(manifest=analysis.raw, starting_step=analysis.number_or("startingStep", 0))


def _step(step: Fields) -> Step:
    return Step(
        set_weight=step.number("setWeight"),
        pause=_pause(step.optional("pause")),
        scale=_scale(step.optional("setCanaryScale")),
        header_route=_header_route(step.optional("setHeaderRoute")),
        mirror_route=_mirror_route(step.optional("setMirrorRoute")),
        analysis=parse_analysis(step.optional("analysis")),
        experiment=_experiment(step.optional("experiment")),
        plugin=_plugin(step.optional("plugin")),
    )


def _pause(pause: Fields | None) -> Pause | None:
    """A duration that cannot be read becomes -1, which validation refuses (contract 1.4)."""
    if pause is None:
        return None
    value = pause.raw.get("duration")
    if value is None:
        return Pause()
    seconds = parse_seconds(value) if isinstance(value, int | str) else None
    return Pause(UNREADABLE if seconds is None else seconds, str(value))


def _scale(scale: Fields | None) -> CanaryScale | None:
    if scale is None:
        return None
    return CanaryScale(replicas=scale.number("replicas"), weight=scale.number("weight"), match_traffic=scale.flag("matchTrafficWeight"))


def _header_route(route: Fields | None) -> HeaderRoute | None:
    if route is None:
        return None
    return HeaderRoute(route.text("name"), tuple(_header_match(match) for match in route.each("match")))


def _header_match(match: Fields) -> HeaderMatch:
    value = match.under("headerValue")
    return HeaderMatch(
        match.text("headerName"), exact=value.text("exact") or None, prefix=value.text("prefix") or None, regex=value.text("regex") or None
    )


def _mirror_route(route: Fields | None) -> MirrorRoute | None:
    if route is None:
        return None
    return MirrorRoute(route.text("name"), tuple(match.raw for match in route.each("match")), route.number_or("percentage", 100))


def _plugin(plugin: Fields | None) -> PluginStep | None:
    return None if plugin is None else PluginStep(plugin.text("name"), plugin.raw.get("config"))


def _experiment(experiment: Fields | None) -> ExperimentStep | None:
    if experiment is None:
        return None
    analyses = experiment.each("analyses")
    _check_copied(experiment, analyses)
    return ExperimentStep(
        manifest=experiment.raw,
        templates=tuple(_step_template(template) for template in experiment.each("templates")),
        analyses=tuple(analysis.raw for analysis in analyses),
    )


def _check_copied(experiment: Fields, analyses: list[Fields]) -> None:
    """What the Experiment takes over word by word has the types that its controller reads. Raises InvalidField."""
    for analysis in analyses:
        analysis.each("args")
        for name in ("name", "templateName"):
            analysis.text(name)
        for name in ("clusterScope", "requiredForCompletion"):
            analysis.flag(name)
    experiment.each("dryRun")
    for name in ("labels", "annotations"):
        _texts(experiment.under("analysisRunMetadata").under(name))


def _step_template(template: Fields) -> StepTemplate:
    metadata, service, selector = template.under("metadata"), template.optional("service"), template.optional("selector")
    return StepTemplate(
        name=template.text("name"),
        reference=template.text("specRef"),
        replicas=template.number("replicas"),
        labels=_texts(metadata.under("labels")),
        annotations=_texts(metadata.under("annotations")),
        selector=None if selector is None else selector.raw,
        weight=template.number("weight"),
        service=None if service is None else service.text("name"),
    )


def _texts(fields: Fields) -> Labels:
    return {key: fields.text(key) for key in fields.raw}
