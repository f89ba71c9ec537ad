"""Times: one form on the wire, ages as kubectl says them."""

from datetime import UTC, datetime, timedelta

import orjson
import pytest
from reconciler_sandbox.apiserver.times import age, duration, normalised, parse, rfc3339, rfc3339_micro

NOON = datetime(2026, 11, 22, 12, 0, 0, 500, tzinfo=UTC)


def test_a_time_has_seconds_and_a_micro_time_six_digits() -> None:
    assert rfc3339(NOON) == "2026-11-22T12:00:00Z" and rfc3339_micro(NOON) == "2026-11-22T12:00:00.000500Z"


def test_any_offset_becomes_utc_in_the_fields_that_are_times() -> None:
    lease = {
        "metadata": {"annotations": {"startTime": "2026-11-22T13:00:00+01:00"}},
        "spec": {"renewTime": "2026-11-22T13:00:00.5+01:00"},
        "status": {"conditions": [{"lastTransitionTime": "2026-11-22T13:00:00.25+01:00"}]},
    }
    result = normalised(lease, orjson.dumps(lease))
    assert result["spec"]["renewTime"] == "2026-11-22T12:00:00.500000Z"
    assert result["status"]["conditions"][0]["lastTransitionTime"] == "2026-11-22T12:00:00Z"
    assert result["metadata"] == lease["metadata"]


def test_a_body_with_plain_times_is_not_even_walked() -> None:
    body = {"status": {"startedAt": "2026-11-22T12:00:00Z"}}
    assert normalised(body, orjson.dumps(body)) is body


def test_what_is_no_time_stays() -> None:
    body = {"startTime": "soon", "renewTime": "2026-11-22T13:00:00+01:00"}
    assert normalised(body, orjson.dumps(body))["startTime"] == "soon"
    assert parse("soon") is None


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (5, "5s"),
        (119, "119s"),
        (125, "2m5s"),
        (900, "15m"),
        (4 * 3600, "4h"),
        (4 * 3600 + 300, "4h5m"),
        (20 * 3600, "20h"),
        (3 * 86400 + 7200, "3d2h"),
        (100 * 86400, "100d"),
        (800 * 86400, "2y70d"),
        (3650 * 86400, "10y"),
        (-5, "0s"),
    ],
)
def test_a_duration_is_said_in_two_units_at_most(seconds: int, text: str) -> None:
    assert duration(seconds) == text
    assert age(rfc3339(NOON - timedelta(seconds=seconds)), NOON.replace(microsecond=0)) == text


def test_an_unknown_age_says_so() -> None:
    assert age("", NOON) == "<unknown>"
