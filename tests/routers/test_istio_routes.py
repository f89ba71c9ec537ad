"""One VirtualService through a release: what is told, what a push and a changed Rollout do to it (contract 9.3)."""

from typing import Any

import pytest

from reconciler.kernel.plan import Replace
from reconciler.rollouts.traffic.marks import owners
from reconciler.rollouts.traffic.model import HeaderMatch, HeaderRoute, MirrorRoute, Traffic
from reconciler.rollouts.traffic.router import Live, Owner, Services
from reconciler.routers.istio import Istio
from tests.kit.istio import ONE, SERVICES, live, pair, subset_pair, to, virtual_service, weights

ISTIO, MANAGED = Istio(), ("testers", "shadow")
HEADER = HeaderRoute("testers", (HeaderMatch("x", exact="y"),))
MIRROR = MirrorRoute("shadow", ({"method": {"exact": "GET"}},), 50)


def traffic(weight: int = 20, **change: Any) -> Traffic:
    return Traffic(weight=weight, canary_hash="h2", stable_hash="h1", managed_routes=MANAGED, **change)


def routed(seen: Live, wanted: Traffic, config: dict[str, Any] = ONE, services: Services = SERVICES) -> dict[str, Any]:
    """The one VirtualService once this is in force."""
    answer = ISTIO.route(config, services, wanted, seen)
    assert answer.problem is None
    (found,) = [action.manifest for action in answer.actions if isinstance(action, Replace)] or [m for m in seen.values() if m]
    return found


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        (traffic(30), ["set to desiredWeight '30'"]),
        (traffic(0, header_route=HEADER), ["set headerRoute 'testers'"]),
        (traffic(0, mirror_route=MIRROR), ["set mirrorRoute 'shadow'"]),
        (traffic(30, header_route=HEADER), ["set headerRoute 'testers'", "set to desiredWeight '30'"]),
        (traffic(0), []),
    ],
)
def test_every_change_is_told_once_in_the_references_words(wanted: Traffic, words: list[str]) -> None:
    events = ISTIO.route(ONE, SERVICES, wanted, live(virtual_service([{"route": pair(0, 100)}]))).events
    assert [event.message for event in events] == [f"VirtualService `shop` {word}" for word in words]
    assert {event.reason for event in events} <= {"Updated VirtualService"}


def test_that_managed_routes_went_is_told() -> None:
    seen = live(routed(live(virtual_service([{"route": pair(0, 100)}])), traffic(0, header_route=HEADER)))
    (event,) = ISTIO.route(ONE, SERVICES, traffic(0, drop_managed_routes=True), seen).events
    assert event.message == "VirtualService `shop` removed all managed routes."


def test_generated_routes_follow_the_users_route_when_it_changes() -> None:
    found = routed(live(virtual_service([{"name": "main", "route": pair(0, 100)}])), traffic(20, header_route=HEADER))
    pushed = virtual_service([{"name": "main", "timeout": "9s", "route": pair(0, 100)}])
    written = ISTIO.carry(ONE, Services(**{**vars_of(SERVICES), "managed_routes": MANAGED}), pushed, found)
    testers, main = written["spec"]["http"]
    assert (testers["timeout"], main["timeout"], weights(written, index=1)) == ("9s", "9s", [80, 20])
    assert ISTIO.route(ONE, SERVICES, traffic(20, header_route=HEADER), live(written)).actions == ()


def vars_of(services: Services) -> dict[str, Any]:
    return {name: getattr(services, name) for name in ("canary", "stable", "namespace", "rollout")}


def test_a_route_that_the_rollout_lists_no_more_goes_home() -> None:
    http = [{"name": "a", "route": pair(0, 100)}, {"name": "b", "route": pair(0, 100)}]
    config = {"virtualService": {"name": "shop", "routes": ["a"]}}
    found = routed(live(virtual_service(http)), traffic(40, header_route=HEADER), config)
    after = routed(live(found), traffic(40), {"virtualService": {"name": "shop", "routes": ["b"]}})
    assert [(route["name"], [d["weight"] for d in route["route"]]) for route in after["spec"]["http"]] == [
        ("a", [100, 0]),
        ("testers", [100]),
        ("b", [60, 40]),
    ]


def test_services_that_were_renamed_leave_no_share_behind() -> None:
    both = [*pair(0, 100), to("new-canary", 0), to("new-stable", 0)]
    found = routed(live(virtual_service([{"route": both}])), traffic(40))
    renamed = Services(canary="new-canary", stable="new-stable", namespace="prod", rollout="shop")
    assert [w for w in weights(routed(live(found), traffic(30), ONE, renamed)) if w] == [30, 70]


def test_two_rollouts_on_one_virtual_service_keep_out_of_each_others_way() -> None:
    http = [{"name": "web", "route": pair(0, 100)}, {"name": "api", "route": [to("api-stable", 100), to("api-canary", 0)]}]
    api = Services(canary="api-canary", stable="api-stable", namespace="prod", rollout="api")
    one = routed(live(virtual_service(http)), traffic(20), {"virtualService": {"name": "shop", "routes": ["web"]}})
    both = routed(live(one), traffic(70), {"virtualService": {"name": "shop", "routes": ["api"]}}, api)
    assert {str(owner) for owner in owners(both)} == {"prod/shop", "prod/api"}
    (given,) = ISTIO.release(Owner("prod", "api"), live(both))
    assert isinstance(given, Replace) and given.manifest == one


def test_what_the_reference_left_in_the_middle_of_a_release_is_taken_over_and_comes_home() -> None:
    made = {"name": "testers", "match": [{"headers": {"x": {"exact": "y"}}}], "route": [to("shop-canary", 100)]}
    left = virtual_service([made, {"name": "main", "route": pair(20, 80)}])
    kept = routed(live(left), traffic(20))
    assert kept["spec"] == left["spec"] and owners(kept)
    home = routed(live(kept), traffic(0, drop_managed_routes=True))
    assert home["spec"] == virtual_service([{"name": "main", "route": pair(0, 100)}])["spec"] and not owners(home)
    (given,) = ISTIO.release(Owner("prod", "shop"), live(kept))
    assert isinstance(given, Replace) and given.manifest["spec"] == home["spec"]


def test_a_foreign_host_with_our_subsets_name_never_gets_our_weight() -> None:
    config = {**ONE, "destinationRule": {"name": "shop", "canarySubsetName": "canary", "stableSubsetName": "stable"}}
    foreign = to("mail.prod.svc.cluster.local", 0, subset="canary")
    rule = {"metadata": {"name": "shop", "namespace": "prod"}, "spec": {"host": "shop", "subsets": []}}
    seen = live(virtual_service([{"route": [foreign, *subset_pair(0, 100)]}]), rule=rule)
    actions = ISTIO.route(config, Services(namespace="prod", rollout="shop"), traffic(30), seen).actions
    routes = next(a.manifest for a in actions if isinstance(a, Replace) and "http" in a.manifest["spec"])
    assert weights(routes) == [0, 70, 30]


def test_hosts_that_do_not_mean_what_they_seem_to_are_warned_of() -> None:
    config = {"virtualService": {"name": "shop.edge"}}
    found = virtual_service([{"route": [to("shop-stable", 100), to("shop-canary.prod", 0)]}])
    found["metadata"]["namespace"] = "edge"
    short, half = ISTIO.in_force(config, SERVICES, live(found)).warnings
    assert short == "host shop-stable is looked up in namespace edge: write shop-stable.prod.svc.cluster.local"
    assert half == "host shop-canary.prod is completed by no mesh: write shop-canary.prod.svc.cluster.local"
