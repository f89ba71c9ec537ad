"""The facts gathered around one rollout."""

from datetime import timedelta

import pytest

from reconciler.kernel.identity import Manifest, Resource
from reconciler.kernel.problem import InvalidField
from reconciler.kernel.resources import ANALYSIS_RUNS, ROLLOUTS, SERVICES, VIRTUAL_SERVICES
from reconciler.kube.errors import NotServed
from reconciler.rollouts.facts import RolloutFacts
from reconciler.rollouts.observe import ObserverTerms, RolloutObserver
from reconciler.rollouts.traffic.named import services_of
from reconciler.routers.registry import ROUTERS
from tests.kit.rollouts import canary, pause, rollout, service, virtual_service, weight
from tests.kit.store import run_through
from tests.kit.world import World, deployed


def observed(world: World) -> RolloutFacts:
    observer = RolloutObserver(world.client, world.cache, ROUTERS, ObserverTerms())  # type: ignore[arg-type]
    resolved = run_through(observer.resolve(world.rollout))
    found: RolloutFacts = run_through(observer.observe(world.rollout, resolved, world.clock.now()))
    return found


def routed(*names: str) -> World:
    others = [(SERVICES, service(name)) for name in ("web-canary", "web-stable")]
    return World(rollout(canary=canary(weight(20), pause(), istio=True)), *others, *((VIRTUAL_SERVICES, virtual_service(n)) for n in names))


def test_services_and_replica_sets_are_found() -> None:
    facts = observed(routed("web").settle())
    assert set(facts.found.services) == {"web-canary", "web-stable"} and len(facts.replica_sets) == 1
    assert facts.found.problem is None and facts.found.pods == ()


def test_a_missing_virtual_service_is_an_invalid_spec() -> None:
    problem = observed(routed()).found.problem
    assert problem is not None and problem.passing and "not found" in str(problem)


def test_pods_are_read_only_while_a_restart_is_due() -> None:
    world = deployed(rollout(canary=canary()))
    world.clock.time += timedelta(seconds=5)
    world.edit({"spec": {"restartAt": "2030-01-01T12:00:01Z"}})
    assert len(observed(world).found.pods) == 4


def test_a_run_that_the_status_names_is_read_even_before_the_cache_knows_it() -> None:
    world = deployed(rollout(canary=canary(weight(20), pause())))
    owner = {"controller": True, "kind": "Rollout", "name": "web", "uid": "uid-web"}
    run = {"metadata": {"name": "r", "namespace": "shop", "ownerReferences": [owner]}, "spec": {}}
    world.store.put(ANALYSIS_RUNS, run)
    world.cache.drop(ANALYSIS_RUNS, "shop", "r")
    world.press(canary={"currentStepAnalysisRunStatus": {"name": "r", "status": "Running"}})
    assert [r["metadata"]["name"] for r in observed(world).found.runs] == ["r"]


def test_runs_of_others_that_may_bear_our_names_are_known_apart() -> None:
    world = deployed(rollout(canary=canary()))
    world.store.put(ANALYSIS_RUNS, {"metadata": {"name": "web-x-1", "namespace": "shop"}, "spec": {}})
    facts = observed(world)
    assert facts.found.runs == () and len(facts.found.other_runs) == 1


def test_an_unreadable_manifest_raises_with_its_field() -> None:
    world = World(rollout(canary=canary(maxSurge="many")))
    with pytest.raises(InvalidField, match="maxSurge"):
        observed(world)
    assert world.store.get(ROLLOUTS, "shop", "web") is not None


def test_routers_hear_whose_traffic_it_is() -> None:
    facts = observed(routed("web"))
    services = services_of(facts.rollout, "web-x")
    assert (services.pair, services.rollout, services.unavailable) == (("web-canary", "web-stable"), "web", "web-x")


def test_routes_are_read_from_the_cache_once_it_has_listed_them_and_until_then_from_the_server() -> None:
    world = routed("web").settle()
    asked: list[str] = []
    find = world.client.find

    async def counted(resource: Resource, namespace: str, name: str) -> Manifest | None:
        asked.append(resource.kind)
        return await find(resource, namespace, name)

    world.client.find = counted  # type: ignore[method-assign]
    assert observed(world).found.routes and asked == ["VirtualService"]
    asked.clear()
    world.cache.relist(VIRTUAL_SERVICES, world.store.list(VIRTUAL_SERVICES), "999")
    world.push("web:2").settle().press(pauseConditions=None).settle()
    assert world.phase == "Healthy" and asked == []


def test_a_mesh_that_is_not_installed_is_a_problem_of_the_rollout_alone() -> None:
    world = routed()

    async def unserved(resource: Resource, namespace: str, name: str) -> Manifest | None:
        raise NotServed(404, "", "not served")

    world.client.find = unserved  # type: ignore[method-assign]
    problem = observed(world).found.problem
    assert problem is not None and "spec.strategy.canary.trafficRouting.istio: Invalid value: " in str(problem)
