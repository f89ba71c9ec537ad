"""Traefik's TraefikService: contract 9.8. What every router promises is in tests/contracts."""

from typing import Any

import pytest

from reconciler.kernel.identity import Manifest, ObjectRef
from reconciler.kernel.plan import Replace
from reconciler.rollouts.spec.manifest import parse_rollout
from reconciler.rollouts.traffic.marks import owners
from reconciler.rollouts.traffic.model import Traffic
from reconciler.rollouts.traffic.router import Needs, RoutesAsked, Services
from reconciler.rollouts.validation.spec import spec_problem
from reconciler.routers.registry import ROUTERS
from reconciler.routers.traefik import TRAEFIK_SERVICES, Traefik
from tests.kit.rollouts import canary, rollout, weight

TRAEFIK = Traefik()
CONFIG = {"weightedTraefikServiceName": "split"}
WHOSE = Services(canary="web-canary", stable="web-stable", namespace="shop", rollout="web")
REF = ObjectRef(TRAEFIK_SERVICES, "shop", "split")
CANARY, STABLE = {"name": "web-canary", "port": 80}, {"name": "web-stable", "port": 80}


def split(*entries: Any, **spec: Any) -> Manifest:
    metadata = {"name": "split", "namespace": "shop", "resourceVersion": "7"}
    return {"kind": "TraefikService", "metadata": metadata, "spec": {"weighted": {"services": list(entries)}, **spec}}


def at(share: int) -> Traffic:
    return Traffic(weight=share, canary_hash="h2", stable_hash="h1")


def routed(found: Manifest, share: int) -> Manifest:
    answer = TRAEFIK.route(CONFIG, WHOSE, at(share), {REF: found})
    assert answer.problem is None
    [action] = answer.actions
    assert isinstance(action, Replace) and [str(event.message) for event in answer.events] == [
        f"TraefikService `split` set to desiredWeight '{share}'"
    ]
    return action.manifest


def weights(manifest: Manifest) -> list[Any]:
    return [entry.get("weight") for entry in manifest["spec"]["weighted"]["services"]]


def test_it_reads_the_service_of_its_own_namespace() -> None:
    assert TRAEFIK.needs(CONFIG, WHOSE) == Needs((REF,))


def test_the_canary_gets_its_weight_and_stable_the_rest_and_a_mark_says_whose() -> None:
    written = routed(split({**CANARY, "weight": 0}, {**STABLE, "weight": 100}), 30)
    assert weights(written) == [30, 70] and [str(owner) for owner in owners(written)] == ["shop/web"]
    assert written["metadata"]["resourceVersion"] == "7"


def test_a_weight_that_nobody_wrote_counts_as_one_and_is_written_at_rest() -> None:
    found = split(CANARY, STABLE)
    assert TRAEFIK.in_force(CONFIG, WHOSE, {REF: found}).weight == 1
    assert weights(routed(found, 0)) == [0, 100]


def test_every_entry_of_a_service_moves_and_no_other_one() -> None:
    others: list[Any] = [{"name": "mail"}, {**CANARY, "kind": "TraefikService"}, {**STABLE, "namespace": "edge"}, "nonsense"]
    found = split(CANARY, {**CANARY, "port": 81, "kind": "Service", "namespace": "shop"}, STABLE, *others)
    written = routed(found, 20)
    assert weights({"spec": {"weighted": {"services": written["spec"]["weighted"]["services"][:3]}}}) == [20, 20, 80]
    assert written["spec"]["weighted"]["services"][3:] == others


@pytest.mark.parametrize(("entries", "missing"), [([STABLE], "web-canary"), ([CANARY], "web-stable"), ([], "web-canary")])
def test_a_service_that_is_not_among_the_entries_is_named(entries: list[Manifest], missing: str) -> None:
    words = f"TraefikService `split`: spec.weighted.services names no Service {missing}: add it"
    answer = TRAEFIK.route(CONFIG, WHOSE, at(20), {REF: split(*entries)})
    assert (answer.problem, answer.actions) == (words, ())
    assert TRAEFIK.in_force(CONFIG, WHOSE, {REF: split(*entries)}).problem == words


@pytest.mark.parametrize("spec", [None, [], {"weighted": None}, {"weighted": []}, {"weighted": {"services": {}}}, {"mirroring": {}}])
def test_an_object_of_another_shape_is_a_problem_and_no_exception(spec: Any) -> None:
    found = {"kind": "TraefikService", "metadata": {"name": "split", "namespace": "shop"}, "spec": spec}
    assert "names no Service web-canary" in str(TRAEFIK.route(CONFIG, WHOSE, at(20), {REF: found}).problem)
    assert TRAEFIK.carry(CONFIG, WHOSE, found, split(CANARY, STABLE))["spec"] == spec
    assert TRAEFIK.carry(CONFIG, WHOSE, split(CANARY, STABLE), found) == split(CANARY, STABLE)


def test_a_push_that_turns_the_entries_round_moves_no_traffic() -> None:
    live = routed(split({**CANARY, "weight": 0}, {**STABLE, "weight": 100}), 30)
    pushed = TRAEFIK.carry(CONFIG, WHOSE, split({**STABLE, "weight": 100}, {"name": "new"}, CANARY), live)
    assert weights(pushed) == [70, None, 30] and owners(pushed) == owners(live)


def test_a_release_that_changed_its_services_takes_the_weight_off_the_former_one() -> None:
    live = routed(split({**CANARY, "weight": 0}, {"name": "web-next", "weight": 5}, {**STABLE, "weight": 100}), 30)
    later = Services(canary="web-next", stable="web-stable", namespace="shop", rollout="web")
    [action] = TRAEFIK.route(CONFIG, later, at(10), {REF: live}).actions
    assert isinstance(action, Replace) and weights(action.manifest) == [0, 10, 90]


NAMELESS = "spec.strategy.canary.trafficRouting.traefik.weightedTraefikServiceName"
SERVICES = {"canaryService": "web-canary", "stableService": "web-stable"}


def told(config: Manifest, **fields: Any) -> str:
    manifest = rollout(canary=canary(weight(20), trafficRouting={"traefik": config}, **fields))
    return str(spec_problem(manifest, parse_rollout(manifest), ROUTERS))


def test_what_is_missing_in_the_rollout_is_named_before_the_first_step() -> None:
    assert told(CONFIG, **SERVICES) == "None"
    assert told({}, **SERVICES).startswith(f"{NAMELESS}: Required value")
    assert told({"weightedTraefikServiceName": 5}, **SERVICES).startswith(f"{NAMELESS}: Required value")
    assert told(CONFIG, canaryService="web-canary").startswith('spec.strategy.stableService: Invalid value: "": Canary service and Stable')
    assert told(CONFIG, stableService="web-stable").startswith('spec.strategy.canaryService: Invalid value: ""')
    tagged = {"setHeaderRoute": {"name": "t", "match": [{"headerName": "x", "headerValue": {"exact": "y"}}]}}
    manifest = rollout(canary=canary(tagged, trafficRouting={"traefik": CONFIG, "managedRoutes": [{"name": "t"}]}, **SERVICES))
    assert "SetHeaderRoute requires TrafficRouting" in str(spec_problem(manifest, parse_rollout(manifest), ROUTERS))


def test_a_configuration_that_names_nothing_asks_for_nothing() -> None:
    assert [problem.field for problem in TRAEFIK.problems({}, RoutesAsked("a", "b"))] == [NAMELESS]
    assert TRAEFIK.route({}, WHOSE, at(20), {}).problem is not None
