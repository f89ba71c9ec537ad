"""The arithmetic of rolling updates."""

from typing import Any

import pytest
from reconciler_sandbox.controllers.rolling import (
    MAXIMUM,
    Bounds,
    bounds_of,
    grown,
    matching,
    proportional,
    removable,
    scaled,
    shrunk,
    template_hash,
)

from tests.kit.workloads import deployment, replica_set, template

THREE = Bounds(replicas=3, surge=1, unavailable=0)


def sized(name: str, replicas: int, available: int, **annotations: str) -> dict[str, Any]:
    manifest = replica_set(name, replicas=replicas)
    manifest["metadata"] |= {"generation": 1, "annotations": annotations}
    manifest["status"] = {"replicas": replicas, "availableReplicas": available, "observedGeneration": 1}
    return manifest


@pytest.mark.parametrize(
    ("strategy", "expected"),
    [
        ({}, Bounds(3, 1, 0)),
        ({"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 0, "maxUnavailable": 0}}, Bounds(3, 0, 1)),
        ({"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "50%", "maxUnavailable": "50%"}}, Bounds(3, 2, 1)),
        ({"type": "Recreate"}, Bounds(3, 0, 0)),
    ],
)
def test_surge_rounds_up_slack_rounds_down_and_never_both_are_zero(strategy: dict[str, Any], expected: Bounds) -> None:
    assert bounds_of(deployment(strategy=strategy)) == expected


def test_a_percentage_is_a_share_of_the_total_and_a_number_is_itself() -> None:
    assert scaled("25%", 10, up=True) == 3
    assert scaled("25%", 10, up=False) == 2
    assert scaled(4, 10, up=True) == 4


def test_the_newest_grows_only_into_the_surge() -> None:
    old, new = sized("old", 3, 3), sized("new", 0, 0)
    assert grown(THREE, new, [old, new]) == 1


def test_the_newest_shrinks_to_the_wanted_replicas() -> None:
    new = sized("new", 5, 5)
    assert grown(THREE, new, [new]) == 3


def test_old_pods_stay_while_new_ones_are_not_available() -> None:
    assert shrunk(THREE, sized("new", 1, 0), [sized("old", 3, 3)]) == {}


def test_nothing_goes_while_the_surge_is_still_starting() -> None:
    assert shrunk(THREE, sized("new", 1, 0), [sized("old", 3, 2)]) == {}


def test_each_available_new_pod_releases_one_old_pod() -> None:
    assert shrunk(THREE, sized("new", 1, 1), [sized("old", 3, 3)]) == {"old": 2}


def test_broken_old_pods_go_first() -> None:
    assert shrunk(THREE, sized("new", 1, 1), [sized("broken", 1, 0), sized("old", 2, 2)]) == {"broken": 0}


def test_a_status_that_still_counts_removed_pods_does_not_release_more() -> None:
    assert shrunk(THREE, sized("new", 2, 2), [sized("old", 2, 3)]) == {"old": 1}


def test_a_resize_in_the_middle_keeps_the_shares_of_both_sides() -> None:
    old, new = sized("old", 8, 8, **{MAXIMUM: "12"}), sized("new", 4, 4, **{MAXIMUM: "12"})
    assert proportional(Bounds(20, 4, 0), [old, new], 12) == {"old": 16, "new": 8}


def test_a_resize_to_zero_empties_both_sides() -> None:
    assert proportional(Bounds(0, 0, 0), [sized("old", 2, 2), sized("new", 1, 1)], 3) == {"old": 0, "new": 0}


def test_the_hash_follows_the_template_and_the_collisions_only() -> None:
    first = template_hash(template("web:1"), 0)
    assert first == template_hash(template("web:1"), 0)
    assert len({first, template_hash(template("web:2"), 0), template_hash(template("web:1"), 1)}) == 3


def test_nulls_empty_values_and_the_hash_label_do_not_make_a_template_new() -> None:
    owned = replica_set()
    owned["spec"]["template"]["metadata"] |= {"creationTimestamp": None, "labels": {"app": "web", "pod-template-hash": "x"}}
    owned["spec"]["template"]["spec"]["securityContext"] = {}
    assert matching(template("web:1"), [owned]) is owned
    assert matching(template("web:2"), [owned]) is None


def test_history_is_trimmed_from_the_lowest_revision_and_only_where_nothing_runs() -> None:
    revision = "deployment.kubernetes.io/revision"
    old = [sized("c", 0, 0, **{revision: "3"}), sized("a", 0, 0, **{revision: "1"}), sized("b", 1, 1, **{revision: "2"})]
    assert [r["metadata"]["name"] for r in removable(old, 1)] == ["a"]
