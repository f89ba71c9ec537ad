"""SMI's TrafficSplit: contract 9.6. What every router promises is in tests/contracts."""

from typing import Any

import pytest

from reconciler.kernel.identity import Manifest, ObjectRef
from reconciler.kernel.plan import Create, Replace
from reconciler.rollouts.spec.manifest import parse_rollout
from reconciler.rollouts.traffic.model import Traffic, WeightDestination
from reconciler.rollouts.traffic.router import Needs, Services
from reconciler.rollouts.validation.spec import spec_problem
from reconciler.routers.registry import ROUTERS
from reconciler.routers.smi import TRAFFIC_SPLITS, Smi
from tests.kit.rollouts import canary, rollout, weight

SMI = Smi()
WHOSE = Services(canary="web-canary", stable="web-stable", namespace="shop", rollout="web", uid="u-1")
REF = ObjectRef(TRAFFIC_SPLITS, "shop", "web")
OWNER = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "name": "web", "uid": "u-1", "controller": True}


def at(share: int, **fields: Any) -> Traffic:
    return Traffic(weight=share, canary_hash="h2", stable_hash="h1", **fields)


def split(*backends: Any, **spec: Any) -> Manifest:
    metadata = {"name": "web", "namespace": "shop", "resourceVersion": "7", "ownerReferences": [OWNER]}
    return {"kind": "TrafficSplit", "metadata": metadata, "spec": {"service": "web-stable", "backends": list(backends), **spec}}


def shares(manifest: Manifest) -> dict[str, int]:
    return {backend["service"]: backend["weight"] for backend in manifest["spec"]["backends"]}


def test_it_is_called_as_the_configuration_says_or_else_as_the_rollout() -> None:
    assert SMI.needs({}, WHOSE) == Needs(made=(REF,))
    assert [ref.name for ref in SMI.needs({"trafficSplitName": "split"}, WHOSE).refs] == ["split"]


@pytest.mark.parametrize(("config", "root"), [({}, "web-stable"), ({"rootService": "web-root"}, "web-root")])
def test_it_is_created_with_both_services_as_backends(config: Manifest, root: str) -> None:
    answer = SMI.route(config, WHOSE, at(30), {REF: None})
    [action], [event] = answer.actions, answer.events
    assert isinstance(action, Create) and event.reason == "TrafficSplitCreated"
    assert action.manifest["apiVersion"] == "split.smi-spec.io/v1alpha1"
    assert action.manifest["spec"] == {
        "service": root,
        "backends": [{"service": "web-canary", "weight": 30}, {"service": "web-stable", "weight": 70}],
    }


def test_one_of_the_reference_is_taken_over_with_its_weights_in_text_and_what_others_set() -> None:
    found = split({"service": "web-canary", "weight": "30"}, {"service": "web-stable", "weight": "70"}, matches=[{"name": "x"}])
    assert SMI.in_force({}, WHOSE, {REF: found}).weight == 30
    answer = SMI.route({}, WHOSE, at(40), {REF: found})
    [action], [event] = answer.actions, answer.events
    assert isinstance(action, Replace) and event.reason == "TrafficSplitModified"
    assert shares(action.manifest) == {"web-canary": 40, "web-stable": 60} and action.manifest["spec"]["matches"] == [{"name": "x"}]
    assert action.manifest["metadata"]["ownerReferences"] == [OWNER] and action.manifest["metadata"]["resourceVersion"] == "7"


def test_further_destinations_take_their_part_of_stable() -> None:
    answer = SMI.route({}, WHOSE, at(30, additional=(WeightDestination(5, "web-trial", "h3"),)), {REF: None})
    [action] = answer.actions
    assert isinstance(action, Create) and shares(action.manifest) == {"web-canary": 30, "web-trial": 5, "web-stable": 65}


@pytest.mark.parametrize("spec", [None, [], {"backends": {}}, {"backends": ["x", {"service": "web-canary", "weight": "much"}]}])
def test_a_split_of_another_shape_carries_nothing_and_is_put_right(spec: Any) -> None:
    found = {**split(), "spec": spec}
    assert SMI.in_force({}, WHOSE, {REF: found}).weight == 0
    [action] = SMI.route({}, WHOSE, at(30), {REF: found}).actions
    assert isinstance(action, Replace) and shares(action.manifest) == {"web-canary": 30, "web-stable": 70}


def test_a_foreign_one_is_told_in_the_words_of_the_contract() -> None:
    foreign = {**split(), "metadata": {"name": "web", "namespace": "shop"}}
    assert str(SMI.route({}, WHOSE, at(30), {REF: foreign}).problem).startswith("Rollout does not own TrafficSplit `web`")


def test_one_that_is_in_git_all_the_same_keeps_its_weights() -> None:
    [action] = SMI.route({}, WHOSE, at(30), {REF: None}).actions
    assert isinstance(action, Create)
    in_git = split({"service": "web-canary", "weight": 0})
    pushed = SMI.carry({}, WHOSE, in_git, action.manifest)
    assert SMI.route({}, WHOSE, at(30), {REF: pushed}).actions == ()
    assert SMI.carry({}, WHOSE, in_git, {**in_git, "metadata": {"name": "web", "namespace": "shop"}}) is in_git
    assert SMI.carry({"trafficSplitName": "other"}, WHOSE, in_git, action.manifest) is in_git


def problem(config: Any, **fields: Any) -> str:
    spec = {"canaryService": "web-canary", "stableService": "web-stable", "trafficRouting": {"smi": config}, **fields}
    manifest = rollout(canary=canary(weight(20), **spec))
    return str(spec_problem(manifest, parse_rollout(manifest), ROUTERS))


def test_what_cannot_be_carried_out_is_refused() -> None:
    assert problem({}) == problem({"rootService": "root", "trafficSplitName": "split"}) == "None"
    words = "Canary service and Stable service must to be set to use Traffic Routing"
    assert words in problem({}, stableService=None) and words in problem({}, canaryService=None)
    assert problem({"trafficSplitName": 5}) == "spec.strategy.canary.trafficRouting.smi.trafficSplitName: Invalid value: 5: must be a name"
    trial = {"experiment": {"duration": "1m", "templates": [{"name": "trial", "specRef": "canary", "weight": 5}]}}
    assert problem({}, steps=[trial]) == "None" and "weight" in problem(
        {}, trafficRouting={"traefik": {"weightedTraefikServiceName": "a"}}, steps=[trial]
    )
    assert "only support in Nginx and Plugins" in problem({}, trafficRouting={"smi": {}, "maxTrafficWeight": 1000})
