"""The shares of traffic that the pods of an experiment step have (contract 8.5)."""

from reconciler.kernel.identity import Manifest
from reconciler.rollouts.passes import Pass
from reconciler.rollouts.position import current_step, run_phase
from reconciler.rollouts.traffic.model import WeightDestination


def destinations(pass_: Pass) -> tuple[WeightDestination, ...]:
    """Those of the templates with a weight, by the experiment's own account, while all of its pods serve."""
    step, experiment = current_step(pass_), pass_.experiment
    if step is None or step.experiment is None or experiment is None or run_phase(experiment) != "Running":
        return ()
    known = _services(experiment)
    asked = ((template.weight, known.get(template.name)) for template in step.experiment.templates if template.weight)
    return tuple(WeightDestination(weight, *found) for weight, found in asked if found is not None)


def _services(experiment: Manifest) -> dict[str, tuple[str, str]]:
    """The Service and the hash of each template that has both."""
    templates = (experiment.get("status") or {}).get("templateStatuses") or []
    named = (template for template in templates if isinstance(template, dict))
    found = {str(t.get("name")): (str(t.get("serviceName") or ""), str(t.get("podTemplateHash") or "")) for t in named}
    return {name: words for name, words in found.items() if all(words)}
