"""Times as Kubernetes writes them."""

from datetime import UTC, datetime

import pytest

from reconciler.kernel.moment import parse_moment, render_moment


def test_a_time_survives_the_way_there_and_back_to_the_second() -> None:
    assert render_moment(parse_moment("2030-01-01T12:00:00Z")) == "2030-01-01T12:00:00Z"
    assert render_moment(datetime(2030, 1, 1, 12, 0, 0, 999999, tzinfo=UTC)) == "2030-01-01T12:00:00Z"
    assert parse_moment("2030-01-01T14:00:00+02:00") == datetime(2030, 1, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize("text", ["soon", "2030-01-01T12:00:00", ""])
def test_anything_else_is_no_time(text: str) -> None:
    with pytest.raises(ValueError):
        parse_moment(text)
