"""What is wrong with an Experiment, or with the experiment step of a Rollout: the controllers' own rules, with templates looked up among
the files, and what would wait for ever or measure nothing (contract 8, 13.49)."""

from collections.abc import Mapping, Sequence

from reconciler.analysis.arguments import Unresolved, merge_arguments
from reconciler.analysis.templates import InvalidTemplates, combine, referenced
from reconciler.app.lint.finding import Remark, Remarks, Severity
from reconciler.app.lint.library import CLUSTER_TEMPLATES, TEMPLATES, Library
from reconciler.experiments.manifest import parse_experiment
from reconciler.experiments.validation import experiment_problems
from reconciler.kernel.identity import Manifest, namespace_of
from reconciler.kernel.problem import InvalidField
from reconciler.rollouts.spec.model import ExperimentStep, RolloutSpec

ENDLESS = "has no duration and no analysis with requiredForCompletion: it never ends by itself"
PORTLESS = "no container of the pod template names a port: there will be no Service, and no traffic for this weight"
GIVEN = "1"
"""Stands for a value that only the cluster knows."""
DROPPED = "an Experiment knows no Rollout: its arguments take `value` alone, `valueFrom` is dropped"


def experiment_remarks(manifest: Manifest, library: Library) -> Remarks:
    """Every broken rule of one Experiment."""
    try:
        experiment = parse_experiment(manifest)
    except InvalidField as error:
        yield Remark(error.problem.field, error.problem.detail)
        return
    yield from (Remark(problem.field, problem.detail) for problem in experiment_problems(experiment.spec))
    yield from _measuring("spec", manifest.get("spec") or {}, namespace_of(manifest), library)
    for index, analysis in enumerate(_analyses(manifest.get("spec") or {})):
        for place, argument in enumerate(analysis.get("args") or ()):
            if argument.get("valueFrom"):
                yield Remark(f"spec.analyses[{index}].args[{place}].valueFrom", DROPPED, Severity.WARNING)
    yield from _endless("spec", manifest.get("spec") or {})


def step_remarks(rollout: Manifest, spec: RolloutSpec, library: Library) -> Remarks:
    """What the experiment steps of a Rollout refer to and wait for."""
    for index, step in enumerate(spec.steps):
        if step.experiment is None:
            continue
        field = f"spec.strategy.canary.steps[{index}].experiment"
        yield from _measuring(field, step.experiment.manifest, namespace_of(rollout), library)
        yield from _endless(field, step.experiment.manifest)
        yield from _portless(field, step.experiment, spec)


def _measuring(field: str, asked: Manifest, namespace: str, library: Library) -> Remarks:
    for index, analysis in enumerate(_analyses(asked)):
        place, name = f"{field}.analyses[{index}]", str(analysis.get("templateName") or "")
        wanted = (CLUSTER_TEMPLATES, "", name) if analysis.get("clusterScope") else (TEMPLATES, namespace, name)
        if not name:
            continue  # told by the rules of the object itself
        if library.find(*wanted) is None:
            yield library.missing(f"{place}.templateName", wanted, namespace)
            continue
        yield from _fitting(place, analysis, asked, library.templates(namespace))


def _fitting(field: str, analysis: Manifest, asked: Manifest, templates: Sequence[Manifest]) -> Remarks:
    """The templates must go together, and every argument of theirs needs a value."""
    reference = {"templateName": analysis.get("templateName"), "clusterScope": analysis.get("clusterScope")}
    whole = {"templates": [reference], "dryRun": asked.get("dryRun"), "measurementRetention": asked.get("measurementRetention")}
    try:
        named = referenced(templates, whole)
    except InvalidTemplates:
        return  # a template that a template names: told where that one is looked at
    combined = combine(templates, whole)
    if isinstance(combined, str):
        yield Remark(field, combined)
        return
    given = [{"name": argument.get("name"), "value": str(argument.get("value") or GIVEN)} for argument in analysis.get("args") or ()]
    try:
        merge_arguments(given, combined.arguments)
    except Unresolved as error:
        yield Remark(f"{field}.args", f"{error}: give it a value here, or the template a default")
    declared = {argument.get("name") for template in named for argument in (template.get("spec") or {}).get("args") or ()}
    for index, argument in enumerate(given):
        if argument["name"] not in declared:
            message = f"argument {argument['name']} is declared by none of the templates: it is dropped"
            yield Remark(f"{field}.args[{index}]", message, Severity.NOTE)


def _endless(field: str, asked: Mapping[str, object]) -> Remarks:
    required = any(analysis.get("requiredForCompletion") for analysis in _analyses(asked))
    if not asked.get("duration") and not required:
        yield Remark(field, ENDLESS, Severity.WARNING)


def _portless(field: str, step: ExperimentStep, spec: RolloutSpec) -> Remarks:
    containers = (spec.template.get("spec") or {}).get("containers") or []
    if any(container.get("ports") for container in containers):
        return
    for index, template in enumerate(step.templates):
        if template.weight:
            yield Remark(f"{field}.templates[{index}].weight", PORTLESS, Severity.WARNING)


def _analyses(asked: Mapping[str, object]) -> list[Manifest]:
    found = asked.get("analyses")
    return [analysis for analysis in found if isinstance(analysis, dict)] if isinstance(found, list) else []
