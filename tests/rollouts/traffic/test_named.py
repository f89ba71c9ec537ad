"""What a Rollout names is read whatever else is wrong with it; a source moves traffic only where it may write."""

from typing import Any

import pytest

from reconciler.kernel.identity import ObjectRef
from reconciler.kernel.resources import SERVICES, VIRTUAL_SERVICES
from reconciler.kernel.well_known import GENERATED_ROUTES, SOURCE
from reconciler.rollouts.traffic.named import Reach, out_of_reach, routed_refs, routing_of, services_of
from reconciler.routers.registry import ROUTERS
from tests.kit.rollouts import canary, pause, rollout, service, virtual_service, weight
from tests.kit.routers import CASES, SERVED
from tests.kit.world import World

EDGE = {"istio": {"virtualService": {"name": "web.edge", "routes": ["primary"]}}}
REACH = {"team": Reach(frozenset({"shop"})), "platform": Reach(frozenset({"shop", "edge"}))}


def elsewhere(source: str | None) -> World:
    """A Rollout whose VirtualService is in another namespace, applied by a source."""
    fields = {"canaryService": "web-canary", "stableService": "web-stable", "trafficRouting": EDGE}
    manifest = rollout(canary=canary(weight(50), pause(), **fields))
    manifest["metadata"]["annotations"] = {SOURCE: source} if source else {}
    route = virtual_service()
    route["metadata"]["namespace"] = "edge"
    others = [(SERVICES, service(name)) for name in ("web-canary", "web-stable")]
    return World(manifest, *others, (VIRTUAL_SERVICES, route), reach=REACH).settle().push("web:2").settle()


def test_a_rollout_never_moves_weights_where_its_source_may_not_write() -> None:
    world = elsewhere("team")
    assert world.phase.startswith("Degraded InvalidSpec")
    words = 'VirtualService edge/web: namespace edge is not in allow.namespaces of source "team": its weights are not moved'
    assert f"spec.strategy.canary.trafficRouting: Forbidden: {words}" in world.status["message"]
    assert not [write for write in world.store.writes if "VirtualService" in write]


@pytest.mark.parametrize("source", ["platform", "somebody-elses", None])
def test_a_source_that_may_and_a_rollout_without_a_source_of_ours_move_what_they_name(source: str | None) -> None:
    world = elsewhere(source)
    assert world.phase == "Paused CanaryPauseStep"
    moved = world.store.get(VIRTUAL_SERVICES, "edge", "web")
    assert moved is not None and [d["weight"] for d in moved["spec"]["http"][0]["route"]] == [50, 50]


def test_its_own_namespace_is_always_within_reach() -> None:
    manifest = rollout(canary=canary(trafficRouting={"istio": {"virtualService": {"name": "web"}}}))
    manifest["metadata"]["annotations"] = {SOURCE: "team"}
    assert routed_refs(ROUTERS, manifest) == (ObjectRef(VIRTUAL_SERVICES, "shop", "web"),)
    assert out_of_reach(ROUTERS, manifest, {"team": Reach()}) is None


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case().made])
def test_no_router_makes_objects_of_a_kind_that_the_source_may_not_write(name: str) -> None:
    case = CASES[name]()
    routing = {**case.asking(case.config), "managedRoutes": [{"name": "testers"}]}
    manifest = rollout(canary=canary(canaryService="web-canary", stableService="web-stable", trafficRouting=routing))
    manifest["metadata"]["annotations"] = {SOURCE: "team"}
    [kind] = {f"{ref.resource.kind}.{ref.resource.group}" for ref in case.made}
    told = out_of_reach(case.routers, manifest, {"team": Reach(frozenset({"shop"}), frozenset({"Rollout.argoproj.io"}))})
    assert told is not None and f'kind {kind} is not in allow.kinds of source "team": it is not made' in told
    assert out_of_reach(case.routers, manifest, {"team": Reach(frozenset({"shop"}), frozenset({kind}))}) is None
    assert out_of_reach(case.routers, manifest, {"other": Reach()}) is None


def test_a_source_without_ingresses_has_no_canary_ingress_made() -> None:
    case = CASES["nginx"]()
    manifest = rollout(canary=canary(weight(50), pause(), **SERVED, trafficRouting=case.asking(case.config)))
    manifest["metadata"]["annotations"] = {SOURCE: "team"}
    others = [(SERVICES, service(name)) for name in ("web-canary", "web-stable")]
    objects = [(ref.resource, found) for ref, found in case.objects.items()]
    world = World(manifest, *others, *objects, reach=REACH).settle()
    assert "InvalidSpec" in world.phase and "it is not made" in world.status["message"]
    assert not [write for write in world.store.writes if "Ingress" in write]


@pytest.mark.parametrize("spec", [None, 3, {}, {"strategy": []}, {"strategy": {"canary": {"trafficRouting": "istio"}}}])
def test_a_rollout_of_any_shape_can_be_asked_what_it_names(spec: Any) -> None:
    manifest = {**rollout(), "spec": spec}
    assert (routed_refs(ROUTERS, manifest), routing_of(manifest)) == ((), {})
    assert services_of(manifest).pair == ("", "")


def test_the_references_form_of_generated_routes_is_asked_for_by_annotation() -> None:
    manifest = rollout(canary=canary(istio=True))
    assert not services_of(manifest).plain_routes
    manifest["metadata"]["annotations"] = {GENERATED_ROUTES: "plain"}
    assert services_of(manifest).plain_routes
