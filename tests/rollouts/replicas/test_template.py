"""ReplicaSets and their templates: contract 10.2, 10.4 and 10.5."""

from copy import deepcopy
from typing import Any

import pytest

from reconciler.kernel.well_known import EPHEMERAL_METADATA
from reconciler.rollouts.replicas.defaults import with_defaults
from reconciler.rollouts.replicas.hash import template_hash
from reconciler.rollouts.replicas.template import (
    ephemeral_of,
    find_new,
    new_replica_set,
    replace_metadata,
    semantically_equal,
    set_anti_affinity,
    with_ephemeral,
    without_injected,
)
from tests.kit.replicas import HASH, pod_template, replica_set, rollout

PREFERRED = {"preferredDuringSchedulingIgnoredDuringExecution": {"weight": 7}}
REQUIRED = {"requiredDuringSchedulingIgnoredDuringExecution": {}}


def created(owner: dict[str, Any], **change: Any) -> dict[str, Any]:
    facts: dict[str, Any] = {"hash": "h2", "revision": 3, "replicas": 5, "min_ready_seconds": 9, "stable_hash": "h1"} | change
    return new_replica_set(rollout=owner, template=pod_template(), selector=owner["spec"]["selector"], **facts)


def test_a_new_replica_set_belongs_to_its_rollout_and_has_no_pods_yet() -> None:
    made = created(rollout(annotations={"note": "kept", "rollout.argoproj.io/revision": "2", "notified.notifications.argoproj.io": "{}"}))
    assert made["metadata"] == {
        "name": "shop-h2",
        "namespace": "prod",
        "labels": {"app": "shop", HASH: "h2"},
        "annotations": {"note": "kept", "rollout.argoproj.io/revision": "3", "rollout.argoproj.io/desired-replicas": "5"},
        "ownerReferences": [
            {
                "apiVersion": "argoproj.io/v1alpha1",
                "kind": "Rollout",
                "name": "shop",
                "uid": "u-1",
                "controller": True,
                "blockOwnerDeletion": True,
            }
        ],
    }
    assert made["spec"]["replicas"] == 0
    assert made["spec"]["minReadySeconds"] == 9
    assert made["spec"]["selector"] == {"matchLabels": {"app": "shop", HASH: "h2"}}
    assert made["spec"]["template"]["metadata"]["labels"] == {"app": "shop", HASH: "h2"}
    assert "affinity" not in made["spec"]["template"]["spec"]


def test_anti_affinity_keeps_away_from_the_stable_pods() -> None:
    affinity = created(rollout(antiAffinity=PREFERRED))["spec"]["template"]["spec"]["affinity"]
    (term,) = affinity["podAntiAffinity"]["preferredDuringSchedulingIgnoredDuringExecution"]
    assert term["weight"] == 7
    assert term["podAffinityTerm"] == {
        "labelSelector": {"matchExpressions": [{"key": HASH, "operator": "In", "values": ["h1"]}]},
        "namespaces": ["prod"],
        "topologyKey": "kubernetes.io/hostname",
    }


def test_anti_affinity_needs_another_stable_version() -> None:
    for stable in ("", "h2"):
        assert "affinity" not in created(rollout(antiAffinity=REQUIRED), stable_hash=stable)["spec"]["template"]["spec"]


def test_anti_affinity_is_replaced_and_leaves_the_users_own_terms() -> None:
    own = {"topologyKey": "zone", "labelSelector": {"matchLabels": {"app": "shop"}}}
    template = pod_template(affinity={"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [own]}})
    injected = set_anti_affinity(template, REQUIRED, "prod", "h1")
    terms = set_anti_affinity(injected, REQUIRED, "prod", "h2")["spec"]["affinity"]["podAntiAffinity"]
    assert [term.get("namespaces") for term in terms["requiredDuringSchedulingIgnoredDuringExecution"]] == [None, ["prod"]]
    assert set_anti_affinity(injected, None, "prod", "") == template
    assert set_anti_affinity(pod_template(), None, "prod", "") == pod_template()


def test_a_term_of_the_user_that_selects_by_other_means_stays() -> None:
    required = [
        {"topologyKey": "zone"},
        {"topologyKey": "zone", "labelSelector": {"matchExpressions": [{"key": "app", "operator": "Exists"}]}},
    ]
    affinity = {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": required}}
    assert set_anti_affinity(pod_template(affinity=affinity), None, "prod", "") == pod_template(affinity=affinity)


def test_the_template_an_api_returns_still_means_the_same() -> None:
    desired = pod_template("app:1", volumes=[{"name": "c", "configMap": {"name": "x"}}], serviceAccountName="shop")
    live = with_defaults(deepcopy(desired))
    live["metadata"] = {"creationTimestamp": None, "labels": {"app": "shop", HASH: "other"}}
    live["spec"]["serviceAccount"] = "shop"
    live = set_anti_affinity(live, PREFERRED, "prod", "h1")
    assert semantically_equal(desired, live)


def test_the_old_name_of_the_service_account_means_the_new_one() -> None:
    both = pod_template(serviceAccount="shop", serviceAccountName="shop")
    assert semantically_equal(pod_template(serviceAccount="shop"), both)
    assert semantically_equal(pod_template(serviceAccountName="shop"), both)


def test_another_meaning_is_another_template() -> None:
    assert not semantically_equal(pod_template("app:1"), pod_template("app:2"))
    assert not semantically_equal(pod_template(), pod_template(automountServiceAccountToken=False))
    assert not semantically_equal(pod_template(), {**pod_template(), "metadata": {"labels": {"app": "shop", "x": "y"}}})


def test_the_oldest_with_the_hash_is_found_first() -> None:
    young = replica_set("h1", creationTimestamp="2025-01-02T00:00:00Z") | {"young": True}
    old = replica_set("h1", creationTimestamp="2025-01-01T00:00:00Z")
    assert find_new(pod_template("other:1"), [young, old], "h1") is old


def test_a_replica_set_of_another_hash_library_is_adopted_by_meaning() -> None:
    stranger = replica_set("zzz", with_defaults(pod_template()))
    decorated = with_ephemeral(stranger, {"role": "stable"}, {"seen": "yes"})
    assert find_new(pod_template(), [decorated], template_hash(pod_template())) is decorated
    assert find_new(pod_template("app:2"), [decorated], "none") is None


def test_ephemeral_metadata_is_noted_and_taken_back_to_the_last_key() -> None:
    plain = replica_set()
    decorated = with_ephemeral(plain, {"role": "canary"}, {"b": "2", "a": "1"})
    assert decorated["metadata"]["annotations"][EPHEMERAL_METADATA] == '{"labels":{"role":"canary"},"annotations":{"a":"1","b":"2"}}'
    assert decorated["spec"]["template"]["metadata"]["labels"] == {"app": "shop", "role": "canary"}
    assert without_injected(decorated)["metadata"]["labels"] == {"app": "shop"}
    promoted = with_ephemeral(decorated, {"role": "stable"}, {})
    assert promoted["spec"]["template"]["metadata"] == {"labels": {"app": "shop", "role": "stable"}, "annotations": {}}
    assert with_ephemeral(promoted, {"role": "stable"}, {}) is promoted
    bare = with_ephemeral(promoted, {}, {})
    assert bare["spec"]["template"]["metadata"]["labels"] == {"app": "shop"}
    assert EPHEMERAL_METADATA not in bare["metadata"]["annotations"]


def test_only_injected_keys_are_ever_removed_from_a_pod() -> None:
    pod = {"metadata": {"name": "p", "labels": {"app": "shop", "role": "canary"}, "annotations": {"mine": "1"}}}
    after = replace_metadata(pod, {"labels": {"role": "canary"}}, {"annotations": {"theirs": "2"}})
    assert after["metadata"] == {"name": "p", "labels": {"app": "shop"}, "annotations": {"mine": "1", "theirs": "2"}}


@pytest.mark.parametrize("text", ["{", "", "[]", '{"labels": "x", "annotations": [1]}', pytest.param("[" * 50_000, id="endless")])
def test_an_unreadable_note_injects_nothing(text: str) -> None:
    assert ephemeral_of(replica_set(annotations={EPHEMERAL_METADATA: text})) == {"labels": {}, "annotations": {}}
