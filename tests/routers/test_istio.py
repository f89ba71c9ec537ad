"""The Istio router as a whole: contract 9.3 and 12.3."""

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.kernel.identity import ObjectRef
from reconciler.kernel.plan import Replace
from reconciler.kernel.resources import DESTINATION_RULES, VIRTUAL_SERVICES
from reconciler.rollouts.traffic.marks import owners
from reconciler.rollouts.traffic.model import HeaderMatch, HeaderRoute, MirrorRoute, Traffic, WeightDestination
from reconciler.rollouts.traffic.router import Needs, Routing, Services
from reconciler.routers.istio import Istio
from tests.kit.istio import ONE, SERVICES, SUBSETS_ONLY, WITH_RULE, destination_rule, live, pair, subset_pair, to, virtual_service, weights

ISTIO = Istio()


def traffic(weight: int = 20, **change: Any) -> Traffic:
    return Traffic(weight=weight, **({"canary_hash": "h2", "stable_hash": "h1"} | change))


def writes(routing: Routing) -> tuple[dict[str, Any], ...]:
    """The objects that are replaced, in order."""
    return tuple(action.manifest for action in routing.actions if isinstance(action, Replace))


def after(seen: Mapping[ObjectRef, dict[str, Any] | None], routing: Routing) -> Mapping[ObjectRef, dict[str, Any] | None]:
    """The live objects once the writes are done."""
    written = {(write["metadata"]["namespace"], write["metadata"]["name"], "host" in write["spec"]): write for write in writes(routing)}
    return {ref: written.get((ref.namespace, ref.name, ref.resource == DESTINATION_RULES), found) for ref, found in seen.items()}


def test_it_reads_its_virtual_services_and_its_destination_rule() -> None:
    config = {"virtualServices": [{"name": "a"}, {"name": "b.edge"}, {"name": "c.far.cluster.local"}], "destinationRule": {"name": "r"}}
    assert ISTIO.needs(config, Services(namespace="prod")).refs == (
        ObjectRef(VIRTUAL_SERVICES, "prod", "a"),
        ObjectRef(VIRTUAL_SERVICES, "edge", "b"),
        ObjectRef(VIRTUAL_SERVICES, "far", "c"),
        ObjectRef(DESTINATION_RULES, "prod", "r"),
    )
    assert ISTIO.needs({}, Services(namespace="prod")) == Needs()
    whole = {"virtualServices": [{"name": "a.edge.svc.cluster.local"}, {"name": "a.svc"}, {"name": ""}]}
    assert [ref.namespace for ref in ISTIO.needs(whole, Services(namespace="prod")).refs] == ["edge", "svc"]


def test_the_canary_gets_its_weight_and_stable_the_rest() -> None:
    service = virtual_service([{"route": pair(0, 100), "timeout": "3s"}])
    routing = ISTIO.route(ONE, SERVICES, traffic(), live(service))
    (written,) = writes(routing)
    assert weights(written) == [80, 20]
    rest = {key: value for key, value in written["metadata"].items() if key != "annotations"}
    assert rest == service["metadata"] and [str(owner) for owner in owners(written)] == ["prod/shop"]
    assert written["spec"]["http"][0]["timeout"] == "3s"
    assert [(event.reason, event.warning) for event in routing.events] == [("Updated VirtualService", False)]
    assert routing.problem is None


def test_what_is_in_force_is_only_marked_and_then_not_written_again() -> None:
    seen = live(virtual_service([{"route": subset_pair(20, 80)}]), rule=destination_rule("h2", "h1"))
    marked = ISTIO.route(WITH_RULE, SUBSETS_ONLY, traffic(), seen)
    assert [write["spec"] for write in writes(marked)] == [virtual_service([{"route": subset_pair(20, 80)}])["spec"]]
    assert marked.events == ()
    assert ISTIO.route(WITH_RULE, SUBSETS_ONLY, traffic(), after(seen, marked)) == Routing()


def test_hosts_are_compared_up_to_the_first_dot() -> None:
    service = virtual_service([{"route": [to("shop-stable.prod.svc", 100), to("shop-canary.prod", 0)]}])
    (written,) = writes(ISTIO.route(ONE, SERVICES, traffic(), live(service)))
    assert weights(written) == [80, 20]


def test_ping_and_pong_take_turns() -> None:
    service = virtual_service([{"route": [to("ping", 0), to("pong", 100)]}])
    names = {"ping": "ping", "pong": "pong", "namespace": "prod"}
    (written,) = writes(ISTIO.route(ONE, Services(**names), traffic(), live(service)))
    assert weights(written) == [20, 80]
    (written,) = writes(ISTIO.route(ONE, Services(**names, stable_is_ping=True), traffic(), live(service)))
    assert weights(written) == [80, 20]


def test_subsets_are_re_pointed_before_weights_move() -> None:
    seen = live(virtual_service([{"route": subset_pair(0, 100)}]), rule=destination_rule())
    first, second = writes(ISTIO.route(WITH_RULE, SUBSETS_ONLY, traffic(), seen))
    assert "subsets" in first["spec"]
    assert weights(second) == [80, 20]


def test_traffic_leaves_the_old_canary_before_a_new_one_takes_its_name() -> None:
    seen = live(virtual_service([{"route": subset_pair(40, 60)}]), rule=destination_rule("h2", "h1"))
    first, second = writes(ISTIO.route(WITH_RULE, SUBSETS_ONLY, traffic(0, canary_hash="h3"), seen))
    assert weights(first) == [100, 0]
    assert "subsets" in second["spec"]


def test_at_promotion_stable_is_re_pointed_before_traffic_comes_home() -> None:
    seen = live(virtual_service([{"route": subset_pair(100, 0)}]), rule=destination_rule("h2", "h1"))
    first, _ = writes(ISTIO.route(WITH_RULE, SUBSETS_ONLY, traffic(0, stable_hash="h2"), seen))
    assert "subsets" in first["spec"]


def test_a_switch_that_no_service_guards_waits_for_all_pods() -> None:
    seen = live(virtual_service([{"route": subset_pair(0, 100)}]), rule=destination_rule())
    waiting = Services(namespace="prod", rollout="shop", unavailable="shop-h2")
    routing = ISTIO.route(WITH_RULE, waiting, traffic(), seen)
    assert routing.problem == "delaying destination rule switch: ReplicaSet shop-h2 not fully available"
    assert writes(routing) == ()


def test_a_switch_behind_services_does_not_wait() -> None:
    seen = live(virtual_service([{"route": subset_pair(0, 100)}]), rule=destination_rule())
    guarded = Services(canary="shop-canary", stable="shop-stable", namespace="prod", rollout="shop", unavailable="shop-h2")
    assert ISTIO.route(WITH_RULE, guarded, traffic(), seen).problem is None


def test_the_delay_does_not_keep_traffic_on_the_old_canary() -> None:
    seen = live(virtual_service([{"route": subset_pair(40, 60)}]), rule=destination_rule("h2", "h1"))
    waiting = Services(namespace="prod", rollout="shop", unavailable="shop-h3")
    routing = ISTIO.route(WITH_RULE, waiting, traffic(0, canary_hash="h3"), seen)
    assert [weights(write) for write in writes(routing)] == [[100, 0]]
    assert routing.problem


def test_an_experiment_gets_a_destination_and_a_subset_and_loses_both() -> None:
    seen = live(virtual_service([{"route": subset_pair(0, 100)}]), rule=destination_rule("h2", "h1"))
    trial = WeightDestination(weight=10, service="shop-trial", hash="h9")
    routing = ISTIO.route(WITH_RULE, SUBSETS_ONLY, traffic(20, additional=(trial,)), seen)
    rule, service = writes(routing)
    assert weights(service) == [70, 20, 10]
    assert service["spec"]["http"][0]["route"][2] == to("shop-trial", 10)
    assert [subset["name"] for subset in rule["spec"]["subsets"]] == ["canary", "stable", "shop-trial"]
    gone = ISTIO.route(WITH_RULE, SUBSETS_ONLY, traffic(20), after(seen, routing))
    assert [subset["name"] for subset in writes(gone)[0]["spec"]["subsets"]] == ["canary", "stable"]
    assert weights(writes(gone)[1]) == [80, 20]


def test_a_subset_listed_as_additional_keeps_its_share_and_its_place() -> None:
    config = {**ONE, "destinationRule": {**WITH_RULE["destinationRule"], "additionalSubsetNames": ["beta"]}}
    beta = {"name": "beta", "labels": {"version": "beta"}}
    seen = live(virtual_service([{"route": [*subset_pair(0, 90), to("shop", 10, subset="beta")]}]), rule=destination_rule("h0", "h1", beta))
    rule, service = writes(ISTIO.route(config, SUBSETS_ONLY, traffic(), seen))
    assert weights(service) == [70, 20, 10]
    assert rule["spec"]["subsets"][2] == beta


def test_several_virtual_services_follow_and_a_missing_one_is_a_problem() -> None:
    config = {"virtualServices": [{"name": "gone"}, {"name": "shop", "routes": ["main"]}]}
    service = virtual_service([{"name": "main", "route": pair(0, 100)}, {"name": "other", "route": pair(1, 99)}])
    routing = ISTIO.route(config, SERVICES, traffic(), live(service))
    assert [weights(write) for write in writes(routing)] == [[80, 20]]
    assert weights(writes(routing)[0], index=1) == [99, 1]
    assert (routing.events[0].reason, routing.events[0].warning) == ("VirtualServiceNotFound", True)
    assert routing.problem == "VirtualService `gone` not found"


def test_without_its_destination_rule_no_weight_moves() -> None:
    routing = ISTIO.route(WITH_RULE, SUBSETS_ONLY, traffic(), live(virtual_service([{"route": subset_pair(0, 100)}])))
    assert writes(routing) == ()
    assert [event.reason for event in routing.events] == ["DestinationRuleNotFound"]


def test_header_and_mirror_routes_come_first_in_their_order_and_go_together() -> None:
    http = [{"name": "main", "route": [to("shop", 100, subset="stable", port={"number": 80}), to("shop", 0, subset="canary")]}]
    config = {**WITH_RULE, "virtualService": {"name": "shop", "routes": ["main"]}}
    seen = live(virtual_service(http), rule=destination_rule("h2", "h1"))
    managed = ("testers", "shadow")
    mirror = MirrorRoute("shadow", ({"method": {"exact": "GET"}, "path": {"prefix": "/"}},), 50)
    mirrored = ISTIO.route(config, SUBSETS_ONLY, traffic(20, mirror_route=mirror, managed_routes=managed), seen)
    header = HeaderRoute("testers", (HeaderMatch("x-beta", exact="yes"), HeaderMatch("agent", regex=".*bot")))
    both = ISTIO.route(config, SUBSETS_ONLY, traffic(20, header_route=header, managed_routes=managed), after(seen, mirrored))
    testers, shadow, main = writes(both)[0]["spec"]["http"]
    canary = {"host": "shop", "port": {"number": 80}, "subset": "canary"}
    assert testers == {
        "name": "testers",
        "match": [{"headers": {"x-beta": {"exact": "yes"}}}, {"headers": {"agent": {"regex": ".*bot"}}}],
        "route": [{"destination": canary, "weight": 100}],
    }
    assert shadow == {
        "name": "shadow",
        "match": [{"method": {"exact": "GET"}, "uri": {"prefix": "/"}}],
        "route": main["route"],
        "mirror": canary,
        "mirrorPercentage": {"value": 50},
    }
    seen = after(after(seen, mirrored), both)
    assert ISTIO.in_force(config, Services(namespace="prod", managed_routes=managed), seen).managed_routes == managed
    moved = ISTIO.route(config, SUBSETS_ONLY, traffic(60, managed_routes=managed), seen)
    assert [weights(writes(moved)[0], index=index) for index in range(3)] == [[100], [40, 60], [40, 60]]
    home = ISTIO.route(config, SUBSETS_ONLY, traffic(0, managed_routes=managed, drop_managed_routes=True), seen)
    assert [route["name"] for route in writes(home)[0]["spec"]["http"]] == ["main"]


def test_an_empty_match_removes_the_route() -> None:
    http = [{"name": "testers", "route": [to("shop-canary", 100)]}, {"route": pair(20, 80)}]
    change = {"header_route": HeaderRoute("testers"), "managed_routes": ("testers",)}
    (written,) = writes(ISTIO.route(ONE, SERVICES, traffic(20, **change), live(virtual_service(http))))
    assert written["spec"]["http"] == http[1:]


def test_while_managed_routes_are_dropped_none_is_added() -> None:
    header = HeaderRoute("testers", (HeaderMatch("x", exact="y"),))
    wanted = traffic(0, header_route=header, drop_managed_routes=True, managed_routes=("testers",))
    assert writes(ISTIO.route(ONE, SERVICES, wanted, live(virtual_service([{"route": pair(0, 100)}])))) == ()


def test_tls_and_tcp_routes_are_weighted_too() -> None:
    config = {"virtualService": {"name": "shop", "tlsRoutes": [{"port": 443, "sniHosts": ["b", "a"]}]}}
    tls = [
        {"match": [{"port": 443, "sniHosts": ["a"]}], "route": pair(0, 100)},
        {"match": [{"port": 443, "sniHosts": ["a"]}, {"port": 443, "sniHosts": ["b"]}], "route": pair(0, 100)},
    ]
    (written,) = writes(ISTIO.route(config, SERVICES, traffic(), live(virtual_service(tls=tls, tcp=[{"route": pair(0, 100)}]))))
    assert [weights(written, "tls", 0), weights(written, "tls", 1), weights(written, "tcp")] == [[100, 0], [80, 20], [80, 20]]


def test_what_is_in_force_is_read_back() -> None:
    seen = live(virtual_service([{"route": subset_pair(35, 65)}]), rule=destination_rule("h2", "h1"))
    facts = ISTIO.in_force(WITH_RULE, SUBSETS_ONLY, seen)
    assert (facts.weight, facts.hashes) == (35, frozenset({"h1", "h2"}))
    assert ISTIO.in_force(ONE, SERVICES, {}).weight is None


@pytest.mark.parametrize(
    ("config", "found", "complaint"),
    [
        (ONE, virtual_service([{"route": pair(0, 100)}]), None),
        ({}, None, "either VirtualService or VirtualServices must be configured"),
        ({**ONE, "virtualServices": [{"name": "x"}]}, None, "either VirtualService or VirtualServices must be configured"),
        (ONE, None, 'virtualservices.networking.istio.io "shop" not found'),
        (ONE, virtual_service(), "Unable to get any of the HTTP, TCP or TLS routes for the Istio VirtualService"),
        (
            {"virtualService": {"name": "shop", "routes": ["x"]}},
            virtual_service([{"route": pair(0, 100)}]),
            "Istio VirtualService has invalid HTTP routes. Error: HTTP Route 'x' is not found in the defined Virtual Service.",
        ),
        (
            ONE,
            virtual_service(tcp=[{"route": [to("shop-stable")]}]),
            "Istio VirtualService has invalid TCP routes. Error: canary destination 'shop-canary' is not found in the route",
        ),
    ],
)
def test_wrong_references_are_named(config: dict[str, Any], found: dict[str, Any] | None, complaint: str | None) -> None:
    assert ISTIO.in_force(config, SERVICES, live(found) if found else {}).problem == complaint
    routing = ISTIO.route(config, SERVICES, traffic(), live(found) if found else {})
    assert bool(routing.problem) is (complaint is not None)


FIELDS = st.dictionaries(st.sampled_from(["timeout", "retries", "corsPolicy", "fault"]), st.integers() | st.text(max_size=3), max_size=3)


@st.composite
def meshes(draw: st.DrawFn) -> tuple[dict[str, Any], Traffic]:
    weight = draw(st.integers(0, 100))
    main = {**draw(FIELDS), "name": "main", "route": [{**destination, **draw(FIELDS)} for destination in pair(weight, 100 - weight)]}
    others = [
        {**draw(FIELDS), "name": name, "route": [to("elsewhere", 100)]} for name in draw(st.lists(st.sampled_from("abc"), unique=True))
    ]
    place = draw(st.integers(0, len(others)))
    service = virtual_service(
        [*others[:place], main, *others[place:]], **draw(st.dictionaries(st.sampled_from(["exportTo", "gateways"]), st.text()))
    )
    header = draw(st.none() | st.just(HeaderRoute("testers", (HeaderMatch("x", exact="y"),))) | st.just(HeaderRoute("testers")))
    mirror = draw(st.none() | st.just(MirrorRoute("shadow", ({"path": {"prefix": "/"}},))))
    change = {"header_route": header, "mirror_route": mirror, "drop_managed_routes": draw(st.booleans())}
    return service, traffic(draw(st.integers(0, 100)), managed_routes=("testers", "shadow"), **change)


@given(meshes())
@settings(derandomize=True, deadline=None)
def test_routing_is_done_once_and_touches_nothing_else(mesh: tuple[dict[str, Any], Traffic]) -> None:
    service, wanted = mesh
    config = {"virtualService": {"name": "shop", "routes": ["main"]}}
    seen, before = live(service), deepcopy(service)
    routing = ISTIO.route(config, SERVICES, wanted, seen)
    assert service == before
    done = after(seen, routing)
    assert writes(ISTIO.route(config, SERVICES, wanted, done)) == ()
    (result,) = done.values()
    assert result
    assert ISTIO.in_force(config, SERVICES, done).weight == wanted.weight
    assert without_our_own(result) == without_our_own(before)


def without_our_own(service: dict[str, Any]) -> dict[str, Any]:
    """A VirtualService without managed routes and without the weights of the main route."""
    copied = deepcopy(service)
    copied["metadata"].pop("annotations", None)
    copied["spec"]["http"] = [route for route in copied["spec"]["http"] if route["name"] not in ("testers", "shadow")]
    main = next(route for route in copied["spec"]["http"] if route["name"] == "main")
    main["route"] = [{key: value for key, value in destination.items() if key != "weight"} for destination in main["route"]]
    return copied
