"""The basic canary: every row of contract 2.12, read from there, and what must hold for every other case."""

import re
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.rollouts.replicas.basic import Size, next_sizes, targets
from reconciler.rollouts.replicas.surge import bounds
from tests.kit.rollouts import canary, pause, rollout, weight
from tests.kit.tables import Row, pairs, table
from tests.kit.world import deployed

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


Sizes = tuple[Size, Size, tuple[Size, ...]]


def pairs_in(text: str) -> list[Pair]:
    return [(int(stable), int(canary)) for stable, canary in re.findall(r"(\d+)/(\d+)", text)]


def amount(text: str) -> Amount:
    return text if text.endswith("%") else int(text)


def amounts(row: Row) -> list[tuple[Amount, Amount]]:
    """The limits of a row; `any` stands for whatever somebody writes."""
    if row["maxSurge"] == "any":
        return [("25%", "25%"), (1, 0), (0, 1), (3, 2)]
    return [(amount(row["maxSurge"]), amount(row["maxUnavail"]))]


def follows(path: list[Pair], row: Row) -> bool:
    """True when pods went as the row says; three dots leave out what is obvious."""
    told = row["trajectory from R/0"]
    if told == "unchanged":
        return path == [(int(row["R"]), 0)]
    begin, dots, end = told.partition("...")
    first, last = pairs_in(begin), pairs_in(end)
    first = first if first[0] == path[0] else [path[0], *first]
    return path == first if not dots else path[: len(first)] == first and path[-len(last) :] == last


WORKED = table("2.12", "#")
FOLLOW_ON = table("2.12", "Case")
MOVES = table("2.12", "R")
CLOSEST = pairs("2.12", "R,w,surge", "c/s")


def test_every_row_of_the_tables_is_read() -> None:
    assert [row["#"] for row in WORKED] == [str(number) for number in range(1, 33)]
    assert (len(FOLLOW_ON), len(MOVES), len(CLOSEST)) == (8, 5, 12)


@pytest.mark.parametrize("row", WORKED, ids=lambda row: row["#"])
def test_pods_move_as_in_the_worked_table(row: Row) -> None:
    replicas, weight = int(row["R"]), int(row["weight"])
    for surge, unavailable in amounts(row):
        limits = bounds(surge, unavailable, replicas)
        assert row["resolved S/U"] in ("-", f"{limits[0]}/{limits[1]}")
        path = walk(replicas, weight, limits, (replicas, 0))
        assert follows(path, row) and path[-1] == pairs_in(row["end stable/canary"])[0]


@pytest.mark.parametrize("row", WORKED, ids=lambda row: row["#"])
def test_a_rollout_moves_its_pods_as_in_the_worked_table(row: Row) -> None:
    replicas, share = int(row["R"]), int(row["weight"])
    for surge, unavailable in amounts(row):
        strategy = canary(weight(share), pause(), maxSurge=surge, maxUnavailable=unavailable)
        world = deployed(rollout(replicas=replicas, canary=strategy)).push("web:2").settle(500)
        assert follows(world.sizes, row), world.sizes


@pytest.mark.parametrize("row", FOLLOW_ON, ids=lambda row: row["Case"])
def test_pods_go_on_from_there_as_in_the_table(row: Row) -> None:
    said = re.match(r"(?:abort )?R(\d+) (?:S(\d+)/U(\d+)|(\d+%)/(\d+%))", row["Case"])
    assert said is not None
    replicas, surge, unavailable = int(said[1]), amount(said[2] or said[4]), amount(said[3] or said[5])
    weights = [0] if row["Case"].startswith("abort") else [int(word) for word in row["Case"].partition(", ")[2].split(" -> ")]
    paths = [pairs_in(path) for path in row["trajectory"].split(";")]
    for share, path in zip(weights[-len(paths) :], paths, strict=True):
        assert walk(replicas, share, bounds(surge, unavailable, replicas), path[0]) == path


def size(text: str) -> Size:
    """`4(1)` is 4 pods asked for and 1 available; `0` is none of either."""
    asked, available = (re.findall(r"\d+", text) * 2)[:2]
    return Size(int(asked), int(available))


@pytest.mark.parametrize("row", MOVES, ids=lambda row: row["result"])
def test_missing_pods_hold_back_only_the_side_that_grows(row: Row) -> None:
    limits = pairs_in(row["S/U"])[0]
    others = () if row["other RS"] == "-" else (size(row["other RS"]),)
    sides = (size(row["stable spec(avail)"]), size(row["canary spec(avail)"]), others)
    assert moved((int(row["R"]), int(row["w"])), limits, sides) == pairs_in(row["result"])[0]


@pytest.mark.parametrize(("sides", "expected"), [((Size(10, 0), Size(10, 8), ()), (1, 10)), ((Size(6, 6), Size(5, 8), ()), (5, 5))])
def test_more_available_pods_than_asked_for_count_no_more_than_those(sides: Sizes, expected: Pair) -> None:
    assert moved((10, 100), (1, 0), sides) == expected


def moved(demand: Pair, limits: Pair, sides: Sizes) -> Pair:
    """The (stable, canary) sizes after one move of both sides and of those that are neither."""
    replicas, share = demand
    target_canary, target_stable = targets(replicas, share, 100, limits[0])
    stable, canary_side, others = sides
    canary_size, stable_size = next_sizes(
        replicas=replicas,
        target_canary=target_canary,
        target_stable=target_stable,
        surge=limits[0],
        unavailable=limits[1],
        stable=stable,
        canary=canary_side,
        others=others,
    )
    return stable_size, canary_size


@pytest.mark.parametrize(("question", "answer"), CLOSEST)
def test_targets_are_the_closest_fit(question: str, answer: str) -> None:
    replicas, share, surge = (int(word) for word in question.split(","))
    assert [targets(replicas, share, 100, surge)] == pairs_in(answer)


def test_a_share_between_the_ends_has_a_pod_on_both_sides() -> None:
    for replicas, share, surge in product(range(2, 16), range(1, 100), (0, 1)):
        sides = targets(replicas, share, 100, surge)
        assert min(sides) >= 1 and replicas <= sum(sides) <= replicas + surge


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
