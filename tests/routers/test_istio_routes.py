"""Which routes are ours and which destinations: contract 9.3, 13.40 and 13.41."""

import pytest

from reconciler.kernel.errors import Terminal
from reconciler.rollouts.traffic.model import HeaderMatch, HeaderRoute
from reconciler.routers.istio_routes import Selection, Shares, Sides, canary_weight, header_route, reweighted
from tests.kit.istio import pair, to

SIDES = Sides(canary="shop-canary", stable="shop-stable")
OURS = {"route": pair(0, 100)}


def test_the_only_route_needs_no_name() -> None:
    assert Selection({"name": "shop"}).indexes({"http": [{"name": "any", **OURS}]}, SIDES) == {"http": (0,)}


def test_beside_managed_routes_the_other_one_is_meant() -> None:
    selection = Selection({"name": "shop"}, ("testers",))
    assert selection.indexes({"http": [{"name": "testers", **OURS}, OURS]}, SIDES) == {"http": (1,)}


def test_several_routes_must_be_listed() -> None:
    with pytest.raises(Terminal, match="must list which ones"):
        Selection({"name": "shop"}).indexes({"http": [{"name": "a", **OURS}, OURS]}, SIDES)
    listed = Selection({"name": "shop", "routes": ["b", "a"]})
    assert listed.indexes({"http": [{"name": "a", **OURS}, {"name": "b", **OURS}]}, SIDES) == {"http": (1, 0)}


@pytest.mark.parametrize("protocol", ["tls", "tcp"])
def test_routes_without_names_are_listed_by_port(protocol: str) -> None:
    routes = [{"match": [{"port": port}], **OURS} for port in (80, 81)]
    assert Selection({f"{protocol}Routes": [{"port": 81}]}).indexes({protocol: routes}, SIDES) == {protocol: (1,)}
    with pytest.raises(Terminal, match="must list which ones"):
        Selection({}).indexes({protocol: routes}, SIDES)
    with pytest.raises(Terminal, match="No matching"):
        Selection({f"{protocol}Routes": [{"port": 82}]}).indexes({protocol: routes}, SIDES)


def test_a_route_that_matches_several_ports_is_never_listed() -> None:
    routes = [{"match": [{"port": 80}, {"port": 81}], **OURS}, {"match": [{"port": 80}], **OURS}]
    assert Selection({"tcpRoutes": [{"port": 80}]}).indexes({"tcp": routes}, SIDES) == {"tcp": (1,)}


def test_routes_of_others_in_an_unlisted_protocol_are_left_alone() -> None:
    spec = {"http": [{"name": "main", **OURS}], "tls": [{"route": [to("mail")]}, {"route": [to("news")]}]}
    assert Selection({"routes": ["main"]}).indexes(spec, SIDES) == {"http": (0,)}


def test_unknown_destinations_leave_unless_they_weigh_nothing() -> None:
    route = {"route": [*pair(0, 60), to("stranger", 40), to("idle", 0), to("bare")]}
    hosts = [destination["destination"]["host"] for destination in reweighted(route, SIDES, Shares(30))["route"]]
    assert hosts == ["shop-stable", "shop-canary", "idle", "bare"]


def test_stable_never_gets_less_than_nothing() -> None:
    assert [entry["weight"] for entry in reweighted(OURS, SIDES, Shares(90, {"trial": 30}))["route"]] == [0, 90, 30]


def test_experiments_are_appended_by_name_and_then_updated_in_place() -> None:
    first = reweighted(OURS, SIDES, Shares(0, {"b": 2, "a": 1}))
    assert [entry["destination"]["host"] for entry in first["route"]] == ["shop-stable", "shop-canary", "a", "b"]
    second = reweighted(first, SIDES, Shares(0, {"b": 5, "a": 1}))
    assert [entry.get("weight") for entry in second["route"]] == [94, 0, 1, 5]


def test_a_subset_says_more_than_a_shared_host() -> None:
    shared = Sides(canary="shop", stable="shop-stable", canary_subset="canary", stable_subset="stable")
    route = {"route": [to("shop", 100, subset="stable"), to("shop", 0, subset="canary")]}
    assert [entry["weight"] for entry in reweighted(route, shared, Shares(25))["route"]] == [75, 25]
    assert canary_weight(route, shared) == 0


def test_an_unchanged_route_is_the_same_object() -> None:
    assert reweighted(OURS, SIDES, Shares(0)) is OURS


def test_without_a_destination_rule_a_header_route_leads_to_the_canary_service() -> None:
    made = header_route(HeaderRoute("t", (HeaderMatch("x", prefix="y"),)), OURS, SIDES)
    assert made == {
        "name": "t",
        "match": [{"headers": {"x": {"prefix": "y"}}}],
        "route": [{"destination": {"host": "shop-canary"}, "weight": 100}],
    }
