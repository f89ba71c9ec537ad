"""The rules an Experiment must obey to be carried out as written (contract 8.6)."""

import json
from collections.abc import Iterable, Iterator

from reconciler.experiments.model import ExperimentSpec, ExperimentTemplate
from reconciler.kernel.problem import Problem, invalid, required
from reconciler.rollouts.pods.claim import matches
from reconciler.rollouts.validation.rules import negative_problems
from reconciler.rollouts.validation.types import selector_problem, template_problem

GREATER = "must be greater than minReadySeconds"


def experiment_problem(spec: ExperimentSpec) -> Problem | None:
    """The first broken rule."""
    return next(experiment_problems(spec), None)


def experiment_problems(spec: ExperimentSpec) -> Iterator[Problem]:
    """All of them, in the order in which the controller looks."""
    # Without a template nothing ever becomes available: no analysis would run, and the experiment would succeed at once.
    if not spec.templates:
        yield required("spec.templates", "an experiment runs at least one template")
    numbers = {"spec.progressDeadlineSeconds": spec.progress_deadline, "spec.scaleDownDelaySeconds": spec.scale_down_delay}
    yield from negative_problems(numbers)
    yield from _names("spec.templates", [template.name for template in spec.templates])
    yield from _names("spec.analyses", [analysis.name for analysis in spec.analyses])
    for index, template in enumerate(spec.templates):
        yield from _template(f"spec.templates[{index}]", template, spec.progress_deadline)
    for index, analysis in enumerate(spec.analyses):
        if not analysis.template_name:
            yield required(f"spec.analyses[{index}].templateName", "")


def _names(path: str, names: Iterable[str]) -> Iterator[Problem]:
    seen: set[str] = set()
    for index, name in enumerate(names):
        if not name:
            yield required(f"{path}[{index}].name", "")
        if name in seen:
            yield Problem(f"{path}[{index}].name", f'Duplicate value: "{name}"')
        seen.add(name)


def _template(path: str, template: ExperimentTemplate, deadline: int) -> Iterator[Problem]:
    yield from negative_problems({f"{path}.replicas": template.replicas, f"{path}.minReadySeconds": template.min_ready_seconds})
    if template.min_ready_seconds >= deadline:
        yield invalid("spec.progressDeadlineSeconds", deadline, f"{GREATER} of {path}")
    unreadable = selector_problem(template.selector, f"{path}.selector") or template_problem(template.template, f"{path}.template")
    if unreadable is not None:
        yield unreadable
        return
    if not template.selector.get("matchLabels") and not template.selector.get("matchExpressions"):
        yield invalid(f"{path}.selector", json.dumps(template.selector), "an empty selector is invalid")
    labels = (template.template.get("metadata") or {}).get("labels") or {}
    if not matches(template.selector, labels):
        yield invalid(f"{path}.template.metadata.labels", json.dumps(labels), "`selector` does not match template `labels`")
