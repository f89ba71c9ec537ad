"""Limits, policies and windows around a recommendation."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from reconciler_sandbox.controllers.stabilization import Bounds, Dated, Memory, allowed, begun, scaled

NOW = datetime(2026, 1, 1, 12, 0, 0, tzinfo=UTC)
Json = dict[str, Any]


def rules(select: str = "Max", window: int | None = 0, **policies: tuple[int, int]) -> Json:
    """`Pods=(4, 15)`: four pods in 15 seconds."""
    listed = [{"type": kind, "value": value, "periodSeconds": period} for kind, (value, period) in policies.items()]
    return {"selectPolicy": select, "policies": listed} | ({} if window is None else {"stabilizationWindowSeconds": window})


UP, DOWN = rules(Pods=(4, 15), Percent=(100, 15)), rules(Percent=(100, 15))


def bounds(current: int, *, least: int = 1, most: int = 100, up: Json | None = None, down: Json | None = None) -> Bounds:
    behavior = {"scaleUp": up or UP, "scaleDown": down or DOWN} if up or down else {}
    return Bounds(current, least, most, behavior, 300)


def before(seconds: float, replicas: int) -> Dated:
    return Dated(replicas, NOW - timedelta(seconds=seconds))


@pytest.mark.parametrize(
    ("current", "wanted", "most", "replicas", "reason"),
    [
        (2, 3, 10, 3, "DesiredWithinRange"),
        (1, 9, 10, 4, "ScaleUpLimit"),
        (3, 9, 10, 6, "ScaleUpLimit"),
        (8, 12, 10, 10, "TooManyReplicas"),
        (3, 0, 10, 1, "TooFewReplicas"),
    ],
)
def test_without_a_behavior_it_at_most_doubles(current: int, wanted: int, most: int, replicas: int, reason: str) -> None:
    verdict = allowed(bounds(current, most=most), wanted, Memory(), NOW)
    assert (verdict.replicas, verdict.limit[0], verdict.limited) == (replicas, reason, replicas != wanted)


def test_without_a_behavior_the_highest_of_five_minutes_holds_it_up() -> None:
    held = allowed(bounds(5), 2, Memory(recommended=(before(299, 5), before(100, 4))), NOW)
    assert (held.replicas, held.able[0]) == (5, "ScaleDownStabilized")
    let_go = allowed(bounds(5), 2, Memory(recommended=(before(301, 5), before(100, 4))), NOW)
    assert (let_go.replicas, let_go.memory.recommended) == (4, (before(100, 4), Dated(2, NOW)))


def test_what_is_found_at_first_counts_as_recommended() -> None:
    memory = begun(Memory(), 7, NOW)
    assert memory.recommended == (Dated(7, NOW),) and begun(memory, 9, NOW) == memory
    assert allowed(bounds(7), 2, memory, NOW + timedelta(seconds=1)).replicas == 7


def test_growing_waits_until_the_lowest_of_its_window_agrees() -> None:
    slow = bounds(2, up=rules(window=60, Pods=(10, 15)))
    held = allowed(slow, 8, Memory(recommended=(before(59, 3),)), NOW)
    assert (held.replicas, held.able[0]) == (3, "ScaleUpStabilized")
    assert allowed(slow, 8, Memory(recommended=(before(61, 3),)), NOW).replicas == 8
    assert allowed(slow, 8, Memory(recommended=(before(30, 1),)), NOW).replicas == 2, "held up, it does not shrink"


def test_shrinking_waits_until_the_highest_of_its_window_agrees() -> None:
    slow = bounds(8, down=rules(window=60, Percent=(100, 15)))
    assert allowed(slow, 2, Memory(recommended=(before(59, 5),)), NOW).replicas == 5
    assert allowed(slow, 2, Memory(recommended=(before(61, 5),)), NOW).replicas == 2
    assert allowed(slow, 2, Memory(recommended=(before(5, 20),)), NOW).replicas == 8, "held back, it does not grow"
    unset = bounds(8, down=rules(window=None, Percent=(100, 15)))
    assert allowed(unset, 2, Memory(recommended=(before(299, 8),)), NOW).replicas == 8, "without a word: five minutes"


@pytest.mark.parametrize(
    ("select", "replicas"),
    [("Max", 6), ("Min", 4), ("Disabled", 2)],
)
def test_policies_limit_growth(select: str, replicas: int) -> None:
    verdict = allowed(bounds(2, up=rules(select, Pods=(4, 15), Percent=(100, 15))), 50, Memory(), NOW)
    assert (verdict.replicas, verdict.limit[0]) == (replicas, "ScaleUpLimit")


@pytest.mark.parametrize(
    ("select", "replicas"),
    [("Max", 5), ("Min", 8), ("Disabled", 10)],
)
def test_policies_limit_shrinking(select: str, replicas: int) -> None:
    verdict = allowed(bounds(10, down=rules(select, Pods=(2, 15), Percent=(50, 15))), 1, Memory(), NOW)
    assert (verdict.replicas, verdict.limit[0]) == (replicas, "ScaleDownLimit")


def test_what_was_added_in_a_period_counts_against_it() -> None:
    behavior = {"scaleUp": rules(Pods=(4, 60)), "scaleDown": DOWN}
    memory = scaled(Memory(), behavior, 2, 5, NOW - timedelta(seconds=30))
    assert allowed(bounds(5, up=behavior["scaleUp"]), 50, memory, NOW).replicas == 6
    assert allowed(bounds(5, up=behavior["scaleUp"]), 50, memory, NOW + timedelta(seconds=31)).replicas == 9
    assert scaled(Memory(), {}, 2, 5, NOW) == Memory(), "without a behavior nobody asks"


def test_what_was_removed_in_a_period_counts_against_it() -> None:
    behavior = {"scaleUp": UP, "scaleDown": rules(Pods=(3, 60))}
    memory = scaled(Memory(), behavior, 10, 8, NOW - timedelta(seconds=30))
    assert allowed(bounds(8, down=behavior["scaleDown"]), 1, memory, NOW).replicas == 7
    much = scaled(memory, behavior, 8, 3, NOW - timedelta(seconds=20))
    assert allowed(bounds(3, down=behavior["scaleDown"]), 1, much, NOW).replicas == 3, "what was too much is not given back"


def test_the_ends_of_the_range_hold_with_policies_too() -> None:
    assert allowed(bounds(4, most=5, up=UP), 9, Memory(), NOW).limit[0] == "TooManyReplicas"
    assert allowed(bounds(4, least=3, down=DOWN), 1, Memory(), NOW).limit[0] == "TooFewReplicas"
    assert allowed(bounds(4, up=UP), 4, Memory(), NOW).limit[0] == "DesiredWithinRange"


def test_what_went_the_other_way_in_a_period_is_given_back() -> None:
    behavior = {"scaleUp": rules(Pods=(4, 60)), "scaleDown": rules(Pods=(2, 60))}
    fewer = scaled(Memory(), behavior, 5, 2, NOW - timedelta(seconds=10))
    assert allowed(bounds(2, up=behavior["scaleUp"]), 50, fewer, NOW).replicas == 9
    more = scaled(Memory(), behavior, 6, 10, NOW - timedelta(seconds=10))
    assert allowed(bounds(10, down=behavior["scaleDown"]), 1, more, NOW).replicas == 4


def test_growth_that_was_too_fast_is_not_taken_back() -> None:
    behavior = {"scaleUp": rules(Pods=(4, 60)), "scaleDown": DOWN}
    memory = scaled(Memory(), behavior, 2, 12, NOW - timedelta(seconds=10))
    assert allowed(bounds(12, up=behavior["scaleUp"]), 50, memory, NOW).replicas == 12
