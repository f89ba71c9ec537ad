"""Header and mirror routes stand for the user's route (contract 9.3)."""

from typing import Any

import pytest

from reconciler.kernel.errors import Terminal
from reconciler.rollouts.traffic.model import HeaderMatch, HeaderRoute, MirrorRoute
from reconciler.routers.istio_generated import Generator
from reconciler.routers.istio_sides import Sides
from tests.kit.istio import pair, to

SIDES = Sides(canary="shop-canary", stable="shop-stable", namespace="prod")
TESTERS = HeaderRoute("testers", (HeaderMatch("x", prefix="y"),))
SHADOW = MirrorRoute("shadow", ({"method": {"exact": "GET"}},), 40)
MAIL = {"match": [{"uri": {"prefix": "/mail"}}], "route": [to("mail")]}


def user(**fields: Any) -> dict[str, Any]:
    return {"name": "main", "route": pair(20, 80), **fields}


def test_a_header_route_matches_rewrites_retries_and_times_out_as_the_users() -> None:
    kept = {"rewrite": {"uri": "/"}, "timeout": "2s", "retries": {"attempts": 0}, "fault": {}, "corsPolicy": {"maxAge": "1s"}}
    main = user(match=[{"uri": {"prefix": "/a"}}, {"uri": {"exact": "/b"}, "port": 80}], **kept)
    made, same = Generator(SIDES, "prod").placed([main], (0,), {"testers": TESTERS})
    header = {"headers": {"x": {"prefix": "y"}}}
    blocks = [{"uri": {"prefix": "/a"}, **header}, {"uri": {"exact": "/b"}, "port": 80, **header}]
    assert made == {"name": "testers", "match": blocks, **kept, "route": [to("shop-canary", 100)]}
    assert same is main


def test_other_routes_are_not_shadowed_and_every_weighted_route_has_its_own() -> None:
    api = {**user(), "name": "api", "match": [{"uri": {"prefix": "/api"}}]}
    placed = Generator(SIDES, "prod").placed([MAIL, api, MAIL, user()], (1, 3), {"testers": TESTERS})
    assert [route.get("name", "mail") for route in placed] == ["mail", "testers", "api", "mail", "testers", "main"]


def test_from_another_namespace_the_canary_is_called_by_its_whole_name() -> None:
    made = {"testers": TESTERS, "shadow": SHADOW}
    testers, shadow, _ = Generator(SIDES, "edge").placed([user()], (0,), made)
    assert testers["route"][0]["destination"]["host"] == shadow["mirror"]["host"] == "shop-canary.prod.svc.cluster.local"


def test_the_canarys_own_destination_is_kept_whole() -> None:
    route = [to("shop-stable", 80), {**to("shop-canary", 20, port={"number": 81}), "headers": {"request": {"set": {"a": "b"}}}}]
    testers, _ = Generator(SIDES, "prod").placed([user(route=route)], (0,), {"testers": TESTERS})
    assert testers["route"] == [{**route[1], "weight": 100}]


def test_a_mirror_route_keeps_the_users_own_mirror() -> None:
    main = user(mirror={"host": "audit"}, mirrorPercentage={"value": 5})
    shadow, _ = Generator(SIDES, "prod").placed([main], (0,), {"shadow": SHADOW})
    ours = {"destination": {"host": "shop-canary"}, "percentage": {"value": 40}}
    assert shadow["mirrors"] == [{"destination": {"host": "audit"}, "percentage": {"value": 5}}, ours]
    assert "mirror" not in shadow and "mirrorPercentage" not in shadow and shadow["route"] == main["route"]


def test_conditions_that_cannot_hold_together_are_said() -> None:
    main = user(match=[{"headers": {"X": {"exact": "z"}}}])
    with pytest.raises(Terminal, match="route testers would match nothing"):
        Generator(SIDES, "prod").placed([main], (0,), {"testers": TESTERS})


def test_the_references_form_is_there_for_those_who_ask() -> None:
    sides = Sides(canary="", stable="", canary_subset="c", stable_subset="s", host="shop", namespace="prod")
    main = user(route=[to("shop", 80, subset="s", port={"number": 80}), to("shop", 20, subset="c")], timeout="2s")
    plain = Generator(sides, "edge", plain=True).placed([MAIL, main], (1,), {"testers": TESTERS})
    destination = {"host": "shop", "port": {"number": 80}, "subset": "c"}
    made = {"name": "testers", "match": [{"headers": {"x": {"prefix": "y"}}}], "route": [{"destination": destination, "weight": 100}]}
    assert plain == [made, MAIL, main]
