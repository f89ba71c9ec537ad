"""What a rollout refers to (contract 12.3)."""

from reconciler.kernel.identity import Manifest
from reconciler.kernel.well_known import MANAGED_BY
from reconciler.rollouts.spec.manifest import parse_rollout
from reconciler.rollouts.validation.references import analyses, analysis_problem, missing_services, service_fields, unfit_services
from tests.kit.rollouts import analysis, analysis_template, canary, measured, rollout, service, weight

MANIFEST = rollout(canary=canary(weight(20), canaryService="c", stableService="s"))
SPEC = parse_rollout(MANIFEST)


def problem(**services: Manifest) -> str:
    return "; ".join(map(str, (*missing_services(SPEC, services), *unfit_services("web", SPEC, services))))


def test_services_are_named_with_their_whole_path() -> None:
    assert service_fields(SPEC) == (("spec.strategy.canary.canaryService", "c"), ("spec.strategy.canary.stableService", "s"))
    green = parse_rollout(rollout(blue_green={"activeService": "a"}))
    assert service_fields(green) == (("spec.strategy.blueGreen.activeService", "a"),)


def test_a_service_must_exist_select_our_pods_and_be_ours() -> None:
    foreign, other = service("s"), service("s")
    foreign["metadata"]["annotations"] = {MANAGED_BY: "other"}
    other["spec"]["selector"] = {"app": "other", "rollouts-pod-template-hash": "h"}
    assert 'services "s" not found' in problem(c=service("c"))
    assert 'Service "s" is managed by another Rollout' in problem(c=service("c"), s=foreign)
    assert 'Service "s" has unmatch label "app" in rollout' in problem(c=service("c"), s=other)
    assert problem(c=service("c"), s=service("s")) == ""


def test_every_place_that_asks_for_an_analysis_is_known() -> None:
    manifest = rollout(canary=canary(weight(1), measured("a"), analysis=analysis("b")))
    assert [asked.field for asked in analyses(parse_rollout(manifest))] == [
        "spec.strategy.canary.steps[1].analysis",
        "spec.strategy.canary.analysis",
    ]
    green = rollout(blue_green={"activeService": "a", "prePromotionAnalysis": analysis(), "postPromotionAnalysis": {"templates": []}})
    assert [asked.kind.value for asked in analyses(parse_rollout(green))] == ["PrePromotion"]


def test_a_missing_or_endless_template_is_a_problem_that_may_pass() -> None:
    manifest = rollout(canary=canary(measured()))
    spec = parse_rollout(manifest)
    assert analysis_problem(manifest, spec, [analysis_template()]) is None
    missing = analysis_problem(manifest, spec, [])
    endless = analysis_problem(manifest, spec, [analysis_template(count=None)])
    assert missing is not None and missing.passing and "not found" in str(missing)
    assert endless is not None and "runs indefinitely" in str(endless)
