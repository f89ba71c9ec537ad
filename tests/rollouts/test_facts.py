"""Which ReplicaSet is new, which is stable, which are neither (contract 0.1, 10.2)."""

from tests.kit.passes import facts_of, moving, replica_set
from tests.kit.rollouts import canary, rollout, weight


def test_the_new_one_has_the_wanted_template_and_the_stable_one_the_noted_hash() -> None:
    facts = facts_of(rollout(image="image:new", canary=canary()), replica_set("old", 4, age=9), replica_set("new", 0), status=moving())
    assert facts.new is not None and facts.stable is not None
    assert (facts.new.hash, facts.stable.hash, facts.others, facts.moving) == ("new", "old", (), True)


def test_the_label_of_what_was_found_wins_over_the_computed_hash() -> None:
    facts = facts_of(rollout(image="image:new", canary=canary()), replica_set("new", 0))
    assert facts.new_hash == "new" != facts.hash


def test_without_it_the_hash_is_computed() -> None:
    facts = facts_of(rollout(image="image:new", canary=canary()))
    assert facts.new is None and facts.new_hash == facts.hash != ""


def test_others_come_oldest_first() -> None:
    sets = (replica_set("b", 0, age=5), replica_set("a", 0, age=9), replica_set("new", 1))
    assert [r.hash for r in facts_of(rollout(image="image:new", canary=canary()), *sets).others] == ["a", "b"]


def test_one_version_is_not_moving() -> None:
    assert not facts_of(rollout(image="image:new", canary=canary()), replica_set("new", 1), status=moving(stableRS="new")).moving


def test_steps_have_a_hash_and_blue_green_has_none() -> None:
    pausing = canary(weight(20), {"pause": {}})
    assert facts_of(rollout(canary=pausing)).step_hash == "54649b9f5c"
    assert facts_of(rollout(canary=canary())).step_hash == "5ffbfbbd64"
    assert facts_of(rollout(blue_green={"activeService": "a"})).step_hash == ""
