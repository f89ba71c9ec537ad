"""Ambassador's canary Mapping: contract 9.7. What every router promises is in tests/contracts."""

from typing import Any

import pytest

from reconciler.kernel.identity import Manifest, ObjectRef
from reconciler.kernel.plan import Action, Create, Remove, Replace
from reconciler.rollouts.spec.manifest import parse_rollout
from reconciler.rollouts.traffic.model import Traffic
from reconciler.rollouts.traffic.router import Live, Needs, Services
from reconciler.rollouts.validation.spec import spec_problem
from reconciler.routers.ambassador import MAPPINGS, Ambassador, canary_name
from reconciler.routers.registry import ROUTERS
from tests.kit.rollouts import canary, rollout, weight

AMBASSADOR = Ambassador()
CONFIG: Manifest = {"mappings": ["web"]}
WHOSE = Services(canary="web-canary", stable="web-stable", namespace="shop", rollout="web", uid="u-1")
REF, CANARY = ObjectRef(MAPPINGS, "shop", "web"), ObjectRef(MAPPINGS, "shop", "web-canary")


def mapping(service: Any = "web-stable", **spec: Any) -> Manifest:
    return {"kind": "Mapping", "metadata": {"name": "web", "namespace": "shop", "labels": {"a": "b"}}, "spec": {"service": service, **spec}}


def at(share: int) -> Traffic:
    return Traffic(weight=share, canary_hash="h2", stable_hash="h1")


def actions(share: int, live: Live) -> tuple[Action, ...]:
    answer = AMBASSADOR.route(CONFIG, WHOSE, at(share), live)
    assert answer.problem is None
    return answer.actions


def canary_at(share: int, base: Manifest | None = None) -> Manifest:
    [action] = actions(share, {REF: base or mapping()})
    assert isinstance(action, Create)
    return {**action.manifest, "metadata": {**action.manifest["metadata"], "uid": "m-1"}}


def test_it_needs_its_mappings_and_makes_a_canary_beside_each() -> None:
    assert AMBASSADOR.needs(CONFIG, WHOSE) == Needs((REF,), (CANARY,))
    assert canary_name("m" * 300) == "m" * 246 + "-canary" and canary_name("m" * 245 + ".x") == "m" * 245 + "-canary"


def test_the_canary_is_a_copy_with_the_first_name_of_the_service_exchanged_and_a_weight() -> None:
    base = mapping("http://web-stable.shop:80/web-stable", prefix="/web/", timeout_ms=3000)
    made = canary_at(30, base)
    assert made["spec"] == {"service": "http://web-canary.shop:80/web-stable", "prefix": "/web/", "timeout_ms": 3000, "weight": 30}
    assert (made["apiVersion"], made["metadata"].get("labels")) == ("getambassador.io/v2", None)
    [again] = actions(30, {REF: {**base, "spec": {**base["spec"], "prefix": "/shop/"}}, CANARY: made})
    assert isinstance(again, Replace) and again.manifest["spec"]["prefix"] == "/shop/"


def test_without_weight_there_is_none_and_one_that_is_there_gets_weight_0_before_it_goes() -> None:
    assert actions(0, {REF: mapping()}) == ()
    [action] = actions(0, {REF: mapping(), CANARY: canary_at(30)})
    assert isinstance(action, Replace) and action.manifest["spec"]["weight"] == 0
    assert actions(0, {REF: mapping(), CANARY: action.manifest}) == (Remove(CANARY, "m-1"),)


UNUSABLE: list[tuple[Any, str]] = [
    (None, 'mappings.getambassador.io "web" not found'),
    (mapping(weight=10), 'Ambassador mapping "web" can not define weight'),
    (mapping(weight=0), 'Ambassador mapping "web" can not define weight'),
    (mapping("other"), 'Ambassador mapping "web": service other does not name web-stable'),
    (mapping("web-stable-2"), 'Ambassador mapping "web": service web-stable-2 does not name web-stable'),
    (mapping("my-web-stable"), 'Ambassador mapping "web": service my-web-stable does not name web-stable'),
    ({"metadata": {"name": "web"}, "spec": []}, 'Ambassador mapping "web": service None does not name web-stable'),
]


@pytest.mark.parametrize(("found", "words"), UNUSABLE)
def test_a_mapping_that_cannot_be_used_is_told(found: Any, words: str) -> None:
    answer, now = AMBASSADOR.route(CONFIG, WHOSE, at(20), {REF: found}), AMBASSADOR.in_force(CONFIG, WHOSE, {REF: found})
    assert (answer.problem, answer.actions, now.problem, now.subject) == (words, (), words, "web")


@pytest.mark.parametrize("stable", ["", "a(b"])
def test_a_service_without_a_proper_name_is_named_by_no_mapping(stable: str) -> None:
    now = AMBASSADOR.in_force(
        CONFIG, Services(canary="c", stable=stable, namespace="shop", rollout="web"), {REF: mapping("http://web-stable")}
    )
    assert now.problem == f'Ambassador mapping "web": service http://web-stable does not name {stable}'


def test_one_that_is_in_git_all_the_same_keeps_its_weight() -> None:
    made, in_git = canary_at(30), {**mapping("web-canary", weight=0), "metadata": {"name": "web-canary", "namespace": "shop"}}
    pushed = AMBASSADOR.carry(CONFIG, WHOSE, in_git, made)
    assert AMBASSADOR.route(CONFIG, WHOSE, at(30), {REF: mapping(), CANARY: pushed}).actions == ()
    assert AMBASSADOR.carry(CONFIG, WHOSE, in_git, in_git) is in_git
    assert AMBASSADOR.carry({"mappings": ["other"]}, WHOSE, in_git, made) is in_git


def problem(config: Any, **fields: Any) -> str:
    spec = {"canaryService": "web-canary", "stableService": "web-stable", "trafficRouting": {"ambassador": config}, **fields}
    manifest = rollout(canary=canary(weight(20), **spec))
    return str(spec_problem(manifest, parse_rollout(manifest), ROUTERS))


def test_what_cannot_be_carried_out_is_refused() -> None:
    assert problem({"mappings": ["a", "b"]}) == "None"
    field = "spec.strategy.canary.trafficRouting.ambassador.mappings"
    assert problem({}) == problem({"mappings": []}) == f"{field}: Required value: at least one Mapping has to be named"
    assert "too long to tell their canary Mappings apart" in problem({"mappings": ["m" * 250 + "a", "m" * 250 + "b"]})
    words = "Canary service and Stable service must to be set to use Traffic Routing"
    assert words in problem(CONFIG, stableService=None) and words in problem(CONFIG, canaryService=None)
