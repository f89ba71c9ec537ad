"""rate and its kin, with values worked out by hand from Prometheus's extrapolation rule."""

import math

import pytest

from tests.kit.promql import MINUTE, ask, filled, same

SECOND = 1000


def test_rate_of_a_steady_counter_is_its_slope() -> None:
    steady = filled({"c": "0 60 120 180 240 300"})
    assert same(ask(steady, "rate(c[5m])", 5 * MINUTE), {"{}": 1.0})


def test_a_window_is_open_on_the_left() -> None:
    # (0, 5m]: the sample at 0 is outside, so the first is at 1m and 1m before it is extrapolated whole.
    steady = filled({"c": "1000 1060 1120 1180 1240 1300"})
    assert same(ask(steady, "count_over_time(c[5m])", 5 * MINUTE), {"{}": 5})
    assert same(ask(steady, "increase(c[5m])", 5 * MINUTE), {"{}": 300})


def test_a_counter_reset_starts_from_zero() -> None:
    # 100 → 40 is a reset: 50 up, reset, 40, then 20. Change = 60 - 50 + 100 = 110 over 3 minutes of samples.
    reset = filled({"c": "_ 50 100 40 60"})
    # Window (0, 4m]: first sample at 1m is 1m after the edge (< 1.1 × 1m), but 50/110 × 3m = 1.3636m is not nearer; last at the edge.
    assert same(ask(reset, "increase(c[4m])", 4 * MINUTE), {"{}": 110 * (180 + 60) / 180})


def test_extrapolation_never_goes_below_zero() -> None:
    # 10 → 70 in 1 m: zero was 10 s before the first sample, although the edge is 59.999 s away.
    young = filled({"c": "_ 10 70"})
    assert same(ask(young, "increase(c[119999ms])", 2 * MINUTE), {"{}": 60 * (60 + 10) / 60})


def test_a_gap_at_the_edge_is_extended_by_half_an_interval() -> None:
    # Samples at 5 m and 6 m in a window (0, 10m]: both edges are further than 1.1 m, each adds 30 s.
    lonely = filled({"c": "_ _ _ _ _ 1000 1060"})
    assert same(ask(lonely, "increase(c[10m])", 10 * MINUTE), {"{}": 60 * (60 + 30 + 30) / 60})
    assert same(ask(lonely, "rate(c[10m])", 10 * MINUTE), {"{}": 120 / 600})


def test_delta_may_fall() -> None:
    gauge = filled({"g": "100 80 60"})
    assert same(ask(gauge, "delta(g[2m])", 2 * MINUTE), {"{}": -20 * (60 + 60) / 60})


def test_irate_uses_the_last_two_samples() -> None:
    jump = filled({"c": "0 10 30 90"}, every=10 * SECOND)
    assert same(ask(jump, "irate(c[1m])", 30 * SECOND), {"{}": 6.0})
    reset = filled({"c": "0 10 30 20"}, every=10 * SECOND)
    assert same(ask(reset, "irate(c[1m])", 30 * SECOND), {"{}": 2.0})


@pytest.mark.parametrize("function", ["rate", "irate", "increase", "delta"])
def test_one_sample_is_no_change(function: str) -> None:
    assert ask(filled({"c": "5"}), f"{function}(c[5m])", MINUTE) == {}


def test_over_time_family() -> None:
    gauge = filled({'g{x="1"}': "_ 1 3 NaN 5", 'g{x="2"}': "_ 2 2 2 2"})
    at = 4 * MINUTE
    assert same(ask(gauge, "sum_over_time(g[5m])", at), {'{x="1"}': math.nan, '{x="2"}': 8})
    assert same(ask(gauge, "min_over_time(g[5m])", at), {'{x="1"}': 1, '{x="2"}': 2})
    assert same(ask(gauge, "max_over_time(g[5m])", at), {'{x="1"}': 5, '{x="2"}': 2})
    assert same(ask(gauge, "count_over_time(g[5m])", at), {'{x="1"}': 4, '{x="2"}': 4})
    assert same(ask(gauge, 'avg_over_time(g{x="2"}[5m])', at), {'{x="2"}': 2})
    assert same(ask(gauge, 'last_over_time(g{x="1"}[5m])', at), {'g{x="1"}': 5})


def test_staleness_markers_are_no_samples_of_a_range() -> None:
    gone = filled({"c": "0 60 stale"})
    assert same(ask(gone, "count_over_time(c[3m])", 2 * MINUTE), {"{}": 2})


def test_resets_and_changes_are_counted() -> None:
    moves = filled({"c": "1 2 1 1 3 0"})
    assert same(ask(moves, "resets(c[10m])", 5 * MINUTE), {"{}": 2})
    assert same(ask(moves, "changes(c[10m])", 5 * MINUTE), {"{}": 4})
