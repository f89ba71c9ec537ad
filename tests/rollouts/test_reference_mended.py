"""Where the reference mended itself after the contract was written: what it does then is done here (docs/compatibility.md, "next")."""

from typing import Any

import pytest

from reconciler.kernel.identity import Manifest
from reconciler.kernel.resources import DESTINATION_RULES, SERVICES, VIRTUAL_SERVICES
from reconciler.routers.nginx import INGRESSES
from tests.kit.rollouts import canary, pause, rollout, service, virtual_service, weight
from tests.kit.world import World, deployed


def dynamic(*steps: Manifest, **fields: Any) -> World:
    strategy = canary(*steps, istio=True, dynamicStableScale=True, **fields)
    others = (SERVICES, service("web-stable")), (SERVICES, service("web-canary")), (VIRTUAL_SERVICES, virtual_service())
    return deployed(rollout(canary=strategy), *others)


@pytest.mark.parametrize("delay", [None, 0, 30, 600])
@pytest.mark.parametrize("reached", [25, 75, 100])
def test_an_abort_under_dynamic_stable_scale_comes_to_an_end_with_any_delay(delay: int | None, reached: int) -> None:
    """A canary that is held by its delay must not hold the weight, or stable never grows and the delay never begins (#4900)."""
    fields = {} if delay is None else {"abortScaleDownDelaySeconds": delay}
    world = dynamic(weight(reached), pause(), **fields).push("web:2").settle()
    assert world.weight == reached
    world.press(abort=True).settle()
    assert (world.weight, world.size("web:1"), world.selected("web-canary")) == (0, 4, "web:1")
    world.wait(3600)
    assert world.size("web:2") == (world.size("web:2") if delay == 0 else 0)


def test_traffic_leaves_an_aborted_canary_before_its_pods_do() -> None:
    world = dynamic(weight(75), pause(), abortScaleDownDelaySeconds=30).push("web:2").settle()
    sizes: list[tuple[int, int]] = []
    world.press(abort=True)
    for _ in range(60):
        world.kubelet()
        world.one_pass()
        sizes.append((world.weight, world.size("web:2")))
    assert all(pods * 100 >= share * 4 for share, pods in sizes)


def test_an_autoscaler_does_not_bring_an_aborted_canary_back() -> None:
    """More replicas are asked for while stable has not got its new pods yet (#4973)."""
    world = dynamic(weight(50), pause()).push("web:2").settle().press(abort=True).settle().wait(120)
    assert (world.weight, world.size("web:2")) == (0, 0)
    seen: set[int] = set()
    world.edit({"spec": {"replicas": 8}})
    for _ in range(12):
        world.one_pass()
        seen.add(world.size("web:2"))
    world.settle()
    assert seen == {0} and (world.size("web:1"), world.size("web:2"), world.weight) == (8, 0, 0)


@pytest.mark.parametrize("reached", [25, 75, 100])
def test_no_version_after_an_unfinished_one_sends_users_to_a_stable_that_is_small(reached: int) -> None:
    """The way back to stable waits for its pods, whatever leads there (#4564, #4639)."""
    world = dynamic(weight(reached), pause()).push("web:2").settle()
    assert world.size("web:1") < 4
    world.push("web:3")
    for _ in range(40):
        before = {image: world.replica_set(image).available for image in ("web:1", "web:2")}
        world.one_pass()
        assert before["web:1"] * 100 >= (100 - world.weight) * 4 or world.weight == reached
        world.kubelet()
    assert (world.weight, world.size("web:2")) in ((reached, 0), (0, 0)) and world.selected("web-canary") == "web:3"


def test_pods_are_counted_against_the_largest_weight() -> None:
    """A step of 500 of 1,000 is half of the pods, and is done once these are there (#4646)."""
    routing = {"nginx": {"stableIngress": "web"}, "maxTrafficWeight": 1000}
    strategy = canary(weight(500), pause(), canaryService="web-canary", stableService="web-stable", trafficRouting=routing)
    others = (SERVICES, service("web-stable")), (SERVICES, service("web-canary")), (INGRESSES, ingress())
    world = deployed(rollout(canary=strategy), *others).push("web:2").settle()
    assert (world.size("web:1"), world.size("web:2"), world.status["currentStepIndex"]) == (4, 2, 1)
    [made] = [found for found in world.store.list(INGRESSES, "shop") if found["metadata"]["name"] == "web-web-canary"]
    assert made["metadata"]["annotations"]["nginx.ingress.kubernetes.io/canary-weight"] == "500"
    assert made["metadata"]["annotations"]["nginx.ingress.kubernetes.io/canary-weight-total"] == "1000"


def by_subsets() -> World:
    """Behind Istio with subsets alone, whose canary never comes up."""

    def route(subset: str, share: int) -> Manifest:
        return {"destination": {"host": "web", "subset": subset}, "weight": share}

    rule = {"host": "web", "subsets": [{"name": "canary", "labels": {}}, {"name": "stable", "labels": {}}]}
    metadata = {"name": "web", "namespace": "shop"}
    virtual = virtual_service()
    virtual["spec"] = {"hosts": ["web"], "http": [{"name": "primary", "route": [route("stable", 100), route("canary", 0)]}]}
    ways = {
        "virtualService": {"name": "web"},
        "destinationRule": {"name": "web", "canarySubsetName": "canary", "stableSubsetName": "stable"},
    }
    manifest = rollout(
        canary=canary(weight(25), pause(), trafficRouting={"istio": ways}), progressDeadlineSeconds=60, progressDeadlineAbort=True
    )
    found = {
        "apiVersion": "networking.istio.io/v1alpha3",
        "kind": "DestinationRule",
        "metadata": {**metadata, "uid": "uid-rule"},
        "spec": rule,
    }
    return deployed(manifest, (VIRTUAL_SERVICES, virtual), (DESTINATION_RULES, found)).breaks("web:2").push("web:2").settle()


def test_a_canary_that_no_subset_may_lead_to_yet_is_aborted_at_its_deadline() -> None:
    """The subset waits for its pods, and the deadline does not wait for the subset (#4626)."""
    world = by_subsets()
    assert world.phase.startswith("Progressing") and world.weight == 0
    world.wait(61)
    assert world.phase.startswith("Degraded RolloutAborted") and 'ReplicaSet "web-' in world.phase and "timed out" in world.phase
    assert world.wait(61).size("web:2") == 0


def ingress() -> Manifest:
    path = {"path": "/", "pathType": "Prefix", "backend": {"service": {"name": "web-stable", "port": {"number": 80}}}}
    spec = {"ingressClassName": "nginx", "rules": [{"host": "web.example", "http": {"paths": [path]}}]}
    head = {"name": "web", "namespace": "shop", "uid": "uid-web-ingress"}
    return {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": head, "spec": spec}
