"""Which routes are ours: contract 9.3."""

import pytest

from reconciler.kernel.errors import Terminal
from reconciler.routers.istio_selection import Selection
from reconciler.routers.istio_sides import Sides
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
    with pytest.raises(Terminal, match="must list which ones"):
        Selection({"name": "shop"}).indexes({"http": [{"name": "a", **OURS}, {"name": "b", **OURS}]}, SIDES)
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


def test_a_protocol_that_leads_nowhere_of_ours_is_no_concern_while_another_does() -> None:
    spec = {"http": [OURS], "tls": [{"route": [to("mail")]}]}
    assert Selection({}).indexes(spec, SIDES) == {"http": (0,)}
    with pytest.raises(Terminal, match="invalid TLS routes"):
        Selection({}).indexes({"tls": spec["tls"]}, SIDES)


def test_a_route_that_delegates_says_where_the_routes_are() -> None:
    with pytest.raises(Terminal, match="delegates to VirtualService edge/shop-routes: name that one"):
        Selection({}).indexes({"http": [{"delegate": {"name": "shop-routes", "namespace": "edge"}}]}, SIDES)


def test_where_routes_cannot_be_told_those_that_lead_to_both_sides_are_likely_meant() -> None:
    spec = {"http": [{"name": "a", "route": [to("mail")]}, {"name": "b", **OURS}, {"name": "testers", **OURS}]}
    assert Selection({"routes": ["gone"]}, ("testers",)).likely(spec, SIDES)["http"] == (1,)
