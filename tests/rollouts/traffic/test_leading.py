"""An object that only a live object names is read, kept, watched, out of reach and suspended like those that a Rollout names."""

from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest
import yaml

from reconciler.kernel.identity import Key, Manifest, ObjectRef, Resource
from reconciler.kernel.resources import ROLLOUTS, SERVICES
from reconciler.kernel.well_known import SOURCE, SUSPEND
from reconciler.rollouts.traffic.leading import beyond, led_words
from reconciler.rollouts.traffic.marks import owners
from reconciler.rollouts.traffic.named import Reach
from reconciler.routers.app_mesh_objects import VIRTUAL_ROUTERS, VIRTUAL_SERVICES
from reconciler.routers.registry import ROUTERS
from reconciler.sync.drift.carry import carry_over
from reconciler.sync.drift.owned import runtime_owned
from reconciler.sync.wish import in_use, owned_in
from tests.kit.rollouts import canary, pause, rollout, service, weight
from tests.kit.routers import CASES, SERVED, Case, driven
from tests.kit.sourcefacts import source_facts
from tests.kit.store import run_through
from tests.kit.world import World

CASE = CASES["app mesh"]()
SERVICE, ROUTER = ObjectRef(VIRTUAL_SERVICES, "shop", "web"), ObjectRef(VIRTUAL_ROUTERS, "shop", "web-router")


def router(world: World, name: str = "web-router", namespace: str = "shop") -> Manifest:
    return world.store.get(VIRTUAL_ROUTERS, namespace, name) or {}


def weights(found: Manifest) -> list[int]:
    return [one["weight"] for one in found["spec"]["routes"][1]["httpRoute"]["action"]["weightedTargets"]]


def leads_to(name: str, namespace: str = "shop") -> Manifest:
    found = deepcopy(CASE.objects[SERVICE])
    found["spec"]["provider"]["virtualRouter"]["virtualRouterRef"] = {"name": name, "namespace": namespace}
    return found


def copied(name: str, namespace: str = "shop") -> Manifest:
    """The VirtualRouter at another place, with targets that say their namespace."""
    found = deepcopy(CASE.objects[ROUTER])
    found["metadata"] |= {"name": name, "namespace": namespace}
    for target in found["spec"]["routes"][1]["httpRoute"]["action"]["weightedTargets"]:
        target["virtualNodeRef"]["namespace"] = "shop"
    return found


def test_only_a_router_that_says_so_leads_anywhere() -> None:
    assert beyond(CASE.router, CASE.objects) == () and beyond(CASE.router, {SERVICE: CASE.objects[SERVICE]}) == (ROUTER,)
    assert beyond(ROUTERS["istio"], {SERVICE: CASE.objects[SERVICE]}) == ()
    assert led_words(ROUTERS, VIRTUAL_SERVICES, CASE.objects[SERVICE]) == ("leads to VirtualRouter shop/web-router",)


def test_a_service_that_leads_elsewhere_takes_the_traffic_there_and_the_former_router_home() -> None:
    world = driven(CASE)
    world.store.put(VIRTUAL_ROUTERS, copied("other"))
    world.store.put(VIRTUAL_SERVICES, leads_to("other"))
    world.settle()
    assert (weights(router(world, "other")), weights(router(world))) == ([50, 50], [0, 100])
    assert not owners(router(world)) and world.phase == "Paused CanaryPauseStep"


def test_what_only_leads_on_is_never_written() -> None:
    world = driven(CASE)
    world.press(pauseConditions=None).settle()
    assert world.phase == "Healthy" and not [write for write in world.store.writes if "VirtualService" in write]


@pytest.mark.parametrize("gone", list(CASE.objects)[::2], ids=str)
def test_while_something_is_missing_the_weights_stay_as_they_are(gone: ObjectRef) -> None:
    world = driven(CASE)
    before = router(world)
    world.store.remove(gone.resource, gone.namespace, gone.name)
    world.settle()
    assert world.phase.startswith("Degraded InvalidSpec") and router(world) == before


def test_its_event_leads_to_the_rollout_also_without_a_mark() -> None:
    world = World(rollout(canary=canary(weight(50), pause(), **SERVED, trafficRouting=CASE.asking(CASE.config))), *_objects(CASE))
    for found in (CASE.objects[ROUTER], copied("web-router", "edge"), copied("stranger")):
        expected = [Key("rollout", "shop", "web")] if found is CASE.objects[ROUTER] else []
        assert list(world.controller.keys_for(VIRTUAL_ROUTERS, found)) == expected


def _objects(case: Case) -> list[tuple[Resource, Manifest]]:
    others = [(SERVICES, service(name)) for name in SERVED.values()]
    return [*others, *((ref.resource, deepcopy(manifest)) for ref, manifest in case.objects.items())]


REACH = {"team": Reach(frozenset({"shop"})), "platform": Reach(frozenset({"shop", "edge"}))}


@pytest.mark.parametrize("source", ["team", "platform"])
def test_a_service_of_its_own_namespace_is_no_way_around_allow(source: str) -> None:
    manifest = rollout(canary=canary(weight(50), pause(), **SERVED, trafficRouting=CASE.asking(CASE.config)))
    manifest["metadata"]["annotations"] = {SOURCE: source}
    objects = [*_objects(CASE), (VIRTUAL_ROUTERS, copied("web-router", "edge"))]
    world = World(manifest, *objects, reach=REACH)
    world.store.put(VIRTUAL_SERVICES, leads_to("web-router", "edge"))
    world.settle().push("web:2").settle()
    moved = [write for write in world.store.writes if "VirtualRouter" in write]
    if source == "platform":
        assert world.phase == "Paused CanaryPauseStep" and weights(router(world, namespace="edge")) == [50, 50]
        return
    words = 'VirtualRouter edge/web-router: namespace edge is not in allow.namespaces of source "team": its weights are not moved'
    assert words in world.status["message"] and moved == []


def test_a_suspended_one_is_not_written() -> None:
    world = driven(CASE)
    held = router(world)
    held["metadata"]["annotations"][SUSPEND] = "true"
    before = world.store.put(VIRTUAL_ROUTERS, held)
    world.press(pauseConditions=None).settle()
    assert router(world) == before
    world.store.remove(ROLLOUTS, "shop", "web")
    run_through(world.controller.reconcile(Key("rollout", "shop", "web")))
    assert router(world) == before


def test_a_push_of_what_git_has_moves_no_traffic() -> None:
    world = driven(CASE)
    living = router(world)
    owned = runtime_owned([world.rollout], [], ROUTERS, [living])
    pushed = carry_over(CASE.objects[ROUTER], living, owned)
    assert (weights(pushed), owners(pushed)) == ([50, 50], owners(living))
    assert ("VirtualRouter", "shop", "web-router") in owned.routed


def test_a_source_carries_the_weights_of_a_router_that_its_rollout_is_only_led_to() -> None:
    world = driven(CASE)
    living = router(world)
    facts = source_facts({"a.yaml": yaml.safe_dump(CASE.objects[ROUTER])}, (living,), rollouts={("shop", "web"): world.rollout})
    facts = replace(facts, owned=owned_in(replace(facts, routers=ROUTERS)))
    assert weights(carry_over(CASE.objects[ROUTER], living, facts.owned)) == [50, 50] and in_use(facts, CASE.objects[ROUTER])


@pytest.mark.parametrize("other", [{"metadata": {"name": "mail", "namespace": "shop"}}, {"metadata": {"name": "web", "namespace": "mail"}}])
def test_a_mark_of_another_rollout_carries_nothing(other: dict[str, Any]) -> None:
    living = router(driven(CASE))
    stranger = {**rollout(canary=canary(trafficRouting=CASE.asking(CASE.config))), **other}
    assert ("VirtualRouter", "shop", "web-router") not in runtime_owned([stranger], [], ROUTERS, [living]).routed
