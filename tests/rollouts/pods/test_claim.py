"""Whose ReplicaSets (contract 10.2)."""

from reconciler.kernel.identity import Manifest, controller_uid
from reconciler.kernel.resources import REPLICA_SETS
from reconciler.kernel.well_known import HASH_LABEL
from reconciler.rollouts.pods.claim import claim, matches
from tests.kit.rollouts import APP, canary, rollout
from tests.kit.store import merged
from tests.kit.world import deployed

ROLLOUT = rollout(canary=canary())
SELECTOR = {"matchLabels": APP}


def replica_set(owner: str | None = None, **labels: str) -> Manifest:
    owners = [{"controller": True, "uid": owner, "kind": "Rollout", "name": "web"}] if owner else []
    metadata = {"name": "one", "namespace": "shop", "uid": "u", "labels": {HASH_LABEL: "h", **labels}, "ownerReferences": owners}
    return {"metadata": metadata, "spec": {}}


def test_an_orphan_that_matches_is_adopted() -> None:
    claims = claim(ROLLOUT, SELECTOR, [replica_set(**APP)])
    (patch,) = claims.writes
    assert patch.body["metadata"]["ownerReferences"][0]["uid"] == "uid-web"
    assert claims.owned == ()


def test_an_owned_one_that_no_longer_matches_is_released() -> None:
    (patch,) = claim(ROLLOUT, SELECTOR, [replica_set("uid-web", app="other")]).writes
    assert patch.body["metadata"]["ownerReferences"] is None


def test_what_belongs_to_others_is_left_alone() -> None:
    claims = claim(ROLLOUT, SELECTOR, [replica_set("somebody", **APP)])
    assert (claims.owned, claims.writes) == ((), ())


def test_orphans_without_a_hash_are_nobodys() -> None:
    orphan = replica_set(**APP)
    del orphan["metadata"]["labels"][HASH_LABEL]
    assert claim(ROLLOUT, SELECTOR, [orphan]).writes == ()


def test_the_controller_adopts_what_lost_its_owner() -> None:
    world = deployed(rollout(canary=canary()))
    lost = merged(world.replica_set("web:1").manifest, {"metadata": {"ownerReferences": None}})
    world.store.put(REPLICA_SETS, lost)
    world.settle()
    assert controller_uid(world.replica_set("web:1").manifest) == "uid-web"
    assert world.phase == "Healthy" and len(world.replica_sets) == 1


def test_expressions_select_too() -> None:
    labels = {"app": "web", "tier": "a"}
    assert matches({"matchExpressions": [{"key": "tier", "operator": "In", "values": ["a", "b"]}]}, labels)
    assert not matches({"matchExpressions": [{"key": "tier", "operator": "NotIn", "values": ["a"]}]}, labels)
    assert matches({"matchExpressions": [{"key": "app", "operator": "Exists"}, {"key": "x", "operator": "DoesNotExist"}]}, labels)
    assert not matches({}, labels)
