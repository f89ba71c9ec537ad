"""ReplicaSets as revisions of a Deployment."""

from reconciler_sandbox.controllers.progress import Fleet
from reconciler_sandbox.controllers.revisions import is_resized, is_saturated, new_replica_set, newest_changes
from reconciler_sandbox.controllers.rolling import DESIRED, HASH_LABEL, REVISION, bounds_of

from tests.kit.workloads import deployment, replica_set


def made(**metadata: object) -> dict[str, object]:
    owner = deployment()
    owner["metadata"] |= {"uid": "u1", **metadata}
    return owner


def test_a_new_replica_set_is_named_labelled_and_owned_after_its_template() -> None:
    owner = made(annotations={"team": "a", REVISION: "7"})
    created = new_replica_set(owner, [], bounds_of(owner), 0)
    label = created["metadata"]["labels"][HASH_LABEL]
    assert created["metadata"]["name"] == f"web-{label}"
    assert created["spec"]["selector"]["matchLabels"] == {"app": "web", HASH_LABEL: label}
    assert created["spec"]["template"]["metadata"]["labels"] == {"app": "web", HASH_LABEL: label}
    assert created["metadata"]["annotations"]["team"] == "a"
    assert created["metadata"]["annotations"][REVISION] == "1"
    assert created["metadata"]["ownerReferences"][0]["uid"] == "u1"
    assert created["spec"]["replicas"] == 3


def test_beside_old_pods_a_new_replica_set_starts_within_the_surge() -> None:
    owner = made()
    assert new_replica_set(owner, [replica_set("old", replicas=3)], bounds_of(owner), 0)["spec"]["replicas"] == 1


def test_going_back_raises_the_revision_of_the_known_replica_set() -> None:
    known = replica_set()
    known["metadata"]["annotations"] = {REVISION: "1"}
    assert newest_changes(made(), known, 3) == {"metadata": {"annotations": {REVISION: "3"}}}
    assert newest_changes(made(), known, 1) == {}


def test_another_size_is_noticed_by_the_annotation_of_active_replica_sets() -> None:
    active = replica_set(replicas=2)
    active["metadata"]["annotations"] = {DESIRED: "2"}
    assert is_resized(deployment(replicas=3), Fleet(active, []))
    assert not is_resized(deployment(replicas=2), Fleet(active, []))


def test_a_saturated_replica_set_carries_everything_alone() -> None:
    active = replica_set(replicas=3)
    active["metadata"]["annotations"] = {DESIRED: "3"}
    active["status"] = {"availableReplicas": 3}
    assert is_saturated(active, bounds_of(deployment()))
    active["status"] = {"availableReplicas": 2}
    assert not is_saturated(active, bounds_of(deployment()))
