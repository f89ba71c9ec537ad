"""The rules of canaries and their steps (contract 12.2)."""

from typing import Any

import pytest

from reconciler.rollouts.spec.manifest import parse_rollout
from reconciler.rollouts.validation.spec import spec_problem
from reconciler.routers.registry import ROUTERS
from tests.kit.rollouts import canary, istio_routing, measured, rollout, weight

TURNS = "Ping-pong feature works with the ALB and Istio traffic routers only"


def turns(**services: str) -> dict[str, Any]:
    """Two Services that take turns behind Istio."""
    return {"pingPong": {"pingService": "a", "pongService": "b", **services}, "trafficRouting": istio_routing()}


HEADER = {"setHeaderRoute": {"name": "h", "match": [{"headerName": "x", "headerValue": {"exact": "y"}}]}}
MIRROR = {"setMirrorRoute": {"name": "h", "percentage": 120, "match": [{"method": {"exact": "GET"}}]}}
TWO_WAYS = {"setHeaderRoute": {"name": "h", "match": [{"headerName": "x", "headerValue": {"exact": "y", "regex": "z"}}]}}


def problem(*steps: dict[str, Any], **fields: Any) -> str:
    manifest = rollout(canary=canary(*steps, **fields))
    found = spec_problem(manifest, parse_rollout(manifest), ROUTERS)
    return str(found) if found else ""


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        (weight(120), "spec.strategy.steps[0].setWeight: Invalid value: 120: SetWeight needs to be between 0 and 100"),
        (
            {"pause": {"duration": "soon"}},
            "spec.strategy.steps[0].pause.duration: Invalid value: -1: Duration needs to be greater than 0",
        ),
        ({}, "Step must have one of the following set: experiment, setWeight, setCanaryScale, plugin or pause"),
        ({"setWeight": 1, "pause": {}}, "Step must have one of the following set"),
        ({"setCanaryScale": {"weight": 1}}, "SetCanaryScale requires TrafficRouting to be set"),
        (HEADER, "SetHeaderRoute requires TrafficRouting"),
        (MIRROR, "SetMirrorRoute requires TrafficRouting"),
        (
            measured()
            | {"analysis": {"templates": [{"templateName": "t"}], "args": [{"valueFrom": {"fieldRef": {"fieldPath": "metadata.x"}}}]}},
            "spec.strategy.steps[0].analysis.args[0].valueFrom.fieldRef.fieldPath",
        ),
    ],
)
def test_a_wrong_step_is_named_by_its_place(step: dict[str, Any], expected: str) -> None:
    assert expected in problem(step)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"maxSurge": 0, "maxUnavailable": "0%"}, "MaxSurge and MaxUnavailable both can not be zero"),
        ({"canaryService": "a", "stableService": "a"}, "This rollout uses the same service for the stable and canary services"),
        ({"scaleDownDelaySeconds": 1}, "Canary scaleDownDelaySeconds can only be used with traffic routing"),
        ({"dynamicStableScale": True}, "Canary dynamicStableScale can only be used with traffic routing"),
        (turns(pongService=""), 'spec.strategy.pingPong.pongService: Invalid value: "": Ping service and Pong service must to be set'),
        (turns(pingService=""), 'spec.strategy.pingPong.pingService: Invalid value: "": Ping service and Pong service must to be set'),
        ({"pingPong": {}, "trafficRouting": istio_routing()}, 'spec.strategy.pingPong.pingService: Invalid value: "": Ping service'),
        (turns(pongService="a"), "This rollout uses the same service for the ping and pong services, but two different services"),
        (
            {"trafficRouting": {"kong": {}}},
            "spec.strategy.canary.trafficRouting.kong: Forbidden: traffic router kong is not supported yet",
        ),
        ({"trafficRouting": istio_routing()}, "Canary service and Stable service must to be set to use Traffic Routing"),
        ({"replicaProgressThreshold": {"type": "Some", "value": 1}}, "must be Percent or Pods"),
    ],
)
def test_a_wrong_field_is_named(fields: dict[str, Any], expected: str) -> None:
    assert expected in problem(**fields)


def test_a_router_has_rules_of_its_own() -> None:
    assert "Steps define a route that does not exist" in problem(HEADER, istio=True)
    assert problem(HEADER, istio=True, trafficRouting=istio_routing("h")) == ""
    assert "exactly one of the following: exact, regex, prefix" in problem(TWO_WAYS, istio=True, trafficRouting=istio_routing("h"))
    assert "must be between 0 and 100" in problem(MIRROR, istio=True, trafficRouting=istio_routing("h"))
    assert "cannot be used with scaleDownDelaySeconds" in problem(istio=True, dynamicStableScale=True, scaleDownDelaySeconds=1)
    many = istio_routing() | {"maxTrafficWeight": 1000}
    assert "maxTrafficWeight in traffic routing only support in Nginx and Plugins" in problem(istio=True, trafficRouting=many)


def test_a_size_of_the_canary_below_nothing_is_refused() -> None:
    for field in ("replicas", "weight"):
        step = {"setCanaryScale": {field: -1}}
        assert f"spec.strategy.steps[0].setCanaryScale.{field}: Invalid value: -1" in problem(step, istio=True)


def test_percentages_that_round_to_nothing_are_no_mistake() -> None:
    assert problem(maxSurge="1%", maxUnavailable="0") == ""


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({"regex": "*"}, 'spec.strategy.steps[0].setHeaderRoute.match[0].headerValue.regex: Invalid value: "*": Istio refuses this regex'),
        ({"regex": "(?!bot).*"}, "Istio refuses this regex"),
        ({"prefix": ""}, "StringMatch value missed"),
        ({"regex": ".*"}, ""),
    ],
)
def test_a_header_value_that_istio_refuses_is_said_before_the_step(value: dict[str, str], words: str) -> None:
    step = {"setHeaderRoute": {"name": "h", "match": [{"headerName": "x", "headerValue": value}]}}
    found = problem(step, istio=True, trafficRouting=istio_routing("h"))
    assert words in found and bool(words) is bool(found)


def test_a_mirror_match_that_istio_refuses_is_said_before_the_step() -> None:
    for match, place in (({"path": {"regex": "*"}}, "path.regex"), ({"headers": {"x": {"prefix": ""}}}, "headers.x.prefix")):
        step = {"setMirrorRoute": {"name": "h", "match": [match]}}
        assert f"setMirrorRoute.match[0].{place}: Invalid value" in problem(step, istio=True, trafficRouting=istio_routing("h"))


def test_a_router_that_nobody_knows_is_refused_and_not_ignored() -> None:
    routing = {**istio_routing(), "istoi": {}}
    assert "trafficRouting.istoi: Forbidden: traffic router istoi is not supported yet" in problem(istio=True, trafficRouting=routing)


PAIR = {"pingService": "a", "pongService": "b"}


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"pingPong": PAIR}, f'spec.strategy.trafficRouting: Invalid value: "": {TURNS}'),
        ({"pingPong": PAIR, "trafficRouting": {}}, TURNS),
        (
            {"pingPong": PAIR, "trafficRouting": {"traefik": {"weightedTraefikServiceName": "w"}}},
            f'spec.strategy.trafficRouting: Invalid value: "traefik": {TURNS}',
        ),
        ({**turns(), "canaryService": "b", "stableService": "c"}, "the same service for the pong and canary services"),
        ({**turns(), "canaryService": "c", "stableService": "a"}, "the same service for the ping and stable services"),
        ({**turns(), "canaryService": "c", "stableService": "d"}, ""),
    ],
)
def test_services_that_take_turns_need_a_router_and_have_no_other_part(fields: dict[str, Any], expected: str) -> None:
    found = problem(**fields)
    assert expected in found and bool(found) is bool(expected)


def test_services_that_take_turns_need_no_fixed_ones() -> None:
    assert problem(**turns()) == ""
