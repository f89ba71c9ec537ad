"""The basic canary: every row of contract 2.12, and what must hold for every other case."""

from itertools import pairwise, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.rollouts.replicas.basic import Size, next_sizes, targets
from reconciler.rollouts.replicas.surge import bounds

Pair = tuple[int, int]
Amount = int | str


def walk(replicas: int, weight: int, limits: Pair, start: Pair) -> list[Pair]:
    """The (stable, canary) counts, pass by pass: stable is written first and ends the pass, pods are available at once."""
    surge, unavailable = limits
    canary_target, stable_target = targets(replicas, weight, 100, surge)
    path = [start]
    while len(path) < 200:
        stable, canary = path[-1]
        wanted_canary, wanted_stable = next_sizes(
            replicas=replicas,
            target_canary=canary_target,
            target_stable=stable_target,
            surge=surge,
            unavailable=unavailable,
            canary=Size(canary, canary),
            stable=Size(stable, stable),
            others=(),
        )
        if wanted_stable != stable:
            path.append((wanted_stable, canary))
        elif wanted_canary != canary:
            path.append((stable, wanted_canary))
        else:
            return path
    raise AssertionError(f"never comes to rest: {path}")


def parsed(path: str) -> list[Pair]:
    return [(int(stable), int(canary)) for stable, canary in (pair.split("/") for pair in path.split(" > "))]


ROWS: list[tuple[int, int, Amount, Amount, str]] = [
    (1, 20, "25%", "25%", "1/0 > 1/1"),
    (1, 50, 0, 1, "1/0 > 0/0 > 0/1"),
    (1, 49, 0, 1, "1/0"),
    (1, 20, 1, 0, "1/0 > 1/1"),
    (2, 50, "25%", "25%", "2/0 > 2/1 > 1/1"),
    (2, 1, 1, 0, "2/0 > 2/1"),
    (3, 33, "25%", "25%", "3/0 > 3/1 > 2/1"),
    (3, 50, 1, 0, "3/0 > 3/1 > 2/1 > 2/2"),
    (4, 25, "25%", "25%", "4/0 > 3/0 > 3/1"),
    (4, 25, 1, 0, "4/0 > 4/1 > 3/1"),
    (4, 50, 2, 0, "4/0 > 4/2 > 2/2"),
    (4, 100, 1, 0, "4/0 > 4/1 > 3/1 > 3/2 > 2/2 > 2/3 > 1/3 > 1/4 > 0/4"),
    (4, 100, "100%", 0, "4/0 > 4/4 > 0/4"),
    (5, 20, "25%", "25%", "5/0 > 4/0 > 4/1"),
    (5, 10, "25%", "25%", "5/0 > 5/1"),
    (7, 33, 1, 1, "7/0 > 6/0 > 6/2 > 5/2"),
    (10, 10, 1, 0, "10/0 > 10/1 > 9/1"),
    (10, 10, 0, 1, "10/0 > 9/0 > 9/1"),
    (10, 1, 0, 1, "10/0 > 9/0 > 9/1"),
    (10, 5, 0, 1, "10/0 > 9/0 > 9/1"),
    (10, 25, 1, 0, "10/0 > 10/1 > 9/1 > 9/2 > 8/2 > 8/3"),
    (10, 25, "25%", "25%", "10/0 > 8/0 > 8/3"),
    (10, 20, "20%", 0, "10/0 > 10/2 > 8/2"),
    (10, 30, 3, 0, "10/0 > 10/3 > 7/3"),
    (10, 30, 0, 5, "10/0 > 7/0 > 7/3"),
    (10, 50, 2, 1, "10/0 > 9/0 > 9/3 > 6/3 > 6/5 > 5/5"),
    (10, 100, "25%", "25%", "10/0 > 8/0 > 8/5 > 3/5 > 3/10 > 0/10"),
    (10, 100, 1, 1, "10/0 > 9/0 > 9/2 > 7/2 > 7/4 > 5/4 > 5/6 > 3/6 > 3/8 > 1/8 > 1/10 > 0/10"),
    (100, 1, "25%", "25%", "100/0 > 99/0 > 99/1"),
    (10, 0, "25%", "25%", "10/0"),
    (10, 0, 1, 0, "10/0"),
]
FURTHER: list[tuple[int, int, Amount, Amount, str]] = [
    (10, 10, 3, 2, "10/0 > 9/0 > 9/1"),
    (10, 50, 3, 2, "9/1 > 7/1 > 7/5 > 5/5"),
    (10, 100, 3, 2, "5/5 > 3/5 > 3/10 > 0/10"),
    (10, 50, 1, 0, "9/1 > 9/2 > 8/2 > 8/3 > 7/3 > 7/4 > 6/4 > 6/5 > 5/5"),
    (5, 10, 1, 1, "5/0 > 5/1"),
    (5, 50, 1, 1, "5/1 > 3/1 > 3/3"),
    (5, 100, 1, 1, "3/3 > 1/3 > 1/5 > 0/5"),
    (4, 0, 1, 0, "0/4 > 1/4 > 1/3 > 2/3 > 2/2 > 3/2 > 3/1 > 4/1 > 4/0"),
    (4, 0, "25%", "25%", "2/2 > 3/2 > 3/0 > 4/0"),
    (10, 0, 1, 1, "5/5 > 6/5 > 6/3 > 8/3 > 8/1 > 10/1 > 10/0"),
    (10, 0, "25%", "25%", "0/10 > 3/10 > 3/5 > 8/5 > 8/0 > 10/0"),
    (3, 0, 2, 0, "0/3 > 2/3 > 2/1 > 3/1 > 3/0"),
]


@pytest.mark.parametrize(("replicas", "weight", "surge", "unavailable", "path"), ROWS + FURTHER)
def test_pods_move_as_in_the_worked_tables(replicas: int, weight: int, surge: Amount, unavailable: Amount, path: str) -> None:
    expected = parsed(path)
    assert walk(replicas, weight, bounds(surge, unavailable, replicas), expected[0]) == expected


def test_ninety_nine_percent_without_surge_moves_one_pod_at_a_time() -> None:
    path = walk(10, 99, (0, 1), (10, 0))
    assert path[:4] == [(10, 0), (9, 0), (9, 1), (8, 1)]
    assert path[-1] == (1, 9)
    assert all(abs(a - c) + abs(b - d) == 1 for (a, b), (c, d) in pairwise(path))


def test_ninety_nine_percent_with_surge_keeps_one_stable_pod() -> None:
    path = walk(10, 99, (1, 0), (10, 0))
    assert path[:4] == [(10, 0), (10, 1), (9, 1), (9, 2)]
    assert path[-2:] == [(1, 9), (1, 10)]


@pytest.mark.parametrize(
    ("demand", "limits", "sizes", "others", "expected"),
    [
        ((4, 100), (1, 0), (Size(4, 1), Size(0, 0)), (), (4, 1)),
        ((4, 100), (1, 0), (Size(4, 1), Size(1, 1)), (), (3, 1)),
        ((10, 100), (1, 0), (Size(10, 2), Size(10, 8)), (), (2, 9)),
        ((10, 100), (1, 0), (Size(10, 0), Size(10, 8)), (), (1, 10)),
        ((10, 100), (1, 0), (Size(6, 6), Size(5, 8)), (), (5, 5)),
        ((10, 30), (1, 0), (Size(1, 1), Size(0, 0)), (Size(3, 3),), (7, 1)),
        ((10, 30), (0, 1), (Size(8, 6), Size(4, 2)), (Size(3, 3),), (8, 4)),
    ],
)
def test_missing_pods_hold_back_only_the_side_that_grows(
    demand: Pair, limits: Pair, sizes: tuple[Size, Size], others: tuple[Size, ...], expected: Pair
) -> None:
    replicas, weight = demand
    canary_target, stable_target = targets(replicas, weight, 100, limits[0])
    canary, stable = next_sizes(
        replicas=replicas,
        target_canary=canary_target,
        target_stable=stable_target,
        surge=limits[0],
        unavailable=limits[1],
        stable=sizes[0],
        canary=sizes[1],
        others=others,
    )
    assert (stable, canary) == expected


@pytest.mark.parametrize(
    ("replicas", "weight", "surge", "expected"),
    [
        (10, 14, 0, (1, 9)),
        (10, 15, 0, (2, 8)),
        (10, 18, 1, (2, 9)),
        (10, 19, 1, (2, 9)),
        (10, 20, 1, (2, 8)),
        (10, 23, 1, (2, 8)),
        (10, 24, 1, (3, 8)),
        (2, 99, 1, (2, 1)),
        (3, 10, 1, (1, 3)),
        (3, 49, 1, (2, 2)),
        (1, 1, 1, (1, 1)),
        (1, 100, 1, (1, 0)),
        (0, 50, 1, (0, 0)),
    ],
)
def test_targets_are_the_closest_fit(replicas: int, weight: int, surge: int, expected: Pair) -> None:
    assert targets(replicas, weight, 100, surge) == expected


def test_a_share_between_the_ends_has_a_pod_on_both_sides() -> None:
    for replicas, weight, surge in product(range(2, 16), range(1, 100), (0, 1)):
        canary, stable = targets(replicas, weight, 100, surge)
        assert min(canary, stable) >= 1
        assert replicas <= canary + stable <= replicas + surge


def test_a_tie_that_would_take_every_pod_leaves_one_stable() -> None:
    assert targets(2, 75, 100, 0) == (1, 1)


@st.composite
def situations(draw: st.DrawFn) -> tuple[int, int, Pair, Pair]:
    replicas = draw(st.integers(1, 40))
    surge, unavailable = draw(st.tuples(st.integers(0, 12), st.integers(0, 12)).filter(any))
    limits = (surge, min(unavailable, replicas))
    total = draw(st.integers(replicas - limits[1], replicas + surge))
    stable = draw(st.integers(0, total))
    return replicas, draw(st.integers(0, 100)), limits, (stable, total - stable)


@given(situations())
@settings(derandomize=True, deadline=None)
def test_passes_come_to_rest_at_the_target_within_the_bounds(situation: tuple[int, int, Pair, Pair]) -> None:
    replicas, weight, (surge, unavailable), start = situation
    path = walk(replicas, weight, (surge, unavailable), start)
    assert all(replicas - unavailable <= sum(pair) <= replicas + surge for pair in path)
    canary, stable = targets(replicas, weight, 100, surge)
    assert path[-1] == (stable, canary)
