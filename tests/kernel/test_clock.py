"""The machine's own time."""

from datetime import UTC, datetime, timedelta

from reconciler.kernel.clock import SystemClock


def test_it_tells_utc_and_never_goes_back() -> None:
    clock = SystemClock()
    assert abs(clock.now() - datetime.now(UTC)) < timedelta(minutes=1)
    assert clock.now().utcoffset() == timedelta()
    assert clock.monotonic() <= clock.monotonic()
