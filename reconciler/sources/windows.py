"""Sync windows: when a source may be written, by schedules of cron and a calendar of freezes; a function of the moment."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

ALLOW, DENY = "allow", "deny"
DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
INSTANT = timedelta(microseconds=1)
FAR = 200
"""How many beginnings and ends are looked through for the next one that changes anything."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncWindow:
    """A time that begins by a schedule and lasts for a while, in which a source may, or may not, be written."""

    kind: str
    schedule: str
    duration: timedelta
    zone: str = "UTC"

    def __str__(self) -> str:
        return f"{self.kind} {self.schedule!r} ({self.zone})"


@dataclass(frozen=True, slots=True, kw_only=True)
class FreezePeriod:
    """A time of the calendar in which a source may not be written, and why; `until` is the first moment after it."""

    since: datetime
    until: datetime
    reason: str
    kind: str = DENY

    def __str__(self) -> str:
        return f"freeze: {self.reason}"


Window = SyncWindow | FreezePeriod


@dataclass(frozen=True, slots=True)
class WindowStanding:
    """How a source stands at a moment: open or not, when that changes next, and the window that closes it."""

    open: bool = True
    changes_at: datetime | None = None
    closed_by: str = ""


def standing(windows: Sequence[Window], now: datetime) -> WindowStanding:
    """A window that denies comes before all that allow; where none allows at any time, all that is not denied is allowed."""
    if not windows:
        return WindowStanding()
    closed_by = _closed_by(windows, now)
    return WindowStanding(not closed_by, _change(windows, now), closed_by)


def _closed_by(windows: Sequence[Window], now: datetime) -> str:
    """What closes the source; empty while it is open."""
    denied = next((str(window) for window in windows if window.kind == DENY and _end(window, now) is not None), "")
    allowing = [window for window in windows if window.kind == ALLOW]
    if denied or not allowing or any(_end(window, now) is not None for window in allowing):
        return denied
    return f"none of {', '.join(map(str, allowing))}"


def _change(windows: Sequence[Window], now: datetime) -> datetime | None:
    """When it is open that is closed now, or the other way; None where that is far away."""
    before, moment = bool(_closed_by(windows, now)), now
    for _ in range(FAR):
        edges = [edge for window in windows for edge in (_end(window, moment), _start(window, moment + INSTANT)) if edge is not None]
        if not edges:
            return None
        moment = min(edges)
        if bool(_closed_by(windows, moment)) is not before:
            return moment
    return None


def _end(window: Window, now: datetime) -> datetime | None:
    """An end of a window that is on, though it may have begun anew since; None for one that is not."""
    if isinstance(window, FreezePeriod):
        return window.until if window.since <= now < window.until else None
    start = _start(window, now - window.duration + INSTANT)
    if start is None or start > now:
        return None
    return start + window.duration


def _start(window: Window, after: datetime) -> datetime | None:
    """The first beginning that is not before a moment; None where there is none."""
    if isinstance(window, FreezePeriod):
        return window.since if after <= window.since else None
    found = _trigger(window.schedule, window.zone).get_next_fire_time(None, after)
    return found.astimezone(UTC) if found is not None else None


def check(schedule: str, zone: str) -> None:
    """Raises ValueError, in words, for a schedule that has no beginning, and for a zone that is not known."""
    try:
        found = _trigger(schedule, zone).get_next_fire_time(None, datetime(2024, 1, 1, tzinfo=UTC))
    except ZoneInfoNotFoundError as error:
        raise ValueError(f"{zone!r} is no time zone: write one like Europe/Berlin or UTC") from error
    if found is None:
        raise ValueError(f"{schedule!r} never comes: there is no such day")


@lru_cache(maxsize=256)
def _trigger(schedule: str, zone: str) -> Any:
    """The schedule as the library has it. Raises ValueError, or ZoneInfoNotFoundError."""
    from apscheduler.triggers.cron import CronTrigger  # here, because the command line starts without it

    fields = schedule.split()
    if len(fields) != 5:
        raise ValueError(f"{schedule!r} has {len(fields)} fields: write minute, hour, day of month, month and day of week")
    minute, hour, day, month, weekday = fields
    if day != "*" and weekday != "*":
        raise ValueError(f"{schedule!r} names days of the month and of the week: write two windows")
    try:
        days = ",".join(_weekdays(weekday))
        return CronTrigger(minute=minute, hour=hour, day=day, month=month, day_of_week=days, timezone=_zone(zone))
    except ValueError as error:
        raise ValueError(f"{schedule!r} is no schedule of cron: {error}") from error


def in_zone(moment: datetime, zone: str) -> datetime:
    """A moment that names no zone, as one of this zone; one that a clock shows twice is the first. Raises ValueError for no zone."""
    try:
        return (moment if moment.tzinfo else moment.replace(tzinfo=_zone(zone))).astimezone(UTC)
    except ZoneInfoNotFoundError as error:
        raise ValueError(f"{zone!r} is no time zone: write one like Europe/Berlin or UTC") from error


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ValueError, OSError) as error:  # the name becomes that of a file
        raise ZoneInfoNotFoundError(name) from error


def _weekdays(field: str) -> Iterator[str]:
    """Days by their names: numbers are cron's, where 0 and 7 are Sunday, which the library counts otherwise."""
    if field == "*":
        yield "*"
        return
    for item in field.lower().split(","):
        whole, _, step = item.partition("/")
        first, _, last = ("0-6" if whole == "*" else whole).partition("-")
        begin = _day(first)
        end = _day(last) if last else (6 if step else begin)
        if end < begin:
            end += 7
        yield from (DAYS[number % 7] for number in range(begin, end + 1, _step(step)))


def _day(text: str) -> int:
    if text.isdecimal() and int(text) <= 7:
        return int(text)
    if text in DAYS:
        return DAYS.index(text)
    raise ValueError(f"{text!r} is no day of the week")


def _step(text: str) -> int:
    if text and not (text.isdecimal() and int(text)):
        raise ValueError(f"{text!r} is no step")
    return int(text or 1)
