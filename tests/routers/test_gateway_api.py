"""The Gateway API's routes: contract 9.11. What every router promises is in tests/contracts."""

from typing import Any

import pytest

from reconciler.kernel.identity import Manifest, ObjectRef
from reconciler.kernel.plan import Replace
from reconciler.rollouts.spec.manifest import parse_rollout
from reconciler.rollouts.traffic.model import HeaderMatch, HeaderRoute, Traffic
from reconciler.rollouts.traffic.router import Services
from reconciler.rollouts.validation.spec import spec_problem
from reconciler.routers.gateway_api import GRPC_ROUTES, HTTP_ROUTES, MOST_MATCHES, PLUGIN, TCP_ROUTES, TLS_ROUTES, GatewayApi
from reconciler.routers.registry import ROUTERS
from tests.kit.rollouts import canary, pause, rollout, weight

ROUTER = GatewayApi()
WHOSE = Services(canary="web-canary", stable="web-stable", namespace="shop", rollout="web", managed_routes=("beta", "testers"))
REF = ObjectRef(HTTP_ROUTES, "shop", "web")
BACKS = [{"name": "web-canary", "port": 80, "weight": 0}, {"name": "web-stable", "port": 80, "weight": 100}]


def http(*rules: Any, kind: str = "HTTPRoute") -> Manifest:
    metadata = {"name": "web", "namespace": "shop", "resourceVersion": "7"}
    return {"kind": kind, "metadata": metadata, "spec": {"rules": list(rules) or [{"backendRefs": BACKS}]}}


def at(share: int, **more: Any) -> Traffic:
    return Traffic(weight=share, canary_hash="h2", stable_hash="h1", managed_routes=("beta", "testers"), **more)


def header(name: str, *matches: HeaderMatch) -> HeaderRoute:
    return HeaderRoute(name, matches)


def routed(found: Manifest, traffic: Traffic, ref: ObjectRef = REF, config: Manifest | None = None) -> Manifest:
    answer = ROUTER.route(config or {"httpRoute": "web"}, WHOSE, traffic, {ref: found})
    assert answer.problem is None, answer.problem
    if not answer.actions:
        return found
    [action] = answer.actions
    assert isinstance(action, Replace)
    return action.manifest


def weights(manifest: Manifest) -> list[list[Any]]:
    return [[back.get("weight") for back in rule["backendRefs"]] for rule in manifest["spec"]["rules"]]


def test_routes_of_every_kind_are_named_alone_or_in_a_list() -> None:
    config = {
        "httpRoute": "a",
        "httpRoutes": [{"name": "b"}, {"name": "a"}],
        "grpcRoutes": [{"name": "c"}],
        "tcpRoute": "d",
        "tlsRoute": "e",
    }
    found = [
        (ref.resource, ref.namespace, ref.name) for ref in ROUTER.needs({**config, "namespace": "edge"}, Services(namespace="shop")).named
    ]
    assert found == [
        (HTTP_ROUTES, "edge", "a"),
        (HTTP_ROUTES, "edge", "b"),
        (GRPC_ROUTES, "edge", "c"),
        (TCP_ROUTES, "edge", "d"),
        (TLS_ROUTES, "edge", "e"),
    ]


def test_every_rule_that_leads_to_both_services_carries_the_weights_and_no_other() -> None:
    mail = {"backendRefs": [{"name": "mail"}]}
    canary_alone = {"backendRefs": [{"name": "web-canary", "weight": 9}]}
    found = routed(http({"backendRefs": BACKS}, mail, canary_alone, {"backendRefs": BACKS, "timeouts": {"request": "1s"}}), at(30))
    assert weights(found) == [[30, 70], [None], [9], [30, 70]]
    assert found["spec"]["rules"][3]["timeouts"] == {"request": "1s"} and found["metadata"]["resourceVersion"] == "7"


def test_the_weights_are_shares_of_the_largest_weight_and_go_home_to_all_of_it() -> None:
    underway = routed(http({"backendRefs": [{**BACKS[0]}, {**BACKS[1], "weight": 1000}]}), at(25, maximum=1000))
    assert weights(underway) == [[25, 975]]
    assert weights(routed(underway, at(0, maximum=1000))) == [[0, 1000]]


@pytest.mark.parametrize(
    ("match", "condition"),
    [
        (HeaderMatch("x", exact="a.b"), {"type": "Exact", "name": "x", "value": "a.b"}),
        (HeaderMatch("x", prefix="a.b"), {"type": "RegularExpression", "name": "x", "value": r"a\.b.*"}),
        (HeaderMatch("x", regex="a.b"), {"type": "RegularExpression", "name": "x", "value": "a.b"}),
    ],
)
def test_a_tagged_request_goes_to_the_canary_alone(match: HeaderMatch, condition: Manifest) -> None:
    path = {"path": {"type": "PathPrefix", "value": "/"}}
    user = {
        "name": "main",
        "matches": [path, {"method": "GET", "headers": [{"name": "a", "value": "b"}]}],
        "backendRefs": BACKS,
        "filters": [1],
    }
    tagged, own = routed(http(user), at(0, header_route=header("testers", match)))["spec"]["rules"]
    assert own == user
    assert tagged == {
        "matches": [{**path, "headers": [condition]}, {"method": "GET", "headers": [{"name": "a", "value": "b"}, condition]}],
        "backendRefs": [{"name": "web-canary", "port": 80, "weight": 1}],
        "filters": [1],
    }


def test_any_of_several_conditions_is_enough_and_a_rule_without_matches_gets_only_them() -> None:
    tagged, _own = routed(http(), at(0, header_route=header("testers", HeaderMatch("x", exact="1"), HeaderMatch("y", exact="2"))))["spec"][
        "rules"
    ]
    assert [match["headers"][0]["name"] for match in tagged["matches"]] == ["x", "y"] and all(len(m) == 1 for m in tagged["matches"])


def test_managed_routes_stand_in_their_order_and_one_is_taken_out_alone() -> None:
    one = routed(http(), at(0, header_route=header("testers", HeaderMatch("x", exact="1"))))
    both = routed(one, at(0, header_route=header("beta", HeaderMatch("y", exact="2"))))
    names = [rule["matches"][0]["headers"][0]["name"] for rule in both["spec"]["rules"][:2]]
    assert names == ["y", "x"] and len(both["spec"]["rules"]) == 3
    left = routed(both, at(0, header_route=header("testers")))
    assert len(left["spec"]["rules"]) == 2 and ROUTER.in_force({"httpRoute": "web"}, WHOSE, {REF: left}).managed_routes == ("beta",)


def test_a_persons_rule_for_the_canary_is_never_taken_for_ours() -> None:
    mine = {"matches": [{"headers": [{"type": "Exact", "name": "x", "value": "2"}]}], "backendRefs": [BACKS[0]]}
    underway = routed(http(mine, {"backendRefs": BACKS}), at(0, header_route=header("testers", HeaderMatch("x", exact="1"))))
    assert len(underway["spec"]["rules"]) == 3
    assert routed(underway, at(0, drop_managed_routes=True))["spec"]["rules"] == [mine, {"backendRefs": BACKS}]


def test_tcp_routes_are_weighted_and_never_tagged() -> None:
    ref, config = ObjectRef(TCP_ROUTES, "shop", "web"), {"tcpRoute": "web"}
    found = routed(http(kind="TCPRoute"), at(40, header_route=header("testers", HeaderMatch("x", exact="1"))), ref, config)
    assert weights(found) == [[40, 60]]


def test_a_rule_of_too_many_matches_is_refused_before_anything_is_written() -> None:
    crowd = http({"backendRefs": BACKS, "matches": [{"path": {"value": f"/{n}"}} for n in range(MOST_MATCHES)]})
    two = header("testers", HeaderMatch("x", exact="1"), HeaderMatch("y", exact="1"))
    answer = ROUTER.route({"httpRoute": "web"}, WHOSE, at(0, header_route=two), {REF: crowd})
    assert answer.actions == () and answer.problem == "HTTPRoute `web`: a rule would have more than 64 matches"


def test_while_one_route_cannot_be_used_none_is_written() -> None:
    config = {"httpRoutes": [{"name": "web"}, {"name": "gone"}]}
    answer = ROUTER.route(config, WHOSE, at(10), {REF: http()})
    assert answer.actions == () and answer.problem == "HTTPRoute `gone` not found in namespace shop"
    for rules in ([], None, "x", [5], [{"backendRefs": None}], [{"backendRefs": [{"name": "web-canary", "namespace": "other"}, BACKS[1]]}]):
        answer = ROUTER.route({"httpRoute": "web"}, WHOSE, at(10), {REF: {**http(), "spec": {"rules": rules}}})
        assert answer.actions == () and "no rule has backendRefs to both Services web-canary and web-stable" in str(answer.problem)


def problem(routing: Manifest, *steps: Any, **spec: Any) -> str:
    services = {"canaryService": "web-canary", "stableService": "web-stable", **spec}
    manifest = rollout(canary=canary(*steps, **services, trafficRouting=routing))
    return str(spec_problem(manifest, parse_rollout(manifest), ROUTERS))


def test_mistakes_are_told_before_a_push() -> None:
    tag = {"setHeaderRoute": {"name": "testers", "match": [{"headerName": "x", "headerValue": {"exact": "y"}}]}}
    managed = {"managedRoutes": [{"name": "testers"}]}
    good = {"plugins": {PLUGIN: {"httpRoute": "web"}}}
    assert problem({**good, **managed, "maxTrafficWeight": 1000}, tag, weight(20), pause()) == "None"
    assert "no route is named" in problem({"plugins": {PLUGIN: {}}}, weight(20))
    assert "know no headers" in problem({"plugins": {PLUGIN: {"tcpRoute": "web"}}, **managed}, tag, weight(20))
    assert "plugins.other/one is not supported yet" in problem({"plugins": {"other/one": {}}}, weight(20))
    assert "must to be set" in problem(good, weight(20), canaryService=None)
