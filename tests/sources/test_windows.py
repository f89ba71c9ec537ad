"""When a source may be written is a function of its windows and the moment."""

from datetime import UTC, datetime, timedelta

import pytest

from reconciler.sources.windows import FreezePeriod, SyncWindow, check, standing

MONDAY = datetime(2030, 1, 7, tzinfo=UTC)


def window(kind: str, schedule: str, hours: float = 1, zone: str = "UTC") -> SyncWindow:
    return SyncWindow(kind=kind, schedule=schedule, duration=timedelta(hours=hours), zone=zone)


def at(hour: float, day: int = 0) -> datetime:
    """An hour of a day counted from a Monday."""
    return MONDAY + timedelta(days=day, hours=hour)


NIGHT = window("allow", "0 22 * * *", 2)
WEEKEND = window("deny", "0 0 * * 6,0", 24)
TUESDAY = FreezePeriod(since=at(0, 1), until=at(24, 1), reason="inventory")


@pytest.mark.parametrize(
    ("windows", "moment", "is_open", "changes_at"),
    [
        ((), at(12), True, None),
        ((NIGHT,), at(12), False, at(22)),
        ((NIGHT,), at(22), True, at(24)),
        ((NIGHT,), at(23.99), True, at(24)),
        ((NIGHT,), at(24), False, at(46)),
        ((WEEKEND,), at(12), True, at(0, 5)),
        ((WEEKEND,), at(0, 5), False, at(0, 7)),
        ((WEEKEND,), at(12, 6), False, at(0, 7)),
        ((NIGHT, WEEKEND), at(23, 5), False, at(22, 7)),
        ((NIGHT, WEEKEND), at(23, 4), True, at(0, 5)),
        ((NIGHT, window("allow", "0 6 * * *")), at(5), False, at(6)),
        ((window("deny", "*/5 * * * *", 24),), at(12), False, None),
        ((window("deny", "0 0,1 * * *", 2),), at(1.5), False, at(3)),
        ((TUESDAY,), at(23.99), True, at(0, 1)),
        ((TUESDAY,), at(0, 1), False, at(24, 1)),
        ((TUESDAY,), at(24, 1), True, None),
        ((TUESDAY, NIGHT), at(23, 1), False, at(22, 2)),
    ],
)
def test_what_denies_comes_before_what_allows_and_where_nothing_allows_all_else_is_open(
    windows: tuple[SyncWindow, ...], moment: datetime, is_open: bool, changes_at: datetime | None
) -> None:
    found = standing(windows, moment)
    assert found.open is is_open
    assert found.changes_at == changes_at
    assert bool(found.closed_by) is not is_open


def test_what_closes_it_is_named() -> None:
    assert standing((WEEKEND,), at(1, 5)).closed_by == "deny '0 0 * * 6,0' (UTC)"
    assert standing((NIGHT, WEEKEND), at(1, 5)).closed_by.startswith("deny")
    assert standing((TUESDAY, window("deny", "* * * * *")), at(1, 1)).closed_by == "freeze: inventory"
    assert standing((NIGHT,), at(1)).closed_by == "none of allow '0 22 * * *' (UTC)"


@pytest.mark.parametrize(
    ("weekday", "days"),
    [
        ("0", {6}),
        ("7", {6}),
        ("1-5", {0, 1, 2, 3, 4}),
        ("6-7", {5, 6}),
        ("sat,sun", {5, 6}),
        ("fri-mon", {4, 5, 6, 0}),
        ("MON", {0}),
        ("*/2", {6, 1, 3, 5}),
        ("1-5/2", {0, 2, 4}),
        ("4/2", {3, 5}),
        ("*", {0, 1, 2, 3, 4, 5, 6}),
    ],
)
def test_days_of_the_week_are_crons(weekday: str, days: set[int]) -> None:
    found = window("allow", f"0 0 * * {weekday}", 24)
    assert {day for day in range(7) if standing((found,), at(12, day)).open} == days


def test_a_schedule_is_read_in_its_zone_and_lasts_as_long_as_it_says_when_clocks_change() -> None:
    berlin = window("allow", "0 22 * * *", 8, "Europe/Berlin")
    assert standing((berlin,), datetime(2030, 1, 7, 20, 59, tzinfo=UTC)).changes_at == datetime(2030, 1, 7, 21, tzinfo=UTC)
    before_summer = datetime(2030, 3, 30, 21, tzinfo=UTC)
    assert standing((berlin,), before_summer) == standing((berlin,), before_summer + timedelta(hours=1))
    assert standing((berlin,), before_summer).changes_at == before_summer + timedelta(hours=8)
    assert standing((berlin,), datetime(2030, 7, 1, 19, 59, tzinfo=UTC)).changes_at == datetime(2030, 7, 1, 20, tzinfo=UTC)


@pytest.mark.parametrize(
    ("schedule", "zone", "words"),
    [
        ("0 22 * *", "UTC", "has 4 fields"),
        ("0 25 * * *", "UTC", "is no schedule of cron"),
        ("x * * * *", "UTC", "is no schedule of cron"),
        ("0 0 * * 8", "UTC", "'8' is no day of the week"),
        ("0 0 * * 1/x", "UTC", "'x' is no step"),
        ("0 0 1 * 1", "UTC", "write two windows"),
        ("0 0 30 2 *", "UTC", "never comes"),
        ("0 0 * * *", "Mars/Base", "'Mars/Base' is no time zone"),
        ("0 0 * * *", "../etc/passwd", "is no time zone"),
        ("0 0 * * *", "a" * 5000, "is no time zone"),
    ],
)
def test_a_schedule_that_cannot_be_is_refused_in_words(schedule: str, zone: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        check(schedule, zone)
    check("*/5 8-18 * jan-mar mon-fri", "Europe/Berlin")
