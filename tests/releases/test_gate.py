"""When the template that Git asks for may reach the cluster, and what lives until then."""

from datetime import datetime, timedelta
from typing import Any

from msgspec.structs import replace

from reconciler.kernel.identity import Manifest
from reconciler.releases.model import Content, Release, ReleasePhase, ReleaseStatus, Verdict
from reconciler.releases.opening.gate import TemplateDecision, Wanted, decide_template
from reconciler.rollouts.view import view_of
from tests.kit.releases import BAD, GOOD, NOW, TEMPLATE, aborted, release, rollout

LATER = NOW + timedelta(minutes=10)


def closed(name: str, verdict: Verdict, minutes: int = 0, content: Content | None = None, **known: Any) -> Release:
    status = ReleaseStatus(phase=ReleasePhase.CLOSED, verdict=verdict, decided_at=NOW, **known)
    found = release(name, minutes=minutes, identity=name, status=status)
    return found if content is None else replace(found, spec=replace(found.spec, content=content))


GOOD_ONE = closed("good", Verdict.PASSED, pod_hash=GOOD, promoted_at=NOW)
BAD_ONE = closed("bad", Verdict.FAILED, 1, held=True, keep_until=LATER)


def decided(
    identity: str, *history: Release, live: Manifest | None = None, at: datetime = NOW, awaited: Release | None = None
) -> TemplateDecision:
    view = view_of(live) if live is not None else None
    return decide_template(Wanted(identity=identity, images={"web": "web:9"}, history=history, live=view, awaited=awaited), at)


def live(**known: Any) -> Manifest:
    return rollout(**known)


def overridden(identity: str) -> Manifest:
    found = rollout()
    found["metadata"]["annotations"]["reconciler.dev/override"] = identity
    return found


def test_what_git_asks_for_goes_through_under_its_newest_release() -> None:
    mine = [release(name, minutes=minutes, identity="new") for minutes, name in ((2, "first"), (3, "second"))]
    assert decided("new", GOOD_ONE, *mine, live=live()) == TemplateDecision(release="second", config_mark="")
    assert decided("unknown", GOOD_ONE, live=live()) == TemplateDecision()
    assert decided("new") == TemplateDecision()


def test_until_what_serves_is_the_baseline_nothing_changes() -> None:
    first = release("first", identity="first", previous=None)
    found = decided("new", GOOD_ONE, BAD_ONE, live=live(), awaited=first)
    assert (found.keep, found.release) == (True, "first") and "becomes the baseline first" in found.reason


def test_a_held_version_is_kept_out_and_a_missing_rollout_is_made_from_what_served() -> None:
    found = decided("bad", GOOD_ONE, BAD_ONE, live=live())
    assert (found.keep, found.reason, found.release, found.instead) == (True, "held by bad", "bad", TEMPLATE)
    missing = decided("bad", GOOD_ONE, BAD_ONE)
    assert (missing.keep, missing.release, missing.instead) == (True, "good", TEMPLATE)
    assert decided("bad", BAD_ONE) == TemplateDecision(True, "held by bad", "bad")


FELL = {"current": BAD, "stable": BAD, "duration": {"rolloutStartedAt": "2026-11-25T02:00:00Z", "completionStatus": "Promoted"}}


def test_where_only_a_held_version_is_left_the_one_that_served_takes_its_place() -> None:
    """Its Rollout or its stable pods were deleted: pods that crash must not stay for ever because Git asks for them."""
    bad = closed("bad", Verdict.FAILED, 1, held=True, pod_hash=BAD)
    for found in (decided("bad", GOOD_ONE, bad, live=live(**FELL)), decided("bad", GOOD_ONE, bad)):
        assert (found.keep, found.anew, found.release, found.instead) == (True, True, "good", TEMPLATE)
    on_its_way = decided("bad", GOOD_ONE, bad, live=live(**{**FELL, "current": GOOD}))
    assert (on_its_way.anew, on_its_way.release) == (True, "good")
    assert not decided("bad", GOOD_ONE, bad, live=live()).anew, "it lies beside what serves"
    assert not decided("bad", closed("good", Verdict.PASSED, content=Content(), pod_hash=GOOD), bad, live=live(**FELL)).anew


def test_a_held_version_that_a_person_chose_or_tries_again_is_left_alone() -> None:
    bad = closed("bad", Verdict.FAILED, 1, held=True, pod_hash=BAD)
    chosen = live(**FELL)
    chosen["metadata"]["annotations"]["reconciler.dev/override"] = "bad"
    promoted = live(**{**FELL, "duration": {"completionStatus": "FastPromoted"}})
    again = release("again", minutes=2, identity="bad", status=ReleaseStatus(pod_hash=BAD))
    assert not decided("bad", GOOD_ONE, bad, live=chosen).anew
    assert not decided("bad", GOOD_ONE, bad, live=promoted).anew, "an attempt of its own begins"
    assert not decided("bad", GOOD_ONE, bad, again, live=live(**FELL)).anew, "it is under way"


def test_nothing_is_kept_for_inspection_while_users_are_on_it() -> None:
    bad = closed("bad", Verdict.FAILED, 1, held=True, keep_until=LATER, pod_hash=BAD)
    assert decided("good", GOOD_ONE, bad, live=live(stable=BAD)) == TemplateDecision(release="good", config_mark="")
    assert decided("good", GOOD_ONE, bad, live=live()).keep


def test_a_rejected_version_that_lies_aborted_keeps_its_steps_until_a_person_or_another_version_comes() -> None:
    """Other steps would begin it anew, users and all, although nobody lifted it."""
    bad = closed("bad", Verdict.ABORTED, 1, held=True, pod_hash=BAD)
    lying = live(**aborted("by hand"))
    assert decided("bad", GOOD_ONE, bad, live=lying).keep_steps
    assert not decided("new", GOOD_ONE, bad, live=lying).keep_steps
    assert not decided("bad", GOOD_ONE, bad, live=live()).keep_steps
    assert not decided("bad", GOOD_ONE, replace(bad, status=replace(bad.status, held=False)), live=lying).keep_steps
    assert not decided("bad", GOOD_ONE, bad, live=live(current=BAD, stable=BAD, abort=True)).keep_steps
    assert not decided("bad", GOOD_ONE, bad, live=live(current="other", abort=True)).keep_steps
    assert not decided("bad", GOOD_ONE, bad).keep_steps


def test_an_override_keeps_the_template_only_while_git_asks_for_the_same() -> None:
    assert decided("new", GOOD_ONE, live=overridden("new")).reason == "a person's override is in force"
    assert not decided("new", GOOD_ONE, live=overridden("earlier")).keep


def test_a_rollout_that_is_missing_or_just_made_brings_up_what_served_first() -> None:
    made = live(stable="", release="good")
    for found in (decided("new", GOOD_ONE), decided("new", GOOD_ONE, live=made)):
        assert (found.keep, found.release, found.instead) == (True, "good", TEMPLATE)
    assert not decided("new", GOOD_ONE, live=live(stable="", release="other")).keep
    assert not decided("new", GOOD_ONE, live=live(stable=GOOD, release="good")).keep


def test_a_version_that_was_too_large_to_keep_cannot_be_brought_up_first() -> None:
    assert decided("new", closed("good", Verdict.PASSED, content=Content(), pod_hash=GOOD)) == TemplateDecision()


def test_a_rejected_version_is_kept_for_inspection_until_its_window_ends() -> None:
    shorter = closed("earlier", Verdict.FAILED, 1, held=True, keep_until=NOW + timedelta(minutes=1))
    found = decided("good", GOOD_ONE, BAD_ONE, shorter, live=live())
    assert (found.keep, found.release, found.wake_at) == (True, "bad", LATER)
    assert decided("good", GOOD_ONE, BAD_ONE, live=live(), at=LATER) == TemplateDecision(release="good", config_mark="")
    assert decided("good", GOOD_ONE, BAD_ONE) == TemplateDecision(release="good", config_mark=""), "nothing lives that could be kept"
    assert decided("new", BAD_ONE, live=live()) == TemplateDecision(), "nothing served that Git could ask for"
