"""Subsets: contract 9.3, 10.7 and 13.40."""

from reconciler.routers.istio_subsets import all_hashes, carried_hashes, released, switched, with_experiments
from tests.kit.istio import HASH, destination_rule

OWNER = "argo-rollouts.argoproj.io/managed-by-rollouts"


def test_subsets_select_their_version_and_keep_everything_else() -> None:
    after = switched(destination_rule("h1", "h1"), "shop", {"canary": "h2", "stable": "h1"})
    assert after["spec"] == {
        "host": "shop.prod.svc",
        "subsets": [
            {"name": "canary", "labels": {HASH: "h2", "tier": "web"}, "trafficPolicy": {"x": 1}},
            {"name": "stable", "labels": {HASH: "h1"}},
        ],
    }
    assert after["metadata"]["resourceVersion"] == "3"


def test_no_hash_means_no_label() -> None:
    canary, stable = switched(destination_rule(), "shop", {"canary": "", "stable": ""})["spec"]["subsets"]
    assert canary["labels"] == {"tier": "web"}
    assert "labels" not in stable


def test_subsets_of_nobody_go_and_named_ones_stay() -> None:
    rule = destination_rule("h1", "h1", {"name": "mine", "labels": {"v": "1"}}, {"name": "beta", "labels": {"v": "2"}})
    after = switched(rule, "shop", {"canary": "h1", "stable": "h1"}, ["beta"])
    assert [subset["name"] for subset in after["spec"]["subsets"]] == ["canary", "stable", "beta"]


def test_an_unchanged_rule_is_the_same_object() -> None:
    rule = destination_rule("h2", "h1")
    assert switched(rule, "shop", {"canary": "h2", "stable": "h1"}) is rule
    assert with_experiments(rule, {}) is rule


def test_a_rule_says_who_owns_it() -> None:
    rule = destination_rule()
    rule["metadata"]["annotations"] = {"note": "kept"}
    after = switched(rule, "shop", {"canary": "h1", "stable": "h1"})
    assert after["metadata"]["annotations"] == {"note": "kept", OWNER: "shop"}


def test_a_missing_experiment_subset_is_added() -> None:
    after = with_experiments(destination_rule(), {"trial": "h9"})
    assert after["spec"]["subsets"][2] == {"name": "trial", "labels": {HASH: "h9"}}


def test_every_selected_hash_is_known() -> None:
    rule = destination_rule("h2", "h1", {"name": "x"})
    assert all_hashes(rule) == frozenset({"h1", "h2"}) and all_hashes(None) == frozenset()


def test_a_push_keeps_the_hashes_that_subsets_select() -> None:
    assert carried_hashes(destination_rule("", "h9"), destination_rule("h2", "h1"))["spec"] == destination_rule("h2", "h1")["spec"]


def test_a_rule_that_is_left_is_cleaned_by_its_owner_only() -> None:
    rule = destination_rule("h2", "h1")
    assert released(rule, "other") is rule
    clean = released(rule, "shop")
    assert "annotations" not in clean["metadata"]
    assert all_hashes(clean) == frozenset()
    assert clean["spec"]["subsets"][0]["labels"] == {"tier": "web"}
