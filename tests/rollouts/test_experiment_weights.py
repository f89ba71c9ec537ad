"""The share of traffic that the pods of an experiment have, and how it is taken back (contract 8.5, 9.1)."""

from collections.abc import Callable

import pytest

from reconciler.kernel.resources import EXPERIMENTS, REPLICA_SETS, VIRTUAL_SERVICES
from tests.kit.experiments import ROUTED, WEIGHED, abort, current, ended, go_back, only, promote, routed, shares, skip, tried
from tests.kit.rollouts import NAMESPACE, canary, pause, rollout, weight
from tests.kit.store import merged
from tests.kit.world import World, deployed


def test_its_pods_have_their_share_while_it_runs_and_not_longer() -> None:
    world = routed(weight(20), tried(*WEIGHED, duration="5m"), pause())
    world.push("web:2").settle()
    name, weights = current(world), world.status["canary"]["weights"]
    assert shares(world) == {"web-canary": 20, "web-stable": 55, f"{name}-baseline": 10, f"{name}-canary": 15}
    assert weights["stable"]["weight"] == 55 and weights["canary"]["weight"] == 20
    hashes = {r.name: r.hash for r in world.replica_sets}
    assert weights["additional"] == [
        {"weight": 10, "serviceName": f"{name}-baseline", "podTemplateHash": hashes[f"{name}-baseline"]},
        {"weight": 15, "serviceName": f"{name}-canary", "podTemplateHash": hashes[f"{name}-canary"]},
    ]
    told = [event["message"] for event in world.store.events if event["reason"] == "TrafficWeightUpdated"]
    assert told[-1].startswith(f"Traffic weight updated additional: [{{10 {name}-baseline ")
    world.wait(301)
    assert shares(world) == {"web-canary": 20, "web-stable": 80} and "additional" not in world.status["canary"]["weights"]
    assert world.status["canary"]["weights"]["stable"]["weight"] == 80


def test_it_has_no_share_before_all_of_its_pods_serve() -> None:
    world = routed(weight(20), tried(*WEIGHED), pause())
    world.push("web:2").settle()
    name = current(world)
    world.breaks("web:2").settle()
    assert ended(world, name) == "Pending" and set(shares(world)) == {"web-canary", "web-stable"}


@pytest.mark.parametrize("gesture", [abort, promote, skip, go_back])
def test_what_ends_the_step_takes_the_share_back(gesture: Callable[[World], World]) -> None:
    world = routed(weight(0), tried(*WEIGHED), pause())
    world.push("web:2").settle()
    assert len(shares(world)) == 3 or len(shares(world)) == 4
    world.press(currentStepIndex=1).settle()
    assert len(shares(world)) == 4
    if gesture is skip:
        world.press(currentStepIndex=2).settle()
    else:
        gesture(world)
    assert set(shares(world)) == {"web-canary", "web-stable"} and not world.status["canary"]["weights"].get("additional")


@pytest.mark.parametrize("lost", ["serviceName", "podTemplateHash"])
def test_a_template_that_names_no_service_has_no_share_and_no_host_is_empty(lost: str) -> None:
    """At its end an experiment names no Service while it is still `Running`; the reference writes an empty host then (#4890)."""
    world = routed(weight(20), tried(*WEIGHED), pause())
    world.push("web:2").settle()
    found = only(world)
    templates = [{**t, lost: ""} if t["name"] == "baseline" else t for t in found["status"]["templateStatuses"]]
    world.store.put(EXPERIMENTS, {**found, "status": {**found["status"], "templateStatuses": templates}})
    world.one_pass()
    assert shares(world) == {"web-canary": 20, "web-stable": 65, f"{current(world)}-canary": 15}


@pytest.mark.parametrize(("available", "after"), [(1, 80), (0, 55)])
def test_a_share_is_taken_back_from_pods_that_leave_while_stable_has_any(available: int, after: int) -> None:
    """Stable is too small for its share either way."""
    world = routed(weight(20), tried(*WEIGHED), pause())
    world.push("web:2").settle()
    stable = next(r for r in world.replica_sets if r.hash == world.status["stableRS"])
    few = {"replicas": 4, "readyReplicas": available, "availableReplicas": available}
    world.store.put(REPLICA_SETS, merged(stable.manifest, {"status": few}))
    world.store.put(EXPERIMENTS, merged(only(world), {"status": {"phase": "Successful"}}))
    world.one_pass()
    assert shares(world)["web-stable"] == world.status["canary"]["weights"]["stable"]["weight"] == after
    assert shares(world)["web-canary"] == 20


def test_pods_stay_while_the_rollout_cannot_take_their_share_back() -> None:
    """Somebody suspended the VirtualService: the experiment is over, and its users are still there."""
    world = routed(weight(20), tried(*WEIGHED, duration="1m"), pause())
    world.push("web:2").settle()
    name = current(world)
    hold(world, "true")
    world.wait(600)
    assert ended(world, name) == "Successful" and shares(world)[f"{name}-canary"] == 15
    assert sum(r.spec for r in world.replica_sets if r.name.startswith(name)) == 2
    assert not [r for r in world.replica_sets if r.name.startswith(name) and r.deadline]
    hold(world, None)
    world.settle()
    assert shares(world) == {"web-canary": 20, "web-stable": 80}
    world.wait(29)
    assert sum(r.spec for r in world.replica_sets if r.name.startswith(name)) == 2
    world.wait(31)
    assert sum(r.spec for r in world.replica_sets if r.name.startswith(name)) == 0


def hold(world: World, value: str | None) -> None:
    found = world.store.get(VIRTUAL_SERVICES, NAMESPACE, "web")
    world.store.put(VIRTUAL_SERVICES, merged(found, {"metadata": {"annotations": {"reconciler.dev/suspend": value}}}))


def test_pods_without_a_port_have_no_service_and_no_share() -> None:
    world = deployed(rollout(canary=canary(weight(20), tried(*WEIGHED), pause(), istio=True)), *ROUTED)
    world.push("web:2").settle()
    assert ended(world, current(world)) == "Running" and shares(world) == {"web-canary": 20, "web-stable": 80}
