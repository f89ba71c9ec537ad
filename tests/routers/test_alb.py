"""ALB: contract 9.5. What every router promises is in tests/contracts."""

import json
from dataclasses import replace
from typing import Any

import pytest

from reconciler.aws.balancers import LoadBalancer, TargetGroup
from reconciler.kernel.identity import Manifest, ObjectRef, annotations_of
from reconciler.kernel.plan import Replace
from reconciler.rollouts.spec.manifest import parse_rollout
from reconciler.rollouts.traffic.marks import with_mark
from reconciler.rollouts.traffic.model import HeaderMatch, HeaderRoute, Traffic, WeightDestination
from reconciler.rollouts.traffic.router import Owner, RoutesAsked, Services
from reconciler.rollouts.validation.spec import spec_problem
from reconciler.routers.alb import MANAGED, Alb
from reconciler.routers.nginx import INGRESSES
from reconciler.routers.registry import ROUTERS
from tests.kit.rollouts import canary, rollout, weight
from tests.kit.routers import alb, driven

ALB = Alb()
CONFIG = {"ingress": "web", "rootService": "web-root", "servicePort": 443}
WHOSE = Services(canary="web-canary", stable="web-stable", namespace="shop", rollout="web", managed_routes=("beta", "testers"))
OWNER = Owner("shop", "web")
REF = ObjectRef(INGRESSES, "shop", "web")
ACTION, CONDITIONS = "alb.ingress.kubernetes.io/actions.", "alb.ingress.kubernetes.io/conditions."


def path(service: str, port: Any = "use-annotation", **fields: str) -> Manifest:
    named = {"name": port} if isinstance(port, str) else {"number": port}
    return {"path": "/", "pathType": "Prefix", **fields, "backend": {"service": {"name": service, "port": named}}}


def ingress(*paths: Manifest, notes: dict[str, str] | None = None, **fields: Any) -> Manifest:
    metadata = {"name": "web", "namespace": "shop", "resourceVersion": "7", "annotations": notes or {}}
    rules = [{"host": "web.example", "http": {"paths": list(paths or (path("web-root"),))}}]
    return {"kind": "Ingress", "metadata": metadata, "spec": {"rules": rules}, **fields}


def at(share: int, **fields: Any) -> Traffic:
    return Traffic(weight=share, canary_hash="h2", stable_hash="h1", managed_routes=WHOSE.managed_routes, **fields)


def routed(found: Manifest, traffic: Traffic, config: Manifest = CONFIG, services: Services = WHOSE) -> Manifest:
    answer = ALB.route(config, services, traffic, {REF: found})
    assert answer.problem is None
    [action] = answer.actions
    assert isinstance(action, Replace)
    return action.manifest


def action_of(manifest: Manifest, name: str = "web-root") -> Any:
    return json.loads(annotations_of(manifest)[ACTION + name])


def shares(manifest: Manifest, name: str = "web-root") -> dict[str, int]:
    return {group["ServiceName"]: group["Weight"] for group in action_of(manifest, name)["ForwardConfig"]["TargetGroups"]}


def test_the_action_is_written_as_the_reference_writes_it() -> None:
    written = routed(ingress(), at(20))
    groups = [
        {"ServiceName": "web-canary", "ServicePort": "443", "Weight": 20},
        {"ServiceName": "web-stable", "ServicePort": "443", "Weight": 80},
    ]
    assert action_of(written) == {"Type": "forward", "ForwardConfig": {"TargetGroups": groups}}
    assert json.loads(annotations_of(written)[MANAGED]) == {"web": [ACTION + "web-root"]}
    assert written["metadata"]["resourceVersion"] == "7"


def test_stickiness_and_experiments_stand_in_the_action() -> None:
    config = {**CONFIG, "stickinessConfig": {"enabled": True, "durationSeconds": 60}}
    written = routed(ingress(), at(20, additional=(WeightDestination(5, "web-exp", "h3"),)), config)
    assert action_of(written)["ForwardConfig"]["TargetGroupStickinessConfig"] == {"Enabled": True, "DurationSeconds": 60}
    assert list(shares(written).items()) == [("web-canary", 20), ("web-exp", 5), ("web-stable", 75)]


def test_ping_and_pong_come_before_canary_and_stable() -> None:
    turns = replace(WHOSE, ping="ping", pong="pong")
    assert shares(routed(ingress(), at(30), services=turns)) == {"ping": 30, "pong": 70}
    assert shares(routed(ingress(), at(30), services=replace(turns, stable_is_ping=True))) == {"pong": 30, "ping": 70}


def test_without_a_root_the_stable_service_names_the_action() -> None:
    written = routed(ingress(path("web-stable")), at(20), {"ingress": "web", "servicePort": 80})
    assert shares(written, "web-stable") == {"web-canary": 20, "web-stable": 80}


def test_13_57_every_ingress_is_looked_at_though_the_first_needs_no_change() -> None:
    """contract 13.57: the reference stops at the first that is as wanted."""
    config = {**CONFIG, "ingress": None, "ingresses": ["web", "shop"]}
    second = ObjectRef(INGRESSES, "shop", "shop")
    other = {**ingress(), "metadata": {"name": "shop", "namespace": "shop"}}
    first = routed(ingress(), at(20))
    answer = ALB.route(config, WHOSE, at(20), {REF: first, second: other})
    assert [action.manifest["metadata"]["name"] for action in answer.actions if isinstance(action, Replace)] == ["shop"]


TESTERS = HeaderRoute("testers", (HeaderMatch("x", exact="a"), HeaderMatch("x", exact="b"), HeaderMatch("y", exact="c")))


def test_a_managed_route_has_an_action_conditions_and_a_path_before_each_of_the_roots() -> None:
    paths = (path("mail", 25, path="/mail"), path("web-root"), path("web-root", path="/api", pathType="Exact"))
    written = routed(ingress(*paths), at(0, header_route=TESTERS))
    assert shares(written, "testers") == {"web-canary": 100}
    header = [{"httpHeaderName": "x", "values": ["a", "b"]}, {"httpHeaderName": "y", "values": ["c"]}]
    assert json.loads(annotations_of(written)[CONDITIONS + "testers"]) == [
        {"field": "http-header", "httpHeaderConfig": one} for one in header
    ]
    [rule] = written["spec"]["rules"]
    made = [path("testers"), path("testers", path="/api", pathType="Exact")]
    assert rule["http"]["paths"] == [paths[0], made[0], paths[1], made[1], paths[2]]


def test_routes_stand_in_the_order_of_managed_routes_and_go_one_by_one() -> None:
    one = routed(ingress(), at(0, header_route=TESTERS))
    both = routed(one, at(0, header_route=replace(TESTERS, name="beta")))
    names = [each["backend"]["service"]["name"] for each in both["spec"]["rules"][0]["http"]["paths"]]
    assert names == ["beta", "testers", "web-root"]
    left = routed(both, at(0, header_route=HeaderRoute("testers")))
    assert [each["backend"]["service"]["name"] for each in left["spec"]["rules"][0]["http"]["paths"]] == ["beta", "web-root"]
    assert ACTION + "testers" not in annotations_of(left) and CONDITIONS + "testers" not in annotations_of(left)


def test_the_reference_s_form_is_one_path_for_everything_on_top() -> None:
    written = routed(ingress(path("mail", 25), path("web-root")), at(0, header_route=TESTERS), services=replace(WHOSE, plain_routes=True))
    first = written["spec"]["rules"][0]["http"]["paths"][0]
    assert (first["path"], first["pathType"]) == ("/*", "ImplementationSpecific")


def test_the_root_s_own_conditions_hold_for_tagged_requests_too() -> None:
    own = [{"field": "query-string", "queryStringConfig": {"values": [{"key": "v", "value": "2"}]}}]
    found = ingress(notes={CONDITIONS + "web-root": json.dumps(own)})
    written = routed(found, at(0, header_route=HeaderRoute("testers", (HeaderMatch("x", exact="a"),))))
    assert json.loads(annotations_of(written)[CONDITIONS + "testers"])[0] == own[0]


def test_more_values_than_a_rule_takes_are_refused_before_aws_refuses_the_whole_ingress() -> None:
    many = HeaderRoute("testers", tuple(HeaderMatch("x", exact=str(number)) for number in range(4)))
    answer = ALB.route(CONFIG, WHOSE, at(0, header_route=many), {REF: ingress()})
    assert answer.actions == () and answer.problem and "a rule of an ALB takes 5" in answer.problem


@pytest.mark.parametrize("found", [ingress(path("testers", 80), path("web-root")), ingress(notes={ACTION + "testers": "{}"})])
def test_a_managed_route_takes_nobody_s_name(found: Manifest) -> None:
    answer = ALB.route(CONFIG, WHOSE, at(0, header_route=TESTERS), {REF: found})
    assert answer.actions == () and answer.problem and "call the managed route otherwise" in answer.problem


def test_given_back_an_ingress_that_had_no_action_leads_to_the_root_alone() -> None:
    """Without an action the AWS Load Balancer Controller would refuse the Ingress."""
    [action] = ALB.release(OWNER, {REF: routed(ingress(), at(20, header_route=TESTERS))})
    assert isinstance(action, Replace)
    assert annotations_of(action.manifest) == {ACTION + "web-root": annotations_of(action.manifest)[ACTION + "web-root"]}
    assert shares(action.manifest) == {"web-root": 100}
    assert action.manifest["spec"] == ingress()["spec"]


def test_what_the_reference_left_is_not_taken_for_a_person_s() -> None:
    left = routed(ingress(), at(40))
    notes = {key: text for key, text in annotations_of(left).items() if key.startswith("alb.") or key == MANAGED}
    [action] = ALB.release(OWNER, {REF: routed(ingress(notes=notes), at(20))})
    assert isinstance(action, Replace) and shares(action.manifest) == {"web-root": 100}


def test_records_of_other_rollouts_stay() -> None:
    found = ingress(notes={MANAGED: '{"mail":["k"]}'})
    written = routed(found, at(20))
    assert json.loads(annotations_of(written)[MANAGED]) == {"mail": ["k"], "web": [ACTION + "web-root"]}
    [action] = ALB.release(OWNER, {REF: written})
    assert isinstance(action, Replace) and json.loads(annotations_of(action.manifest)[MANAGED]) == {"mail": ["k"]}


def test_a_path_that_does_not_take_the_annotation_is_told() -> None:
    told = ALB.in_force(CONFIG, WHOSE, {REF: ingress(path("web-root", 80))}).warnings
    assert told == ("Ingress `web`, path /: the port of web-root is not named use-annotation: weights have no effect there",)


@pytest.mark.parametrize(
    "text", ["", "no json", "[]", '{"forwardConfig":[]}', '{"forwardConfig":{"targetGroups":{}}}', '{"type":"redirect"}']
)
def test_an_action_of_another_shape_is_weight_0_and_no_exception(text: str) -> None:
    found = ingress(notes={ACTION + "web-root": text, MANAGED: text})
    assert ALB.in_force(CONFIG, WHOSE, {REF: found}).weight == 0
    assert shares(routed(found, at(10))) == {"web-canary": 10, "web-stable": 90}


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"servicePort": 80}, "Either Ingress or Ingresses must be configured. Neither"),
        ({**CONFIG, "ingresses": ["b"]}, "Both are configured"),
        ({**CONFIG, "servicePort": None}, "must be the number of the Services' port"),
        ({**CONFIG, "servicePort": True}, "must be the number of the Services' port"),
        ({**CONFIG, "stickinessConfig": {"enabled": True, "durationSeconds": 604801}}, "between 1 and 604800 seconds"),
        ({**CONFIG, "ingress": ["web"]}, "must name Ingresses"),
    ],
)
def test_a_configuration_that_cannot_be_meant_is_refused(config: Manifest, words: str) -> None:
    assert any(words in one.detail for one in ALB.problems(config, RoutesAsked("a", "b")))


def test_ping_pong_needs_a_root() -> None:
    without = {"ingress": "web", "servicePort": 80}
    assert [one.field for one in ALB.problems(without, RoutesAsked("", "", ping_pong=True))] == [
        "spec.strategy.canary.trafficRouting.alb.rootService"
    ]
    assert not list(ALB.problems(CONFIG, RoutesAsked("", "", ping_pong=True)))


def test_only_exact_headers_are_taken() -> None:
    spec = canary(
        {"setHeaderRoute": {"name": "testers", "match": [{"headerName": "x", "headerValue": {"prefix": "y"}}]}},
        weight(10),
        canaryService="web-canary",
        stableService="web-stable",
        trafficRouting={"alb": CONFIG, "managedRoutes": [{"name": "testers"}]},
    )
    found = rollout(canary=spec)
    problem = spec_problem(found, parse_rollout(found), ROUTERS)
    assert problem is not None and "exact values only" in problem.detail


# ---- verification ----

STATUS = {"loadBalancer": {"ingress": [{"hostname": "Shop-1.elb.amazonaws.com"}]}}
HOST = "shop-1.elb.amazonaws.com"


def balancer(**shares: int) -> dict[str, LoadBalancer]:
    groups = tuple(TargetGroup(name, f"arn:tg/{name}/1", f"shop/web-web-{name}:443", (share,)) for name, share in shares.items())
    return {HOST: LoadBalancer("shop", "arn:lb/app/shop/5", HOST, groups)}


@pytest.mark.parametrize(
    ("found", "verified"),
    [
        (balancer(canary=20, stable=80), True),
        (balancer(canary=0, stable=100), False),
        (balancer(stable=80), False),
        ({}, False),
    ],
)
def test_weights_are_verified_when_the_canary_s_group_has_its_weight(found: dict[str, LoadBalancer], verified: bool) -> None:
    live = {REF: routed(ingress(status=STATUS), at(20))}
    assert ALB.hostnames(CONFIG, WHOSE, live) == (HOST,)
    assert ALB.verify(CONFIG, WHOSE, at(20), live, found).verified is verified


def test_what_was_found_is_told_as_the_reference_tells_it() -> None:
    answer = ALB.verify(CONFIG, WHOSE, at(20), {REF: ingress(status=STATUS)}, balancer(canary=20, stable=80))
    assert answer.balancers == (
        {
            "ingress": "web",
            "loadBalancer": {"name": "shop", "arn": "arn:lb/app/shop/5", "fullName": "shop/5"},
            "canaryTargetGroup": {"name": "canary", "arn": "arn:tg/canary/1", "fullName": "canary/1"},
            "stableTargetGroup": {"name": "stable", "arn": "arn:tg/stable/1", "fullName": "stable/1"},
        },
    )


def test_an_ingress_without_an_address_is_not_verified() -> None:
    assert not ALB.verify(CONFIG, WHOSE, at(20), {REF: ingress()}, balancer(canary=20)).verified


def test_what_another_router_made_of_the_kind_is_left_alone() -> None:
    made = with_mark(ingress(), OWNER, {"made": "web", "weight": 20})
    assert ALB.release(OWNER, {REF: made}) == ()
    assert ALB.carry(CONFIG, WHOSE, ingress(), made) == ingress()


def test_a_rollout_that_goes_to_another_router_of_the_kind_gives_the_same_ingress_back() -> None:
    """Two routers write Ingresses: that the new one names it too is no reason for the old one to stay in it."""
    case = alb("web")
    world = driven(case, ROUTERS)
    leading = {"path": "/", "pathType": "Prefix", "backend": {"service": {"name": "web-stable", "port": {"number": 80}}}}
    found = world.store.get(REF.resource, "shop", "web") or {}
    paths = found["spec"]["rules"][0]["http"]["paths"]
    rules = [{**found["spec"]["rules"][0], "http": {"paths": [*paths, leading]}}]
    world.store.put(REF.resource, {**found, "spec": {**found["spec"], "rules": rules}})
    routing = {"alb": None, "managedRoutes": None, "nginx": {"stableIngress": "web"}}
    world.edit({"spec": {"strategy": {"canary": {"trafficRouting": routing, "steps": None}}}}).settle()
    left = world.store.get(REF.resource, "shop", "web")
    assert left is not None and annotations_of(left) == annotations_of(case.objects[REF])
