"""The controller's own duties: whose objects, what it gives back, what it says when a write is refused."""

from typing import Any

import pytest

from reconciler.kernel.errors import Transient
from reconciler.kernel.identity import Key, Manifest, Resource, annotations_of, labels_of
from reconciler.kernel.resources import (
    ANALYSIS_RUNS,
    ANALYSIS_TEMPLATES,
    DESTINATION_RULES,
    REPLICA_SETS,
    ROLLOUTS,
    SERVICES,
    VIRTUAL_SERVICES,
)
from reconciler.kernel.well_known import HASH_LABEL, INSTANCE_ID, MANAGED_BY
from reconciler.kube.errors import Refused
from tests.kit.rollouts import NAMESPACE, analysis_template, canary, measured, pause, rollout, service, virtual_service, weight
from tests.kit.store import merged, run_through
from tests.kit.world import World, deployed


def green() -> World:
    return deployed(rollout(blue_green={"activeService": "active"}), (SERVICES, service("active")))


def test_objects_on_their_way_out_are_left_alone() -> None:
    leaving = merged(rollout(canary=canary()), {"metadata": {"deletionTimestamp": "2030-01-01T00:00:00Z"}})
    assert World(leaving).settle().status == {}


def test_another_instances_objects_are_left_alone() -> None:
    assert World(merged(rollout(canary=canary()), {"metadata": {"labels": {INSTANCE_ID: "other"}}})).settle().status == {}


@pytest.mark.parametrize(("bears", "driven"), [("blue", True), ("green", False), ("", False), (None, False)])
def test_an_instance_drives_the_rollouts_that_bear_its_id_and_hands_it_on_to_runs(bears: str | None, driven: bool) -> None:
    labels = {} if bears is None else {INSTANCE_ID: bears}
    manifest = merged(rollout(canary=canary(measured())), {"metadata": {"labels": labels}})
    world = World(manifest, (ANALYSIS_TEMPLATES, analysis_template()), instance="blue").settle()
    assert bool(world.status) is driven
    world.push("web:2").settle()
    assert [labels_of(run).get(INSTANCE_ID) for run in world.runs.values()] == (["blue"] if driven else [])


def test_an_empty_id_is_an_id_too() -> None:
    assert World(merged(rollout(canary=canary()), {"metadata": {"labels": {INSTANCE_ID: ""}}})).settle().status == {}


def test_a_gone_rollout_gives_its_services_back() -> None:
    world = green()
    world.store.remove(ROLLOUTS, NAMESPACE, "web")
    run_through(world.controller.reconcile(Key("rollout", NAMESPACE, "web")))
    given = world.store.get(SERVICES, NAMESPACE, "active")
    assert given is not None and HASH_LABEL not in given["spec"]["selector"] and MANAGED_BY not in annotations_of(given)


def test_a_service_no_longer_named_is_given_back() -> None:
    world = green()
    world.store.put(SERVICES, service("next"))
    world.edit({"spec": {"strategy": {"blueGreen": {"activeService": "next"}}}}).settle()
    former = world.store.get(SERVICES, NAMESPACE, "active")
    assert former is not None and HASH_LABEL not in former["spec"]["selector"]
    assert (world.selected("next"), world.phase) == ("web:1", "Healthy")


def test_a_refused_replica_set_is_told_in_a_condition() -> None:
    world = deployed(rollout(canary=canary()))

    def refuse(write: str) -> None:
        if write.startswith("create ReplicaSet"):
            raise Refused(422, "Invalid", "a quota is exceeded")

    world.store.before_write = refuse
    world.push("web:2").settle()
    with pytest.raises(Transient, match="quota"):
        run_through(world.controller.reconcile(Key("rollout", NAMESPACE, "web")))
    condition = world.condition("Progressing")
    assert (condition["status"], condition["reason"]) == ("False", "ReplicaSetCreateError")
    assert "a quota is exceeded" in condition["message"] and "ReplicaSetCreateError" in world.reasons


def test_a_manifest_that_cannot_be_read_says_so_in_its_status() -> None:
    world = World(rollout()).settle()
    assert world.phase.startswith(
        'Degraded InvalidSpec: The Rollout "web" is invalid: spec.strategy.strategy: Required value: Rollout has missing field'
    )
    assert world.status["observedGeneration"] == "1"


def with_subsets(**fields: Any) -> tuple[World, Manifest]:
    """A deployed rollout behind Istio by subsets alone, and the spec of its DestinationRule before any label."""
    rule = {"name": "web", "canarySubsetName": "canary", "stableSubsetName": "stable"}
    routing = {"istio": {"virtualService": {"name": "web"}, "destinationRule": rule}}
    route = [{"destination": {"host": "web", "subset": subset}, "weight": share} for subset, share in (("stable", 100), ("canary", 0))]
    virtual = merged(virtual_service(), {"spec": {"http": [{"name": "primary", "route": route}]}})
    subsets = {"metadata": {"name": "web", "namespace": NAMESPACE}, "kind": "DestinationRule", "spec": {"host": "web"}}
    subsets["spec"]["subsets"] = [{"name": "stable"}, {"name": "canary"}]
    others = [(VIRTUAL_SERVICES, virtual), (DESTINATION_RULES, subsets)]
    return deployed(rollout(canary=canary(weight(50), pause(), trafficRouting=routing), **fields), *others), subsets["spec"]


def test_a_router_in_trouble_is_told_and_ends_the_pass_without_a_status() -> None:
    world, _ = with_subsets()
    world.breaks("web:2").push("web:2").settle()
    live = world.store.get(DESTINATION_RULES, NAMESPACE, "web")
    assert live is not None and live["spec"]["subsets"][1]["labels"] == {HASH_LABEL: world.replica_set("web:2").hash}
    world.store.remove(DESTINATION_RULES, NAMESPACE, "web")
    mark = len(world.store.writes)
    world.one_pass()
    assert "TrafficRoutingError" in world.reasons and world.since(mark) == []


def test_pods_that_never_come_run_out_of_time_also_where_their_subset_is_to_be_switched() -> None:
    world, subsets = with_subsets(progressDeadlineSeconds=60)
    world.breaks("web:2").push("web:2").settle()
    live = world.store.get(DESTINATION_RULES, NAMESPACE, "web")
    assert live is not None
    world.store.put(DESTINATION_RULES, {**live, "spec": subsets})
    world.settle()
    again = world.store.get(DESTINATION_RULES, NAMESPACE, "web")
    assert again is not None and again["spec"] == live["spec"] and world.weight == 0
    world.wait(62)
    assert world.condition("Progressing")["reason"] == "ProgressDeadlineExceeded"


def test_keys_lead_to_the_rollout() -> None:
    world = green()
    owned = world.replica_set("web:1").manifest
    assert {key.name for key in world.controller.keys_for(REPLICA_SETS, owned)} == {"web"}
    assert ANALYSIS_RUNS in world.controller.watches


def test_a_route_that_somebody_moved_is_put_right_by_the_next_pass_although_nobody_watches_it() -> None:
    routing = {"istio": {"virtualService": {"name": "web"}}}
    strategy = canary(weight(50), pause(), trafficRouting=routing, canaryService="web-canary", stableService="web-stable")
    others = [(SERVICES, service("web-canary")), (SERVICES, service("web-stable")), (VIRTUAL_SERVICES, virtual_service())]
    world = deployed(rollout(canary=strategy), *others).push("web:2").settle()
    assert world.weight == 50
    world.store.put(VIRTUAL_SERVICES, virtual_service())
    assert world.settle().weight == 50


def neighbour(name: str) -> list[tuple[Resource, Manifest]]:
    """Another rollout of the namespace and what belongs to it."""
    owner = {"apiVersion": ROLLOUTS.api_version, "kind": "Rollout", "name": name, "uid": f"uid-{name}", "controller": True}
    owned = {"namespace": NAMESPACE, "uid": f"uid-of-{name}", "ownerReferences": [owner], "labels": {HASH_LABEL: "h1"}}
    return [
        (ROLLOUTS, rollout(name=name, canary=canary())),
        (SERVICES, merged(service(name), {"metadata": {"annotations": {MANAGED_BY: name}}})),
        (REPLICA_SETS, {"kind": "ReplicaSet", "metadata": {**owned, "name": f"{name}-h1"}, "spec": {}}),
        (ANALYSIS_RUNS, {"kind": "AnalysisRun", "metadata": {**owned, "name": f"{name}-h1-1-0"}, "spec": {}}),
        (ANALYSIS_TEMPLATES, analysis_template(name)),
    ]


@pytest.mark.parametrize("image", ["web:1", "web:2"])
def test_what_a_pass_looks_at_does_not_grow_with_the_fleet(image: str) -> None:
    """Services, runs, templates and ReplicaSets of other rollouts are found by index or not at all."""

    def looked_at(neighbours: int) -> int:
        steps = canary(weight(50), pause(), measured("success-rate"), istio=True)
        routed = [(SERVICES, service("web-canary")), (SERVICES, service("web-stable")), (VIRTUAL_SERVICES, virtual_service())]
        world = deployed(rollout(canary=steps), *routed, (ANALYSIS_TEMPLATES, analysis_template())).push(image).settle()
        for resource, manifest in (pair for number in range(neighbours) for pair in neighbour(f"n{number}")):
            world.store.put(resource, manifest)
        before = world.cache.handed_out
        world.one_pass()
        return world.cache.handed_out - before

    assert looked_at(2) == looked_at(40) > 0
