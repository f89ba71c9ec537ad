"""Samples in memory: ordered, looked up by time, bounded."""

from reconciler_sandbox.metrics.labels import labels
from reconciler_sandbox.metrics.store import STALE, Store

UP = labels({"__name__": "up", "job": "a"})


def test_a_sample_must_be_newer_than_the_last() -> None:
    store = Store(retention=60)
    assert store.append(UP, 1000, 1.0)
    assert not store.append(UP, 1000, 2.0)
    assert not store.append(UP, 999, 2.0)
    assert store.select("up", [])[0].values == [1.0]


def test_windows_are_open_on_the_left_and_closed_on_the_right() -> None:
    store = Store(retention=60)
    for time in (1000, 2000, 3000):
        store.append(UP, time, float(time))
    (series,) = store.select("up", [])
    assert series.between(1000, 3000) == [(2000, 2000.0), (3000, 3000.0)]
    assert series.latest(2000, 2999) is None
    assert series.latest(1999, 2999) == 2000.0


def test_a_staleness_marker_hides_what_was_before() -> None:
    store = Store(retention=60)
    store.append(UP, 1000, 1.0)
    store.append(UP, 2000, STALE)
    (series,) = store.select("up", [])
    assert series.latest(0, 2500) is None
    assert series.between(0, 2500) == [(1000, 1.0)]


def test_what_is_older_than_the_retention_is_forgotten() -> None:
    store = Store(retention=10)
    store.append(labels({"__name__": "gone"}), 0, 1.0)
    for time in range(0, 100_000, 100):
        store.append(UP, time, 1.0)
    store.forget_before(100_000)
    assert store.select("gone", []) == []
    assert store.select("up", [])[0].times[0] == 90_100
    assert len(store) == 1


def test_a_store_that_is_full_takes_no_new_series_but_goes_on_with_the_old() -> None:
    store = Store(retention=10, most_series=1)
    assert store.append(UP, 1, 1.0)
    assert not store.append(labels({"__name__": "more"}), 1, 1.0)
    assert store.append(UP, 2, 1.0)


def test_an_empty_name_selects_by_matchers_alone() -> None:
    store = Store(retention=10)
    store.append(UP, 1, 1.0)
    store.append(labels({"__name__": "down", "job": "b"}), 1, 1.0)
    assert [series.labels for series in store.select("", [lambda found: ("job", "b") in found])] == [(("__name__", "down"), ("job", "b"))]
