"""Two Services that take turns at being the stable one (contract 4.1 step 8, 4.6, 9.3, 13.48)."""

from collections.abc import Iterator
from typing import Any

import pytest

from reconciler.kernel.errors import Transient
from reconciler.kernel.identity import Manifest, annotations_of
from reconciler.kernel.resources import SERVICES, VIRTUAL_SERVICES
from reconciler.kernel.well_known import HASH_LABEL, MANAGED_BY
from reconciler.rollouts.traffic.named import carried_over
from reconciler.routers.registry import ROUTERS
from tests.kit.rollouts import NAMESPACE, canary, istio_routing, pause, rollout, service, virtual_service, weight
from tests.kit.world import World, deployed

TURNS = {"pingPong": {"pingService": "web-ping", "pongService": "web-pong"}}


def turning(*steps: dict[str, Any], **fields: Any) -> World:
    """A deployed rollout behind Istio whose Services take turns."""
    return deployed(rollout(canary=strategy(*steps, **fields)), *beside())


def strategy(*steps: dict[str, Any], **fields: Any) -> Manifest:
    return canary(*(steps or (weight(50), pause())), trafficRouting=istio_routing(), **TURNS, **fields)


def beside() -> Iterator[tuple[Any, Manifest]]:
    yield from ((SERVICES, service(name)) for name in ("web-ping", "web-pong"))
    routed = virtual_service()
    routed["spec"]["http"][0]["route"] = [
        {"destination": {"host": "web-ping"}, "weight": 0},
        {"destination": {"host": "web-pong"}, "weight": 100},
    ]
    yield VIRTUAL_SERVICES, routed


def shares(world: World) -> dict[str, int]:
    virtual = world.store.get(VIRTUAL_SERVICES, NAMESPACE, "web")
    assert virtual is not None
    return {entry["destination"]["host"]: entry["weight"] for entry in virtual["spec"]["http"][0]["route"]}


def stable_turn(world: World) -> str:
    return str(world.status["canary"].get("stablePingPong", ""))


def unserved(world: World) -> list[str]:
    """The Services that get requests and lead to no pod that serves."""
    found = []
    for name, share in shares(world).items():
        live = world.store.get(SERVICES, NAMESPACE, name)
        hash = (live or {}).get("spec", {}).get("selector", {}).get(HASH_LABEL)
        pods = [r.available for r in world.replica_sets if hash in (None, r.hash)]
        found += [name] if share and not sum(pods) else []
    return found


def test_the_first_version_is_deployed_behind_ping() -> None:
    world = turning()
    assert (stable_turn(world), world.selected("web-ping"), shares(world)) == ("ping", "web:1", {"web-ping": 100, "web-pong": 0})
    assert world.status["canary"]["weights"]["stable"].get("serviceName", "") == ""


def test_turns_flip_once_per_promotion_and_no_request_moves_with_them() -> None:
    world = turning()
    for number, (turn, ahead) in enumerate((("pong", "web-pong"), ("ping", "web-ping"), ("pong", "web-pong")), start=2):
        behind = "web-ping" if ahead == "web-pong" else "web-pong"
        world.push(f"web:{number}").settle()
        assert (shares(world), world.phase) == ({ahead: 50, behind: 50}, "Paused CanaryPauseStep")
        assert (world.selected(ahead), world.selected(behind)) == (f"web:{number}", f"web:{number - 1}")
        world.press(pauseConditions=None).settle()
        assert (world.phase, stable_turn(world), shares(world)) == ("Healthy", turn, {ahead: 100, behind: 0})
        world.settle()
        assert stable_turn(world) == turn


def test_an_abort_sends_requests_home_and_flips_nothing() -> None:
    world = turning().push("web:2").settle().press(abort=True).settle()
    assert (shares(world), stable_turn(world)) == ({"web-ping": 100, "web-pong": 0}, "ping")
    assert (world.selected("web-ping"), world.selected("web-pong")) == ("web:1", "web:2")
    world.wait(31)
    assert (world.size("web:2"), world.size("web:1"), unserved(world)) == (0, 4, [])


def test_a_way_back_to_stable_flips_nothing() -> None:
    world = turning().push("web:2").settle().push("web:1").settle()
    assert (world.phase, stable_turn(world), shares(world)) == ("Healthy", "ping", {"web-ping": 100, "web-pong": 0})


def test_a_full_promotion_ends_on_the_other_service() -> None:
    world = turning().push("web:2").settle().press(promoteFull=True).settle()
    assert (world.phase, stable_turn(world), shares(world)) == ("Healthy", "pong", {"web-ping": 0, "web-pong": 100})


def test_the_service_in_waiting_does_not_keep_the_former_version() -> None:
    world = turning().push("web:2").settle().press(pauseConditions=None).settle()
    assert (world.selected("web-ping"), world.size("web:1")) == ("web:1", 4)
    world.wait(31)
    assert world.size("web:1") == 0


def test_a_side_without_weight_leads_to_the_new_version_before_it_has_a_pod() -> None:
    world = turning().breaks("web:2").push("web:2").settle()
    assert (world.replica_set("web:2").available, world.selected("web-pong")) == (0, "web:2")
    assert shares(world) == {"web-ping": 100, "web-pong": 0}


def test_a_side_with_weight_keeps_its_pods_until_the_weight_is_gone() -> None:
    world = turning().push("web:2").settle()
    world.breaks("web:3").push("web:3")
    for _ in range(20):
        world.one_pass()
        assert unserved(world) == []
        world.kubelet()
    assert (world.selected("web-pong"), shares(world)["web-pong"]) == ("web:3", 0)


@pytest.mark.parametrize("dynamic", [False, True])
def test_no_service_gets_requests_without_a_pod_in_any_pass(dynamic: bool) -> None:
    world = turning(weight(25), pause(), weight(75), pause(), **({"dynamicStableScale": True} if dynamic else {}))
    for act in (
        lambda: world.push("web:2"),
        lambda: world.press(pauseConditions=None),
        lambda: world.push("web:3"),
        lambda: world.press(promoteFull=True),
        lambda: world.push("web:2"),
        lambda: world.press(abort=True),
        lambda: world.press(abort=False),
        lambda: world.push("web:3"),
    ):
        act()
        for _ in range(30):
            world.one_pass()
            assert unserved(world) == [], world.phase
            world.kubelet()
        world.wait(40)
        assert unserved(world) == []


@pytest.mark.parametrize(("releases", "on_record"), [(0, "ping"), (1, "pong"), (1, "")])
def test_what_the_reference_left_at_rest_is_taken_over_without_a_write(releases: int, on_record: str) -> None:
    world = turning()
    for number in range(releases):
        world.push(f"web:{number + 2}").settle().press(pauseConditions=None).settle().wait(31)
    world.edit({"status": {"canary": {"stablePingPong": on_record or None}}})
    mark = len(world.store.writes)
    world.settle()
    assert world.since(mark) == []


@pytest.mark.parametrize("turns", [0, 1])
def test_a_release_under_way_is_taken_over_by_what_is_on_record(turns: int) -> None:
    world = turning()
    if turns:
        world.push("web:2").settle().press(pauseConditions=None).settle()
    world.push("web:3").settle()
    again = World(world.rollout, *((key[0], m) for key, m in objects(world)))
    mark = len(again.store.writes)
    again.settle()
    assert [write for write in again.since(mark) if "Rollout" not in write] == []
    assert shares(again) == shares(world) and stable_turn(again) == ("pong" if turns else "ping")


def objects(world: World) -> list[tuple[Any, Manifest]]:
    return [(key, manifest) for key, manifest in world.store.objects.items() if manifest.get("kind") != "Rollout"]


def test_switched_on_later_the_stable_side_selects_only_stable_pods() -> None:
    fixed = rollout(canary=canary(weight(50), pause(), istio=True))
    others = [(SERVICES, service(name)) for name in ("web-canary", "web-stable", "web-ping", "web-pong")]
    world = deployed(fixed, *others, (VIRTUAL_SERVICES, virtual_service()))
    *_, (_, routed) = beside()
    world.store.put(VIRTUAL_SERVICES, routed)
    world.edit({"spec": {"strategy": {"canary": {**TURNS, "canaryService": None, "stableService": None}}}}).settle()
    assert (world.selected("web-pong"), world.selected("web-stable"), world.phase) == ("web:1", "", "Healthy")
    world.push("web:2").settle()
    assert (world.selected("web-pong"), world.selected("web-ping"), shares(world)["web-ping"]) == ("web:1", "web:2", 50)


def test_switched_off_again_both_services_are_given_back() -> None:
    world = turning().push("web:2").settle().press(pauseConditions=None).settle()
    world.store.put(VIRTUAL_SERVICES, virtual_service())
    for name in ("web-canary", "web-stable"):
        world.store.put(SERVICES, service(name))
    world.edit({"spec": {"strategy": {"canary": {"pingPong": None, "canaryService": "web-canary", "stableService": "web-stable"}}}})
    world.settle()
    for name in ("web-ping", "web-pong"):
        given = world.store.get(SERVICES, NAMESPACE, name)
        assert given is not None and MANAGED_BY not in annotations_of(given) and HASH_LABEL not in given["spec"]["selector"]


def test_a_missing_service_that_takes_turns_is_named() -> None:
    world = World(rollout(canary=strategy()), *(pair for pair in beside() if pair[1]["metadata"]["name"] != "web-pong"))
    world.settle()
    assert 'spec.strategy.canary.pingPong.pongService: Invalid value: "web-pong": services "web-pong" not found' in world.phase


def test_killed_after_any_write_a_promotion_ends_the_same_way() -> None:
    whole = turning().push("web:2").settle()
    begun = len(whole.store.writes)
    whole.press(pauseConditions=None).settle()
    assert len(whole.store.writes) > begun
    for stop in range(1, 40):
        world = turning().push("web:2").settle().press(pauseConditions=None)
        _die_at_write(world, stop)
        world.settle()
        assert (stable_turn(world), shares(world), unserved(world)) == (stable_turn(whole), shares(whole), [])


def _die_at_write(world: World, number: int) -> None:
    """The write of this number is refused once; everything before it stays."""
    left = number

    def refuse(_: str) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            raise Transient("killed")

    world.store.before_write = refuse
    for _ in range(10):
        world.one_pass()
        world.kubelet()
    world.store.before_write = lambda _: None


def test_a_header_route_leads_to_the_side_that_is_the_canarys_now() -> None:
    header = {"setHeaderRoute": {"name": "testers", "match": [{"headerName": "x", "headerValue": {"exact": "y"}}]}}
    fields = {"trafficRouting": istio_routing("testers")}
    world = deployed(rollout(canary=strategy({"setCanaryScale": {"replicas": 1}}, header, pause()) | fields), *beside())
    for number, side in ((2, "web-pong"), (3, "web-ping")):
        world.push(f"web:{number}").settle()
        virtual = world.store.get(VIRTUAL_SERVICES, NAMESPACE, "web")
        assert virtual is not None
        tagged = virtual["spec"]["http"][0]
        assert [entry["destination"]["host"] for entry in tagged["route"]] == [side] and tagged["match"]
        assert world.selected(side) == f"web:{number}"
        world.press(pauseConditions=None).settle()
        assert world.routes == ["primary"]


@pytest.mark.parametrize("releases", [0, 1])
def test_a_push_never_moves_the_weights_of_either_side(releases: int) -> None:
    world = turning()
    for number in range(releases):
        world.push(f"web:{number + 2}").settle().press(pauseConditions=None).settle()
    world.push("web:9").settle()
    live = world.store.get(VIRTUAL_SERVICES, NAMESPACE, "web")
    *_, (_, pushed) = beside()
    assert live is not None
    kept = carried_over(ROUTERS, (world.rollout,), pushed, live)
    assert kept["spec"]["http"][0]["route"] == live["spec"]["http"][0]["route"] != pushed["spec"]["http"][0]["route"]


def test_a_service_of_another_rollout_is_not_taken() -> None:
    foreign = service("web-ping")
    foreign["metadata"]["annotations"] = {MANAGED_BY: "shop"}
    others = [pair for pair in beside() if pair[1]["metadata"]["name"] != "web-ping"]
    world = World(rollout(canary=strategy()), (SERVICES, foreign), *others).settle()
    assert 'Service "web-ping" is managed by another Rollout' in world.phase
