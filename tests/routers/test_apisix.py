"""APISIX's ApisixRoute: contract 9.9. What every router promises is in tests/contracts."""

from dataclasses import replace
from typing import Any

import pytest

from reconciler.kernel.identity import Manifest, ObjectRef
from reconciler.kernel.plan import Create, Remove, Replace
from reconciler.rollouts.spec.manifest import parse_rollout
from reconciler.rollouts.traffic.model import HeaderMatch, HeaderRoute, Traffic
from reconciler.rollouts.traffic.router import Live, Needs, Services
from reconciler.rollouts.validation.spec import spec_problem
from reconciler.routers.apisix import APISIX_ROUTES, Apisix
from reconciler.routers.registry import ROUTERS
from tests.kit.rollouts import canary, rollout, weight

APISIX = Apisix()
CONFIG: Manifest = {"route": {"name": "web"}}
WHOSE = Services(canary="web-canary", stable="web-stable", namespace="shop", rollout="web", uid="u-1", managed_routes=("testers",))
REF, TESTERS = ObjectRef(APISIX_ROUTES, "shop", "web"), ObjectRef(APISIX_ROUTES, "shop", "testers")
CANARY, STABLE, MAIL = ({"serviceName": name, "servicePort": 80} for name in ("web-canary", "web-stable", "mail"))


def route(*http: Any, **spec: Any) -> Manifest:
    return {
        "kind": "ApisixRoute",
        "metadata": {"name": "web", "namespace": "shop", "resourceVersion": "7"},
        "spec": {**spec, "http": list(http)},
    }


def rule(name: str = "web", *backends: Any, **fields: Any) -> Manifest:
    return {"name": name, "match": {"paths": ["/*"]}, "backends": list(backends or (CANARY, STABLE)), **fields}


def at(share: int, *matches: HeaderMatch, **fields: Any) -> Traffic:
    header = HeaderRoute("testers", matches) if matches else None
    return Traffic(weight=share, canary_hash="h2", stable_hash="h1", managed_routes=("testers",), header_route=header, **fields)


def after(traffic: Traffic, live: Live, config: Manifest = CONFIG) -> dict[str, Manifest | None]:
    """What is written by name; None: removed."""
    answer = APISIX.route(config, WHOSE, traffic, live)
    assert answer.problem is None
    written: dict[str, Manifest | None] = {}
    for action in answer.actions:
        if isinstance(action, Remove):
            written[action.ref.name] = None
        elif isinstance(action, Create | Replace):
            written[action.manifest["metadata"]["name"]] = action.manifest
    return written


def weights(manifest: Manifest | None) -> list[list[Any]]:
    return [[back.get("weight") for back in one["backends"]] for one in (manifest or {})["spec"]["http"]]


def test_it_needs_its_route_and_makes_one_for_each_managed_route() -> None:
    assert APISIX.needs(CONFIG, WHOSE) == Needs((REF,), (TESTERS,))


def test_the_rule_called_like_the_route_is_weighted_or_those_that_are_listed() -> None:
    found = route(rule("web", CANARY, STABLE, MAIL), rule("mobile"), rule("mail", MAIL))
    assert weights(after(at(30), {REF: found})["web"]) == [[30, 70, None], [None, None], [None]]
    listed = {"route": {"name": "web", "rules": ["web", "mobile"]}}
    assert weights(after(at(30), {REF: found}, listed)["web"]) == [[30, 70, None], [30, 70], [None]]


def test_a_weight_that_nobody_wrote_counts_as_that_of_the_resource() -> None:
    assert APISIX.in_force(CONFIG, WHOSE, {REF: route(rule())}).weight == 100
    assert weights(after(at(0), {REF: route(rule())})["web"]) == [[0, 100]]


HEADERS = (HeaderMatch("x-a", exact="yes"), HeaderMatch("x-b", prefix="a.b"), HeaderMatch("x-c", regex="[0-9]+"))


def test_tagged_requests_have_rules_of_a_higher_priority_with_the_canary_alone() -> None:
    ours = rule("web", CANARY, STABLE, priority=5, match={"paths": ["/*"], "exprs": ["mine"]}, plugins=[{"name": "cors"}])
    base = route(rule("mail", MAIL), ours, ingressClassName="apisix", stream=[{"name": "tcp"}])
    testers = after(at(0, *HEADERS), {REF: base})["testers"] or {}
    spec = testers["spec"]
    assert (testers["apiVersion"], spec["ingressClassName"], "stream" in spec) == ("apisix.apache.org/v2", "apisix", False)
    assert [one["name"] for one in spec["http"]] == ["web", "web-1", "web-2"]
    asked = [("x-a", "Equal", "yes"), ("x-b", "RegexMatch", r"^a\.b.*"), ("x-c", "RegexMatch", "[0-9]+")]
    for one, (name, op, value) in zip(spec["http"], asked, strict=True):
        condition = {"subject": {"scope": "Header", "name": name}, "op": op, "value": value}
        assert one["match"] == {"paths": ["/*"], "exprs": ["mine", condition]}
        assert (one["priority"], one["backends"], one["plugins"]) == (6, [{**CANARY, "weight": 100}], [{"name": "cors"}])


def test_the_route_for_tagged_requests_follows_the_base_and_its_step_and_goes_when_it_is_dropped() -> None:
    first = after(at(0, HEADERS[0]), {REF: route(rule())})
    base, testers = first["web"] or {}, first["testers"] or {}
    moved = {**base, "spec": {"http": [{**base["spec"]["http"][0], "match": {"paths": ["/shop"]}}]}}
    again = after(at(20), {REF: moved, TESTERS: testers})["testers"] or {}
    assert again["spec"]["http"][0]["match"]["paths"] == ["/shop"]
    other = after(at(0, HEADERS[1]), {REF: base, TESTERS: testers})["testers"] or {}
    assert [one["match"]["exprs"][0]["subject"]["name"] for one in other["spec"]["http"]] == ["x-b"]
    assert after(at(20, drop_managed_routes=True), {REF: base, TESTERS: testers})["testers"] is None
    emptied = APISIX.route(CONFIG, WHOSE, replace(at(20), header_route=HeaderRoute("testers")), {REF: base, TESTERS: testers})
    assert [action for action in emptied.actions if isinstance(action, Remove)] == [Remove(TESTERS)]


def test_one_that_somebody_removes_at_weight_0_is_made_again() -> None:
    first = after(at(0, HEADERS[0]), {REF: route(rule())})
    assert after(at(0), {REF: first["web"], TESTERS: None})["testers"] == first["testers"]


def test_where_another_writer_reset_the_base_the_tagged_requests_keep_their_way() -> None:
    first = after(at(20, HEADERS[0]), {REF: route(rule())})
    written = after(at(20), {REF: route(rule()), TESTERS: first["testers"]})
    assert "testers" not in written and written["web"] == first["web"]


UNUSABLE: list[tuple[Any, str]] = [
    (None, 'apisixroutes.apisix.apache.org "web" not found'),
    (route(rule("other")), "ApisixRoute `web`: spec.http has no rule called web: list the rules to split as route.rules"),
    (route(rule("web", STABLE)), "ApisixRoute `web`: the backends of rule web name no Service web-canary: add it"),
    (route(rule("web", CANARY)), "ApisixRoute `web`: the backends of rule web name no Service web-stable: add it"),
    (route(), "ApisixRoute `web`: spec.http has no rule called web: list the rules to split as route.rules"),
    (
        {"metadata": {"name": "web"}, "spec": []},
        "ApisixRoute `web`: spec.http has no rule called web: list the rules to split as route.rules",
    ),
    (route("x", {"name": "web", "backends": {}}), "ApisixRoute `web`: the backends of rule web name no Service web-canary: add it"),
]


@pytest.mark.parametrize(("found", "words"), UNUSABLE)
def test_a_route_that_cannot_be_used_is_told(found: Any, words: str) -> None:
    answer, now = APISIX.route(CONFIG, WHOSE, at(20, HEADERS[0]), {REF: found}), APISIX.in_force(CONFIG, WHOSE, {REF: found})
    assert (answer.problem, answer.actions, now.problem, now.subject) == (words, (), words, "web")


def problem(config: Any, name: str = "testers", **fields: Any) -> str:
    header = {"setHeaderRoute": {"name": name, "match": [{"headerName": "x", "headerValue": {"exact": "y"}}]}}
    routing = {"apisix": config, "managedRoutes": [{"name": name}]}
    spec = {"canaryService": "web-canary", "stableService": "web-stable", "trafficRouting": routing, **fields}
    manifest = rollout(canary=canary(header, weight(20), **spec))
    return str(spec_problem(manifest, parse_rollout(manifest), ROUTERS))


def test_what_cannot_be_carried_out_is_refused() -> None:
    assert problem(CONFIG) == "None"
    assert (
        problem({"route": {}})
        == "spec.strategy.canary.trafficRouting.apisix.route.name: Required value: name the ApisixRoute that splits the traffic"
    )
    assert "is the name of the ApisixRoute itself" in problem(CONFIG, name="web")
    words = "Canary service and Stable service must to be set to use Traffic Routing"
    assert words in problem(CONFIG, stableService=None) and words in problem(CONFIG, canaryService=None)
    assert "SetMirrorRoute requires" in problem(CONFIG, steps=[{"setMirrorRoute": {"name": "testers", "match": [], "percentage": 5}}])
