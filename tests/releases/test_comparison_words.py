"""A comparison in words, for people."""

from msgspec.structs import replace

from reconciler.releases.announce.message import comment
from reconciler.releases.comparison.record import ComparedCounts, SideTally
from reconciler.releases.comparison.words import comparison_lines, number, passed_words, verdict_words
from reconciler.releases.model import ReleasePhase, ReleaseStatus, Verdict
from tests.kit.counters import COMPARED, RECORD
from tests.kit.releases import NOW, release

SLOW = ComparedCounts(metric="slow", canary=SideTally(requests=900, bad=3), baseline=SideTally(requests=9000), problem="prometheus | away")
KNOWN = replace(RECORD, e_value=71.95, metrics=(COMPARED, SLOW))
RULE = "1.5x is tolerated, e-value 72 of 100 (budget 1%)"


def test_a_verdict_names_the_metric_that_says_most_with_both_sides() -> None:
    expected = f"errors: 12 of 980 (1.2%) of the canary beside 9 of 9120 (0.099%), 12.4x the rate; {RULE}"
    assert verdict_words(KNOWN) == expected
    beside_nothing = replace(KNOWN, metrics=(SLOW,))
    assert verdict_words(beside_nothing) == f"slow: 3 of 900 (0.33%) of the canary beside 0 of 9000 (0%); {RULE}"


def test_a_pass_says_what_was_compared() -> None:
    assert passed_words(KNOWN) == f"900 requests of the canary compared in 7 windows: {RULE}"


def test_every_metric_has_a_line_with_what_was_lost() -> None:
    errors, slow, rule = comparison_lines(KNOWN)
    assert errors == "errors: 12 of 980 (1.2%) of the canary beside 9 of 9120 (0.099%), 12.4x; 2 windows lost"
    assert slow.endswith("not measured: prometheus | away") and rule == RULE
    assert comparison_lines(None) == []
    assert comparison_lines(replace(KNOWN, metrics=(ComparedCounts(metric="m"),)))[0] == "m: no request of the canary beside no request"


def test_a_large_number_stays_short() -> None:
    assert (number(1.0), number(999.4), number(1e299)) == ("1", "999", "1.00e+299")


def test_the_pull_request_is_told_once_and_not_with_every_window() -> None:
    status = ReleaseStatus(phase=ReleasePhase.PROGRESSING, comparison=KNOWN)
    moving = comment("demo", [release(status=status)], {})
    assert "compared" not in moving
    assert moving == comment("demo", [release(status=replace(status, comparison=replace(KNOWN, windows=8, e_value=5)))], {})
    ended = comment("demo", [release(status=replace(status, phase=ReleasePhase.CLOSED, verdict=Verdict.FAILED))], {})
    assert "| `errors` | 12 of 980" in ended and "| – | 1, not measured: prometheus \\| away |" in ended


def test_a_promoted_version_that_could_not_be_compared_is_for_a_person_to_accept() -> None:
    unmeasured = ReleaseStatus(phase=ReleasePhase.CLOSED, verdict=Verdict.COULD_NOT_MEASURE)
    assert "reconciler retry web" in comment("demo", [release(status=unmeasured)], {})
    promoted = comment("demo", [release(status=replace(unmeasured, promoted_at=NOW))], {})
    assert "reconciler accept web" in promoted and "reconciler retry web" not in promoted
