"""Which release Git asks for: table of what is proven, held and on its way."""

from dataclasses import replace as with_

import msgspec

from reconciler.releases.model import Change, Named, Release, ReleasePhase, ReleaseStatus, Restore, RestoreState, Verdict
from reconciler.releases.opening import Asked, Details, detailed, opening
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
)


def ended(identity: str, verdict: Verdict, *, sha: str = "c" * 40, name: str = "web-x", **known: object) -> Release:
    status = ReleaseStatus(phase=ReleasePhase.CLOSED, verdict=verdict, decided_at=NOW, **known)  # type: ignore[arg-type]
    return release(name, identity=identity, sha=sha, status=status)


def with_number(known: Release, number: int) -> Release:
    return msgspec.structs.replace(known, spec=msgspec.structs.replace(known.spec, number=number))


GOOD = ended("good-identity", Verdict.PASSED, name="web-good", pod_hash="h1")


def test_the_first_release_of_a_workload_is_its_baseline() -> None:
    first = opening(ASKED, [])
    assert first is not None and first.spec.baseline and first.spec.proven is None
    assert first.name == "web-new-iden-eeeeeee"


def test_a_new_identity_is_a_release_that_knows_where_to_go_back_to() -> None:
    found = opening(ASKED, [GOOD])
    assert found is not None and not found.spec.baseline
    assert found.spec.proven is not None
    assert (found.spec.proven.release, found.spec.proven.pod_hash) == ("web-good", "h1")


def test_while_the_version_that_runs_becomes_the_baseline_nothing_else_starts() -> None:
    first = opening(with_(ASKED, identity="older", running=True), [])
    assert first is not None and first.spec.baseline and first.spec.running
    assert opening(ASKED, [first]) is None
    done = msgspec.structs.replace(first, status=ended("older", Verdict.PASSED).status)
    following = opening(ASKED, [done])
    assert following is not None and not following.spec.baseline and not following.spec.running


def test_what_is_proven_or_on_its_way_opens_nothing() -> None:
    assert opening(with_(ASKED, identity="good-identity"), [GOOD]) is None
    assert opening(ASKED, [GOOD, release("web-open", identity="new-identity")]) is None


def test_a_rejected_identity_is_not_tried_again_while_git_still_asks_for_it() -> None:
    wanted = ended("new-identity", Verdict.FAILED, held=True, restore=Restore(state=RestoreState.WANTED))
    assert opening(ASKED, [GOOD, wanted]) is None


def test_a_re_push_of_a_held_identity_is_a_new_attempt() -> None:
    restored = ended("new-identity", Verdict.FAILED, held=True, restore=Restore(state=RestoreState.PUSHED, sha="f" * 40))
    again = opening(ASKED, [GOOD, restored])
    assert again is not None and again.name == "web-new-iden-eeeeeee"
    same_commit = with_(ASKED, commit=restored.spec.commit)
    assert opening(same_commit, [GOOD, restored]) is None


def test_a_lifted_identity_starts_again_under_another_name() -> None:
    lifted = ended("new-identity", Verdict.FAILED, held=False, sha="e" * 40, name="web-new-iden-eeeeeee")
    again = opening(ASKED, [GOOD, lifted])
    assert again is not None and again.name == "web-new-iden-eeeeeee-2"


def test_what_could_not_be_measured_is_tried_again_only_when_a_person_retries_it() -> None:
    unmeasured = ended("new-identity", Verdict.COULD_NOT_MEASURE, sha="e" * 40, name="web-new-iden-eeeeeee")
    assert opening(ASKED, [GOOD, unmeasured]) is None
    again = opening(with_(ASKED, retried=True), [GOOD, unmeasured])
    assert again is not None and again.name == "web-new-iden-eeeeeee-2"


def test_releases_are_numbered_so_that_those_of_one_second_have_an_order() -> None:
    first = opening(ASKED, [])
    assert first is not None and first.spec.number == 1
    second = opening(with_(ASKED, identity="other"), [ended("new-identity", Verdict.PASSED), with_number(GOOD, 7)])
    assert second is not None and second.spec.number == 8


def test_a_release_that_was_superseded_or_not_proven_is_not_repeated_by_itself() -> None:
    for verdict in (Verdict.SUPERSEDED, Verdict.NOT_ENOUGH_EVIDENCE):
        assert opening(ASKED, [GOOD, ended("new-identity", verdict)]) is None


def test_going_back_and_forth_is_a_release_each_time() -> None:
    other = ended("other-identity", Verdict.SUPERSEDED)
    assert opening(ASKED, [GOOD, ended("new-identity", Verdict.SUPERSEDED), other]) is not None


def test_details_are_filled_in_once_it_is_really_opened() -> None:
    found = opening(ASKED, [GOOD])
    assert found is not None and found.spec.revert == "manual"
    change = Change(file="a.yaml", line=1, field="image", old="1", new="2")
    full = detailed(found, Details(pull=Pull(number=4), changes=(change,), revert="direct"))
    assert (full.spec.pull, full.spec.changes, full.spec.revert) == (Pull(number=4), (change,), "direct")
