"""Shares are judged within four standard deviations; none and all are judged exactly."""

import pytest
from reconciler_sandbox.rehearsal.shares import allowance, as_asked, asked, counted, tally


@pytest.mark.parametrize(
    ("counts", "as_wanted"),
    [
        ({"1.0": 1200, "1.1": 800}, True),
        ({"1.0": 1280, "1.1": 720}, True),
        ({"1.0": 1300, "1.1": 700}, False),
        ({"1.0": 1199, "1.1": 800, "": 1}, False),
        ({}, False),
    ],
)
def test_chance_is_allowed_and_nothing_else(counts: dict[str, int], as_wanted: bool) -> None:
    assert as_asked(counts, {"1.0": 0.6, "1.1": 0.4}) is as_wanted


def test_not_one_request_may_reach_a_version_without_share() -> None:
    assert as_asked({"1.0": 2000}, {"1.0": 1.0, "1.1": 0.0})
    assert not as_asked({"1.0": 1999, "1.1": 1}, {"1.0": 1.0, "1.1": 0.0})


def test_the_allowance_is_four_sigma_of_the_binomial() -> None:
    assert allowance(0.5, 400) == pytest.approx(40)


def test_counts_and_claims_read_aloud() -> None:
    assert counted(tally(["1.0"] * 3 + [""])) == "failed: 1 (25.0 %), 1.0: 3 (75.0 %)"
    assert asked({"1.0": 0.5, "1.1": 0.5}, 400) == "1.0: 50 % ± 10.0, 1.1: 50 % ± 10.0 of 400 requests"
    assert asked({"1.0": 1.0}, 400) == "1.0: 100 % exactly of 400 requests"
