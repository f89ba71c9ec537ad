"""histogram_quantile, worked out by hand."""

import math

import pytest

from tests.kit.promql import MINUTE, ask, filled, same

# 10 below 1, 10 in (1, 2], 20 in (2, 4], none above.
LATENCY = {'h_bucket{le="1"}': "10", 'h_bucket{le="2"}': "20", 'h_bucket{le="4"}': "40", 'h_bucket{le="+Inf"}': "40"}


@pytest.mark.parametrize(
    ("fraction", "expected"),
    [
        ("0.25", 1.0),
        ("0.125", 0.5),
        ("0.5", 2.0),
        ("0.75", 3.0),
        ("1", 4.0),
        ("0", 0.0),
        ("-1", -math.inf),
        ("2", math.inf),
        ("NaN", math.nan),
    ],
)
def test_quantiles_interpolate_inside_a_bucket(fraction: str, expected: float) -> None:
    assert same(ask(filled(LATENCY), f"histogram_quantile({fraction}, h_bucket)"), {"{}": expected})


def test_above_the_last_finite_bound_nothing_is_known() -> None:
    slow = {**LATENCY, 'h_bucket{le="+Inf"}': "100"}
    assert same(ask(filled(slow), "histogram_quantile(0.9, h_bucket)"), {"{}": 4.0})


def test_without_observations_or_without_the_last_bucket_there_is_no_quantile() -> None:
    empty = dict.fromkeys(LATENCY, "0")
    assert same(ask(filled(empty), "histogram_quantile(0.9, h_bucket)"), {"{}": math.nan})
    unbounded = {series: value for series, value in LATENCY.items() if "Inf" not in series}
    assert same(ask(filled(unbounded), "histogram_quantile(0.9, h_bucket)"), {"{}": math.nan})
    assert ask(filled({}), "histogram_quantile(0.9, h_bucket)") == {}


def test_rates_by_le_keep_their_groups() -> None:
    rising = {series.replace("}", ',app="a"}'): f"0 {value}" for series, value in LATENCY.items()}
    query = "histogram_quantile(0.5, sum by (le, app) (rate(h_bucket[5m])))"
    assert same(ask(filled(rising), query, MINUTE), {'{app="a"}': 2.0})


def test_counts_that_fall_between_buckets_are_raised() -> None:
    torn = {**LATENCY, 'h_bucket{le="2"}': "9"}
    assert same(ask(filled(torn), "histogram_quantile(0.25, h_bucket)"), {"{}": 1.0})
