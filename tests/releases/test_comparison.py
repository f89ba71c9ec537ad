"""Canary beside baseline while a release is on its way: which window is due, what counts, and what it means at the end."""

from datetime import datetime, timedelta
from math import inf, nan

import pytest
from msgspec.structs import replace

from reconciler.analysis.statistics import Counts, Window
from reconciler.kernel.identity import Manifest
from reconciler.releases.comparison.record import Comparison
from reconciler.releases.comparison.sample import ComparedSides, MetricAnswer, Sample, WindowQuestion, answer
from reconciler.releases.comparison.terms import Compare, ComparedMetric
from reconciler.releases.comparison.windows import compared, question, shortfall
from reconciler.releases.model import Release, ReleasePhase, ReleaseStatus, Verb, Verdict
from reconciler.releases.policies.policy import ReleasePolicy
from reconciler.releases.verdict.judge import judge
from tests.kit.counters import COMPARE, ERRORS
from tests.kit.releases import BAD, GOOD, NOW, aborted, facts, release, rollout

MINUTE = timedelta(minutes=1)
HOT = Compare(metrics=(ERRORS,), warm_up=timedelta(), minimum_requests=1000)
SIDES = ComparedSides(BAD, GOOD, f"no-replica-set-of-{BAD}", f"no-replica-set-of-{GOOD}")
QUIET = ((500, 0), (9500, 9))
WORSE = ((500, 20), (9500, 9))


def begun(compare: Compare = HOT, **changes: object) -> Release:
    """A release on its way whose comparison has begun."""
    known = release(status=ReleaseStatus(phase=ReleasePhase.PROGRESSING, pod_hash=BAD))
    record = compared(known, compare, facts(), NOW)
    assert record is not None
    return with_(known, replace(record, **changes))


def with_(known: Release, record: Comparison | None) -> Release:
    return replace(known, status=replace(known.status, comparison=record))


def window(canary: tuple[float, float], baseline: tuple[float, float]) -> Window:
    return Window(Counts(*canary), Counts(*baseline))


def sample(start: datetime, counts: Window | None, *, problem: str = "", length: timedelta = MINUTE, missed: int = 0) -> Sample:
    return Sample(WindowQuestion(SIDES, start, start + length, missed), (MetricAnswer("errors", counts, problem),))


def looked(known: Release, found: Sample | None, compare: Compare | None = HOT, now: datetime = NOW) -> Comparison:
    record = compared(known, compare, facts(sample=found), now)
    assert record is not None
    return record


def test_it_begins_once_users_may_be_on_both_versions_and_nothing_before_counts() -> None:
    record = begun().status.comparison
    assert record is not None
    assert (record.canary, record.baseline, record.until, record.windows, record.exceeded) == (BAD, GOOD, NOW, 0, False)


@pytest.mark.parametrize(
    "live",
    [
        rollout(current=BAD, stable=BAD),
        rollout(current="other"),
        rollout(**aborted("x")),
        rollout(stable=""),
        rollout(stable='x"} or vector(9) #'),
    ],
    ids=["promoted", "another template", "aborted", "no stable", "no hash"],
)
def test_nothing_is_compared_while_users_are_not_on_both(live: Manifest) -> None:
    known = release(status=ReleaseStatus(phase=ReleasePhase.PROGRESSING, pod_hash=BAD))
    assert compared(known, HOT, facts(rollout=live), NOW) is None
    assert question(begun(), HOT, facts(rollout=live), NOW + 5 * MINUTE) is None


def test_once_promoted_the_version_before_is_no_baseline_any_more() -> None:
    previous = Compare(metrics=(ERRORS,), baseline="previous")
    live = facts(rollout=rollout(current=BAD, stable=BAD))
    assert question(begun(previous), previous, facts(), NOW + 5 * MINUTE) is not None
    assert question(begun(previous), previous, live, NOW + 5 * MINUTE) is None


def test_requests_of_one_side_alone_are_not_counted_as_compared() -> None:
    both = looked(begun(), sample(NOW, window(*QUIET)))
    alone = looked(with_(begun(), both), sample(NOW + MINUTE, window((0, 0), (9500, 9))))
    assert alone.until == NOW + 2 * MINUTE
    assert alone.metrics == both.metrics


@pytest.mark.parametrize("known", [{"overridden": True}, {"newer": "release web-3 took over"}], ids=["overridden", "superseded"])
def test_nothing_is_asked_that_would_not_be_about_this_release(known: dict[str, object]) -> None:
    assert question(begun(), HOT, facts(**known), NOW + 5 * MINUTE) is None
    assert question(begun(), HOT, facts(), NOW + 5 * MINUTE) is not None


def test_a_baseline_is_what_is_stable_now_or_what_served_when_the_release_opened() -> None:
    live = rollout(stable="older")
    known = release(status=ReleaseStatus(phase=ReleasePhase.PROGRESSING, pod_hash=BAD))
    stable = compared(known, HOT, facts(rollout=live), NOW)
    previous = compared(known, Compare(metrics=(ERRORS,), baseline="previous"), facts(rollout=live), NOW)
    assert stable is not None and previous is not None
    assert (stable.baseline, previous.baseline) == ("older", GOOD)


def test_the_first_version_has_nothing_beside_it() -> None:
    known = release(previous=None, status=ReleaseStatus(phase=ReleasePhase.PROGRESSING, pod_hash=BAD))
    assert compared(known, HOT, facts(), NOW) is None


@pytest.mark.parametrize(
    ("seconds", "asked"),
    [(64, None), (65, (0, 1, 0)), (124, (0, 1, 0)), (125, (1, 2, 1)), (605, (9, 10, 9))],
    ids=["not over", "over", "the next is not over", "one missed", "many missed"],
)
def test_the_newest_complete_window_is_asked_for_and_older_ones_are_no_samples(seconds: int, asked: tuple[int, int, int] | None) -> None:
    found = question(begun(), HOT, facts(), NOW + timedelta(seconds=seconds))
    expected = None if asked is None else WindowQuestion(SIDES, NOW + asked[0] * MINUTE, NOW + asked[1] * MINUTE, asked[2])
    assert found == expected


def test_a_window_counts_once_however_often_it_is_answered() -> None:
    known = begun()
    once = looked(known, sample(NOW, window(*QUIET)))
    again = looked(with_(known, once), sample(NOW, window(*QUIET)))
    assert again == once
    assert (once.windows, once.until, once.metrics[0].canary.requests, once.metrics[0].baseline.bad) == (1, NOW + MINUTE, 500, 9)
    assert question(with_(known, once), HOT, facts(), NOW + timedelta(seconds=66)) is None


def test_windows_add_up_with_their_own_weights_and_missed_ones_are_told() -> None:
    known = begun()
    once = looked(known, sample(NOW, window((100, 1), (900, 1))))
    twice = looked(with_(known, once), sample(NOW + 3 * MINUTE, window((800, 4), (200, 0)), missed=2))
    assert (twice.windows, twice.missed, twice.until) == (2, 2, NOW + 4 * MINUTE)
    assert (twice.metrics[0].canary.requests, twice.metrics[0].canary.bad, twice.metrics[0].baseline.requests) == (900, 5, 1100)
    assert twice.e_value == twice.metrics[0].e_value != 1


def test_the_warm_up_counts_from_the_first_request_of_the_canary() -> None:
    compare = Compare(metrics=(ERRORS,), warm_up=2 * MINUTE)
    known = begun(compare)
    for minute, counts in enumerate([((0, 0), (900, 1)), ((50, 40), (900, 1)), ((50, 40), (900, 1)), ((50, 1), (900, 1))]):
        known = with_(known, looked(known, sample(NOW + minute * MINUTE, window(*counts)), compare))
    record = known.status.comparison
    assert record is not None
    assert (record.warm_from, record.windows) == (NOW + MINUTE, 1)
    assert record.metrics[0].canary.bad == 1


def test_a_worse_canary_is_found_and_stays_found() -> None:
    found = looked(begun(), sample(NOW, window(*WORSE)))
    assert found.exceeded and found.e_value >= 100
    assert looked(with_(begun(), found), sample(NOW + MINUTE, window((500, 0), (9500, 500)))) == found
    assert question(with_(begun(), found), HOT, facts(), NOW + 9 * MINUTE) is None
    assert looked(with_(begun(), found), None, None) == found


def test_a_window_that_could_not_be_measured_is_lost_and_said_and_the_next_one_counts() -> None:
    known = begun()
    lost = looked(known, sample(NOW, None, problem="prometheus is away"))
    assert (lost.until, lost.metrics[0].lost, lost.metrics[0].problem, lost.e_value) == (NOW + MINUTE, 1, "prometheus is away", 1)
    after = looked(with_(known, lost), sample(NOW + MINUTE, window(*QUIET)))
    assert (after.metrics[0].lost, after.metrics[0].problem, after.metrics[0].canary.requests) == (1, "", 500)


def test_what_cannot_be_measured_is_said_before_anything_is_warm() -> None:
    lost = looked(begun(COMPARE), sample(NOW, None, problem="bad selector"), COMPARE)
    assert (lost.windows, lost.metrics[0].lost, lost.metrics[0].problem) == (0, 1, "bad selector")


@pytest.mark.parametrize("counts", [Counts(10, 11), Counts(10, -1), Counts(nan, 0), Counts(10, nan), Counts(inf, 1)])
def test_an_answer_that_cannot_be_is_none(counts: Counts) -> None:
    for both in (answer("errors", counts, Counts(5, 1)), answer("errors", Counts(5, 1), counts)):
        assert both.window is None and "look at the selectors" in both.problem
    assert answer("errors", Counts(10, 10), Counts(5, 0)).window == window((10, 10), (5, 0))


def test_a_policy_that_asks_something_else_begins_anew() -> None:
    known = with_(begun(), looked(begun(), sample(NOW, window(*QUIET))))
    other = Compare(metrics=(ERRORS,), warm_up=timedelta(), effect=2.0)
    later = NOW + 10 * MINUTE
    assert question(known, other, facts(), later) is None
    anew = looked(known, None, other, later)
    assert (anew.until, anew.windows, anew.effect, anew.metrics[0].canary.requests) == (later, 0, 2.0, 0)
    fewer = Compare(metrics=(ERRORS,), warm_up=timedelta(), minimum_requests=1)
    assert looked(known, None, fewer, later) == known.status.comparison


def test_another_stable_version_begins_anew() -> None:
    known = with_(begun(), looked(begun(), sample(NOW, window(*QUIET))))
    anew = compared(known, HOT, facts(rollout=rollout(stable="third")), NOW)
    assert anew is not None and (anew.baseline, anew.windows) == ("third", 0)


@pytest.mark.parametrize("written", [{"scores": (0.5,)}, {"metric": "another"}])
def test_a_record_that_does_not_fit_is_not_added_to(written: dict[str, object]) -> None:
    """Of an older program, or of a person."""
    known = begun()
    record = known.status.comparison
    assert record is not None
    odd = with_(known, replace(record, windows=3, metrics=(replace(record.metrics[0], **written),)))
    assert question(odd, HOT, facts(), NOW + 5 * MINUTE) is None
    assert looked(odd, sample(NOW, window(*QUIET))) == record


def test_several_metrics_share_the_budget() -> None:
    others = [ComparedMetric(name=f"m{place}", requests="r", bad="b") for place in range(7)]
    compare = Compare(metrics=(ERRORS, *others), warm_up=timedelta())
    known = begun(compare)
    answers = [MetricAnswer("errors", window((500, 5), (9500, 5))), *(MetricAnswer(f"m{i}", window((500, 0), (9500, 0))) for i in range(7))]
    together = looked(known, Sample(WindowQuestion(SIDES, NOW, NOW + MINUTE), tuple(answers)), compare)
    alone = looked(begun(), sample(NOW, window((500, 5), (9500, 5))))
    assert alone.exceeded and not together.exceeded
    assert together.e_value == pytest.approx((alone.e_value + 7) / 8)


# -- what it means ----------------------------------------------------------------------------------------------------

POLICY = ReleasePolicy(name="p", namespace="shop", compare=HOT)
PROMOTED = rollout(current=BAD, stable=BAD, phase="Healthy")
ENOUGH = ((1000, 1), (9000, 9))


def counted(*samples: tuple[tuple[float, float], tuple[float, float]]) -> Release:
    known = begun()
    for minute, counts in enumerate(samples):
        known = with_(known, looked(known, sample(NOW + minute * MINUTE, window(*counts))))
    return known


def test_a_worse_canary_is_aborted_by_a_verb_that_is_on_record_first() -> None:
    known = counted(QUIET)
    status = judge(known, POLICY, facts(sample=sample(NOW + MINUTE, window(*WORSE))), NOW + 2 * MINUTE)
    assert status.comparison is not None and status.comparison.exceeded and status.verdict is None
    [verb] = status.verbs
    assert verb.verb == "abort"
    assert "errors: 20 of 1000 (2%) of the canary beside 18 of 19000 (0.095%), 21.1x the rate; 1.5x is tolerated" in verb.reason
    assert judge(replace(known, status=status), POLICY, facts(), NOW + 3 * MINUTE) == status


def test_once_it_is_home_the_verdict_is_failed_with_both_sides_counted() -> None:
    verb = Verb(verb="abort", at=NOW, reason="errors: worse")
    known = counted(WORSE)
    known = replace(known, status=replace(known.status, verbs=(verb,)))
    status = judge(known, POLICY, facts(rollout=rollout(**aborted("ours"))), NOW)
    assert (status.verdict, status.reason, status.held, status.restore is not None) == (Verdict.FAILED, "errors: worse", True, True)


def test_a_worse_canary_that_was_promoted_meanwhile_has_lost_all_the_same() -> None:
    status = judge(counted(WORSE), POLICY, facts(rollout=PROMOTED), NOW)
    assert (status.verdict, status.promoted_at, status.held) == (Verdict.FAILED, NOW, True)
    assert status.restore is not None and status.keep_until is None


def test_a_worse_canary_is_aborted_even_where_the_policy_lost_its_comparison() -> None:
    assert [verb.verb for verb in judge(counted(WORSE), ReleasePolicy(name="p", namespace="shop"), facts(), NOW).verbs] == ["abort"]


def test_enough_requests_and_nothing_found_is_a_pass_that_is_measured() -> None:
    status = judge(counted(ENOUGH), POLICY, facts(rollout=PROMOTED), NOW)
    assert (status.verdict, status.unmeasured) == (Verdict.PASSED, False)
    assert "1000 requests of the canary compared in 1 windows: 1.5x is tolerated" in status.reason


@pytest.mark.parametrize("counts", [((999, 0), (9000, 9)), ((5000, 5), (999, 1))], ids=["canary", "baseline"])
def test_too_few_requests_of_either_side_prove_nothing(counts: tuple[tuple[float, float], tuple[float, float]]) -> None:
    status = judge(counted(counts), POLICY, facts(rollout=PROMOTED), NOW)
    assert (status.verdict, status.restore) == (Verdict.NOT_ENOUGH_EVIDENCE, None)
    assert "1000 of each are required" in status.reason


@pytest.mark.parametrize(("bad", "proven"), [(5999, True), (6000, False), (9000, False)])
def test_a_baseline_that_leaves_no_room_for_worse_proves_nothing(bad: int, proven: bool) -> None:
    """A selector that counts every request as bad, or a bound that most requests exceed, finds nothing ever."""
    status = judge(counted(((1000, bad // 9), (9000, bad))), POLICY, facts(rollout=PROMOTED), NOW)
    assert status.verdict is (Verdict.PASSED if proven else Verdict.NOT_ENOUGH_EVIDENCE)
    assert proven or "take a bound that fewer exceed" in status.reason


def test_counts_that_speak_against_it_but_not_surely_enough_prove_nothing() -> None:
    """Half of the way to a failure, in logarithms: 10 of 100."""
    known = counted(((1000, 7), (9000, 9)))
    record = known.status.comparison
    assert record is not None and 10 <= record.e_value < 100
    status = judge(known, POLICY, facts(rollout=PROMOTED), NOW)
    assert (status.verdict, status.restore) == (Verdict.NOT_ENOUGH_EVIDENCE, None)
    assert status.reason.startswith("the counts speak against it, but not surely enough: errors: 7 of 1000")
    doubtless = with_(known, replace(record, e_value=9.9))
    assert judge(doubtless, POLICY, facts(rollout=PROMOTED), NOW).verdict is Verdict.PASSED


def test_a_comparison_that_never_began_proves_nothing() -> None:
    known = release(status=ReleaseStatus(phase=ReleasePhase.PROGRESSING, pod_hash=BAD))
    assert judge(known, POLICY, facts(rollout=PROMOTED), NOW).verdict is Verdict.NOT_ENOUGH_EVIDENCE


def test_a_provider_that_was_away_at_the_end_could_not_measure() -> None:
    known = counted(((10, 0), (90, 0)))
    known = with_(known, looked(known, sample(NOW + MINUTE, None, problem="prometheus is away")))
    status = judge(known, POLICY, facts(rollout=PROMOTED), NOW)
    assert (status.verdict, status.promoted_at, status.restore) == (Verdict.COULD_NOT_MEASURE, NOW, None)
    assert "prometheus is away" in status.reason


def test_an_analysis_that_is_asked_for_too_has_to_pass_as_well() -> None:
    steps = [{"setWeight": 30}, {"analysis": {"templates": [{"templateName": "t"}]}}]
    live = {**PROMOTED, "spec": {**PROMOTED["spec"], "strategy": {"canary": {"steps": steps}}}}
    status = judge(counted(ENOUGH), POLICY, facts(rollout=live), NOW)
    assert status.verdict is Verdict.NOT_ENOUGH_EVIDENCE and "never ran to its end" in status.reason


def test_a_decided_release_counts_nothing_more() -> None:
    ended = counted(ENOUGH)
    ended = replace(ended, status=replace(ended.status, verdict=Verdict.PASSED))
    assert question(ended, HOT, facts(), NOW + 9 * MINUTE) is None
    assert judge(ended, POLICY, facts(sample=sample(NOW + MINUTE, window(*WORSE))), NOW) == ended.status


def test_nothing_is_missing_where_both_sides_answered_enough() -> None:
    assert shortfall(counted(ENOUGH).status.comparison, HOT) is None
