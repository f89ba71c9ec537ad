"""Routes of one VirtualService."""

import pytest
from reconciler_sandbox.mesh.translate.index import index
from reconciler_sandbox.mesh.translate.routes import every_route, header_changes, new_authority, route, routes
from reconciler_sandbox.mesh.translate.terms import Refused

from tests.kit.mesh import service, to, virtual_service

SERVICES = index([service("web"), service("web-canary"), service("odd", port=8080)])
PLACE = ("default", 80)
WEB, CANARY = (f"outbound|80||{name}.default.svc.cluster.local" for name in ("web", "web-canary"))


def rendered(**rule: object) -> dict:
    return route(SERVICES, {"route": [to("web")], **rule}, None, PLACE)


def test_one_destination_takes_everything_whatever_its_weight() -> None:
    assert rendered()["route"]["cluster"] == WEB
    assert rendered(route=[to("web", 0)])["route"]["cluster"] == WEB


def test_weight_zero_is_left_out_and_all_zero_is_a_503() -> None:
    weighted = rendered(route=[to("web", 100), to("web-canary", 0)])["route"]["weighted_clusters"]["clusters"]
    assert weighted == [{"name": WEB, "weight": 100}]
    assert rendered(route=[to("web", 0), to("web-canary", 0)])["direct_response"] == {"status": 503}


def test_without_a_timeout_there_is_none() -> None:
    assert rendered()["route"]["timeout"] == "0s"
    assert rendered(timeout="2s")["route"]["timeout"] == "2s"


def test_the_port_is_the_services_only_one_or_the_one_named() -> None:
    assert rendered(route=[to("odd")])["route"]["cluster"] == "outbound|8080||odd.default.svc.cluster.local"
    named = {"destination": {"host": "web", "port": {"number": 9}, "subset": "v2"}}
    assert rendered(route=[named])["route"]["cluster"] == "outbound|9|v2|web.default.svc.cluster.local"


def test_mirrors_have_shares_and_a_share_of_zero_is_none() -> None:
    old = rendered(mirror={"host": "web-canary"})["route"]["request_mirror_policies"]
    whole = {"default_value": {"numerator": 1_000_000, "denominator": "MILLION"}}
    assert old == [{"cluster": CANARY, "runtime_fraction": whole, "disable_shadow_host_suffix_append": True}]
    new = rendered(mirrors=[{"destination": {"host": "web-canary"}, "percentage": {"value": 25}}])["route"]["request_mirror_policies"]
    assert new[0]["runtime_fraction"]["default_value"]["numerator"] == 250_000
    assert "request_mirror_policies" not in rendered(mirror={"host": "web-canary"}, mirrorPercentage={"value": 0})["route"]


def test_faults_without_a_percentage_inject_nothing() -> None:
    configured = rendered(fault={"abort": {"httpStatus": 500}, "delay": {"fixedDelay": "1s", "percentage": {"value": 10}}})
    fault = configured["typed_per_filter_config"]["envoy.filters.http.fault"]
    assert fault["abort"]["percentage"]["numerator"] == 0
    assert (fault["delay"]["fixed_delay"], fault["delay"]["percentage"]["numerator"]) == ("1s", 100_000)


def test_rewrites() -> None:
    assert (
        rendered(rewrite={"uri": "/b", "authority": "h"})["route"].items() >= {"prefix_rewrite": "/b", "host_rewrite_literal": "h"}.items()
    )
    pattern = rendered(rewrite={"uriRegexRewrite": {"match": "/a(.*)", "rewrite": r"/b\1"}})["route"]["regex_rewrite"]
    assert pattern == {"pattern": {"regex": "/a(.*)"}, "substitution": r"/b\1"}


def test_redirects_and_direct_responses_need_no_destination() -> None:
    redirect = rendered(route=[], redirect={"uri": "/new", "authority": "h", "redirectCode": 302})["redirect"]
    assert redirect == {"path_redirect": "/new", "host_redirect": "h", "response_code": "FOUND"}
    direct = rendered(route=[], directResponse={"status": 418, "body": {"string": "tea"}})["direct_response"]
    assert direct == {"status": 418, "body": {"inline_string": "tea"}}


def test_header_operations_and_the_authority() -> None:
    headers = {"request": {"set": {"a": "1", "Host": "h"}, "add": {"b": "2"}, "remove": ["c"]}, "response": {"set": {"d": "4"}}}
    changes = header_changes(headers)
    assert [item["header"]["key"] for item in changes["request_headers_to_add"]] == ["a", "b"]
    assert changes["request_headers_to_remove"] == ["c"]
    assert changes["response_headers_to_add"][0]["append_action"] == "OVERWRITE_IF_EXISTS_OR_ADD"
    assert new_authority(headers) == "h"
    assert rendered(headers=headers)["route"]["host_rewrite_literal"] == "h"


def test_routes_end_at_the_first_that_catches_everything() -> None:
    three = virtual_service(
        "v", {"match": [{"uri": {"exact": "/a"}}], "route": [to("web")]}, {"route": [to("web")]}, {"route": [to("web-canary")]}
    )
    assert len(routes(SERVICES, three, "istio-system/gateway", 80)) == 2
    assert len(every_route(SERVICES, three)) == 3


@pytest.mark.parametrize(
    ("match", "concerned"),
    [({"gateways": ["mesh"]}, False), ({"port": 81}, False), ({"port": 80}, True), ({"sourceLabels": {"a": "b"}}, False)],
)
def test_a_match_may_concern_other_gateways_ports_or_clients(match: dict, concerned: bool) -> None:
    one = virtual_service("v", {"match": [match], "route": [to("web")]})
    assert bool(routes(SERVICES, one, "istio-system/gateway", 80)) is concerned


@pytest.mark.parametrize(
    ("rule", "reason"),
    [
        ({"route": []}, "neither route"),
        ({"route": [to("web", -1), to("web", 2)]}, "negative"),
        ({"redirect": {"redirectCode": 200}}, "redirectCode"),
        ({"timeout": "soon"}, "not a duration"),
    ],
)
def test_what_makes_no_sense_is_refused(rule: dict, reason: str) -> None:
    with pytest.raises(Refused, match=reason):
        rendered(**rule)
