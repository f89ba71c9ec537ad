"""The comparison of a canary with its baseline: what it may conclude, and how rarely it is wrong however often one looks."""

import random
from itertools import permutations
from math import comb, exp, isfinite, sqrt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.verdict import Faults
from reconciler.analysis.statistics import MIXTURE, START, Counts, Window, advance, e_value, exceeds, shared

EFFECT = 1.5


def window(canary: tuple[float, float], baseline: tuple[float, float]) -> Window:
    return Window(Counts(*canary), Counts(*baseline))


def after(*windows: Window, effect: float = EFFECT) -> tuple[float, ...]:
    scores: tuple[float, ...] = START
    for one in windows:
        scores = advance(scores, one, effect)
    return scores


def expected_factors(canary: tuple[int, float], baseline: tuple[int, float], effect: float) -> list[float]:
    """The expectation of each product's factor over every outcome of one window, by counting all of them."""
    (n, p), (m, q) = canary, baseline
    sums = [0.0] * len(MIXTURE)
    for k in range(n + 1):
        for j in range(m + 1):
            chance = comb(n, k) * p**k * (1 - p) ** (n - k) * comb(m, j) * q**j * (1 - q) ** (m - j)
            for place, score in enumerate(advance(START, window((n, k), (m, j)), effect)):
                sums[place] += chance * exp(score)
    return sums


def test_nothing_is_claimed_before_the_first_window() -> None:
    assert e_value(START) == pytest.approx(1)
    assert sum(share for _, share in MIXTURE) == pytest.approx(1)
    assert all(multiple > 1 and share > 0 for multiple, share in MIXTURE)


@settings(deadline=None, max_examples=150)
@given(
    n=st.integers(1, 12),
    m=st.integers(1, 12),
    q=st.floats(0, 1),
    tolerated=st.floats(0, 1),
    effect=st.floats(1, 5),
)
def test_no_window_is_expected_to_speak_against_a_canary_that_is_tolerated(
    n: int, m: int, q: float, tolerated: float, effect: float
) -> None:
    """The composite null: any rate of the baseline, and any of the canary up to `effect` times that; rare or not."""
    p = min(1.0, tolerated * effect * q)
    assert all(value <= 1 + 1e-9 for value in expected_factors((n, p), (m, q), effect))


@pytest.mark.parametrize(("n", "m"), [(5, 60), (20, 20), (60, 5)])
def test_the_bound_is_nearly_met_where_errors_are_rare(n: int, m: int) -> None:
    """So it is the bound and not a rounding down that keeps it; a canary beyond `effect` is expected to be found."""
    assert all(0.999 < value <= 1 for value in expected_factors((n, EFFECT * 1e-4), (m, 1e-4), EFFECT))
    assert all(value > 1 for value in expected_factors((n, 4 * EFFECT * 1e-3), (m, 1e-3), EFFECT))


def false_failures(releases: int, weights: tuple[float, ...], times: float) -> float:
    """How many releases ever fail whose canary is `times` as bad, while weights and rates change between looks."""
    failed = 0
    for seed in range(releases):
        dice = random.Random(seed)
        scores: tuple[float, ...] = START
        for look in range(60):
            rate = dice.choice((0.001, 0.004, 0.02))
            n = round(1000 * weights[look % len(weights)])
            mine, others = Faults(dice, rate * times), Faults(dice, rate)
            scores = advance(scores, window((n, mine.among(n)), (1000 - n, others.among(1000 - n))), EFFECT)
            if exceeds(e_value(scores), 0.05):
                failed += 1
                break
    return failed / releases


@pytest.mark.parametrize("weights", [(0.05,), (0.5,), (0.05, 0.9, 0.2), (0.01, 0.99)])
def test_false_failures_stay_within_the_budget_at_sixty_looks_while_weights_and_rates_move(weights: tuple[float, ...]) -> None:
    releases = 300
    allowed = 0.05 + 3 * sqrt(0.05 * 0.95 / releases)
    assert false_failures(releases, weights, EFFECT) <= allowed
    assert false_failures(60, weights, 8 * EFFECT) > 0.9


@pytest.mark.parametrize(
    ("weight", "errors"),
    [(0.01, 2), (0.05, 3), (0.2, 5), (0.5, 12), (0.9, 78)],
)
def test_errors_beside_a_baseline_without_any_are_found(weight: float, errors: int) -> None:
    """So many errors of the canary are enough at this weight, and one less is not."""
    requests = 10_000

    def value(count: int) -> float:
        return e_value(after(window((requests * weight, count), (requests * (1 - weight), 0))))

    assert exceeds(value(errors), 0.01)
    assert not exceeds(value(errors - 1), 0.01)


def test_a_side_that_was_not_asked_compares_nothing() -> None:
    before = after(window((100, 3), (900, 4)))
    for empty in (window((0, 0), (500, 4)), window((500, 4), (0, 0)), window((0, 0), (0, 0))):
        assert advance(before, empty, EFFECT) == before


def test_windows_without_a_bad_request_say_nothing() -> None:
    assert e_value(after(*[window((500, 0), (500, 0))] * 50)) == pytest.approx(1)


def test_the_order_of_windows_does_not_matter_but_their_weights_do() -> None:
    windows = [window((50, 4), (950, 2)), window((500, 3), (500, 2)), window((900, 0), (100, 1))]
    values = [e_value(after(*order)) for order in permutations(windows)]
    assert values == pytest.approx([values[0]] * len(values))
    lumped = window((1450, 7), (1550, 5))
    assert e_value(after(lumped)) != pytest.approx(values[0], rel=0.1)


def test_a_canary_that_is_better_loses_evidence() -> None:
    assert e_value(after(window((500, 0), (500, 20)))) < 0.01


def test_more_is_tolerated_where_the_effect_is_larger() -> None:
    twice = window((10_000, 80), (10_000, 40))
    assert e_value(after(twice, effect=1.0)) > 100 > 1 > e_value(after(twice, effect=2.0))


def test_a_flood_of_errors_stays_a_number() -> None:
    value = e_value(after(window((1e9, 9e8), (1e9, 0))))
    assert isfinite(value) and exceeds(value, 1e-9)
    assert e_value(after(window((1e9, 0), (1e9, 9e8)))) == pytest.approx(0)


def test_several_metrics_share_one_budget() -> None:
    assert shared([]) == 1
    assert shared([150.0]) == 150
    assert not exceeds(shared([150.0, 1.0, 1.0]), 0.01)
    assert exceeds(shared([298.0, 1.0, 1.0]), 0.01)


@pytest.mark.parametrize(("value", "budget", "found"), [(100.0, 0.01, True), (99.9, 0.01, False), (20.0, 0.05, True), (1.0, 0.01, False)])
def test_a_smaller_budget_asks_for_more(value: float, budget: float, found: bool) -> None:
    assert exceeds(value, budget) is found
