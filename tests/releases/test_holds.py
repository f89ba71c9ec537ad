"""Proven and held, read off releases: the only memory there is."""

from datetime import timedelta

from reconciler.releases.holds import expired, holder, keeping, of_workload, open_releases, proven
from reconciler.releases.model import Release, ReleasePhase, ReleaseStatus, Verdict
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
    assert holder([rejected], "a") is rejected
    assert holder([rejected], "other") is None
    assert holder([closed("a", Verdict.FAILED, held=False)], "a") is None


def test_an_answer_to_a_re_push_holds_nothing_by_itself() -> None:
    answer = closed("a-2", Verdict.HELD, identity="a", held=True)
    assert holder([answer], "a") is None


def test_a_window_of_inspection_ends_by_time_and_with_the_hold() -> None:
    until = NOW + timedelta(minutes=10)
    kept = closed("a", Verdict.FAILED, held=True, keep_until=until)
    assert keeping([kept], NOW) == until
    assert keeping([kept], until) is None
    assert keeping([closed("a", Verdict.FAILED, held=False, keep_until=until)], NOW) is None


def test_history_is_of_one_workload_in_order_of_age() -> None:
    older, newer = release("z", minutes=1), release("a", minutes=2)
    assert of_workload([newer, older], ("shop", "Rollout", "web")) == [older, newer]
    assert of_workload([newer], ("shop", "Rollout", "other")) == []


def test_open_means_not_closed() -> None:
    watching = release("b", status=ReleaseStatus(phase=ReleasePhase.WATCHING))
    assert open_releases([closed("a", Verdict.PASSED), watching]) == [watching]


def test_history_beyond_the_limit_goes_but_never_what_is_proven_or_held() -> None:
    first = closed("first", Verdict.PASSED, 9)
    held = closed("held", Verdict.FAILED, 1, held=True)
    old = [closed(f"s{n}", Verdict.SUPERSEDED, n + 2) for n in range(3)]
    assert expired([first, held, *old, release("open")], 1) == old[:2]
    assert expired([first, held, *old], 3) == []
