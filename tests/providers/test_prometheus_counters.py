"""What a counter gained, asked of PromQL itself: windows that meet count every request once."""

from datetime import UTC, datetime, timedelta

import pytest
from reconciler_sandbox.metrics.store import Store

from reconciler.analysis.provider import CounterTask
from reconciler.kernel.clock import SystemClock
from reconciler.kernel.errors import Terminal, Transient
from reconciler.providers.metrics_client import MetricsClient
from reconciler.providers.prometheus_counters import gained_query, gained_value
from reconciler.web.client import open_client
from tests.kit.analysis import NOW, endpoint, vector
from tests.kit.metrics import prometheus_at
from tests.kit.promql import ask, filled

CLOCK = SystemClock()
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SELECTOR = 'requests{v="new"}'


def task(start: float, end: float, selector: str = SELECTOR, address: str = "") -> CounterTask:
    """Minutes since the first sample."""
    at = [EPOCH + timedelta(minutes=minutes) for minutes in (start, end)]
    return CounterTask(address=address, selector=selector, known_by=SELECTOR, start=at[0], end=at[1])


def gained(store: Store, start: float, end: float, selector: str = SELECTOR) -> float:
    found = ask(store, gained_query(task(start, end, selector)), round(end * 60_000))
    assert isinstance(found, dict)
    return gained_value(list(found.values()))


def test_windows_that_meet_count_every_request_once() -> None:
    pods = {'requests{v="new",pod="a"}': "100 107 120 121 150", 'requests{v="new",pod="b"}': "7 7 8 9 20"}
    store = filled({**pods, 'requests{v="old"}': "1 9"})
    windows = [gained(store, minute, minute + 1) for minute in range(4)]
    assert windows == [7, 14, 2, 40]
    assert sum(windows) == gained(store, 0, 4)
    assert [gained(store, 1.5, 2.5), gained(store, 2.5, 3.5)] == [14, 2]


def test_a_window_is_not_stretched_as_an_increase_is() -> None:
    """One error is one, and not one and a third."""
    store = filled({'requests{v="new"}': "100 100 101 101 101"}, every=15_000)
    assert gained(store, 0, 1) == 1
    assert ask(store, f"sum(increase({SELECTOR}[1m]))", 60_000) == {"{}": pytest.approx(4 / 3)}


def test_a_series_that_appears_began_at_nothing() -> None:
    """The first error of a pod makes its series: it must not be lost."""
    store = filled({'requests{v="new",code="200"}': "10 20 30", 'requests{v="new",code="500"}': "_ 3 4"})
    errors = 'requests{v="new",code="500"}'
    assert [gained(store, 0, 1, errors), gained(store, 1, 2, errors)] == [3, 1]
    assert [gained(store, 0, 1), gained(store, 1, 2)] == [13, 11]


def test_a_series_that_fell_began_anew() -> None:
    """A pod that started again: left out, its requests would miss and its errors would not, for those may not have fallen."""
    store = filled({'requests{v="new",pod="a"}': "50 60 5 9", 'requests{v="new",pod="b"}': "1 2 3 4"})
    assert [gained(store, minute, minute + 1) for minute in range(3)] == [11, 6, 5]


def test_a_server_that_lost_its_history_counts_nothing_a_second_time() -> None:
    store = filled({'requests{v="new",pod="a"}': " ".join([*["_"] * 70, "900 910"]), 'requests{v="new",pod="b"}': "7"})
    assert [gained(store, 69, 70), gained(store, 70, 71)] == [0, 10]
    errors = 'requests{v="new",code="500"}'
    lost = filled({'requests{v="new",code="200"}': "_ 900 910", errors: "_ 40 41"})
    assert [gained(lost, 0, 1, errors), gained(lost, 1, 2, errors)] == [0, 1]


def test_a_series_that_was_silent_for_a_while_is_not_counted_anew() -> None:
    store = filled({'requests{v="new"}': " ".join(["100", *["_"] * 20, "130", "131"])})
    assert [gained(store, minute, minute + 1) for minute in (5, 20, 21)] == [0, 30, 1]


def test_a_pod_that_has_gone_gains_nothing_and_no_series_is_nothing() -> None:
    store = filled({'requests{v="new"}': "10 20 stale"})
    assert [gained(store, 0, 1), gained(store, 1, 2)] == [10, 0]
    assert gained(filled({'other{v="new"}': "1 2"}), 0, 1) == 0


async def test_it_is_asked_at_the_end_of_the_window_whatever_the_time_is_by_now() -> None:
    async with endpoint() as server, open_client() as http:
        server.answer("/api/v1/query", vector("12"))
        asked = CounterTask(address=server.url, selector=SELECTOR, known_by=SELECTOR, start=NOW - timedelta(minutes=1), end=NOW)
        assert await prometheus_at(MetricsClient(http, CLOCK, CLOCK), "").gained(asked) == 12
        [(_, _, _, body)] = server.requests
        assert f"time={NOW.timestamp():.3f}".encode() in body.encode() and b"offset+60000ms" in body.encode()


async def test_an_answer_that_is_none_says_why() -> None:
    async with endpoint() as server, open_client() as http:
        server.answer("/api/v1/query", {"status": "error", "errorType": "bad_data", "error": "parse error"}, 400)
        with pytest.raises(Terminal, match="parse error"):
            await prometheus_at(MetricsClient(http, CLOCK, CLOCK), server.url).gained(task(0, 1))
        with pytest.raises(Terminal, match="not configured"):
            await prometheus_at(MetricsClient(http, CLOCK, CLOCK), "").gained(task(0, 1))
        with pytest.raises((Terminal, Transient)):
            await prometheus_at(MetricsClient(http, CLOCK, CLOCK), "").gained(task(0, 1, address="http://127.0.0.1:1"))
    with pytest.raises(Terminal, match="2 series"):
        gained_value([1.0, 2.0])
