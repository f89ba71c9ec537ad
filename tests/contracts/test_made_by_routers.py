"""What every router promises of the objects that it makes itself: created owned by the Rollout, put right, removed; others left alone."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from reconciler.kernel.identity import Key, Manifest, controller_uid, name_of, uid_of
from reconciler.kernel.plan import Create, Remove, Replace
from reconciler.kernel.resources import ROLLOUTS
from reconciler.kernel.well_known import SUSPEND
from reconciler.kube.errors import NotServed, Refused
from reconciler.rollouts.traffic.marks import owners
from reconciler.rollouts.traffic.model import Traffic
from reconciler.rollouts.traffic.router import Owner
from tests.kit.routers import CASES, HEADER, OWNER, WHOSE, Case, driven, lives
from tests.kit.store import Killed, run_through
from tests.kit.world import World

ROLLOUT = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "name": "web", "uid": "u-9", "controller": True}
OWNED_BY_ANOTHER: Mapping[str, Any] = {
    "another rollout": [{**ROLLOUT, "name": "other"}],
    "a former rollout of the name": [ROLLOUT],
    "a rollout of another group": [{**ROLLOUT, "apiVersion": "rollouts.kruise.io/v1beta1"}],
    "nobody": None,
}


@pytest.fixture(params=[name for name, made in CASES.items() if made().made])
def case(request: pytest.FixtureRequest) -> Case:
    """A router that makes objects."""
    return CASES[request.param]()


def wanted(case: Case) -> Traffic:
    """Traffic for which the router makes all it can."""
    return case.able(Traffic(weight=20, canary_hash="h2", stable_hash="h1", managed_routes=("testers",), header_route=HEADER))


def created(case: Case) -> dict[Any, Manifest]:
    answer = case.router.route(case.config, WHOSE, wanted(case), case.live)
    assert answer.problem is None
    found = [action.manifest for action in answer.actions if isinstance(action, Create)]
    return {ref: {**manifest, "metadata": {**manifest["metadata"], "uid": "m-1"}} for ref, manifest in zip(case.made, found, strict=True)}


def weight_of(case: Case, world: World) -> int | None:
    return case.router.in_force(case.config, WHOSE, lives(case, world)).weight


def owned_by(found: Manifest, references: Any) -> Manifest:
    metadata = {key: value for key, value in found["metadata"].items() if key != "ownerReferences"}
    return {**found, "metadata": {**metadata, **({"ownerReferences": references} if references else {})}}


def unmarked(found: Manifest) -> Manifest:
    return {**found, "metadata": {key: value for key, value in found["metadata"].items() if key != "annotations"}}


# ---- alone ----


def test_what_is_made_is_owned_by_the_rollout_and_goes_with_its_uid(case: Case) -> None:
    for ref, manifest in created(case).items():
        [owner] = manifest["metadata"]["ownerReferences"]
        assert owner == {
            "apiVersion": "argoproj.io/v1alpha1",
            "kind": "Rollout",
            "name": "web",
            "uid": "u-1",
            "controller": True,
            "blockOwnerDeletion": True,
        }
        assert owners(manifest) == (OWNER,)
        assert case.router.release(OWNER, {ref: manifest}) == (Remove(ref, "m-1"),)


def test_one_that_is_on_its_way_out_is_not_removed_again(case: Case) -> None:
    for ref, manifest in created(case).items():
        going = {**manifest, "metadata": {**manifest["metadata"], "deletionTimestamp": "2030-01-01T00:00:00Z"}}
        assert case.router.release(OWNER, {ref: going}) == ()


@pytest.mark.parametrize("whose", OWNED_BY_ANOTHER)
def test_an_object_of_that_name_that_somebody_else_keeps_is_told_and_not_touched(case: Case, whose: str) -> None:
    ref, manifest = next(iter(created(case).items()))
    theirs = owned_by(unmarked(manifest), OWNED_BY_ANOTHER[whose])
    answer = case.router.route(case.config, WHOSE, wanted(case), {**case.live, ref: theirs})
    assert answer.actions == () and f"`{ref.name}`" in str(answer.problem)
    assert case.router.release(OWNER, {ref: theirs}) == ()


def test_a_copy_under_another_name_and_an_object_that_took_another_owner_are_not_removed(case: Case) -> None:
    ref, manifest = next(iter(created(case).items()))
    copy = replace(ref, name="web-copy-canary")
    copied = {**owned_by(manifest, None), "metadata": {**owned_by(manifest, None)["metadata"], "name": copy.name}}
    assert case.router.release(OWNER, {copy: copied}) == ()
    for whose in ("another rollout", "a rollout of another group"):
        assert case.router.release(OWNER, {ref: owned_by(manifest, OWNED_BY_ANOTHER[whose])}) == ()
    assert case.router.release(Owner("other", "web"), {ref: manifest}) == ()


def test_one_whose_owner_was_taken_off_is_known_again_and_owned_anew(case: Case) -> None:
    orphaned = {ref: owned_by(manifest, None) for ref, manifest in created(case).items()}
    assert [action for ref in orphaned for action in case.router.release(OWNER, {ref: orphaned[ref]})] == [
        Remove(ref, "m-1") for ref in orphaned
    ]
    answer = case.router.route(case.config, WHOSE, wanted(case), {**case.live, **orphaned})
    names = {ref.name for ref in orphaned}
    again = [action.manifest for action in answer.actions if isinstance(action, Replace) and name_of(action.manifest) in names]
    assert [controller_uid(manifest) for manifest in again] == ["u-1"] * len(orphaned)


# ---- under the controller ----


def test_it_is_made_once_and_owned_by_the_living_rollout(case: Case) -> None:
    world = driven(case)
    found = lives(case, world)
    assert [controller_uid(found[ref] or {}) for ref in case.made] == [uid_of(world.rollout)] * len(case.made)
    made = [write for write in world.store.writes if write.startswith("create") and "ReplicaSet" not in write]
    assert made == [f"create {ref.resource.kind} {ref.name}" for ref in case.made]


def test_a_foreign_object_of_that_name_stops_the_traffic_and_is_never_written(case: Case) -> None:
    world = driven(case)
    ref = case.made[0]
    theirs = world.store.put(ref.resource, owned_by(unmarked(lives(case, world)[ref] or {}), None))
    world.press(pauseConditions=None).settle()
    assert lives(case, world)[ref] == theirs and "TrafficRoutingError" in world.reasons
    world.store.remove(ROLLOUTS, "shop", "web")
    run_through(world.controller.reconcile(Key("rollout", "shop", "web")))
    assert lives(case, world)[ref] == theirs


def test_killed_before_any_write_the_next_pass_makes_what_is_missing(case: Case) -> None:
    for cut in range(len(case.made)):
        world = driven(case)
        for ref in case.made:
            world.store.remove(ref.resource, ref.namespace, ref.name)
        seen: list[str] = []

        def die(write: str, seen: list[str] = seen, cut: int = cut) -> None:
            if len(seen) == cut:
                raise Killed
            seen.append(write)

        world.store.before_write = die
        with pytest.raises(Killed):
            world.one_pass()
        assert sum(found is not None for found in lives(case, world).values()) == len(case.objects) + cut
        world.store.before_write = lambda _: None
        assert weight_of(case, world.settle()) == 50 and all(lives(case, world).values())


def test_one_that_the_cache_has_not_seen_is_not_made_twice(case: Case) -> None:
    world = driven(case)
    before, mark = lives(case, world), len(world.store.writes)
    for kind in case.router.kinds:
        world.cache.relist(kind, [found for ref, found in before.items() if found and ref.resource == kind and ref not in case.made], "0")
    for ref in case.made:
        world.cache.drop(ref.resource, ref.namespace, ref.name)
    for _ in case.made:
        world.one_pass()
    world.settle()
    assert lives(case, world) == before and weight_of(case, world) == 50
    tried = [f"create {ref.resource.kind} {ref.name}" for ref in case.made]
    assert [write for write in world.store.writes[mark:] if "Rollout" not in write] == tried


def test_where_the_cache_tells_of_none_the_next_pass_comes_at_once(case: Case) -> None:
    world = driven(case)
    ref = case.made[0]
    world.one_pass()
    assert world.wake_at != world.clock.time
    world.store.remove(ref.resource, ref.namespace, ref.name)
    world.one_pass()
    assert world.wake_at == world.clock.time


def test_one_that_somebody_removes_is_made_again_and_not_fought_for_for_ever(case: Case) -> None:
    world = driven(case)
    ref = case.made[0]
    for _ in range(8):
        world.store.remove(ref.resource, ref.namespace, ref.name)
        world.one_pass()
    assert "TrafficContested" in world.reasons
    world.wait(11 * 60)
    assert weight_of(case, world) == 50


def test_weights_that_move_are_no_contest(case: Case) -> None:
    world = driven(case)
    for share in (10, 20, 30, 40):
        world.edit({"spec": {"strategy": {"canary": {"steps": [{"setWeight": share}, {"pause": {}}]}}}}).settle()
    assert "TrafficContested" not in world.reasons


def test_a_suspended_one_is_neither_written_nor_removed(case: Case) -> None:
    world = driven(case)
    ref = case.made[0]
    found = lives(case, world)[ref] or {}
    held = {**found["metadata"], "annotations": {**found["metadata"]["annotations"], SUSPEND: "true"}}
    before = world.store.put(ref.resource, {**found, "metadata": held})
    world.press(pauseConditions=None).settle()
    assert lives(case, world)[ref] == before
    world.store.remove(ROLLOUTS, "shop", "web")
    run_through(world.controller.reconcile(Key("rollout", "shop", "web")))
    assert lives(case, world)[ref] == before


REFUSALS = [Refused(403, "Forbidden", "no"), NotServed(404, "", "its definition is missing")]


@pytest.mark.parametrize("refusal", REFUSALS, ids=["forbidden", "not served"])
def test_where_it_cannot_be_made_the_rollout_says_so_and_goes_on_once_it_can(case: Case, refusal: Exception) -> None:
    world = driven(case)
    ref = case.made[0]
    world.store.remove(ref.resource, ref.namespace, ref.name)

    def refuse(write: str) -> None:
        if write == f"create {ref.resource.kind} {ref.name}":
            raise refusal

    world.store.before_write = refuse
    world.one_pass()
    assert "TrafficRoutingError" in world.reasons and lives(case, world)[ref] is None
    world.store.before_write = lambda _: None
    assert weight_of(case, world.settle()) == 50


def test_orphaned_with_a_rollout_that_goes_it_goes_too(case: Case) -> None:
    world = driven(case)
    for ref in case.made:
        world.store.put(ref.resource, owned_by(lives(case, world)[ref] or {}, None))
    world.store.remove(ROLLOUTS, "shop", "web")
    run_through(world.controller.reconcile(Key("rollout", "shop", "web")))
    assert not any(lives(case, world)[ref] for ref in case.made)


def test_orphaned_while_nobody_looked_it_is_owned_by_the_next_rollout_of_the_name(case: Case) -> None:
    world = driven(case)
    for ref in case.made:
        world.store.put(ref.resource, owned_by(lives(case, world)[ref] or {}, None))
    former = world.rollout
    world.store.remove(ROLLOUTS, "shop", "web")
    world.store.put(ROLLOUTS, {**former, "metadata": {**former["metadata"], "uid": "another"}})
    world.settle()
    found = [one for ref in case.made if (one := lives(case, world)[ref])]
    kept = 0 if case.passing else len(case.made)
    assert [controller_uid(one) for one in found] == ["another"] * kept
