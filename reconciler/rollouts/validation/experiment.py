"""The rules of an experiment step (contract 12.2): what would make its Experiment invalid is refused before it is reached."""

import json
from collections.abc import Iterator, Mapping

from reconciler.kernel.identity import Manifest
from reconciler.kernel.problem import Problem, invalid, required
from reconciler.rollouts.facts import last_weight
from reconciler.rollouts.spec.durations import parse_seconds
from reconciler.rollouts.spec.model import Canary, ExperimentStep
from reconciler.rollouts.validation.rules import argument_problems, negative_problems
from reconciler.rollouts.validation.types import selector_problem

NO_ROUTING = "Experiment template weight cannot be set unless TrafficRouting is enabled"
NO_ROUTER = "Experiment template weight is only available for TrafficRouting with SMI, ALB, and Istio at this time"
REFERENCES = ("canary", "stable")


def experiment_problems(rollout: Manifest, step: ExperimentStep, path: str) -> Iterator[Problem]:
    """Every broken rule of one step but those about weights; `path` is the step's."""
    place = f"{path}.experiment"
    if not step.templates:
        yield required(f"{place}.templates", "an experiment runs at least one template")
    names = [template.name for template in step.templates]
    for index, template in enumerate(step.templates):
        where = f"{place}.templates[{index}]"
        yield from _name(where, template.name, names[:index])
        if template.reference not in REFERENCES:
            yield invalid(f"{where}.specRef", template.reference, "must be canary or stable")
        yield from negative_problems({f"{where}.replicas": template.replicas or 0, f"{where}.weight": template.weight or 0})
        yield from _selector(where, template.selector)
    for index, analysis in enumerate(step.analyses):
        where, others = f"{place}.analyses[{index}]", [str(other.get("name") or "") for other in step.analyses[:index]]
        yield from _name(where, str(analysis.get("name") or ""), others)
        if not analysis.get("templateName"):
            yield required(f"{where}.templateName", "")
        yield from argument_problems(where, rollout, analysis)
    yield from _numbers(place, step.manifest)


def _name(path: str, name: str, others: list[str]) -> Iterator[Problem]:
    if not name:
        yield required(f"{path}.name", "")
    if name in others:
        yield Problem(f"{path}.name", f'Duplicate value: "{name}"')


def _selector(path: str, selector: Manifest | None) -> Iterator[Problem]:
    if selector is None:
        return
    problem = selector_problem(selector, f"{path}.selector")
    if problem is not None:
        yield problem
    elif not selector.get("matchLabels") and not selector.get("matchExpressions"):
        yield invalid(f"{path}.selector", json.dumps(selector), "an empty selector is invalid")


def _numbers(path: str, manifest: Mapping[str, object]) -> Iterator[Problem]:
    duration, delay = manifest.get("duration"), manifest.get("scaleDownDelaySeconds")
    seconds = parse_seconds(duration) if isinstance(duration, int | str) and duration != "" else 0
    if seconds is None or seconds < 0 or isinstance(duration, bool):
        yield invalid(f"{path}.duration", duration, "must be seconds or a duration such as 5m")
    if delay is not None and (not isinstance(delay, int) or isinstance(delay, bool) or delay < 0):
        yield invalid(f"{path}.scaleDownDelaySeconds", delay, "must be a number of seconds")


def weight_problems(canary: Canary, able: bool) -> Iterator[Problem]:
    """Shares for pods of an experiment need a router that knows such (`able`), and leave the canary its own (contract 12.2)."""
    for index, step in enumerate(canary.steps):
        templates = step.experiment.templates if step.experiment is not None else ()
        path = f"spec.strategy.steps[{index}].experiment.templates"
        for place, template in enumerate(templates):
            if template.weight is not None and canary.routing is None:
                yield invalid(f"{path}[{place}].weight", template.weight, NO_ROUTING)
            elif template.weight is not None and not able:
                yield invalid(f"{path}[{place}].weight", template.weight, NO_ROUTER)
        total, before = sum(template.weight or 0 for template in templates), last_weight(canary.steps[:index])
        if total and total + before > canary.maximum:
            detail = f"together with the canary's weight {before} more than {canary.maximum}"
            yield invalid(path, total, detail)
