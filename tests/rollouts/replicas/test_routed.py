"""The canary behind a router: contract 2.4–2.6, 2.13 and 9.2."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.rollouts.replicas.routed import (
    Threshold,
    abort_weight,
    at_desired,
    canary_count,
    canary_count_on_abort,
    pods_to_hold,
    reverse_weight,
    stable_at_desired,
    stable_count,
)
from tests.kit.tables import Row, table

WORKED = table("2.13", "R")


def numbers(text: str) -> list[int]:
    return [int(word) for word in re.findall(r"\d+", text)]


def test_every_row_of_the_table_is_read() -> None:
    assert len(WORKED) == 19


@pytest.mark.parametrize("row", WORKED, ids=lambda row: f"{row['R']}-{row['weight']}-{row['extra']}")
def test_counts_follow_the_worked_table(row: Row) -> None:
    """A weight is of 100 unless the row says of what; `any` weight is one that setCanaryScale makes no difference to."""
    replicas = int(row["R"])
    share, maximum = numbers(row["weight"]) if " of " in row["weight"] else (*(numbers(row["weight"]) or [50]), 100)
    said = {
        word: numbers(row["extra"])[0] for word in ("minPods", "setCanaryScale weight", "setCanaryScale replicas") if word in row["extra"]
    }
    minimum, explicit, scale = said.get("minPods", 0), said.get("setCanaryScale replicas"), said.get("setCanaryScale weight")
    counted = canary_count(replicas, share, maximum, explicit=explicit, scale_weight=scale, minimum=minimum)
    assert counted == numbers(row["canary"])[0]
    assert stable_count(replicas, share, maximum - share, maximum, dynamic=False, minimum=minimum) == int(row["stable (static)"])
    for column, left in (("stable (dynamic, in flight from 0 %)", maximum), ("stable (dynamic, settled)", maximum - share)):
        if row[column] and explicit is None:
            assert stable_count(replicas, share, left, maximum, dynamic=True, minimum=minimum) == int(row[column])


@pytest.mark.parametrize(("explicit", "scale_weight", "expected"), [(None, 200, 8), (9, None, 9), (0, None, 0), (9, 200, 9), (1, None, 1)])
def test_set_canary_scale_decides_alone(explicit: int | None, scale_weight: int | None, expected: int) -> None:
    assert canary_count(4, 50, 100, explicit=explicit, scale_weight=scale_weight, minimum=2) == expected


def test_the_floor_lifts_explicit_counts_only_under_dynamic_stable_scale() -> None:
    assert canary_count(4, 50, 100, explicit=1, minimum=2, dynamic=True) == 2
    assert canary_count(4, 50, 100, explicit=0, minimum=2, dynamic=True) == 0


def test_an_aborted_canary_keeps_the_pods_its_traffic_needs() -> None:
    assert canary_count_on_abort(0, 4, 75, 100) == 3
    assert canary_count_on_abort(4, 4, 25, 100) == 4


def test_the_way_back_stops_at_the_last_step_that_stable_can_stand() -> None:
    assert reverse_weight((25, 50, 75), 4, 100, pods=3) == 50
    assert reverse_weight((25, 50, 75), 4, 100, pods=1) == 0
    assert reverse_weight((), 4, 100, pods=3) == 0


def test_pods_are_held_by_need_alone_only_with_an_explicit_delay() -> None:
    assert pods_to_hold(4, stable_available=3, canary_available=3, delayed=True) == 1
    assert pods_to_hold(4, stable_available=3, canary_available=3, delayed=False) == 3


@pytest.mark.parametrize(
    ("available", "desired", "current", "expected"),
    [
        (4, 0, 75, 0),
        (1, 0, 75, 75),
        (2, 0, 75, 50),
        (2, 25, 75, 75),
        (3, 25, 75, 25),
        (1, 50, None, 75),
        (4, 50, None, 50),
        (4, 100, 60, 60),
    ],
)
def test_an_abort_moves_traffic_as_stable_grows(available: int, desired: int, current: int | None, expected: int) -> None:
    assert abort_weight(replicas=4, maximum=100, stable_available=available, desired=desired, current=current) == expected


def test_an_abort_without_replicas_does_not_divide_by_zero() -> None:
    assert abort_weight(replicas=0, maximum=100, stable_available=0, desired=10, current=10) == 0


@given(st.integers(1, 20), st.integers(0, 25), st.integers(0, 100), st.integers(0, 100))
@settings(derandomize=True, deadline=None)
def test_an_abort_never_raises_the_weight(replicas: int, available: int, desired: int, current: int) -> None:
    assert 0 <= abort_weight(replicas=replicas, maximum=100, stable_available=available, desired=desired, current=current) <= current


@pytest.mark.parametrize(
    ("available", "spec", "target", "threshold", "expected"),
    [
        (4, 4, 4, None, True),
        (3, 4, 4, None, False),
        (4, 5, 4, None, False),
        (4, 4, 4, Threshold("Percent", -1), True),
        (3, 4, 4, Threshold("Percent", 75), True),
        (2, 4, 4, Threshold("Percent", 75), False),
        (0, 0, 0, Threshold("Percent", 75), True),
        (2, 4, 4, Threshold("Pods", 2), True),
        (1, 4, 4, Threshold("Pods", 2), False),
        (0, 4, 4, Threshold("Percent", 0), True),
    ],
)
def test_a_threshold_can_be_met_before_every_pod_is_there(
    available: int, spec: int, target: int, threshold: Threshold | None, expected: bool
) -> None:
    assert at_desired(available, spec, target, threshold) is expected


def test_stable_pods_must_exist_but_not_be_available() -> None:
    assert stable_at_desired(4, 4, 4)
    assert not stable_at_desired(4, 3, 4)
