"""Traffic beside pods: weights follow capacity, tags come and go with their steps (contract 9.1, C3, C4, 13.9–13.11)."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from reconciler.kernel.identity import ObjectRef
from reconciler.kernel.plan import Replace
from reconciler.kernel.resources import SERVICES, VIRTUAL_SERVICES
from reconciler.rollouts.traffic.router import Routed, served
from reconciler.rollouts.traffic.routing import route_traffic
from reconciler.routers.registry import ROUTERS
from tests.kit.passes import begun, moving, replica_set
from tests.kit.rollouts import canary, istio_routing, pause, rollout, service, virtual_service, weight
from tests.kit.world import World, deployed

HEADER = {"setHeaderRoute": {"name": "testers", "match": [{"headerName": "x-canary", "headerValue": {"exact": "yes"}}]}}
ONE_POD = {"setCanaryScale": {"replicas": 1}}


def routed(*steps: dict[str, Any], replicas: int = 4, **fields: Any) -> World:
    """A deployed rollout behind Istio."""
    spec = rollout(replicas=replicas, canary=canary(*steps, istio=True, **fields))
    others = [(SERVICES, service(name)) for name in ("web-canary", "web-stable")]
    return deployed(spec, *others, (VIRTUAL_SERVICES, virtual_service()))


def test_the_first_deployment_keeps_all_traffic_on_stable() -> None:
    world = routed(weight(20), pause())
    assert world.status["canary"]["weights"]["stable"]["weight"] == 100
    assert (world.selected("web-stable"), world.selected("web-canary"), world.weight) == ("web:1", "web:1", 0)


def test_pods_come_first_and_traffic_follows() -> None:
    world = routed(weight(50), pause())
    world.breaks("web:2").push("web:2").settle()
    assert (world.size("web:2"), world.weight, world.selected("web-canary")) == (2, 0, "web:1")
    world.breaks("web:2", ready=True).settle()
    assert (world.weight, world.selected("web-canary"), world.phase) == (50, "web:2", "Paused CanaryPauseStep")
    assert world.size("web:1") == 4


def test_the_last_step_promotes_and_sends_the_weight_back_to_the_new_stable() -> None:
    world = routed(weight(50), pause()).push("web:2").settle().press(pauseConditions=None).settle()
    assert world.phase == "Healthy"
    assert (world.weight, world.selected("web-stable")) == (0, "web:2")
    assert max(world.weights) == 100
    assert world.replica_set("web:1").deadline is not None
    assert world.size("web:1") == 4
    world.wait(31)
    assert world.size("web:1") == 0


def test_with_dynamic_stable_scale_stable_shrinks_behind_the_traffic() -> None:
    world = routed(weight(25), pause(), weight(75), pause(), dynamicStableScale=True).push("web:2").settle()
    assert (world.size("web:1"), world.size("web:2"), world.weight) == (3, 1, 25)
    world.press(pauseConditions=None).settle()
    assert (world.size("web:1"), world.size("web:2"), world.weight) == (1, 3, 75)
    world.press(abort=True).settle()
    assert (world.size("web:1"), world.size("web:2"), world.weight) == (4, 0, 0)
    assert world.selected("web-canary") == "web:1"


def test_a_dynamic_rollback_keeps_traffic_where_the_pods_are() -> None:
    world = routed(weight(75), pause(), dynamicStableScale=True).push("web:2").settle()
    assert (world.size("web:1"), world.weight) == (1, 75)
    world.push("web:1")
    facts: list[tuple[int, int]] = []
    for _ in range(12):
        world.one_pass()
        facts.append((world.weight, world.replica_set("web:1").available))
    assert all(weight_ in (75, 0) for weight_, _ in facts) and (0, 1) not in facts
    world.settle()
    assert (world.weight, world.size("web:1"), world.size("web:2"), world.phase) == (0, 4, 0, "Healthy")


def test_an_explicit_delay_of_zero_holds_an_aborted_canary() -> None:
    world = routed(ONE_POD, pause(), abortScaleDownDelaySeconds=0).push("web:2").settle().press(abort=True).settle()
    assert (world.size("web:2"), world.replica_set("web:2").deadline) == (1, None)
    world.wait(3600)
    assert world.size("web:2") == 1


def test_an_abort_sends_traffic_home_and_keeps_pods_for_half_a_minute() -> None:
    world = routed(weight(50), pause()).push("web:2").settle().press(abort=True).settle()
    assert (world.weight, world.selected("web-canary"), world.size("web:2")) == (0, "web:1", 2)
    assert world.replica_set("web:2").deadline is not None
    world.wait(31)
    assert world.size("web:2") == 0


def test_a_scale_event_during_the_delay_does_not_starve_the_rollout() -> None:
    world = routed(weight(50), pause()).push("web:2").settle().press(abort=True).settle()
    world.edit({"spec": {"replicas": 6}}).settle()
    assert world.replica_set("web:2").desired == 6
    assert (world.size("web:1"), world.size("web:2"), world.weight) == (6, 2, 0)


def test_a_header_route_waits_for_a_pod_and_leaves_with_the_abort() -> None:
    world = routed(ONE_POD, HEADER, pause(), weight(50), trafficRouting=istio_routing("testers"))
    assert world.routes == ["primary"]
    world.push("web:2").settle()
    assert world.routes == ["testers", "primary"]
    assert (world.size("web:2"), world.weight) == (1, 0)
    world.press(abort=True).settle()
    assert world.routes == ["primary"]


def test_a_header_route_leaves_with_the_promotion() -> None:
    world = routed(ONE_POD, HEADER, pause(), weight(50), trafficRouting=istio_routing("testers")).push("web:2").settle()
    world.press(pauseConditions=None).settle()
    assert (world.phase, world.routes) == ("Healthy", ["primary"])


@pytest.mark.parametrize(("revision", "tagged"), [("1", False), ("2", True)])
def test_a_header_route_is_not_written_for_the_first_revision(revision: str, tagged: bool) -> None:
    manifest = rollout(image="image:new", canary=canary(HEADER, istio=True, trafficRouting=istio_routing("testers")))
    manifest["metadata"]["annotations"] = {"rollout.argoproj.io/revision": revision}
    step = begun(manifest, replica_set("old", 4, age=10), replica_set("new", 1), status=moving(currentStepIndex=0))
    live = virtual_service()
    ref = ObjectRef(VIRTUAL_SERVICES, "shop", "web")
    (each,) = served(ROUTERS, manifest["spec"]["strategy"]["canary"]["trafficRouting"])
    step = replace(step, facts=replace(step.facts, found=replace(step.facts.found, routes=(Routed(each, {ref: live}),))))
    names = [r["name"] for e in route_traffic(step).effects if isinstance(e, Replace) for r in e.manifest["spec"]["http"]]
    assert ("testers" in names) is tagged


@pytest.mark.parametrize(("available", "written"), [(1, False), (2, True)])
def test_what_stable_cannot_take_leaves_the_route_as_somebody_left_it(available: int, written: bool) -> None:
    manifest = rollout(image="image:new", canary=canary(weight(50), pause(), istio=True))
    weights = {"canary": {"weight": 50, "podTemplateHash": "new"}, "stable": {"weight": 50, "podTemplateHash": "old"}}
    status = moving(currentStepIndex=0, canary={"weights": weights})
    step = begun(manifest, replica_set("old", 4, available, age=10), replica_set("new", 2), status=status)
    (each,) = served(ROUTERS, manifest["spec"]["strategy"]["canary"]["trafficRouting"])
    live = {ObjectRef(VIRTUAL_SERVICES, "shop", "web"): virtual_service()}
    step = replace(step, facts=replace(step.facts, found=replace(step.facts.found, routes=(Routed(each, live),))))
    assert any(isinstance(effect, Replace) for effect in route_traffic(step).effects) is written


def test_no_canary_pods_means_no_traffic_and_no_tags() -> None:
    world = routed(ONE_POD, HEADER, weight(50), pause(), trafficRouting=istio_routing("testers")).push("web:2").settle()
    assert (world.weight, world.routes) == (50, ["testers", "primary"])
    world.breaks("web:2").settle()
    assert (world.weight, world.routes) == (0, ["primary"])


def test_stable_short_of_pods_freezes_the_weights() -> None:
    world = routed(weight(50), pause()).push("web:2").settle()
    world.breaks("web:1").press(abort=True).settle()
    assert world.weight == 50


def test_a_third_version_takes_the_second_ones_traffic_away_first() -> None:
    world = routed(weight(50), pause()).push("web:2").settle().push("web:3").settle()
    assert (world.weight, world.size("web:1"), world.size("web:3")) == (50, 4, 2)
    assert world.size("web:2") == 0
    assert 0 in world.weights[world.weights.index(50) :]


def test_set_canary_scale_sticks_until_it_matches_traffic_again() -> None:
    match = {"setCanaryScale": {"matchTrafficWeight": True}}
    world = routed({"setCanaryScale": {"weight": 200}}, weight(25), pause(), match, pause()).push("web:2").settle()
    assert (world.size("web:2"), world.weight) == (8, 25)
    world.press(pauseConditions=None).settle()
    assert (world.size("web:2"), world.weight) == (1, 25)


def test_an_autoscaler_at_a_pause_scales_both_sides() -> None:
    world = routed(weight(50), pause()).push("web:2").settle().edit({"spec": {"replicas": 8}}).settle()
    assert (world.size("web:1"), world.size("web:2"), world.phase) == (8, 4, "Paused CanaryPauseStep")


def test_full_promotion_keeps_the_last_weight_until_everybody_is_there() -> None:
    world = routed(weight(25), pause()).push("web:2").settle().press(promoteFull=True)
    weights = []
    for _ in range(20):
        world.kubelet()
        world.one_pass()
        weights.append(world.weight)
    assert set(weights) <= {25, 0}
    assert (world.settle().phase, world.selected("web-stable")) == ("Healthy", "web:2")


def test_full_promotion_of_nothing_divides_by_nothing() -> None:
    world = routed(weight(25), pause(), replicas=0, dynamicStableScale=True).push("web:2").settle()
    assert world.press(promoteFull=True).settle().phase == "Healthy"


def test_without_steps_the_switch_happens_at_promotion() -> None:
    world = routed().push("web:2").settle()
    assert (world.phase, world.selected("web-stable"), world.weights) == ("Healthy", "web:2", [0])


def test_a_progress_threshold_lets_a_step_pass_with_fewer_pods() -> None:
    enough = {"type": "Pods", "value": 0}
    world = routed(weight(50), pause(), replicaProgressThreshold=enough).breaks("web:2").push("web:2").settle()
    assert world.phase == "Paused CanaryPauseStep"


def test_traffic_is_never_raised_above_the_pods_that_can_take_it() -> None:
    world = routed(weight(25), pause(1), weight(75), pause(1), weight(100), pause(1), dynamicStableScale=True).push("web:2")
    before = 0
    for _ in range(60):
        world.one_pass()
        if world.weight > before:
            assert world.replica_set("web:2").available >= -(-world.weight * 4 // 100)
        before = world.weight
        world.kubelet()
        world.clock.time += timedelta(seconds=1)
    assert world.phase == "Healthy"
