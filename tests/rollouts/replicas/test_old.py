"""Older ReplicaSets: contract 2.8–2.10 and 13.31."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from reconciler.kernel.moment import parse_moment
from reconciler.rollouts.replicas.old import Old, OldTerms, budget, delay, scale_down_basic, scale_down_bluegreen, scale_down_routed, trim

NOW = datetime(2025, 1, 1, 12, 0, 0, tzinfo=UTC)
FUTURE, PAST = "2025-01-01T12:00:20Z", "2025-01-01T11:59:59Z"
FORMER = Old("app-1", "h1", 4, 4, revision=1)
NEWER = Old("app-2", "h2", 3, 3, revision=2)
DELAYED = OldTerms(seconds=30, promoted=True)


def sizes(decisions: tuple[object, ...]) -> dict[str, int]:
    return {decision.old.name: decision.replicas for decision in decisions}  # type: ignore[attr-defined]


def test_pods_that_never_came_up_are_given_back_first() -> None:
    assert sizes(trim([FORMER, replace(NEWER, available=1)])) == {"app-2": 1}


def test_a_trim_to_nothing_takes_the_deadline_along() -> None:
    (decision,) = trim([replace(FORMER, available=0, deadline=FUTURE)])
    assert (decision.replicas, decision.deadline, decision.changed) == (0, "", True)


def test_basic_shrinks_the_newest_first_within_the_budget() -> None:
    assert sizes(scale_down_basic([FORMER, NEWER], 4)) == {"app-2": 0, "app-1": 3}
    assert sizes(scale_down_basic([FORMER, NEWER], 0)) == {"app-2": 3, "app-1": 4}
    assert sizes(scale_down_basic([FORMER, NEWER], -2)) == {"app-2": 3, "app-1": 4}


def test_the_budget_is_what_is_available_above_the_minimum() -> None:
    assert budget(12, 10, 2) == 4


def test_an_intermediate_revision_goes_at_once() -> None:
    decisions = scale_down_routed([NEWER], 5, OldTerms(seconds=30), NOW)
    assert sizes(decisions) == {"app-2": 0}


def test_what_leaves_is_taken_from_the_budget() -> None:
    assert sizes(scale_down_routed([FORMER, NEWER], 3, OldTerms(seconds=30), NOW)) == {"app-2": 0, "app-1": 4}


def test_a_referenced_replica_set_stays() -> None:
    decisions = scale_down_routed([NEWER], 5, OldTerms(seconds=30, referenced=frozenset({"h2"})), NOW)
    assert not decisions[0].changed


def test_a_former_stable_waits_before_it_leaves() -> None:
    (decision,) = scale_down_routed([FORMER], 5, DELAYED, NOW)
    assert (decision.replicas, decision.deadline, decision.wake_at) == (4, "2025-01-01T12:00:30Z", NOW + timedelta(seconds=30))


def test_a_former_stable_leaves_at_once_when_stable_scales_dynamically() -> None:
    assert sizes(scale_down_routed([FORMER], 5, replace(DELAYED, dynamic=True), NOW)) == {"app-1": 0}


def test_a_running_deadline_is_kept_and_looked_at_again() -> None:
    (decision,) = scale_down_routed([replace(FORMER, deadline=FUTURE)], 5, OldTerms(seconds=30), NOW)
    assert not decision.changed
    assert decision.wake_at == parse_moment(FUTURE)


def test_a_deadline_that_passed_or_makes_no_sense_empties() -> None:
    for deadline in (PAST, "soon"):
        decision = delay(replace(FORMER, deadline=deadline), 0, DELAYED, NOW)
        assert (decision.replicas, decision.deadline) == (0, "")


def test_nothing_leaves_without_a_budget() -> None:
    assert not any(decision.changed for decision in scale_down_routed([FORMER], 0, DELAYED, NOW))


def test_beyond_the_revision_limit_nobody_waits() -> None:
    decisions = scale_down_routed([FORMER, NEWER], 9, replace(DELAYED, limit=1), NOW)
    assert sizes(decisions) == {"app-2": 3, "app-1": 0}
    waiting = [replace(FORMER, deadline=FUTURE), replace(NEWER, deadline=FUTURE)]
    assert sizes(scale_down_bluegreen(waiting, replace(DELAYED, limit=1), NOW)) == {"app-2": 3, "app-1": 0}


def test_an_explicit_delay_of_zero_means_at_once() -> None:
    assert delay(FORMER, 0, OldTerms(seconds=0, promoted=True), NOW).replicas == 0


def test_blue_green_keeps_all_replicas_while_waiting() -> None:
    terms = OldTerms(seconds=30, keep=5)
    assert scale_down_bluegreen([FORMER], terms, NOW)[0].replicas == 4
    assert scale_down_bluegreen([replace(FORMER, deadline=FUTURE)], terms, NOW)[0].replicas == 5


def test_blue_green_leaves_the_referenced_alone() -> None:
    assert scale_down_bluegreen([FORMER], OldTerms(seconds=30, referenced=frozenset({"h1"})), NOW) == ()


def test_an_empty_replica_set_is_left_in_peace() -> None:
    assert not delay(replace(FORMER, spec=0, available=0), 0, DELAYED, NOW).changed


def test_a_second_look_at_the_same_instant_changes_nothing() -> None:
    (first,) = scale_down_routed([FORMER], 5, DELAYED, NOW)
    again = scale_down_routed([replace(FORMER, spec=first.replicas, deadline=first.deadline)], 5, DELAYED, NOW)
    assert not again[0].changed
