"""The surprising edge cases of contract 13 about Services, routers and experiments."""

from typing import Any

import pytest

from reconciler.kernel.identity import Key, Manifest, annotations_of
from reconciler.kernel.plan import Remove, Replace
from reconciler.kernel.resources import ROLLOUTS, SERVICES
from reconciler.kernel.well_known import HASH_LABEL, MANAGED_BY
from reconciler.kube.errors import Refused
from reconciler.rollouts.traffic.services import released
from reconciler.routers.istio_selection import Selection
from reconciler.routers.istio_sides import Sides
from reconciler.routers.istio_subsets import switched
from tests.kit.edges import MEASURED, behind_istio, climbing, routed_release
from tests.kit.experiments import WEIGHED, current, experiments, only, routed, says, tried
from tests.kit.istio import destination_rule, pair
from tests.kit.rollouts import NAMESPACE, canary, pause, rollout, weight
from tests.kit.store import run_through
from tests.kit.world import World, deployed
from tests.routers.test_ambassador import CANARY, REF, actions, canary_at, mapping


def test_13_37_a_service_that_is_not_ours_yet_needs_every_pod_and_one_of_ours_needs_one() -> None:
    world = behind_istio(weight(50), pause())
    foreign = world.store.get(SERVICES, NAMESPACE, "web-canary")
    assert foreign is not None
    world.store.put(SERVICES, {**foreign, "metadata": {**foreign["metadata"], "annotations": {}}})
    world.limits["web:2"] = 1
    assert world.push("web:2").settle().selected("web-canary") == "web:1"
    world.store.put(SERVICES, {**foreign, "metadata": {**foreign["metadata"], "annotations": {MANAGED_BY: "web"}}})
    assert world.settle().selected("web-canary") == "web:2"


def test_13_40_subsets_of_nobody_go_and_those_listed_as_additional_stay() -> None:
    rule = destination_rule("h1", "h1", {"name": "mine", "labels": {"v": "1"}}, {"name": "beta", "labels": {"v": "2"}})
    after = switched(rule, "shop", {"canary": "h2", "stable": "h1"}, ["beta"])
    assert [subset["name"] for subset in after["spec"]["subsets"]] == ["canary", "stable", "beta"]


def test_13_41_beside_managed_routes_the_first_one_without_a_name_is_meant() -> None:
    sides, ours = Sides(canary="shop-canary", stable="shop-stable"), {"route": pair(0, 100)}
    routes = [{"name": "testers", **ours}, {"name": "copies", **ours}, ours]
    assert Selection({"name": "shop"}, ("testers", "copies")).indexes({"http": routes}, sides) == {"http": (2,)}


def test_13_49_an_experiment_without_an_end_waits_for_a_person() -> None:
    world = deployed(rollout(canary=canary(tried(), weight(50))), MEASURED).push("web:2").settle().wait(86_400)
    assert (world.status["currentStepIndex"], only(world)["status"]["phase"]) == (0, "Running")
    assert world.press(currentStepIndex=1).settle().wait(60).phase == "Healthy"


def test_13_56_a_mapping_without_weight_is_removed_and_blocks_nobody() -> None:
    [silenced] = actions(0, {REF: mapping(), CANARY: canary_at(30)})
    assert isinstance(silenced, Replace) and silenced.manifest["spec"]["weight"] == 0
    assert [type(action) for action in actions(0, {REF: mapping(), CANARY: silenced.manifest})] == [Remove]


def test_13_62_an_inconclusive_experiment_stays_on_record_until_a_person_resumes() -> None:
    world = climbing(tried(duration="5m"), pause())
    name = current(world)
    says(world, name, "Inconclusive").wait(600)
    assert world.phase == "Paused InconclusiveExperiment" and list(experiments(world)) == [name] and current(world) == name
    world.press(pauseConditions=None).settle()
    assert list(experiments(world)) == [name, f"{name}-1"] and current(world) == f"{name}-1"


def test_13_63_an_experiment_that_succeeds_while_a_person_paused_counts_when_they_go_on() -> None:
    world = climbing(tried(duration="5m"), pause())
    name = current(world)
    world.edit({"spec": {"paused": True}}).wait(600)
    assert (list(experiments(world)), world.status["currentStepIndex"]) == ([name], 0)
    world.edit({"spec": {"paused": False}}).settle()
    assert (list(experiments(world)), world.status["currentStepIndex"]) == ([name], 1)


def test_13_64_a_service_of_an_experiment_keeps_its_selector() -> None:
    world = routed(tried(*WEIGHED, duration="5m"), weight(50)).push("web:2").settle()
    made = [s for s in world.store.list(SERVICES, NAMESPACE) if s["metadata"].get("ownerReferences")]
    assert len(made) == len(WEIGHED) and all(HASH_LABEL in s["spec"]["selector"] and MANAGED_BY not in annotations_of(s) for s in made)
    assert [released(s, annotations_of(s).get(MANAGED_BY), wanted=False) for s in made] == [None] * len(made)


@pytest.mark.parametrize(("answer", "kept"), [("an error", True), ("not found", False)])
def test_13_65_a_service_is_given_back_only_when_the_rollout_is_known_to_be_gone(answer: str, kept: bool) -> None:
    world = routed_release()
    world.store.remove(ROLLOUTS, NAMESPACE, "web")

    def away(_: Any) -> None:
        if kept:
            raise Refused(403, "Forbidden", "not today")

    world.store.before_find = away
    if kept:
        with pytest.raises(Refused):
            look(world)
    else:
        look(world)
    found = world.store.get(SERVICES, NAMESPACE, "web-stable")
    assert found is not None and (HASH_LABEL in selector(found)) is kept and (MANAGED_BY in annotations_of(found)) is kept


def look(world: World) -> None:
    run_through(world.controller.reconcile(Key("rollout", NAMESPACE, "web")))


def selector(service: Manifest) -> Manifest:
    found: Manifest = service["spec"]["selector"]
    return found
