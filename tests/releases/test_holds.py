"""Proven and held, read off releases: the only memory there is."""

from datetime import timedelta

from msgspec.structs import replace

from reconciler.releases.holds import expired, holder, keeping, of_workload, proven, rejections, serving
from reconciler.releases.model import Accepted, Cause, Previous, Release, ReleasePhase, ReleaseStatus, Verdict
from tests.kit.releases import NOW, release


def closed(name: str, verdict: Verdict, minutes: int = 0, **known: object) -> Release:
    identity = known.pop("identity", name)
    at = NOW + timedelta(minutes=minutes)
    status = ReleaseStatus(phase=ReleasePhase.CLOSED, verdict=verdict, decided_at=at, **known)  # type: ignore[arg-type]
    return release(name, minutes=minutes, identity=identity, status=status)


def test_the_newest_pass_is_proven() -> None:
    releases = [
        closed("a", Verdict.PASSED, 1),
        closed("c", Verdict.PASSED, 3),
        closed("b", Verdict.PASSED, 2),
        closed("d", Verdict.FAILED, 4),
    ]
    assert proven(releases) is releases[1]
    assert proven([closed("d", Verdict.FAILED)]) is None


def test_releases_of_the_same_second_are_sorted_by_their_number() -> None:
    second, first = release("a", number=2), release("b", number=1)
    assert of_workload([second, first], first.key) == [first, second]


def test_an_identity_is_held_by_its_rejection_until_lifted() -> None:
    rejected = closed("a", Verdict.FAILED, held=True)
    assert holder([rejected], "a", {}) is rejected
    assert holder([rejected], "other", rejected.spec.images) is None
    assert holder([closed("a", Verdict.FAILED, held=False)], "a", {}) is None


def test_images_rejected_twice_are_held_whatever_the_template_until_a_person_tries_them_again() -> None:
    rejected = closed("a", Verdict.FAILED, 1, held=True, holds_images=True)
    assert holder([rejected], "with another annotation", rejected.spec.images) is rejected
    assert holder([rejected], "with another annotation", {"web": "web:2"}) is None
    retried = release("b", minutes=2, identity="b", cause=Cause.RETRIED)
    assert holder([rejected, retried], "c", rejected.spec.images) is None


def test_an_attempt_that_a_person_asked_for_ends_the_hold_and_a_re_push_does_not() -> None:
    rejected = closed("a", Verdict.FAILED, 1, held=True)
    for cause, held in ((Cause.LIFTED, None), (Cause.RETRIED, None), (Cause.PUSHED_AGAIN, rejected)):
        assert holder([rejected, release("a-2", minutes=2, identity="a", cause=cause)], "a", {}) is held


def test_rejections_are_counted_by_images_within_the_window() -> None:
    counted = [closed("a", Verdict.FAILED, 1, held=True), closed("b", Verdict.ABORTED, 2, held=True)]
    known = [*counted, closed("x", Verdict.HELD, 3, held=True), closed("lifted", Verdict.FAILED, 3, held=False)]
    now = NOW + timedelta(minutes=5)
    assert rejections(known, release("new", identity="c"), timedelta(hours=1), now) == 2
    assert rejections([release("z", status=ReleaseStatus(held=True))], release("new", identity="c"), timedelta(hours=1), now) == 0
    assert rejections(known, release("new", identity="a"), timedelta(hours=1), now) == 1
    assert rejections(known, release("new", identity="c"), timedelta(seconds=200), now) == 1


def test_what_serves_is_what_the_stable_pods_run_proven_or_not() -> None:
    passed = closed("a", Verdict.PASSED, 1, pod_hash="h1")
    unproven = closed("b", Verdict.NOT_ENOUGH_EVIDENCE, 2, pod_hash="h2", promoted_at=NOW)
    home = closed("c", Verdict.NOT_ENOUGH_EVIDENCE, 3, pod_hash="h3")
    lost = closed("d", Verdict.FAILED, 4, pod_hash="h4", promoted_at=NOW)
    known = [passed, unproven, home, lost]
    assert serving(known, "h2") is unproven
    assert serving(known, "h3") is serving(known, "h4") is serving(known, "") is passed


def test_what_serves_is_not_the_newest_proven_version_where_an_older_one_runs() -> None:
    known = [closed("a", Verdict.PASSED, 1, pod_hash="h1"), closed("b", Verdict.PASSED, 2, pod_hash="h2")]
    assert serving(known, "h1") is known[0]
    assert serving(known, "gone") is known[1]


def test_what_served_before_a_rejected_version_is_what_the_release_says() -> None:
    """The newest proven version may be an older one: nobody is led past what served."""
    proven_one = closed("proven", Verdict.PASSED, pod_hash="h1")
    unproven = closed("unproven", Verdict.NOT_ENOUGH_EVIDENCE, 1, pod_hash="h2", promoted_at=NOW)
    rejected = closed("bad", Verdict.FAILED, 2, pod_hash="h3", held=True)
    bad = replace(rejected, spec=replace(rejected.spec, previous=Previous(release="unproven")))
    assert serving([proven_one, unproven, bad], "h3") is unproven
    assert serving([proven_one, replace(bad, status=replace(bad.status, held=False))], "h3") is proven_one
    assert serving([proven_one, bad], "h3") is proven_one, "its release is gone"


def test_a_version_that_a_person_accepts_is_proven() -> None:
    accepted = closed("b", Verdict.NOT_ENOUGH_EVIDENCE, 2, pod_hash="h2", promoted_at=NOW, accepted=Accepted(by="ann", at=NOW))
    assert proven([closed("a", Verdict.PASSED, 1), accepted]) is accepted


def test_an_answer_to_a_re_push_holds_nothing_by_itself() -> None:
    answer = closed("a-2", Verdict.HELD, identity="a", held=True)
    assert holder([answer], "a", {}) is None


def test_a_window_of_inspection_ends_by_time_and_with_the_hold() -> None:
    until = NOW + timedelta(minutes=10)
    kept = closed("a", Verdict.FAILED, held=True, keep_until=until)
    assert keeping([kept], NOW) == until
    assert keeping([kept], until) is None
    assert keeping([closed("b", Verdict.FAILED, held=True), kept], NOW) == until
    assert keeping([closed("a", Verdict.FAILED, held=False, keep_until=until)], NOW) is None


def test_history_is_of_one_workload_in_order_of_age() -> None:
    older, newer = release("z", minutes=1), release("a", minutes=2)
    assert of_workload([newer, older], ("shop", "Rollout", "web")) == [older, newer]
    assert of_workload([newer], ("shop", "Rollout", "other")) == []


def test_history_beyond_the_limit_goes_but_never_what_is_proven_and_as_many_rejections_stay() -> None:
    first = closed("first", Verdict.PASSED, 9)
    held = closed("held", Verdict.FAILED, 1, held=True)
    old = [closed(f"s{n}", Verdict.SUPERSEDED, n + 2) for n in range(3)]
    assert expired([first, held, *old, release("open")], 1) == old[:2]
    assert expired([first, held, *old], 3) == []
    answers = [closed(f"h{n}", Verdict.HELD, n + 20, identity="held", held=True) for n in range(5)]
    assert expired([first, held, *answers], 2) == answers[:3]
    rejected = [closed(f"r{n}", Verdict.FAILED, n + 30, held=True) for n in range(4)]
    assert expired([first, *rejected], 3) == rejected[:1]
