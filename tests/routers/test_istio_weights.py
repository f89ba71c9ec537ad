"""What destinations weigh: contract 9.3, 13.40 and 13.41."""

import pytest

from reconciler.routers.istio_sides import Sides
from reconciler.routers.istio_weights import Shares, as_live, at_home, canary_weight, reweighted
from tests.kit.istio import pair, to

SIDES = Sides(canary="shop-canary", stable="shop-stable", namespace="prod")
OURS = {"route": pair(0, 100)}


def test_unknown_destinations_leave_unless_they_weigh_nothing() -> None:
    route = {"route": [*pair(0, 60), to("stranger", 40), to("idle", 0), to("bare")]}
    hosts = [destination["destination"]["host"] for destination in reweighted(route, SIDES, Shares(30))["route"]]
    assert hosts == ["shop-stable", "shop-canary", "idle", "bare"]


def test_stable_never_gets_less_than_nothing() -> None:
    assert [entry["weight"] for entry in reweighted(OURS, SIDES, Shares(90, {"trial": 30}))["route"]] == [0, 90, 30]


def test_experiments_are_appended_by_name_and_then_updated_in_place() -> None:
    first = reweighted(OURS, SIDES, Shares(0, {"b": 2, "a": 1}))
    assert [entry["destination"]["host"] for entry in first["route"]] == ["shop-stable", "shop-canary", "a", "b"]
    second = reweighted(first, SIDES, Shares(0, {"b": 5, "a": 1}))
    assert [entry.get("weight") for entry in second["route"]] == [94, 0, 1, 5]


def test_a_subset_says_more_than_a_shared_host() -> None:
    shared = Sides(canary="shop", stable="shop-stable", canary_subset="canary", stable_subset="stable")
    route = {"route": [to("shop", 100, subset="stable"), to("shop", 0, subset="canary")]}
    assert [entry["weight"] for entry in reweighted(route, shared, Shares(25))["route"]] == [75, 25]
    assert canary_weight(route, shared) == 0


def test_an_unchanged_route_is_the_same_object() -> None:
    assert reweighted(OURS, SIDES, Shares(0)) is OURS


def test_a_second_port_of_a_side_is_not_counted_twice() -> None:
    route = {"route": [*pair(0, 100), to("shop-canary", 0, port={"number": 81})]}
    assert [entry["weight"] for entry in reweighted(route, SIDES, Shares(30))["route"]] == [70, 30, 0]


def test_an_experiment_of_a_virtual_service_elsewhere_has_its_whole_name() -> None:
    made = reweighted(OURS, SIDES, Shares(0, {"trial": 10}), "edge")
    assert made["route"][2]["destination"]["host"] == "trial.prod.svc.cluster.local"
    assert reweighted(made, SIDES, Shares(0, {"trial": 10}), "edge") is made


def test_at_home_stable_has_what_was_ours_and_nobody_else_loses_anything() -> None:
    route = {"route": [*pair(20, 40), to("trial", 10), to("partner", 30)]}
    assert at_home(route, SIDES, ("trial",))["route"] == [to("shop-stable", 70), to("shop-canary", 0), to("partner", 30)]


def test_a_pushed_route_weighs_what_the_live_one_does() -> None:
    living = {"route": [*pair(30, 60), to("trial", 10)]}
    assert as_live(OURS, living, SIDES)["route"] == [*pair(30, 60), to("trial", 10)]
    assert as_live({"route": [*pair(0, 50), to("stranger", 50)]}, living, SIDES)["route"] == [*pair(30, 60), to("trial", 10)]


@pytest.mark.parametrize("weight", [None, "30", [30]])
def test_a_weight_that_is_no_number_is_none_and_no_exception(weight: object) -> None:
    assert canary_weight({"route": [{"destination": {"host": "shop-canary"}, "weight": weight}, to("shop-stable", 70)]}, SIDES) == 0
