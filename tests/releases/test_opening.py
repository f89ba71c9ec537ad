"""Which release Git asks for: table of what is proven, held and on its way."""

from dataclasses import replace as with_

import msgspec
import pytest

from reconciler.releases.model import Cause, Change, Content, Named, Release, ReleasePhase, ReleaseStatus, Restore, RestoreState, Verdict
from reconciler.releases.opening.opening import Asked, Details, Serving, baseline, detailed, opening
from reconciler.rollouts.view import RolloutView, view_of
from reconciler.sources.model import Commit, Pull
from tests.kit.releases import NOW, release

ASKED = Asked(
    namespace="shop",
    workload=Named(kind="Rollout", name="web"),
    template=Named(kind="Rollout", name="web"),
    source="shop",
    environment="demo",
    identity="new-identity",
    images={"web": "web:2"},
    commit=Commit(sha="e" * 40),
    content=Content(),
)


def ended(identity: str, verdict: Verdict, *, sha: str = "c" * 40, name: str = "web-x", **known: object) -> Release:
    status = ReleaseStatus(phase=ReleasePhase.CLOSED, verdict=verdict, decided_at=NOW, **known)  # type: ignore[arg-type]
    return release(name, identity=identity, sha=sha, status=status)


def with_number(known: Release, number: int) -> Release:
    return msgspec.structs.replace(known, spec=msgspec.structs.replace(known.spec, number=number))


GOOD = ended("good-identity", Verdict.PASSED, name="web-good", pod_hash="h1")


def live(stable: str = "h1", current: str = "") -> RolloutView:
    return view_of({"metadata": {}, "status": {"stableRS": stable, "currentPodHash": current or stable}})


def opened(asked: Asked, history: list[Release], stable: str = "h1") -> Release:
    found = opening(asked, history, live(stable))
    assert found is not None
    return found


def test_what_was_measured_before_a_baseline_is_no_evidence_of_it() -> None:
    assert baseline(ASKED, [], ("measured before",)).spec.earlier_runs == ("measured before",)


def test_the_first_release_of_a_workload_is_its_baseline() -> None:
    first = baseline(ASKED, [])
    assert first.spec.baseline and first.spec.previous is None and first.spec.cause is Cause.PUSHED
    assert first.name.startswith("web-demo-") and first.name.endswith("-eeeeeee")


def test_a_new_identity_is_a_release_that_knows_where_to_go_back_to() -> None:
    found = opened(ASKED, [GOOD])
    assert found.spec.previous is not None and not found.spec.baseline
    assert (found.spec.previous.release, found.spec.previous.pod_hash, found.spec.previous.proven) == ("web-good", "h1", True)
    assert found.spec.previous.content == GOOD.spec.content


def test_the_way_back_leads_to_what_serves_and_not_past_it_to_what_was_proven_before() -> None:
    unproven = ended("unproven", Verdict.NOT_ENOUGH_EVIDENCE, name="web-unproven", pod_hash="h2", promoted_at=NOW)
    before = opened(ASKED, [GOOD, unproven], stable="h2").spec.previous
    assert before is not None and (before.release, before.proven) == ("web-unproven", False)
    assert opening(with_(ASKED, identity="unproven"), [GOOD, unproven], live("h2")) is None


def test_while_the_version_that_serves_becomes_the_baseline_nothing_else_starts() -> None:
    found = Serving(images={"web": "web:1"}, content=Content(), identity="older", commit=Commit(sha="a" * 40), pod_hash="h1")
    first = baseline(ASKED, [], found=found)
    assert (first.spec.baseline, first.spec.serving, first.spec.identity, first.spec.cause) == (True, "h1", "older", Cause.FOUND)
    assert opening(ASKED, [first], live()) is None
    done = msgspec.structs.replace(first, status=ended("older", Verdict.PASSED, pod_hash="h1").status)
    assert opened(ASKED, [done]).spec.previous is not None


def test_what_serves_or_is_on_its_way_opens_nothing() -> None:
    assert opening(with_(ASKED, identity="good-identity"), [GOOD], live()) is None
    assert opening(ASKED, [GOOD, release("web-open", identity="new-identity")], live()) is None


def test_a_first_version_without_a_verdict_lets_no_other_one_begin() -> None:
    first = release("web-first", identity="first", previous=None)
    assert opening(ASKED, [first], live()) is None
    assert opening(ASKED, [GOOD, release("web-open", identity="other")], live()) is not None


@pytest.mark.parametrize("state", [RestoreState.WANTED, RestoreState.PROPOSED, RestoreState.IMPOSSIBLE])
def test_a_rejected_identity_is_not_answered_again_before_git_was_restored(state: RestoreState) -> None:
    wanted = ended("new-identity", Verdict.FAILED, held=True, restore=Restore(state=state))
    assert opening(ASKED, [GOOD, wanted], live()) is None


@pytest.mark.parametrize("state", [RestoreState.PUSHED, RestoreState.MERGED, RestoreState.SUPERSEDED])
def test_git_that_asks_again_for_a_held_identity_is_answered_also_with_the_same_commit(state: RestoreState) -> None:
    restored = ended("new-identity", Verdict.FAILED, held=True, restore=Restore(state=state, sha="f" * 40))
    for asked in (ASKED, with_(ASKED, commit=restored.spec.commit)):
        again = opened(asked, [GOOD, restored])
        assert (again.spec.cause, again.spec.attempt) == (Cause.PUSHED_AGAIN, 2) and again.name.endswith("-2")


def test_a_version_that_a_person_lifted_is_not_answered_as_one_that_is_asked_for_again() -> None:
    lifted = ended("new-identity", Verdict.FAILED, held=False, restore=Restore(state=RestoreState.PUSHED, sha="f" * 40))
    assert opening(ASKED, [GOOD, lifted], live()) is None


def test_a_version_that_git_had_left_by_itself_is_judged_when_git_asks_for_it_anew() -> None:
    left = ended("new-identity", Verdict.SUPERSEDED)
    assert (opened(ASKED, [GOOD, left]).spec.cause, opened(ASKED, [GOOD, left]).spec.attempt) == (Cause.PUSHED, 2)


def test_runs_of_attempts_before_are_no_evidence_of_a_new_one() -> None:
    left = ended("new-identity", Verdict.SUPERSEDED, seen_runs=("a", "b"))
    found = opening(ASKED, [GOOD, left], live(), ("b", "c"))
    assert found is not None and found.spec.earlier_runs == ("a", "b", "c")


def test_releases_are_numbered_so_that_those_of_one_second_have_an_order() -> None:
    assert baseline(ASKED, []).spec.number == 1
    assert opened(with_(ASKED, identity="other"), [ended("new-identity", Verdict.PASSED), with_number(GOOD, 7)]).spec.number == 8


def test_a_release_that_was_not_proven_is_not_repeated_by_itself() -> None:
    assert opening(ASKED, [GOOD, ended("new-identity", Verdict.NOT_ENOUGH_EVIDENCE)], live()) is None


def test_going_back_and_forth_is_a_release_each_time() -> None:
    other = ended("other-identity", Verdict.SUPERSEDED)
    assert opened(ASKED, [GOOD, ended("new-identity", Verdict.SUPERSEDED), other]).spec.attempt == 2


def test_details_are_filled_in_once_it_is_really_opened() -> None:
    found = opened(ASKED, [GOOD])
    assert found.spec.revert == "manual"
    change = Change(file="a.yaml", line=1, field="image", old="1", new="2")
    full = detailed(found, Details(pull=Pull(number=4), changes=(change,), revert="direct"))
    assert (full.spec.pull, full.spec.changes, full.spec.revert) == (Pull(number=4), (change,), "direct")
