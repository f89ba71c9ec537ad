"""Sums, extremes and quantiles of plain numbers."""

import math

from reconciler_sandbox.metrics.promql.values import exact_sum, largest, smallest


def test_small_numbers_survive_beside_large_ones() -> None:
    assert exact_sum([1.0, 1e100, 1.0, -1e100]) == 2.0


def test_infinities_stay_infinite_and_opposites_cancel_to_nan() -> None:
    assert exact_sum([1.0, math.inf, 2.0]) == math.inf
    assert math.isnan(exact_sum([math.inf, -math.inf]))


def test_nan_is_an_extreme_only_alone() -> None:
    assert smallest([math.nan, 3.0, 1.0]) == 1.0
    assert largest([1.0, math.nan, 3.0]) == 3.0
    assert math.isnan(largest([math.nan]))
