"""The soak: days under virtual time stay as they were, and what does not is said."""

from dataclasses import replace

from reconciler_sandbox.rehearsal.soak import Day, Soak, wrong_with

STEADY = [Day(number, 100_000, 80.0, 90, 20, 800, idle=True) for number in range(1, 9)]


def test_hours_of_releases_leave_empty_queues_and_cost_the_same_writes_each() -> None:
    told: list[Day] = []
    days = Soak(workloads=2, releases=1, told=told.append, day=1200.0).days(3)
    assert told == days and all(day.idle for day in days)
    assert all(10 < day.writes_per_release < 60 for day in days), [str(day) for day in days]
    assert [wrong for wrong in wrong_with(days) if "memory" in wrong] == []


def test_days_that_stay_as_they_were_are_well() -> None:
    assert list(wrong_with(STEADY)) == []


def test_memory_that_grows_writes_that_grow_and_queues_that_are_not_empty_are_said() -> None:
    growing = [replace(day, objects=day.objects * day.number) for day in STEADY]
    writing = [replace(day, writes=day.writes * day.number) for day in STEADY]
    assert list(wrong_with(growing)) == ["objects in memory grow 1.75 times"]
    assert list(wrong_with(writing)) == ["writes for a release grow 1.75 times"]
    assert list(wrong_with([*STEADY, replace(STEADY[0], number=9, idle=False)])) == ["queues are not empty at the end of day 9"]
