"""What every router has to bear: objects that go, a second writer, a kind that is not installed, 200 routes, the longest names."""

import json
from collections.abc import Callable
from contextlib import suppress
from copy import deepcopy
from datetime import timedelta
from typing import Any

import pytest

from reconciler.kernel.errors import Transient
from reconciler.kernel.identity import Key, Manifest, ObjectRef, Resource, name_of
from reconciler.kernel.resources import DESTINATION_RULES
from reconciler.kube.errors import NotServed
from reconciler.rollouts.traffic.marks import owners
from reconciler.rollouts.traffic.model import Traffic
from tests.contracts.test_router_contract import assert_untouched, done, routed, there, traffic
from tests.kit.routers import CASES, HEADER, OWNER, WHOSE, Case, driven, lives
from tests.kit.store import run_through
from tests.kit.world import World

LONGEST = "n" * 253
MANY = 200


@pytest.fixture(params=CASES)
def case(request: pytest.FixtureRequest) -> Case:
    return CASES[request.param]()


@pytest.fixture(params=[name for name, made in CASES.items() if made().objects])
def naming(request: pytest.FixtureRequest) -> Case:
    """A router whose configuration names objects that people keep."""
    return CASES[request.param]()


def told(world: World) -> str:
    conditions = (world.rollout.get("status") or {}).get("conditions") or []
    return json.dumps([*conditions, *(event["message"] for event in world.store.events)])


def weight(case: Case, world: World) -> int | None:
    return case.router.in_force(case.config, WHOSE, lives(case, world)).weight


def test_an_object_that_is_being_deleted_stops_nothing_and_is_taken_up_again_when_it_comes_back(naming: Case) -> None:
    case, world = naming, driven(naming)
    for ref, original in case.objects.items():
        leaving = world.store.get(ref.resource, ref.namespace, ref.name) or {}
        world.store.put(ref.resource, {**leaving, "metadata": {**leaving["metadata"], "deletionTimestamp": "2030-01-01T00:00:00Z"}})
        world.settle()
        world.store.remove(ref.resource, ref.namespace, ref.name)
        world.settle()
        assert ref.name in told(world) and (world.phase.startswith("Degraded") or ref.resource == DESTINATION_RULES)
        world.store.put(ref.resource, deepcopy(original))
        world.settle()
    assert (world.phase, weight(case, world)) == ("Paused CanaryPauseStep", 50)


def test_a_kind_that_is_not_installed_is_named_with_what_to_install(naming: Case) -> None:
    case, world = naming, driven(naming)
    kinds = {ref.resource for ref in case.objects}

    def unserved(resource: Resource) -> None:
        if resource in kinds:
            raise NotServed(404, "", "the server could not find the requested resource")

    for kind in kinds:
        world.cache.relist(kind, (), "")
    world.store.before_find = unserved
    run_through(world.controller.reconcile(Key("rollout", "shop", "web")))
    words = told(world)
    assert "this cluster serves no" in words and "install its CustomResourceDefinition" in words
    assert any(f"{kind.kind} of {kind.group}/{kind.version}" in words for kind in kinds)


def test_another_writer_is_not_fought_and_is_named(case: Case) -> None:
    world, ref = driven(case), case.written
    pinned = None if ref in case.made else deepcopy(case.objects[ref])

    def fight(seconds: int) -> int:
        mark = len(world.store.writes)
        for _ in range(seconds):
            if pinned is None:
                world.store.remove(ref.resource, ref.namespace, ref.name)
            else:
                world.store.put(ref.resource, deepcopy(pinned))
            world.one_pass()
            world.clock.time += timedelta(seconds=1)
        return len([write for write in world.since(mark) if ref.resource.kind in write])

    first, later = fight(60), fight(600)
    assert 2 <= first <= 8 and later <= 10
    contested = [event["message"] for event in world.store.events if event["reason"] == "TrafficContested"]
    assert contested and all(f"{ref.resource.kind} shop/{ref.name}" in words for words in contested)
    paths = case.router.features.shared_fields[ref.resource.kind]
    assert pinned is None or all(path in words for path in paths for words in contested)


def test_a_release_of_many_steps_is_no_contest_and_each_weight_is_written_at_once(case: Case) -> None:
    """Where weights stand in annotations, too: one that was taken for a fight would wait, and so would the way home."""
    world = driven(case)
    shares = (55, 60, 65, 70, 75)
    for share in shares:
        world.edit({"spec": {"strategy": {"canary": {"steps": [{"setWeight": share}, {"pause": {}}]}}}}).push(f"web:{share}").settle()
        assert (world.phase, weight(case, world)) == ("Paused CanaryPauseStep", share)
    world.press(abort=True).settle()
    assert weight(case, world) in (0, None) and "TrafficContested" not in world.reasons


def grown(case: Case) -> Case:
    """The same objects with 200 more routes, rules, backends of other people each, as far as their kind has such."""
    return Case(
        **{**{name: getattr(case, name) for name in case.__dataclass_fields__}, "objects": {r: _grown(m) for r, m in case.objects.items()}}
    )


def _grown(manifest: Manifest) -> Manifest:
    found = deepcopy(manifest)
    for spot in _spots(manifest):
        place: Any = found["spec"]
        for step in spot:
            place = place[step]
        place.extend(_renamed(place[0], number) for number in range(MANY))
    return found


def _renamed(entry: Any, number: int) -> Any:
    other = deepcopy(entry)
    if isinstance(other, dict) and "name" in other:
        other["name"] = f"{other['name']}-{number}"
    return other


SPOTS: dict[str, tuple[tuple[str | int, ...], ...]] = {
    "VirtualService": (("http",),),
    "VirtualRouter": (("routes",),),
    "DestinationRule": (),
    "HTTPRoute": (("rules",),),
    "Ingress": (("rules", 0, "http", "paths"),),
    "ApisixRoute": (("http",),),
    "TraefikService": (),
}


@pytest.mark.parametrize("wanted", [traffic(0), traffic(40), traffic(0, header_route=HEADER), traffic(60, header_route=HEADER)])
def test_200_routes_of_others_stay_as_they_are_and_nothing_is_written_twice(case: Case, wanted: Traffic) -> None:
    large = grown(case)
    before = deepcopy(large.objects)
    after = routed(large, large.live, wanted)
    assert large.objects == before
    assert large.router.in_force(large.config, WHOSE, after).weight == wanted.weight
    again = large.router.route(large.config, WHOSE, large.able(wanted), after)
    assert again == type(again)()
    for ref, original in large.objects.items():
        for spot in _spots(original):
            theirs, now = _at(original, spot)[-MANY:], _at(after[ref] or {}, spot)
            assert [entry for entry in theirs if entry not in now] == []
    assert there(done(after, large.router.release(OWNER, after))) == before


def _spots(manifest: Manifest) -> tuple[tuple[str | int, ...], ...]:
    """Where a kind of that name has entries of other people; App Mesh has a VirtualService too, without any."""
    return tuple(spot for spot in SPOTS.get(str(manifest["kind"]), ()) if spot[0] in manifest["spec"])


def _at(manifest: Manifest, spot: tuple[str | int, ...]) -> list[Any]:
    place: Any = manifest["spec"]
    for step in spot:
        place = place[step]
    return list(place)


NAMED: dict[str, Callable[[str], Manifest]] = {
    "istio": lambda name: {"virtualService": {"name": name, "routes": ["primary"]}},
    "nginx": lambda name: {"stableIngress": name},
    "alb": lambda name: {"ingress": name, "ingresses": None, "rootService": "web-root", "servicePort": 80},
    "smi": lambda name: {"rootService": "web-root", "trafficSplitName": name},
    "traefik": lambda name: {"weightedTraefikServiceName": name},
    "apisix": lambda name: {"route": {"name": name, "rules": ["web"]}},
    "ambassador": lambda name: {"mappings": [name]},
    "gateway api": lambda name: {"httpRoute": name},
}


@pytest.mark.parametrize("name", NAMED)
def test_the_longest_name_is_found_and_what_is_made_of_it_has_a_name_that_a_server_takes(name: str) -> None:
    case = CASES[name]()
    config = NAMED[name](LONGEST)
    objects = {}
    for ref, manifest in case.objects.items():
        renamed = {**deepcopy(manifest), "metadata": {**manifest["metadata"], "name": LONGEST}}
        objects[ObjectRef(ref.resource, ref.namespace, LONGEST)] = renamed
    needed = case.router.needs(config, WHOSE)
    assert set(needed.named) == set(objects) and all(0 < len(ref.name) <= 253 for ref in needed.refs)
    answer = case.router.route(config, WHOSE, case.able(traffic(30)), {**objects, **dict.fromkeys(needed.made)})
    assert answer.problem is None
    assert all(len(name_of(action.manifest)) <= 253 for action in answer.actions if hasattr(action, "manifest"))
    after = done({**objects, **dict.fromkeys(needed.made)}, answer.actions)
    assert case.router.in_force(config, WHOSE, after).weight == 30
    assert there(done(after, case.router.release(OWNER, after))) == objects


MOMENTS = ("dark", "at 50", "resumed", "promoted", "aborted")


def at(case: Case, moment: str) -> World:
    """A release of this router at one moment."""
    world = driven(case)
    if moment == "dark":
        world.edit({"spec": {"strategy": {"canary": {"steps": [{"setCanaryScale": {"replicas": 1}}, {"pause": {}}]}}}}).push(
            "web:3"
        ).settle()
    if moment == "resumed":
        world.press(pauseConditions=None).one_pass()
    if moment == "promoted":
        world.press(pauseConditions=None).settle()
    if moment == "aborted":
        world.press(abort=True).one_pass()
    return world


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_spec_that_changes_its_router_or_strategy_at_any_moment_leaves_nothing_behind(case: Case, moment: str) -> None:
    former = {**case.asking(None), "managedRoutes": None}
    for edit in ({"canary": {"trafficRouting": former}}, {"canary": None, "blueGreen": {"activeService": "web-stable"}}):
        world = at(case, moment)
        world.edit({"spec": {"strategy": edit}}).settle()
        assert_untouched(case, world)


@pytest.mark.parametrize("moment", MOMENTS)
def test_managed_routes_that_are_listed_no_more_are_gone_at_any_moment(case: Case, moment: str) -> None:
    world = at(case, moment)
    steps = [{"setWeight": 50}, {"pause": {}}]
    world.edit({"spec": {"strategy": {"canary": {"trafficRouting": {"managedRoutes": []}, "steps": steps}}}}).settle()
    found = lives(case, world)
    assert case.router.in_force(case.config, WHOSE, found).managed_routes == ()
    assert "testers" not in json.dumps([(manifest or {}).get("spec") for manifest in found.values()])


@pytest.mark.parametrize("moment", MOMENTS)
def test_an_object_that_is_named_no_more_is_as_it_was_at_any_moment(naming: Case, moment: str) -> None:
    case, world = naming, at(naming, moment)
    for ref in list(case.objects)[:1]:
        world.store.put(ref.resource, {**deepcopy(case.objects[ref]), "metadata": {"name": "other", "namespace": "shop"}})
    world.edit({"spec": {"strategy": {"canary": {"trafficRouting": case.asking(case.elsewhere)}}}}).settle()
    for ref in list(case.objects)[:1]:
        found = world.store.get(ref.resource, ref.namespace, ref.name)
        assert found is not None and found["spec"] == case.objects[ref]["spec"] and not owners(found)


@pytest.mark.parametrize(
    "odd",
    [
        {"spec": "x"},
        {"spec": {"http": "x", "subsets": "x", "rules": "x"}},
        {"spec": {"http": [{"route": "x"}], "subsets": [5], "rules": [5]}},
    ],
)
def test_an_object_of_another_shape_is_told_and_stops_no_pass(naming: Case, odd: Manifest) -> None:
    case, world = naming, driven(naming)
    for ref, original in case.objects.items():
        live = world.store.get(ref.resource, ref.namespace, ref.name) or {}
        world.store.put(ref.resource, {**live, **odd})
        with suppress(Transient):
            run_through(world.controller.reconcile(Key("rollout", "shop", "web")))
        run_through(world.recorder.drain())
        assert case.key != "istio" or f"{ref}" in told(world)
        world.store.put(ref.resource, deepcopy(original))
        world.settle()
    assert (world.phase, weight(case, world)) == ("Paused CanaryPauseStep", 50)
