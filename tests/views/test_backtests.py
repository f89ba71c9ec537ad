"""Sums in hindsight, arguments of a window, and a page that shows what others wrote without obeying it."""

from datetime import timedelta

import pytest

from reconciler.views.measuring.analyses import TrialVerdict, TriedAnalysis, TriedMeasurement, TriedMetric
from reconciler.views.measuring.backtest_page import backtest_page, duration
from reconciler.views.measuring.backtests import Backtest, Hindsight, KnownOutcome, ReleaseWindow, Replayed, arguments_for, backtest, recent
from tests.kit.analysis import NOW

EVIL = "<script>alert('x')</script>\"&"


def window(name: str = "a", outcome: KnownOutcome = KnownOutcome.BAD, minutes: int = 0) -> ReleaseWindow:
    start = NOW + timedelta(minutes=minutes)
    return ReleaseWindow(name=name, start=start, end=start + timedelta(minutes=30), outcome=outcome)


def replayed(known: KnownOutcome, said: TrialVerdict, name: str = "a", after: int = 60) -> Replayed:
    measured = TriedMeasurement(at="2026-11-25T12:05:00Z", phase="Failed", value=EVIL, founded=True, message="", conditions=())
    asked = TriedMetric(EVIL, "prometheus", "Failed", False, "", (measured,), (), 1, 1, "")
    tried = TriedAnalysis(template="T", verdict=said, complete=True, reason=EVIL, metrics=(asked,))
    return Replayed(window(name, known), tried, NOW + timedelta(seconds=after) if said is TrialVerdict.FAILED else None, None)


@pytest.mark.parametrize(
    ("known", "said", "hindsight"),
    [
        ("bad", "failed", "caught"),
        ("bad", "passed", "missed"),
        ("good", "failed", "false alarm"),
        ("good", "passed", "right"),
        ("good", "error", "no answer"),
        ("bad", "inconclusive", "no answer"),
        ("bad", "undecided", "no answer"),
        ("unknown", "failed", "unknown"),
    ],
)
def test_a_word_is_worth_what_came_of_it(known: str, said: str, hindsight: str) -> None:
    found = backtest("T", [replayed(KnownOutcome(known), TrialVerdict(said))])
    assert found.releases[0].hindsight == hindsight
    assert found.flawless is (hindsight in ("caught", "right", "unknown"))
    assert (found.releases[0].seconds_to_detect is not None) is (said == "failed")


def test_rows_stand_in_the_order_of_time_and_the_median_is_of_catches() -> None:
    ends = [("c", KnownOutcome.BAD, 30), ("a", KnownOutcome.BAD, 90), ("b", KnownOutcome.GOOD, 5)]
    found = backtest("T", [replayed(known, TrialVerdict.FAILED, name, after) for name, known, after in ends])
    assert [row.release for row in found.releases] == ["a", "b", "c"]
    assert (found.caught, found.false_alarms, found.median_seconds_to_detect) == (2, 1, 60.0)


def test_arguments_of_a_window_win_and_words_in_braces_are_its_own() -> None:
    one = ReleaseWindow(name="a", start=NOW, end=NOW, arguments={"x": "own"}, words={"podHash": "{release}", "release": "a"})
    given = {"x": "given", "hash": "{podHash}", "query": "{{other}} {unknown}"}
    assert arguments_for(one, given) == {"x": "own", "hash": "{release}", "query": "{{other}} {unknown}"}


def test_windows_before_a_moment_are_left_out() -> None:
    found = recent([window("late", minutes=5), window("old", minutes=-1), window("now")], NOW)
    assert [one.name for one in found] == ["now", "late"]


def test_a_page_shows_what_others_wrote_and_runs_none_of_it() -> None:
    found: Backtest = backtest(EVIL, [replayed(KnownOutcome.BAD, TrialVerdict.FAILED, EVIL)])
    assert found.releases[0].hindsight is Hindsight.CAUGHT
    page = backtest_page(found)
    assert "<script" not in page and page.count("&lt;script&gt;") >= 4
    assert "http://" not in page and "https://" not in page


@pytest.mark.parametrize(("seconds", "words"), [(None, ""), (0, "0s"), (59.6, "1m"), (660, "11m"), (3_661, "1h1m1s")])
def test_durations_are_short(seconds: float | None, words: str) -> None:
    assert duration(seconds) == words
