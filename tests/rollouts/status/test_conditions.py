"""When each condition is written, and when time is up (contract 3.5, 3.6, 13.28, 13.51)."""

from dataclasses import replace
from datetime import timedelta

from reconciler.rollouts.pods.replica_set import ReplicaSet
from reconciler.rollouts.status.conditions import (
    availability,
    deadline_applies,
    healthy,
    progressed,
    replica_failure,
    saturated,
    timed_out,
    without,
    written,
)
from reconciler.rollouts.status.model import BlueGreenStatus, Condition, PauseCondition, PauseReason, RolloutStatus
from tests.kit.passes import NOW, facts_of, moving, replica_set
from tests.kit.rollouts import canary, pause, rollout, weight
from tests.kit.store import merged

LATER = NOW + timedelta(hours=1)


def word(status: str = "True", reason: str = "A", message: str = "m", type: str = "Progressing") -> Condition:
    return Condition(type=type, status=status, reason=reason, message=message)


def test_the_same_status_and_reason_never_refresh_the_message() -> None:
    first = written((), word(), NOW)
    assert written(first, word(message="other"), LATER) == first


def test_a_written_condition_goes_to_the_end_and_keeps_its_transition() -> None:
    first = written(written((), word(), NOW), word(type="Paused"), NOW)
    moved = written(first, word(reason="B"), LATER)
    assert [c.type for c in moved] == ["Paused", "Progressing"]
    assert (moved[-1].updated, moved[-1].changed) == (LATER, NOW)
    assert written(moved, word(status="False"), LATER)[-1].changed == LATER
    assert without(moved, "Paused") == moved[1:]


def test_progress_is_rewritten_on_demand() -> None:
    assert written(written((), word(), NOW), word(), LATER, always=True)[-1].updated == LATER


FACTS = facts_of(
    rollout(image="image:new", canary=canary(weight(50), pause())),
    replica_set("new", 4),
    status={"stableRS": "new", "currentPodHash": "new", "observedGeneration": "1"},
)
WHOLE = RolloutStatus(current_hash="new", stable_hash="new", replicas=4, updated=4, available=4, step_index=2)


def test_healthy_is_everything_and_observed() -> None:
    assert healthy(FACTS, WHOLE)
    assert not healthy(FACTS, replace(WHOLE, step_index=1)) and not healthy(FACTS, replace(WHOLE, replicas=5))
    assert not healthy(replace(FACTS, status=replace(FACTS.status, observed_generation="0")), WHOLE)


def test_nothing_paused_is_healthy() -> None:
    paused = replace(FACTS.status, pauses=(PauseCondition(PauseReason.CANARY_STEP, NOW),))
    assert not healthy(replace(FACTS, status=paused), WHOLE)
    assert not healthy(replace(FACTS, spec=replace(FACTS.spec, paused=True)), WHOLE)


def test_a_blue_green_is_healthy_when_both_services_are_there() -> None:
    facts = facts_of(
        rollout(image="image:new", blue_green={"activeService": "a", "previewService": "p"}), status={"observedGeneration": "1"}
    )
    both = replace(WHOLE, blue_green=BlueGreenStatus(active_selector="new", preview_selector="new"))
    assert healthy(facts, both) and not healthy(facts, replace(both, blue_green=BlueGreenStatus(active_selector="new")))


def test_progress_is_any_step_forward() -> None:
    facts = replace(FACTS, status=WHOLE)
    assert not progressed(facts, WHOLE) and not progressed(facts, replace(WHOLE, available=3))
    for change in (
        {"updated": 3},
        {"available": 5},
        {"ready": 1},
        {"replicas": 3},
        {"step_index": 1},
        {"stable_hash": "x"},
        {"step_hash": "x"},
    ):
        assert progressed(facts, replace(WHOLE, **change)), change


def test_time_is_up_after_the_deadline_and_stays_up() -> None:
    fresh = written((), word(), NOW)
    assert not timed_out(FACTS, fresh, NOW + timedelta(seconds=600)) and timed_out(FACTS, fresh, NOW + timedelta(seconds=601))
    assert timed_out(FACTS, written((), word("False", "ProgressDeadlineExceeded"), NOW), NOW)
    assert not timed_out(FACTS, written((), word("False", "RolloutAborted"), NOW), LATER)
    assert not timed_out(FACTS, (), LATER)


def test_time_does_not_count_while_waiting_paused_or_winding_down() -> None:
    assert deadline_applies(FACTS, WHOLE, waiting=False) and not deadline_applies(FACTS, WHOLE, waiting=True)
    paused = replace(WHOLE, conditions=(word(type="Paused"),))
    assert not deadline_applies(FACTS, paused, waiting=False)
    old = replica_set("older", 4, age=10, deadline="2030-01-01T13:00:00Z")
    winding = facts_of(rollout(image="image:new", canary=canary()), replica_set("new", 4), old, status=moving(stableRS="new"))
    assert not deadline_applies(winding, WHOLE, waiting=False)
    leaving = merged(replica_set("older", 0, age=10), {"status": {"replicas": 4}})
    emptied = replica_set("older", 0, age=10)
    for others, applies in ((leaving, False), (emptied, True)):
        facts = facts_of(rollout(image="image:new", canary=canary()), replica_set("new", 4), others, status=moving(stableRS="new"))
        assert deadline_applies(facts, WHOLE, waiting=False) is applies


def test_availability_counts_all_pods_of_a_canary_and_the_active_ones_of_blue_green() -> None:
    assert availability(FACTS, WHOLE).status == "True"
    green = facts_of(rollout(image="image:new", blue_green={"activeService": "a"}), replica_set("new", 4), replica_set("old", 4, 1, age=9))
    for active, expected in (("new", "True"), ("old", "False"), ("", "False")):
        assert availability(green, replace(WHOLE, blue_green=BlueGreenStatus(active_selector=active))).status == expected


def test_saturated_means_asked_noted_and_available() -> None:
    assert saturated(ReplicaSet(replica_set("a", 4)), 4)
    assert not saturated(ReplicaSet(replica_set("a", 4, 3)), 4) and not saturated(ReplicaSet(replica_set("a", 5)), 5)


def test_a_replica_sets_failure_is_passed_on() -> None:
    failing = merged(
        replica_set("a", 4), {"status": {"conditions": [{"type": "ReplicaFailure", "status": "True", "reason": "R", "message": "M"}]}}
    )
    found = replica_failure([ReplicaSet(failing)], None)
    assert found is not None and (found.reason, found.message) == ("R", "M")
    assert replica_failure([ReplicaSet(replica_set("a", 4))], None) is None
