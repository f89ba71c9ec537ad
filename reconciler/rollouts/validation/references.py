"""What a rollout refers to: Services that exist and are its own, analyses that can be carried out (contract 12.3)."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from reconciler.analysis.model import RunKind
from reconciler.analysis.templates import validate_references
from reconciler.kernel.identity import Manifest, annotations_of
from reconciler.kernel.problem import Problem, invalid
from reconciler.kernel.well_known import HASH_LABEL, MANAGED_BY
from reconciler.rollouts.spec.model import BlueGreen, Canary, RolloutAnalysis, RolloutSpec


def service_fields(spec: RolloutSpec) -> tuple[tuple[str, str], ...]:
    """The (field, name) pairs of the Services a rollout names."""
    named = _canary_services(spec.strategy) if isinstance(spec.strategy, Canary) else _blue_green_services(spec.strategy)
    return tuple((f"spec.strategy.{field}", name) for field, name in named if name)


def _canary_services(canary: Canary) -> tuple[tuple[str, str], ...]:
    fixed = (("canary.canaryService", canary.canary_service), ("canary.stableService", canary.stable_service))
    pair = canary.ping_pong
    if pair is None:
        return fixed
    return (*fixed, ("canary.pingPong.pingService", pair.ping_service), ("canary.pingPong.pongService", pair.pong_service))


def _blue_green_services(green: BlueGreen) -> tuple[tuple[str, str], ...]:
    return (("blueGreen.activeService", green.active_service), ("blueGreen.previewService", green.preview_service))


def missing_services(spec: RolloutSpec, services: Mapping[str, Manifest]) -> Iterator[Problem]:
    """Those that a rollout names and that do not exist."""
    for field, service_name in service_fields(spec):
        if service_name not in services:
            yield invalid(field, service_name, f'services "{service_name}" not found', passing=True)


def unfit_services(name: str, spec: RolloutSpec, services: Mapping[str, Manifest]) -> Iterator[Problem]:
    """Those that select other pods, or belong to another rollout; `name` is the rollout's."""
    labels = (spec.template.get("metadata") or {}).get("labels") or {}
    for field, service_name in service_fields(spec):
        service = services.get(service_name)
        if service is None:
            continue
        selector = (service.get("spec") or {}).get("selector")
        for key, value in (selector if isinstance(selector, dict) else {}).items():
            if key != HASH_LABEL and labels.get(key) != value:
                yield invalid(field, service_name, f'Service "{service_name}" has unmatch label "{key}" in rollout', passing=True)
        owner = annotations_of(service).get(MANAGED_BY)
        if owner is not None and owner != name:
            yield invalid(field, service_name, f'Service "{service_name}" is managed by another Rollout', passing=True)


@dataclass(frozen=True, slots=True)
class AskedRun:
    """One analysis a rollout may run: the field that asks for it, and what for."""

    field: str
    kind: RunKind
    analysis: RolloutAnalysis


def analyses(spec: RolloutSpec) -> tuple[AskedRun, ...]:
    """Every analysis a rollout may run."""
    if isinstance(spec.strategy, Canary):
        steps = enumerate(spec.strategy.steps)
        found = [(f"canary.steps[{index}].analysis", RunKind.STEP, step.analysis) for index, step in steps]
        found.append(("canary.analysis", RunKind.BACKGROUND, spec.strategy.analysis))
    else:
        found = [
            ("blueGreen.prePromotionAnalysis", RunKind.PRE_PROMOTION, spec.strategy.pre_promotion),
            ("blueGreen.postPromotionAnalysis", RunKind.POST_PROMOTION, spec.strategy.post_promotion),
        ]
    named = ((f"spec.strategy.{place}", kind, analysis) for place, kind, analysis in found)
    return tuple(AskedRun(field, kind, analysis) for field, kind, analysis in named if analysis is not None and analysis.measured)


def analysis_problem(rollout: Manifest, spec: RolloutSpec, templates: Sequence[Manifest]) -> Problem | None:
    """The first analysis that could not be carried out with the templates there are."""
    for asked in analyses(spec):
        error = validate_references(rollout=rollout, kind=asked.kind, analysis=asked.analysis.manifest, templates=templates)
        if error is not None:
            return invalid(f"{asked.field}.templates", _names(asked.analysis), error, passing=True)
    return None


def _names(analysis: RolloutAnalysis) -> str:
    return ", ".join(str(reference.get("templateName", "")) for reference in analysis.manifest.get("templates") or ())
