"""Users go home whatever is missing: an abort, or an analysis that failed, needs no template and no canary Service (ADR 0043)."""

from datetime import timedelta
from typing import Any

import pytest

from reconciler.kernel.errors import Transient
from reconciler.kernel.identity import Key, Manifest, Resource
from reconciler.kernel.resources import ANALYSIS_TEMPLATES, DEPLOYMENTS, SERVICES, VIRTUAL_SERVICES
from reconciler.kube.errors import ApiError, Busy, Refused
from tests.kit.rollouts import (
    NAMESPACE,
    analysis,
    analysis_template,
    canary,
    deployment,
    measured,
    pause,
    rollout,
    service,
    virtual_service,
    weight,
)
from tests.kit.store import run_through
from tests.kit.world import World, deployed, with_services, with_templates

STEPS = (weight(50), pause(), weight(75), pause())
TEMPLATE, CANARY_SERVICE = (ANALYSIS_TEMPLATES, "success-rate"), (SERVICES, "web-canary")


def half_way(*steps: Manifest, **fields: Any) -> World:
    """A canary at 50 %, measured in the background."""
    spec = canary(*(steps or STEPS), istio=True, **{"analysis": {**analysis("success-rate"), "startingStep": 1}, **fields})
    around = (*with_templates(analysis_template("success-rate")), (VIRTUAL_SERVICES, virtual_service()))
    world = deployed(rollout(canary=spec), *around, *with_services(service("web-canary"), service("web-stable")))
    return world.push("web:2").settle()


def without(world: World, missing: tuple[Resource, str]) -> World:
    resource, name = missing
    world.store.remove(resource, NAMESPACE, name)
    world.settle()
    assert world.phase.startswith("Degraded InvalidSpec") and f"'{name}' not found" in world.phase.replace('"', "'")
    return world


@pytest.mark.parametrize("missing", [TEMPLATE, CANARY_SERVICE])
def test_an_abort_brings_users_home_from_a_rollout_that_is_invalid_for_something_missing(missing: tuple[Resource, str]) -> None:
    world = without(half_way(), missing)
    assert world.weight == 50, "nothing goes forward, and nothing back"
    world.press(abort=True).settle()
    assert world.weight == 0 and "aborted" in world.phase and world.size("web:1") == 4
    assert all(run["spec"].get("terminate") for run in world.runs.values())
    world.wait(60)
    assert world.size("web:2") == 0


@pytest.mark.parametrize("phase", ["Failed", "Error"])
@pytest.mark.parametrize("missing", [TEMPLATE, CANARY_SERVICE])
def test_an_analysis_that_fails_meanwhile_brings_users_home(missing: tuple[Resource, str], phase: str) -> None:
    world = without(half_way(), missing)
    (name,) = world.runs
    world.end_run(name, phase).settle()
    assert world.weight == 0 and "Background analysis phase error/failed" in world.phase


def test_a_step_that_fails_meanwhile_brings_users_home() -> None:
    world = without(half_way(weight(50), measured("success-rate"), pause(), analysis=None), TEMPLATE)
    (name,) = world.runs
    world.end_run(name, "Failed").settle()
    assert world.weight == 0 and "Step-based analysis" in world.phase


@pytest.mark.parametrize("phase", ["Successful", "Inconclusive"])
def test_what_would_go_forward_or_wait_stands_still_until_it_is_there_again(phase: str) -> None:
    world = without(half_way(weight(50), measured("success-rate"), weight(75), pause(), analysis=None), TEMPLATE)
    (name,) = world.runs
    world.end_run(name, phase).settle()
    assert world.weight == 50 and world.phase.startswith("Degraded InvalidSpec")


@pytest.mark.parametrize("missing", [TEMPLATE, CANARY_SERVICE])
@pytest.mark.parametrize("routed", [True, False])
def test_the_former_template_in_git_brings_users_home_too(missing: tuple[Resource, str], routed: bool) -> None:
    world = without(half_way(**({} if routed else {"trafficRouting": None})), missing)
    assert world.size("web:2") == 2
    world.push("web:1").settle()
    world.wait(60)
    assert (world.size("web:1"), world.size("web:2")) == (4, 0) and (not routed or world.weight == 0)
    assert world.phase.startswith("Degraded InvalidSpec"), "at rest it says again what is missing"


def test_blue_green_goes_back_to_the_active_template_and_never_forward() -> None:
    green = {"activeService": "web-stable", "previewService": "web-canary", "prePromotionAnalysis": analysis("success-rate")}
    around = (*with_templates(analysis_template("success-rate")), *with_services(service("web-canary"), service("web-stable")))
    world = without(deployed(rollout(blue_green=green), *around).push("web:2").settle(), TEMPLATE)
    world.push("web:1").settle()
    world.wait(60)
    assert (world.size("web:1"), world.size("web:2"), world.selected("web-stable")) == (4, 0, "web:1")


def test_a_stable_version_follows_its_scale_whatever_is_missing() -> None:
    spec = canary(*STEPS, analysis=analysis("success-rate"))
    world = without(deployed(rollout(canary=spec), *with_templates(analysis_template("success-rate"))), TEMPLATE)
    world.edit({"spec": {"replicas": 6}}).settle()
    assert world.size("web:1") == 6 and world.phase.startswith("Degraded InvalidSpec")


def test_a_retry_and_a_new_version_wait_for_what_is_missing() -> None:
    world = without(half_way(), TEMPLATE)
    world.press(abort=True).settle()
    world.press(abort=False).settle()
    assert world.weight == 0 and world.phase.startswith("Degraded InvalidSpec"), "a retry goes forward"
    world.press(abort=True).settle()
    world.push("web:3").settle()
    assert world.phase.startswith("Degraded InvalidSpec") and len(world.replica_sets) == 2, "another attempt does not begin"
    world.store.put(ANALYSIS_TEMPLATES, analysis_template("success-rate"))
    world.settle()
    assert world.weight == 50 and world.size("web:3") == 2


def test_blue_green_is_not_promoted_by_a_failed_analysis_whose_template_is_gone() -> None:
    green = {"activeService": "web-stable", "previewService": "web-canary", "prePromotionAnalysis": analysis("success-rate")}
    around = (*with_templates(analysis_template("success-rate")), *with_services(service("web-canary"), service("web-stable")))
    world = deployed(rollout(blue_green=green), *around).push("web:2").settle()
    without(world, TEMPLATE)
    (name,) = world.runs
    world.end_run(name, "Failed").settle()
    assert "pre-promotion analysis phase error/failed" in world.phase
    assert world.selected("web-stable") == "web:1"


def test_a_service_that_another_rollout_holds_is_not_taken_from_it_on_the_way_home() -> None:
    world, held = half_way(), service("web-stable")
    held["metadata"]["annotations"] = {"argo-rollouts.argoproj.io/managed-by-rollouts": "other"}
    world.store.put(SERVICES, held)
    world.settle().press(abort=True).settle()
    assert world.phase.startswith("Degraded InvalidSpec") and "managed by another Rollout" in world.phase


@pytest.mark.parametrize("verb", ["abort", "failed"])
def test_the_deployment_whose_template_was_borrowed_may_be_gone(verb: str) -> None:
    borrowing = rollout(
        canary=canary(*STEPS, analysis=analysis()), workloadRef={"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
    )
    del borrowing["spec"]["template"], borrowing["spec"]["selector"]
    world = deployed(borrowing, (DEPLOYMENTS, deployment()), *with_templates(analysis_template()))
    world.clock.time += timedelta(seconds=1)
    world.store.put(DEPLOYMENTS, deployment(image="web:2"))
    world.settle()
    assert world.size("web:2") == 2
    world.store.remove(DEPLOYMENTS, NAMESPACE, "web")
    world.settle()
    assert world.phase.startswith("Degraded InvalidSpec") and world.size("web:2") == 2, "nothing goes forward"
    (world.press(abort=True) if verb == "abort" else world.end_run(*world.runs, "Failed")).wait(60)
    assert "aborted" in world.phase and (world.size("web:1"), world.size("web:2")) == (4, 0)
    assert world.press(abort=False).settle().phase.startswith("Degraded InvalidSpec") and world.size("web:2") == 0


def refusing(world: World, kind: str, error: ApiError) -> World:
    """From now on a webhook has a word about every write of this kind but creations."""

    def refuse(write: str) -> None:
        if write.split()[1] == kind and not write.startswith("create"):
            raise error

    world.store.before_write = refuse
    return world


BUSY, REFUSED = Busy(500, "InternalError", "failed calling webhook"), Refused(422, "Invalid", "a webhook says no")


@pytest.mark.parametrize("error", [BUSY, REFUSED], ids=["busy", "refused"])
@pytest.mark.parametrize("kind", ["Service", "ReplicaSet", "AnalysisRun"])
@pytest.mark.parametrize("home", ["abort", "template"])
def test_what_cannot_be_written_beside_their_way_keeps_nobody_from_home(kind: str, error: ApiError, home: str) -> None:
    world = refusing(half_way(), kind, error)
    (world.press(abort=True) if home == "abort" else world.push("web:1")).settle()
    assert world.weight == 0 and world.size("web:1") == 4 and (home == "template" or "aborted" in world.phase)
    assert world.selected("web-canary") == ("web:2" if kind == "Service" else "web:1")
    with pytest.raises(Transient, match=error.message):
        run_through(world.controller.reconcile(Key("rollout", NAMESPACE, "web")))
    told = [event["message"] for event in world.store.events if event["reason"] == "ReconciliationError"]
    assert bool(told) is (error is REFUSED) and all(message.startswith(f"{kind} shop/") for message in told)
    world.store.before_write = lambda _: None
    world.wait(60)
    assert (world.selected("web-canary"), world.size("web:2")) == ("web:1", 0)
    assert all(run["spec"].get("terminate") for run in world.runs.values())


def test_the_former_version_stays_until_the_service_that_users_go_through_leads_to_the_next() -> None:
    """To be at home after a promotion is another thing than the way home: nothing goes on past the stable Service."""
    world = refusing(half_way(), "Service", REFUSED)
    world.press(promoteFull=True).wait(60)
    assert (world.selected("web-stable"), world.size("web:1"), world.size("web:2")) == ("web:1", 4, 4)
