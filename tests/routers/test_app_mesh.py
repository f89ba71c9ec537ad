"""App Mesh's VirtualRouter and VirtualNodes: contract 9.10. What every router promises is in tests/contracts."""

from copy import deepcopy
from typing import Any

import pytest

from reconciler.kernel.identity import Manifest, ObjectRef
from reconciler.kernel.plan import Replace
from reconciler.kernel.well_known import HASH_LABEL, TRAFFIC_MARK
from reconciler.rollouts.spec.manifest import parse_rollout
from reconciler.rollouts.traffic.marks import owners
from reconciler.rollouts.traffic.model import Traffic
from reconciler.rollouts.traffic.router import Live, Needs
from reconciler.rollouts.validation.spec import spec_problem
from reconciler.routers.app_mesh import INCOMPLETE, AppMesh
from reconciler.routers.app_mesh_objects import ROUTE_KINDS, VIRTUAL_NODES, VIRTUAL_ROUTERS, VIRTUAL_SERVICES
from reconciler.routers.registry import ROUTERS
from tests.contracts.test_router_contract import done
from tests.kit.rollouts import canary, rollout, weight
from tests.kit.routers import OWNER, WHOSE

MESH = AppMesh()
GROUP = {"canaryVirtualNodeRef": {"name": "next"}, "stableVirtualNodeRef": {"name": "main"}}
CONFIG: Manifest = {"virtualService": {"name": "web"}, "virtualNodeGroup": GROUP}
SERVICE, ROUTER = ObjectRef(VIRTUAL_SERVICES, "shop", "web"), ObjectRef(VIRTUAL_ROUTERS, "shop", "web-router")
NEXT, MAIN = ObjectRef(VIRTUAL_NODES, "shop", "next"), ObjectRef(VIRTUAL_NODES, "shop", "main")


def target(node: str, weight: int, **ref: str) -> Manifest:
    return {"virtualNodeRef": {"name": node, **ref}, "weight": weight}


def split(name: str, canary: int, kind: str = "httpRoute") -> Manifest:
    return {"name": name, kind: {"action": {"weightedTargets": [target("next", canary), target("main", 100 - canary)]}}}


def service(**ref: Any) -> Manifest:
    spec = {"provider": {"virtualRouter": {"virtualRouterRef": {"name": "web-router", **ref}}}}
    return {"kind": "VirtualService", "metadata": {"name": "web", "namespace": "shop"}, "spec": spec}


def router(*routes: Any, namespace: str = "shop") -> Manifest:
    return {"kind": "VirtualRouter", "metadata": {"name": "web-router", "namespace": namespace}, "spec": {"routes": list(routes)}}


def node(name: str, **labels: str) -> Manifest:
    spec = {"podSelector": {"matchLabels": {"app": "web", **labels}}, "listeners": [1]}
    return {"kind": "VirtualNode", "metadata": {"name": name, "namespace": "shop"}, "spec": spec}


def live(*routes: Any) -> Live:
    return {SERVICE: service(), ROUTER: router(*(routes or [split("a", 0)])), NEXT: node("next"), MAIN: node("main")}


def at(share: int, canary: str = "h2", stable: str = "h1") -> Traffic:
    return Traffic(weight=share, canary_hash=canary, stable_hash=stable)


def routed(found: Live, traffic: Traffic, config: Manifest = CONFIG) -> Live:
    answer = MESH.route(config, WHOSE, traffic, found)
    assert answer.problem is None
    return done(found, answer.actions)


def written(found: Live, traffic: Traffic) -> list[str]:
    return [
        str(action.manifest["metadata"]["name"])
        for action in MESH.route(CONFIG, WHOSE, traffic, found).actions
        if isinstance(action, Replace)
    ]


def shares(found: Live, ref: ObjectRef = ROUTER) -> dict[str, list[int]]:
    routes = (found[ref] or {})["spec"]["routes"]
    parts = {route["name"]: route[kind] for route in routes for kind in ROUTE_KINDS if kind in route}
    return {name: [one["weight"] for one in part["action"]["weightedTargets"]] for name, part in parts.items()}


def labels(found: Live) -> list[Any]:
    return [(found[ref] or {})["spec"]["podSelector"]["matchLabels"].get(HASH_LABEL) for ref in (NEXT, MAIN)]


def test_it_reads_the_service_and_both_nodes_and_the_router_behind_the_service() -> None:
    assert MESH.needs(CONFIG, WHOSE) == Needs((SERVICE, NEXT, MAIN))
    assert MESH.beyond(live()) == (ROUTER,)
    assert MESH.beyond({SERVICE: service(namespace="edge")}) == (ObjectRef(VIRTUAL_ROUTERS, "edge", "web-router"),)
    assert MESH.beyond({SERVICE: None}) == ()


def test_routes_of_every_kind_are_split_and_those_that_are_not_named_stay() -> None:
    kinds = {f"r{number}": kind for number, kind in enumerate(ROUTE_KINDS)}
    found = live(*(split(name, 0, kind) for name, kind in kinds.items()))
    assert shares(routed(found, at(30))) == {key: [30, 70] for key in kinds}
    chosen = {**CONFIG, "virtualService": {"name": "web", "routes": ["r1", "r3"]}}
    assert shares(routed(found, at(30), chosen)) == {"r0": [0, 100], "r1": [30, 70], "r2": [0, 100], "r3": [30, 70]}


def test_a_route_that_is_named_no_more_goes_home() -> None:
    found = routed(live(split("a", 0), split("b", 0)), at(30), {**CONFIG, "virtualService": {"name": "web", "routes": ["a", "b"]}})
    later = routed(found, at(30), {**CONFIG, "virtualService": {"name": "web", "routes": ["b"]}})
    assert shares(later) == {"a": [0, 100], "b": [30, 70]}
    renamed = {**CONFIG, "virtualNodeGroup": {"canaryVirtualNodeRef": {"name": "third"}, "stableVirtualNodeRef": {"name": "main"}}}
    third = {"name": "b", "httpRoute": {"action": {"weightedTargets": [target("third", 0), target("main", 100)]}}}
    assert MESH.route(renamed, WHOSE, at(30), {**later, ObjectRef(VIRTUAL_NODES, "shop", "third"): node("third")}).problem
    both = {**later, ROUTER: router(split("a", 0), third), ObjectRef(VIRTUAL_NODES, "shop", "third"): node("third")}
    only = {**renamed, "virtualService": {"name": "web", "routes": ["b"]}}
    assert shares(routed(both, at(40), only)) == {"a": [0, 100], "b": [40, 60]}


@pytest.mark.parametrize(
    ("traffic", "expected"),
    [
        (at(20), ["h2", "h1"]),
        (at(0, canary="", stable="h1"), ["canary-hash", "h1"]),
        (at(0, canary="h1", stable="h1"), ["canary-hash", "h1"]),
        (at(0, canary="h2", stable=""), ["h2", "stable-hash"]),
    ],
)
def test_nodes_select_their_versions_and_a_side_without_one_selects_no_pod(traffic: Traffic, expected: list[str]) -> None:
    after = routed(live(), traffic)
    assert labels(after) == expected
    held = {hash for hash in expected if hash.startswith("h")}
    assert MESH.in_force(CONFIG, WHOSE, after).hashes == held


def test_no_node_loses_its_pods_while_requests_are_sent_to_it() -> None:
    first = live()
    assert written(first, at(20)) == ["main", "next", "web-router"]
    at_20 = routed(first, at(20))
    assert written(at_20, at(0, canary="h3")) == ["web-router", "next"]
    assert written(routed(at_20, at(100)), at(0, canary="h2", stable="h2")) == ["main", "web-router", "next"]
    assert written(at_20, at(60)) == ["web-router"] and written(at_20, at(20)) == []


def test_14_no_annotation_says_who_manages_an_object() -> None:
    after = routed(live(), at(20))
    assert [set((after[ref] or {})["metadata"]["annotations"]) for ref in (ROUTER, NEXT, MAIN)] == [{TRAFFIC_MARK}] * 3


def test_a_target_of_another_namespace_is_somebody_elses() -> None:
    far = {"name": "a", "httpRoute": {"action": {"weightedTargets": [target("next", 0, namespace="edge"), target("main", 100)]}}}
    told = "VirtualRouter `web-router`, route `a`: httpRoute.action.weightedTargets names no VirtualNode next of namespace shop: add it"
    assert MESH.in_force(CONFIG, WHOSE, live(far)).problem == told == MESH.route(CONFIG, WHOSE, at(20), live(far)).problem
    edge = ObjectRef(VIRTUAL_ROUTERS, "edge", "web-router")
    near = [target("next", 0, namespace="shop"), target("main", 100, namespace="shop")]
    found = {
        **live(),
        SERVICE: service(namespace="edge"),
        edge: router({"name": "a", "grpcRoute": {"action": {"weightedTargets": near}}}, namespace="edge"),
    }
    assert shares(routed(found, at(20)), edge) == {"a": [20, 80]}
    assert "names no VirtualNode next" in str(
        MESH.route(CONFIG, WHOSE, at(20), {**found, edge: router(split("a", 0), namespace="edge")}).problem
    )


THREE = [target("next", 0), target("main", 50), target("other", 50)]


@pytest.mark.parametrize(
    ("routes", "words"),
    [
        ([], "`web-router` has no routes: add one"),
        (["nonsense", 3], "`web-router` has no routes: add one"),
        ([{"name": "a"}], "route `a`: has none of httpRoute, tcpRoute, http2Route, grpcRoute"),
        ([{"name": "a", "httpRoute": []}], "route `a`: httpRoute.action.weightedTargets has 0 targets: it must have exactly two"),
        ([{"name": "a", "httpRoute": {"action": {"weightedTargets": {}}}}], "has 0 targets"),
        (
            [{"name": "a", "httpRoute": {"action": {"weightedTargets": [*split("a", 0)["httpRoute"]["action"]["weightedTargets"], 5]}}}],
            "has 0 targets",
        ),
        ([{"name": "a", "httpRoute": {"action": {"weightedTargets": THREE}}}], "has 3 targets"),
        ([{"name": "a", "httpRoute": {"action": {"weightedTargets": THREE[1:]}}}], "names no VirtualNode next"),
        ([split("a", 0), {"name": "b", "tcpRoute": {"action": {"weightedTargets": THREE[:1]}}}], "route `b`: tcpRoute"),
    ],
)
def test_a_router_that_cannot_be_split_is_told_and_not_written(routes: list[Any], words: str) -> None:
    found = {**live(), ROUTER: router(*routes)}
    answer, now = MESH.route(CONFIG, WHOSE, at(20), found), MESH.in_force(CONFIG, WHOSE, found)
    assert words in str(answer.problem) and answer.actions == () and now.problem == answer.problem and now.subject == "web"


def test_a_route_that_the_router_does_not_have_is_told() -> None:
    config = {**CONFIG, "virtualService": {"name": "web", "routes": ["a", "b"]}}
    assert MESH.in_force(config, WHOSE, live()).problem == "VirtualRouter `web-router` has no route `b`"


@pytest.mark.parametrize(
    "spec", [None, [], {}, {"provider": {"virtualNode": {}}}, {"provider": {"virtualRouter": {"virtualRouterRef": {"name": 5}}}}]
)
def test_a_service_that_leads_to_no_router_is_told(spec: Any) -> None:
    found = {**live(), SERVICE: {**service(), "spec": spec}}
    assert "names no VirtualRouter: name one" in str(MESH.in_force(CONFIG, WHOSE, found).problem)
    assert MESH.route(CONFIG, WHOSE, at(20), found).problem and MESH.beyond(found) == ()


@pytest.mark.parametrize("ref", [SERVICE, ROUTER, NEXT, MAIN], ids=lambda ref: f"{ref.resource.kind} {ref.name}")
def test_each_object_that_is_missing_is_named(ref: ObjectRef) -> None:
    found = {**live(), ref: None}
    assert MESH.in_force(CONFIG, WHOSE, found).problem == f'{ref.resource.plural}.appmesh.k8s.aws "{ref.name}" not found'
    assert MESH.route(CONFIG, WHOSE, at(20), found).problem == f"{ref.resource.kind} `{ref.name}` not found"


@pytest.mark.parametrize("spec", [None, {"podSelector": []}, {"podSelector": {"matchLabels": ["app"]}}])
def test_a_node_of_another_shape_is_told_and_not_written(spec: Any) -> None:
    found = {**live(), NEXT: {**node("next"), "spec": spec}}
    answer = MESH.route(CONFIG, WHOSE, at(20), found)
    assert answer.problem == "VirtualNode `next`: spec.podSelector.matchLabels must be an object" and answer.actions == ()


def test_a_node_without_a_selector_gets_one_and_gives_it_back() -> None:
    found = {**live(), NEXT: {**node("next"), "spec": {"listeners": []}}}
    after = routed(found, at(20))
    assert (after[NEXT] or {})["spec"]["podSelector"] == {"matchLabels": {HASH_LABEL: "h2"}}
    assert done(after, MESH.release(OWNER, after)) == found


def test_a_hash_that_stood_there_before_is_not_put_back_for_no_pod_has_it() -> None:
    found = {**live(), NEXT: node("next", **{HASH_LABEL: "canary-hash"}), MAIN: node("main", **{HASH_LABEL: "h0"})}
    after = routed(found, at(20))
    assert labels(done(after, MESH.release(OWNER, after))) == [None, None]


def test_weights_go_home_before_labels_go() -> None:
    after = routed(live(), at(20))
    mixed = {ref: after[ref] for ref in (NEXT, MAIN, ROUTER, SERVICE)}
    assert [action.manifest["kind"] for action in MESH.release(OWNER, mixed) if isinstance(action, Replace)] == [
        "VirtualRouter",
        "VirtualNode",
        "VirtualNode",
    ]


def test_a_mark_that_a_person_spoiled_gives_back_what_can_be_known() -> None:
    after = routed(live(), at(20))
    spoiled = deepcopy(after[ROUTER]) or {}
    spoiled["metadata"]["annotations"][TRAFFIC_MARK] = '{"shop/web":{"canary":5,"routes":"all"}}'
    [action] = MESH.release(OWNER, {ROUTER: spoiled})
    assert isinstance(action, Replace) and not owners(action.manifest)


def test_a_push_moves_no_traffic_and_splits_a_new_route_as_the_others() -> None:
    found = routed(live(), at(30))
    pushed = MESH.carry(CONFIG, WHOSE, router(split("new", 0), split("a", 0)), found[ROUTER] or {})
    assert shares({ROUTER: pushed}) == {"new": [30, 70], "a": [30, 70]} and owners(pushed) == (OWNER,)
    assert labels({NEXT: MESH.carry(CONFIG, WHOSE, node("next"), found[NEXT] or {}), MAIN: found[MAIN]}) == ["h2", "h1"]
    theirs = router(split("a", 0))
    assert MESH.carry(CONFIG, WHOSE, theirs, router(split("a", 30))) is theirs
    for config in ({}, {**CONFIG, "virtualService": {"name": "other"}}):
        assert MESH.carry(config, WHOSE, theirs, found[ROUTER] or {}) is theirs


FIELD = "spec.strategy.canary.trafficRouting.appMesh"
SERVICES = {"canaryService": "web-canary", "stableService": "web-stable"}


def told(config: Manifest, **fields: Any) -> str:
    manifest = rollout(canary=canary(weight(20), trafficRouting={"appMesh": config}, **fields))
    return str(spec_problem(manifest, parse_rollout(manifest), ROUTERS))


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({}, f"{FIELD}.virtualService.name: Required value"),
        ({"virtualService": {"name": 5}, "virtualNodeGroup": GROUP}, f"{FIELD}.virtualService.name: Required value"),
        ({"virtualService": {"name": "web"}}, f"{FIELD}.virtualNodeGroup.canaryVirtualNodeRef.name: Required value"),
        (
            {**CONFIG, "virtualNodeGroup": {"canaryVirtualNodeRef": {"name": "next"}, "stableVirtualNodeRef": []}},
            f"{FIELD}.virtualNodeGroup.stableVirtualNodeRef.name: Required value",
        ),
        ({**CONFIG, "virtualNodeGroup": {key: {"name": "main"} for key in GROUP}}, "is the stable VirtualNode too"),
        ({**CONFIG, "virtualService": {"name": "web", "routes": "a"}}, f"{FIELD}.virtualService.routes: Invalid value"),
    ],
)
def test_what_is_missing_in_the_rollout_is_named_before_the_first_step(config: Manifest, words: str) -> None:
    assert words in told(config, **SERVICES)
    assert told(CONFIG, **SERVICES) == "None"


def test_both_services_are_needed() -> None:
    assert told(CONFIG, canaryService="web-canary").startswith('spec.strategy.stableService: Invalid value: "": Canary service and Stable')
    assert MESH.route({}, WHOSE, at(20), {}).problem == INCOMPLETE == MESH.in_force({}, WHOSE, {}).problem
