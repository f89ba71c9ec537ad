"""Times: one form on the wire."""

from datetime import UTC, datetime

import orjson
from reconciler_sandbox.apiserver.times import normalised, parse, rfc3339, rfc3339_micro

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
