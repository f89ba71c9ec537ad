"""ReplicaSets as the rollout layer looks at them."""

from reconciler.rollouts.pods.replica_set import EPOCH, ReplicaSet, oldest_first, total_available
from tests.kit.passes import replica_set


def test_absent_numbers_count_as_the_api_counts_them() -> None:
    bare = ReplicaSet({"metadata": {"name": "a"}, "spec": {}})
    assert (bare.spec, bare.actual, bare.available, bare.revision, bare.desired, bare.deadline) == (1, 0, 0, 0, None, None)
    assert (bare.hash, bare.created, bare.deleting) == ("", EPOCH, False)


def test_they_sort_by_age_then_name() -> None:
    sets = oldest_first([replica_set("b", 1), replica_set("a", 1), replica_set("old", 2, age=5)])
    assert [r.hash for r in sets] == ["old", "a", "b"] and total_available(sets) == 4
