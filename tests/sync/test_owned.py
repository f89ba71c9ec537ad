"""Ownership is read off Rollouts and autoscalers."""

from reconciler.kernel.identity import Manifest
from reconciler.routers.registry import ROUTERS
from reconciler.sync.drift.owned import runtime_owned


def rollout(**spec: object) -> Manifest:
    return {"kind": "Rollout", "metadata": {"name": "web", "namespace": "shop"}, "spec": spec}


def routing(**istio: object) -> Manifest:
    return rollout(strategy={"canary": {"trafficRouting": {"managedRoutes": [{"name": "testers"}], "istio": istio}}})


def test_a_referenced_deployments_replicas_belong_to_the_rollout() -> None:
    owned = runtime_owned([rollout(workloadRef={"kind": "Deployment", "name": "web"})], [], ROUTERS)
    assert ("Deployment", "shop", "web") in owned.scaled


def test_an_autoscalers_target_belongs_to_it() -> None:
    scaler = {"metadata": {"namespace": "shop", "name": "h"}, "spec": {"scaleTargetRef": {"kind": "Rollout", "name": "web"}}}
    assert ("Rollout", "shop", "web") in runtime_owned([], [scaler], ROUTERS).scaled


def test_virtual_services_are_found_in_both_shapes_and_in_other_namespaces() -> None:
    assert runtime_owned([routing(virtualService={"name": "web"})], [], ROUTERS).routed.keys() == {("VirtualService", "shop", "web")}
    several = routing(virtualServices=[{"name": "a"}, {"name": "b.edge"}])
    assert set(runtime_owned([several], [], ROUTERS).routed) == {("VirtualService", "shop", "a"), ("VirtualService", "edge", "b")}


def test_a_rollout_without_routing_owns_no_route() -> None:
    assert runtime_owned([rollout(strategy={"canary": {}})], [], ROUTERS).routed == {}
