"""When a release that had ended begins anew, and what of the attempts before comes with it."""

from typing import Any

import pytest

from reconciler.releases.attempts import MOST_RUNS, earlier_runs, goes_on, next_attempt
from reconciler.releases.identity import release_name
from reconciler.releases.model import Cause, Release, ReleasePhase, ReleaseStatus, Verdict
from reconciler.rollouts.view import RolloutView, view_of
from reconciler.sources.model import Commit
from tests.kit.releases import BAD, GOOD, NOW, release, rollout

ASKED = "bad-identity"


def ended(verdict: Verdict = Verdict.FAILED, *, held: bool = True, spec: dict[str, Any] | None = None, **known: Any) -> Release:
    status = ReleaseStatus(phase=ReleasePhase.CLOSED, verdict=verdict, held=held, decided_at=NOW, **{"pod_hash": BAD, **known})
    return release(status=status, **(spec or {}))


def live(**known: Any) -> RolloutView:
    return view_of(rollout(**known))


def cause(latest: Release, found: RolloutView | None = None, asked: str | None = ASKED) -> Cause | None:
    anew = next_attempt([latest], found, asked)
    return anew.spec.cause if anew is not None else None


@pytest.mark.parametrize(
    ("verdict", "anew"),
    [
        (Verdict.FAILED, True),
        (Verdict.ABORTED, True),
        (Verdict.HELD, True),
        (Verdict.COULD_NOT_MEASURE, True),
        (Verdict.NOT_ENOUGH_EVIDENCE, True),
        (Verdict.PASSED, False),
        (Verdict.SUPERSEDED, False),
    ],
)
def test_a_version_that_had_come_home_and_goes_on_is_retried(verdict: Verdict, anew: bool) -> None:
    assert cause(ended(verdict), live()) is (Cause.RETRIED if anew else None)


def test_a_rejection_that_a_person_lifts_is_tried_again_and_one_that_holds_is_not() -> None:
    stands = live(abort=True)
    assert cause(ended(held=False), stands) is cause(ended(held=False)) is Cause.LIFTED
    assert cause(ended(held=True), stands) is None
    assert cause(ended(Verdict.COULD_NOT_MEASURE, held=False), stands) is None


def test_nothing_begins_anew_unless_git_is_known_to_ask_for_just_that_version() -> None:
    lifted = ended(held=False)
    assert [cause(lifted, live(), asked) for asked in (None, "other", "")] == [None] * 3
    assert next_attempt([], live(), ASKED) is None


def test_neither_an_open_release_nor_a_baseline_begins_anew() -> None:
    assert cause(release(status=ReleaseStatus(phase=ReleasePhase.PROGRESSING, pod_hash=BAD)), live()) is None
    assert cause(ended(held=False, spec={"previous": None}), live()) is None


@pytest.mark.parametrize(
    ("status", "found"),
    [
        ({}, None),
        ({"promoted_at": NOW}, live()),
        ({"pod_hash": ""}, live(current="")),
        ({}, live(current=GOOD)),
        ({}, live(abort=True)),
    ],
)
def test_a_version_does_not_go_on_that_is_not_on_its_way_to_users(status: dict[str, Any], found: RolloutView | None) -> None:
    assert goes_on(ended(), live())
    assert not goes_on(ended(**status), found)


@pytest.mark.parametrize(
    ("began", "known", "retried"),
    [
        ("2026-11-25T02:59:59Z", {"completionStatus": "Promoted"}, False),
        ("2026-11-25T03:00:00Z", {"completionStatus": "Promoted"}, True),
        ("2026-11-25T02:00:00Z", {"completionStatus": "FastPromoted"}, True),
        ("", {}, True),
        ("yesterday", {}, True),
    ],
)
def test_a_version_that_is_stable_as_nothing_else_was_left_was_not_tried_again(began: str, known: dict[str, str], retried: bool) -> None:
    fell = live(stable=BAD, phase="Healthy", duration={"rolloutStartedAt": began, **known})
    assert cause(ended(), fell) is (Cause.RETRIED if retried else None)
    on_its_way = live(duration={"rolloutStartedAt": began, **known})
    assert cause(ended(), on_its_way) is Cause.RETRIED


def test_the_newest_release_decides() -> None:
    newer = release("newer", minutes=5, identity="other", number=2, status=ReleaseStatus(verdict=Verdict.PASSED, decided_at=NOW))
    assert next_attempt([ended(held=False), newer], live(), ASKED) is None


def test_an_attempt_has_the_next_number_and_the_name_of_the_one_before_whichever_commit_asks() -> None:
    first = ended(held=False, spec={"number": 4})
    other = release("other", minutes=-5, identity="other", number=7, attempt=9, status=ReleaseStatus(verdict=Verdict.PASSED))
    plain, pushed = (next_attempt([other, first], live(abort=True), ASKED, commit) for commit in (None, Commit(sha="f" * 40)))
    assert plain is not None and pushed is not None
    assert (plain.spec.number, plain.spec.attempt, plain.spec.commit) == (8, 2, first.spec.commit)
    assert (pushed.spec.number, pushed.spec.attempt, pushed.spec.commit.sha) == (8, 2, "f" * 40)
    assert plain.name == pushed.name == release_name("web", ("shop", "demo", ASKED), "c" * 40, 2)
    assert plain.status == ReleaseStatus() and plain.namespace == "shop"


def test_an_abort_that_still_stands_is_no_abort_of_the_new_attempt() -> None:
    at = "2026-11-25T02:00:00Z"
    found = [next_attempt([ended(held=False)], seen, ASKED) for seen in (live(abort=True, abortedAt=at), live(abortedAt=at), None)]
    assert [anew.spec.earlier_abort for anew in found if anew is not None] == [at, "", ""]


def test_runs_of_all_attempts_before_are_known_once_each_and_the_latest_are_kept() -> None:
    history = [ended(seen_runs=("a", "b")), release("next", minutes=1, status=ReleaseStatus(seen_runs=("b", "c")))]
    assert earlier_runs(history, ("c", "d")) == ("a", "b", "c", "d")
    many = tuple(str(number) for number in range(MOST_RUNS))
    assert earlier_runs(history, many) == many
