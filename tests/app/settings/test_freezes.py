"""The words of `freezes:`, and which sources they are for."""

from datetime import UTC, datetime
from typing import Any

import pytest

from reconciler.app.settings.reading import settings_of
from reconciler.kernel.errors import Terminal
from reconciler.sources.windows import FreezePeriod, SyncWindow, standing

TEXT = """
sources:
  - {name: shop, repository: "https://git.example.com/shop.git", branch: main, environment: production, apply: true,
     windows: [{kind: deny, schedule: "* * * * *", duration: 1h}]}
  - {name: test, repository: "https://git.example.com/shop.git", branch: main, environment: testing, apply: true}
freezes:
  - %s
"""
CHRISTMAS = "{from: 2026-12-21, to: 2027-01-03, timeZone: Europe/Berlin, reason: Christmas}"


def windows(entry: str) -> dict[str, Any]:
    return {source.name: source.windows for source in settings_of(TEXT % entry, "reconciler.yaml").sources}


def test_a_day_is_a_whole_day_of_its_zone_and_comes_before_the_windows_of_each_source() -> None:
    found = windows(CHRISTMAS)
    freeze = FreezePeriod(since=datetime(2026, 12, 20, 23, tzinfo=UTC), until=datetime(2027, 1, 3, 23, tzinfo=UTC), reason="Christmas")
    assert found["test"] == (freeze,) and found["shop"][0] == freeze and isinstance(found["shop"][1], SyncWindow)
    closed = standing(found["test"], datetime(2027, 1, 3, 22, 59, tzinfo=UTC))
    assert (closed.open, closed.closed_by, closed.changes_at) == (False, "freeze: Christmas", freeze.until)


def test_it_may_be_for_one_environment_and_moments_may_name_their_offset() -> None:
    found = windows('{from: "2026-11-27T06:00", to: 2026-11-27T23:00:00+02:00, reason: sale, environments: [testing]}')
    assert len(found["shop"]) == 1
    assert found["test"] == (
        FreezePeriod(since=datetime(2026, 11, 27, 6, tzinfo=UTC), until=datetime(2026, 11, 27, 21, tzinfo=UTC), reason="sale"),
    )


@pytest.mark.parametrize(
    "entry, words",
    [
        ("{from: 2026-12-21, reason: x}", "freezes[0].to: is required: write a day like"),
        ("{from: 2026-12-21, to: 2026-12-20, reason: x}", "freezes[0].to: is not after `from`"),
        ('{from: "2026-13-01", to: 2026-12-20, reason: x}', "freezes[0].from: '2026-13-01' is no day and no moment"),
        ("{from: 12, to: 2026-12-20, reason: x}", "freezes[0].from: expected a day or a moment"),
        ("{from: 2026-12-20, to: 9999-12-31, reason: x}", "freezes[0].to:"),
        ("{from: 2026-12-20, to: 2026-12-21, timeZone: Mars/Base, reason: x}", "freezes[0].timeZone: 'Mars/Base' is no time zone"),
        ("{from: 2026-12-20, to: 2026-12-21}", "freezes[0].reason"),
        ('{from: 2026-12-20, to: 2026-12-21, reason: "a\\nb"}', "freezes[0].reason: is shown to people"),
        (
            "{from: 2026-12-20, to: 2026-12-21, reason: x, environments: [prod]}",
            "freezes[0].environments: no source has the environment 'prod'",
        ),
        ("{from: 2026-12-20, to: 2026-12-21, reason: x, why: y}", "freezes[0].why: unknown field"),
    ],
)
def test_a_wrong_entry_is_named_with_its_line(entry: str, words: str) -> None:
    with pytest.raises(Terminal) as caught:
        windows(entry)
    assert words in str(caught.value) and str(caught.value).startswith("reconciler.yaml:7")
