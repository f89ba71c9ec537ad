"""maxSurge and maxUnavailable: contract 1.3 and 13.1."""

import pytest

from reconciler.kernel.errors import Terminal
from reconciler.rollouts.replicas.surge import bounds, resolve


@pytest.mark.parametrize(
    ("value", "replicas", "up", "down"),
    [
        (3, 10, 3, 3),
        ("3", 10, 1, 0),
        ("3%", 10, 1, 0),
        ("25", 10, 3, 2),
        (None, 10, 3, 2),
        ("100%", 4, 4, 4),
        ("0", 7, 0, 0),
        ("25%", 0, 0, 0),
    ],
)
def test_a_string_is_a_percentage_and_an_int_is_pods(value: int | str | None, replicas: int, up: int, down: int) -> None:
    assert (resolve(value, replicas, up=True), resolve(value, replicas, up=False)) == (up, down)


@pytest.mark.parametrize(
    ("surge", "unavailable", "replicas", "expected"),
    [
        (None, None, 10, (3, 2)),
        (None, None, 1, (1, 0)),
        (None, None, 0, (0, 0)),
        ("0%", "25%", 3, (0, 1)),
        (1, 0, 4, (1, 0)),
        (0, 5, 3, (0, 3)),
    ],
)
def test_a_canary_can_always_move(surge: int | str | None, unavailable: int | str | None, replicas: int, expected: tuple[int, int]) -> None:
    assert bounds(surge, unavailable, replicas) == expected


def test_what_is_no_percentage_is_named() -> None:
    with pytest.raises(Terminal, match="'many' is no percentage"):
        resolve("many", 3, up=True)
