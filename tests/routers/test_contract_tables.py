"""The tables of contract 9, read out of the page, and what each router writes for each weight: a row is a row of a test."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from reconciler.kernel.identity import Manifest, ObjectRef
from reconciler.rollouts.passes import Pass
from reconciler.rollouts.traffic.desired import wanted_traffic
from reconciler.rollouts.traffic.model import Traffic, WeightDestination
from reconciler.routers.istio_sides import Sides
from reconciler.routers.istio_weights import Shares, reweighted
from tests.contracts.test_router_contract import done
from tests.kit.istio import to
from tests.kit.passes import begun, moving, replica_set
from tests.kit.rollouts import canary, pause, rollout, weight
from tests.kit.routers import CASES, WHOSE
from tests.kit.tables import Row, table

LAST, RECORDED, MAXIMUM, FORMULA = 50, 30, 100, 20
"""What the steps say before and at the index, what is on record, the largest weight, and what the formula of 9.2 leaves."""


def at(index: int, *, old: int = 4, new: int = 4, dynamic: bool = False, steps: bool = True, **status: object) -> Pass:
    stepped = (weight(LAST), pause(), weight(75), pause()) if steps else ()
    manifest = rollout(image="image:new", canary=canary(*stepped, istio=True, dynamicStableScale=dynamic))
    weights = {"canary": {"weight": RECORDED, "podTemplateHash": "new"}, "stable": {"weight": 100 - RECORDED}}
    full = moving(**{"currentStepIndex": index, "canary": {"weights": weights}, **status})
    return begun(manifest, replica_set("old", old, age=10), replica_set("new", new), status=full)


def rolled_back() -> Pass:
    """Promoted back to a version that has no pods yet, while the record still names the former canary."""
    weights = {"canary": {"weight": RECORDED, "podTemplateHash": "former"}, "stable": {"weight": 100 - RECORDED}}
    manifest = rollout(image="image:new", canary=canary(weight(LAST), pause(), istio=True, dynamicStableScale=True))
    status = moving(stableRS="new", currentStepIndex=2, canary={"weights": weights})
    return begun(manifest, replica_set("former", 4, age=10), replica_set("new", 0), status=status)


STATES: dict[str, tuple[Callable[[], Pass], int]] = {
    "1": (rolled_back, RECORDED),
    "2": (lambda: at(4, stableRS="new"), 0),
    "3": (lambda: at(1, abort=True), 0),
    "4": (lambda: at(1, new=0), 0),
    "5": (lambda: at(1, promoteFull=True), RECORDED),
    "6": (lambda: at(2, new=2), LAST),
    "7": (lambda: at(2, new=3), 75),
    "8": (lambda: at(4), MAXIMUM),
    "9": (lambda: at(0, steps=False), 0),
}
DRIVER = table("9.1", "#")


@pytest.mark.parametrize("row", DRIVER, ids=lambda row: row["State"][:40])
def test_the_wanted_weight_is_that_of_the_first_row_that_applies(row: Row) -> None:
    number = re.sub(r"<[^>]*>", "", row["#"])
    state, expected = STATES[number]
    wanted = wanted_traffic(state())
    assert wanted.weight == expected
    assert wanted.drop is ("RemoveManagedRoutes" in row["extras"])
    said = {"0": 0, "maxW": MAXIMUM}.get(row["weight"])
    assert said is None or said == expected


def test_every_row_of_the_driver_is_asked() -> None:
    assert {re.sub(r"<[^>]*>", "", row["#"]) for row in DRIVER} == set(STATES)


SIDES = Sides(canary="c", stable="s", canary_subset="canary", stable_subset="stable", other_subsets=frozenset({"kept"}), host="web")
DESTINATIONS: dict[str, tuple[Manifest, int | None]] = {
    "host == canary service or subset == canarySubsetName": (to("c", 0), 30),
    "host == stable service or subset == stableSubsetName": (to("s", 100), 60),
    "host == experiment service": (to("trial", 1), 10),
    "subset in additionalSubsetNames": (to("web", 7, subset="kept"), 7),
    "anything else": (to("stranger", 40), None),
}


@pytest.mark.parametrize("row", table("9.3", "Destination"), ids=lambda row: row["Destination"])
def test_a_destination_gets_the_weight_of_its_row(row: Row) -> None:
    told, expected = DESTINATIONS[row["Destination"]]
    others = [one for one in (to("c", 0), to("s", 100)) if one["destination"] != told["destination"]]
    after = reweighted({"route": [told, *others]}, SIDES, Shares(30, {"trial": 10}))["route"]
    found = [one.get("weight", 0) for one in after if one["destination"] == told["destination"]]
    assert found == ([] if expected is None else [expected])


Weights = dict[str, int]


def by_host(manifest: Manifest) -> Weights:
    (route,) = [route for route in manifest["spec"]["http"] if route.get("name") == "primary"]
    return {one["destination"].get("subset") or one["destination"]["host"]: one["weight"] for one in route["route"]}


def in_annotation(manifest: Manifest) -> Weights:
    share = int(manifest["metadata"]["annotations"]["nginx.ingress.kubernetes.io/canary-weight"])
    return {"web-canary": share, "web-stable": 100 - share}


def in_action(manifest: Manifest) -> Weights:
    action = json.loads(manifest["metadata"]["annotations"]["alb.ingress.kubernetes.io/actions.web-root"])
    groups = next(value for key, value in action.items() if key.lower() == "forwardconfig")
    listed = next(value for key, value in groups.items() if key.lower() == "targetgroups")
    return {one[_key(one, "servicename")]: one[_key(one, "weight")] for one in listed}


def _key(entry: dict[str, Any], lower: str) -> str:
    return next(key for key in entry if key.lower() == lower)


def in_backends(manifest: Manifest) -> Weights:
    return {one["service"]: int(one["weight"]) for one in manifest["spec"]["backends"]}


def in_services(manifest: Manifest) -> Weights:
    return {one["name"]: one["weight"] for one in manifest["spec"]["weighted"]["services"] if "kind" not in one and "weight" in one}


def in_rule(manifest: Manifest) -> Weights:
    (rule,) = [rule for rule in manifest["spec"]["http"] if rule["name"] == "web"]
    return {one["serviceName"]: one["weight"] for one in rule["backends"] if "weight" in one}


def in_mapping(manifest: Manifest) -> Weights:
    return {"web-canary": manifest["spec"]["weight"], "web-stable": 100 - manifest["spec"]["weight"]}


def in_backend_refs(manifest: Manifest) -> Weights:
    rule = manifest["spec"]["rules"][-1]
    return {one["name"]: one["weight"] for one in rule["backendRefs"] if "weight" in one and "namespace" not in one}


def in_targets(manifest: Manifest) -> Weights:
    (route,) = [route for route in manifest["spec"]["routes"] if route["name"] == "web"]
    return {one["virtualNodeRef"]["name"]: one["weight"] for one in route["httpRoute"]["action"]["weightedTargets"]}


READING: dict[str, Callable[[Manifest], Weights]] = {
    "istio": by_host,
    "istio with subsets": by_host,
    "nginx": in_annotation,
    "alb": in_action,
    "smi": in_backends,
    "app mesh": in_targets,
    "traefik": in_services,
    "apisix": in_rule,
    "ambassador": in_mapping,
    "gateway api": in_backend_refs,
}


@pytest.mark.parametrize("share", [0, 1, 33, 40, 60, 99, 100])
@pytest.mark.parametrize("name", READING)
def test_each_router_writes_the_two_weights_and_they_sum_as_its_mesh_demands(name: str, share: int) -> None:
    case = CASES[name]()
    if name == "ambassador" and share == 0:
        return  # a Mapping without weight is not made: tests/routers/test_ambassador.py
    after = done(
        case.live, case.router.route(case.config, WHOSE, Traffic(weight=share, canary_hash="h2", stable_hash="h1"), case.live).actions
    )
    written = after[case.written]
    assert written is not None
    found = READING[name](written)
    canary_side, stable_side = ("canary", "stable") if name == "istio with subsets" else ("web-canary", "web-stable")
    assert (found[canary_side], found[stable_side]) == (share, 100 - share)
    assert sum(found.values()) == 100 and all(isinstance(number, int) for number in found.values())


@pytest.mark.parametrize("name", [name for name in READING if CASES[name]().router.features.experiments])
def test_experiments_take_their_shares_from_stable(name: str) -> None:
    case = CASES[name]()
    trial = WeightDestination(10, "trial", "h3")
    traffic = Traffic(weight=30, canary_hash="h2", stable_hash="h1", additional=(trial,))
    found = READING[name](done(case.live, case.router.route(case.config, WHOSE, traffic, case.live).actions)[case.written] or {})
    assert sorted(found.values()) == [10, 30, 60]


def test_every_router_is_read() -> None:
    known = {case.key for name, made in CASES.items() if (case := made()) and name in READING}
    assert known == {made().key for made in CASES.values()} - {"toy", "plugins.example.com/toy"}
    assert all(isinstance(ref, ObjectRef) for ref in CASES["istio"]().live)
