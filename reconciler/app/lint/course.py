"""What the course of a release makes impossible although every rule is obeyed: steps that are not reached or do nothing, analyses that the
steps give no time, and pauses that no pipeline ends. Times are what pauses and measurements take at least; pods take some more.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from reconciler.analysis.arguments import Unresolved, merge_arguments, substitute
from reconciler.analysis.manifest import InvalidMetric, parse_metrics
from reconciler.analysis.model import UNLIMITED_FAILURES, Metric
from reconciler.analysis.templates import InvalidTemplates, combine
from reconciler.app.lint.finding import Remark, Remarks, Severity
from reconciler.kernel.duration import parse_duration, words_of
from reconciler.kernel.identity import Manifest
from reconciler.rollouts.spec.model import Canary, ExperimentStep, RolloutSpec, Step

CANARY = "spec.strategy.canary"
PERSON = "waits for a person: in a pipeline none is there; write a duration, or an analysis that decides"
LAST_POD = (
    "at weight 0 this takes the canary's last pod, and the header route goes with it and does not come back: "
    "put a setWeight before it, or write setCanaryScale: {weight: …}"
)
NO_PODS = "the canary has no pods yet: the route is taken away again until it has; put a setWeight or a setCanaryScale before it"


def course_remarks(spec: RolloutSpec, templates: Sequence[Manifest], *, unattended: bool) -> Remarks:
    """Everything that the course of a release leaves no room for; `unattended`: it is released by a pipeline, without a person."""
    if unattended:
        yield from _waits_for_people(spec)
    if spec.canary is not None:
        yield from _unreached(spec.canary)
        yield from _without_pods(spec.canary)
        yield from _background(spec.canary, templates)
        yield from _experiments(spec.canary, templates)
    elif spec.blue_green is not None and not spec.blue_green.auto_promotion and spec.blue_green.auto_promotion_seconds:
        words = "is never counted: autoPromotionEnabled is false, so a person promotes"
        yield _warning("spec.strategy.blueGreen.autoPromotionSeconds", words)


def _waits_for_people(spec: RolloutSpec) -> Remarks:
    if spec.paused:
        yield Remark("spec.paused", PERSON)
    if spec.blue_green is not None and not spec.blue_green.auto_promotion:
        yield Remark("spec.strategy.blueGreen.autoPromotionEnabled", PERSON)
    for index, step in enumerate(spec.steps):
        if step.pause is not None and step.pause.duration is None:
            yield Remark(f"{CANARY}.steps[{index}].pause", PERSON)


def _unreached(canary: Canary) -> Remarks:
    """Steps behind one that never ends, and an analysis that begins behind the last."""
    end = len(canary.steps)
    endless = next(
        (index for index, step in enumerate(canary.steps) if step.experiment is not None and _length(step.experiment) is None), end
    )
    if endless + 1 < end:
        words = f"cannot be reached: the experiment of step {endless + 1} never ends by itself"
        yield _warning(f"{CANARY}.steps[{endless + 1}]", words)
    if canary.analysis is not None and canary.analysis.measured and canary.steps and canary.analysis.starting_step >= end:
        words = f"is never reached: there are {end} steps, counted from 0, so the analysis has no step to begin at"
        yield _warning(f"{CANARY}.analysis.startingStep", words)


def _without_pods(canary: Canary) -> Remarks:
    """Routes to a canary of no pods do not stay (contract 13.11)."""
    pods = users = tagged = False
    for index, step in enumerate(canary.steps):
        if step.scale is not None:
            pods = bool(step.scale.replicas or step.scale.weight) if not step.scale.match_traffic else pods
        pods = pods or bool(step.set_weight)
        if step.set_weight is not None:
            users = step.set_weight > 0
        if step.scale is not None and step.scale.match_traffic and not users and tagged:
            yield _warning(f"{CANARY}.steps[{index}].setCanaryScale", LAST_POD)
        tagged = tagged or bool(step.header_route is not None and step.header_route.matches)
        for name, route in (("setHeaderRoute", step.header_route), ("setMirrorRoute", step.mirror_route)):
            if route is not None and route.matches and not pods:
                yield _warning(f"{CANARY}.steps[{index}].{name}", NO_PODS)


def _background(canary: Canary, templates: Sequence[Manifest]) -> Remarks:
    """The analysis beside the steps ends with them, wherever it stands."""
    analysis = canary.analysis
    if analysis is None or not analysis.measured or analysis.starting_step >= max(1, len(canary.steps)):
        return
    spans = [_span(step) for step in canary.steps[analysis.starting_step :]]
    if any(span is None for span in spans):
        return
    given = sum((span for span in spans if span is not None), timedelta())
    yield from _too_short(f"{CANARY}.analysis", "the steps beside it", given, _metrics(analysis.manifest, templates))


def _experiments(canary: Canary, templates: Sequence[Manifest]) -> Remarks:
    """An analysis of an experiment ends with it, but for those that the experiment waits for."""
    for index, step in enumerate(canary.steps):
        given = _duration(step.experiment) if step.experiment is not None else None
        if step.experiment is None or given is None:
            continue
        for place, analysis in enumerate(step.experiment.analyses):
            reference = {"templateName": analysis.get("templateName"), "clusterScope": analysis.get("clusterScope")}
            metrics = _metrics({**analysis, "templates": [reference]}, templates)
            yield from _too_short(f"{CANARY}.steps[{index}].experiment.analyses[{place}]", "the experiment", given, metrics)


def _too_short(field: str, what: str, given: timedelta, metrics: Sequence[Metric]) -> Remarks:
    """Metrics that cannot fail, or cannot succeed as they ask for, in the time that is given."""
    for metric in metrics:
        taken = _measurements(metric, given)
        limits = [limit for limit in (metric.allowed_failures, metric.consecutive_failure_limit) if limit not in (None, UNLIMITED_FAILURES)]
        allowed, wanted = min(limits, default=UNLIMITED_FAILURES), metric.consecutive_success_limit
        time = f"{what} may take no more than {words_of(given)}"
        if taken == 0:
            yield _warning(field, f"metric {metric.name} measures nothing in time: it begins after {_words(metric.initial_delay)}, {time}")
        elif wanted and wanted > taken and metric.interval is not None:
            words = (
                f"metric {metric.name} can never pass in time: it asks for {wanted} successes in a row and measures {taken} times, {time}"
            )
            yield _warning(field, words)
        elif (
            allowed not in (UNLIMITED_FAILURES, 0)
            and allowed >= taken
            and (metric.effective_count is None or metric.effective_count > taken)
        ):
            words = f"metric {metric.name} can never fail in time: it fails on failure {allowed + 1} and measures {taken} times, {time}"
            yield _warning(field, words)


def _measurements(metric: Metric, given: timedelta) -> int:
    """How many measurements fit: the first after the delay, the others an interval apart."""
    left = given - (metric.initial_delay or timedelta())
    if left < timedelta():
        return 0
    most = metric.effective_count
    if not metric.interval:
        return most or 1
    fit = 1 + left // metric.interval
    return fit if most is None else min(fit, most)


def _metrics(analysis: Manifest, templates: Sequence[Manifest]) -> Sequence[Metric]:
    """The metrics of an analysis as far as these files know them; none where another rule has its word to say."""
    given = [argument for argument in analysis.get("args") or () if argument.get("value") is not None]
    try:
        combined = combine(templates, analysis)
        if isinstance(combined, str):
            return ()
        merged = merge_arguments(given, combined.arguments)
        values: Mapping[str, str | None] = {str(one.get("name")): None if one.get("value") is None else str(one["value"]) for one in merged}
        return parse_metrics(tuple(substitute(combined.metrics, values)))
    except (InvalidTemplates, InvalidMetric, Unresolved):
        return ()


def _span(step: Step) -> timedelta | None:
    """How long a step takes at the most, pods aside; None when that is not known, or a person decides."""
    if step.plugin is not None:
        return None
    if step.pause is not None:
        return None if step.pause.duration is None else timedelta(seconds=step.pause.duration)
    if step.experiment is not None:
        return _length(step.experiment) if not step.experiment.analyses else None
    return None if step.analysis is not None else timedelta()


def _length(experiment: ExperimentStep) -> timedelta | None:
    """How long an experiment takes; nothing is known of one that waits for its analyses, but that it ends."""
    required = any(analysis.get("requiredForCompletion") for analysis in experiment.analyses)
    return timedelta() if required else _duration(experiment)


def _duration(experiment: ExperimentStep) -> timedelta | None:
    written = experiment.manifest.get("duration")
    try:
        return parse_duration(written) if isinstance(written, str) and written else None
    except (ValueError, OverflowError):
        return None


def _words(span: timedelta | None) -> str:
    return words_of(span or timedelta())


def _warning(field: str, message: str) -> Remark:
    return Remark(field, message, Severity.WARNING)
