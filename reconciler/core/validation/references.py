"""What a rollout refers to: Services that exist and are its own, analyses that can be carried out (contract 12.3)."""

from collections.abc import Iterator, Mapping, Sequence

from reconciler.core.analysis.templates import validate_references
from reconciler.model.identity import Manifest, annotations_of
from reconciler.model.problem import Problem, invalid
from reconciler.model.rollout import Canary, RolloutAnalysis, RolloutSpec
from reconciler.model.workload import HASH_LABEL, MANAGED_BY


def service_fields(spec: RolloutSpec) -> tuple[tuple[str, str], ...]:
    """The (field, name) pairs of the Services a rollout names."""
    if isinstance(spec.strategy, Canary):
        canary = spec.strategy
        named = (("canary.canaryService", canary.canary_service), ("canary.stableService", canary.stable_service))
    else:
        green = spec.strategy
        named = (("blueGreen.activeService", green.active_service), ("blueGreen.previewService", green.preview_service))
    return tuple((f"spec.strategy.{field}", name) for field, name in named if name)


def service_problem(name: str, spec: RolloutSpec, services: Mapping[str, Manifest]) -> Problem | None:
    """The first Service that is missing, selects other pods, or belongs to another rollout; `name` is the rollout's."""
    return next(_service_problems(name, spec, services), None)


def _service_problems(name: str, spec: RolloutSpec, services: Mapping[str, Manifest]) -> Iterator[Problem]:
    labels = (spec.template.get("metadata") or {}).get("labels") or {}
    for field, service_name in service_fields(spec):
        service = services.get(service_name)
        if service is None:
            yield invalid(field, service_name, f'services "{service_name}" not found', passing=True)
            continue
        for key, value in ((service.get("spec") or {}).get("selector") or {}).items():
            if key != HASH_LABEL and labels.get(key) != value:
                yield invalid(field, service_name, f'Service "{service_name}" has unmatch label "{key}" in rollout', passing=True)
        owner = annotations_of(service).get(MANAGED_BY)
        if owner is not None and owner != name:
            yield invalid(field, service_name, f'Service "{service_name}" is managed by another Rollout', passing=True)


def analyses(spec: RolloutSpec) -> tuple[tuple[str, str, RolloutAnalysis], ...]:
    """The (field, kind, analysis) triples of every analysis a rollout may run."""
    if isinstance(spec.strategy, Canary):
        steps = enumerate(spec.strategy.steps)
        found = [(f"spec.strategy.canary.steps[{i}].analysis", "Step", step.analysis) for i, step in steps]
        found.append(("spec.strategy.canary.analysis", "Background", spec.strategy.analysis))
    else:
        found = [
            ("spec.strategy.blueGreen.prePromotionAnalysis", "PrePromotion", spec.strategy.pre_promotion),
            ("spec.strategy.blueGreen.postPromotionAnalysis", "PostPromotion", spec.strategy.post_promotion),
        ]
    return tuple((field, kind, analysis) for field, kind, analysis in found if analysis is not None and analysis.measured)


def analysis_problem(rollout: Manifest, spec: RolloutSpec, templates: Sequence[Manifest]) -> Problem | None:
    """The first analysis that could not be carried out with the templates there are."""
    for field, kind, analysis in analyses(spec):
        error = validate_references(rollout=rollout, kind=kind, analysis=analysis.manifest, templates=templates)
        if error:
            return invalid(f"{field}.templates", _names(analysis), error, passing=True)
    return None


def _names(analysis: RolloutAnalysis) -> str:
    return ", ".join(str(reference.get("templateName", "")) for reference in analysis.manifest.get("templates") or ())
