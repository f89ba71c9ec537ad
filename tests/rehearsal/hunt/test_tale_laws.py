"""Each law of the hunter can fail: a world in which it is broken on purpose, and beside it one in which it holds."""

from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace
from reconciler_sandbox.rehearsal.hunt import laws
from reconciler_sandbox.rehearsal.hunt.laws import TALE_REST, TALE_STEPS, differences, waived
from reconciler_sandbox.rehearsal.hunt.plots import FILE, IMAGE, SECRET
from reconciler_sandbox.rehearsal.hunt.tale import Deed
from reconciler_sandbox.rehearsal.virtual.forge import BOT, MemoryComment, MemoryForge, MemoryStatus
from reconciler_sandbox.rehearsal.virtual.inbox import MemoryInbox
from reconciler_sandbox.rehearsal.virtual.laws import REST, Law, Memory, Sight
from reconciler_sandbox.rehearsal.virtual.loop import BEGINNING
from reconciler_sandbox.rehearsal.virtual.remote import MemoryRemote

from reconciler.releases.announce.message import TRAILER, commit_context, headline, release_trailer
from reconciler.releases.manifest import render_release
from reconciler.releases.model import (
    Cause,
    Evidence,
    Previous,
    Release,
    ReleasePhase,
    ReleaseStatus,
    Restore,
    RestoreMode,
    RestoreState,
    RunRecord,
    Verdict,
)
from reconciler.sources.model import Pull
from tests.kit.releases import NOW, release

LONG = BEGINNING + timedelta(minutes=5)
PREVIOUS = Previous(release="web-good", images={"web": f"{IMAGE}:1.0"})
RUN = RunRecord(uid="u1", name="web-bad-2", kind="Step", phase="Failed")


def of(tag: str = "errors-1", *, name: str = "web-bad", minutes: int = 0, **changes: Any) -> Release:
    known = {"phase": ReleasePhase.CLOSED, "decided_at": NOW, "reason": "measured", "pod_hash": "bad", **changes.pop("status", {})}
    status = ReleaseStatus(**known)
    made = release(name, minutes=minutes, status=status, previous=PREVIOUS, **changes)
    return replace(made, spec=replace(made.spec, images={"web": f"{IMAGE}:{tag}"}))


def manifest(found: Release) -> dict[str, Any]:
    whole = render_release(found)
    stamps = {"uid": found.name, "creationTimestamp": msgspec.to_builtins(found.created)}
    return {**whole, "metadata": {**whole["metadata"], **stamps}, "status": msgspec.to_builtins(found.status)}


def rollout(stable: str = "good") -> dict[str, Any]:
    return {"metadata": {"name": "web"}, "status": {"currentPodHash": "bad", "stableRS": stable}}


def replica_set(hashed: str, tag: str) -> dict[str, Any]:
    template = {"spec": {"containers": [{"name": "web", "image": f"{IMAGE}:{tag}"}]}}
    return {"metadata": {"labels": {laws.HASH: hashed}}, "spec": {"template": template}}


def run_of(hashed: str) -> dict[str, Any]:
    return {"kind": "AnalysisRun", "metadata": {"labels": {laws.HASH: hashed}}}


def asking(tag: str) -> MemoryRemote:
    remote = MemoryRemote()
    remote.commit({FILE: f"image: {IMAGE}:{tag}\n".encode()}, "asked", at=0)
    return remote


def restored(tag: str, found: Release) -> MemoryRemote:
    remote = asking("errors-1")
    remote.commit({FILE: f"image: {IMAGE}:{tag}\n".encode()}, f"Restore web\n\n{TRAILER}: {release_trailer(found)}", at=0)
    return remote


def branched(count: int) -> MemoryRemote:
    remote = asking("1.0")
    for number in range(count):
        remote.store.refs[f"refs/heads/reconciler/restore/web-{number}"] = remote.head() or ""
    return remote


def sight(*releases: Release, runs: Mapping[str, dict[str, Any]] | None = None, **changes: Any) -> Sight:
    kept = [manifest(found) for found in releases]
    stable = changes.pop("stable", "1.0")
    objects = {"releases": kept, "rollouts": [rollout()], "replicasets": [replica_set("good", stable)]}
    known: dict[str, Any] = {"at": BEGINNING, "shares": {"good": 20.0}, "remote": asking("1.0"), "served": True, "bugs": ()}
    ever = {found["metadata"]["uid"]: found for found in kept} | dict(runs or {})
    return Sight(**{**known, "objects": objects, "ever": ever, **changes})


HELD = of(status={"verdict": Verdict.FAILED, "held": True})
AGAIN = of(name="web-bad-2", minutes=1, attempt=2, cause=Cause.RETRIED)
PUSHED = of(status={"verdict": Verdict.FAILED, "restore": Restore(state=RestoreState.PUSHED)})
PROPOSED = of(status={"verdict": Verdict.ABORTED, "restore": Restore(state=RestoreState.PUSHED, mode=RestoreMode.PROPOSE)})
ROW = Evidence(run="web-bad-2", metric="m", phase="Failed", failed=1, failed_on_data=True)
WANTED = of(status={"verdict": Verdict.FAILED, "restore": Restore(state=RestoreState.WANTED)})
REJECTED = of(status={"verdict": Verdict.FAILED})
PASSED = of(status={"verdict": Verdict.PASSED})
MEASURED = of(status={"verdict": Verdict.FAILED, "runs": (RUN,)})

SAYS = of(pull=Pull(number=1), status={"verdict": Verdict.FAILED})

UNASKED = replace(SAYS.spec, pull=None)


def told(found: Release, *, state: str = "failure", said: str = "", comments: int = 1, statuses: int = 1) -> Sight:
    """A forge and an inbox that say of a release what they are made to say, as often as they are made to."""
    remote, inbox = asking("1.0"), MemoryInbox()
    forge, words = MemoryForge(remote), said or headline(found)
    forge.statuses = [MemoryStatus(found.spec.commit.sha, commit_context(found), state, "", "")] * statuses
    forge.comments = [MemoryComment(number, 1, BOT, f"<!-- reconciler:v1 -->\n{words}") for number in range(comments)]
    inbox.told = {"m1": {"release": found.name, "headline": words}}
    return sight(found, remote=remote, told=(forge, inbox))


Planted = tuple[Law, Callable[[], Sight], Callable[[], Sight]]
PLANTED: list[Planted] = [
    (laws.people_are_told_how_it_stands, lambda: told(SAYS, state="success"), lambda: told(SAYS)),
    (laws.people_are_told_how_it_stands, lambda: told(SAYS, said="under way"), lambda: told(SAYS)),
    (laws.people_are_told_how_it_stands, lambda: told(SAYS, comments=0), lambda: told(replace(SAYS, spec=UNASKED), comments=0)),
    (laws.what_is_told_stays_bounded, lambda: told(SAYS, comments=2), lambda: told(SAYS)),
    (laws.what_is_told_stays_bounded, lambda: told(SAYS, statuses=7), lambda: told(SAYS, statuses=6)),
    (
        laws.testers_reach_the_canary_alone,
        lambda: sight(testers={"good": 1.0}),
        lambda: sight(testers={"bad": 1.0}),
    ),
    (
        laws.a_held_version_meets_no_users,
        lambda: sight(HELD, shares={"bad": 5.0}),
        lambda: sight(HELD, AGAIN, shares={"bad": 5.0}),
    ),
    (
        laws.a_held_version_is_not_deployed,
        lambda: sight(HELD),
        lambda: sight(HELD, AGAIN),
    ),
    (
        laws.a_rejected_version_is_tried_again_only_by_a_person,
        lambda: sight(HELD, AGAIN),
        lambda: sight(HELD, of(name="web-bad-2", minutes=1, cause=Cause.LIFTED)),
    ),
    (laws.a_bad_version_is_never_proven, lambda: sight(PASSED), lambda: sight(REJECTED)),
    (
        laws.a_bad_version_is_never_proven,
        lambda: sight(of("crash-1", status={"verdict": Verdict.PASSED, "unmeasured": True})),
        lambda: sight(of("errors-1", status={"verdict": Verdict.PASSED, "unmeasured": True})),
    ),
    (
        laws.evidence_belongs_to_one_attempt,
        lambda: sight(MEASURED, of(name="web-bad-2", minutes=1, status={"runs": (RUN,)})),
        lambda: sight(MEASURED),
    ),
    (
        laws.evidence_belongs_to_one_attempt,
        lambda: sight(MEASURED, runs={"u1": run_of("good")}),
        lambda: sight(MEASURED, runs={"u1": run_of("bad")}),
    ),
    (
        laws.a_restore_leads_to_what_served_before,
        lambda: sight(PUSHED, remote=restored("0.9", PUSHED)),
        lambda: sight(PUSHED, remote=restored("1.0", PUSHED)),
    ),
    (
        laws.a_restore_leads_to_what_served_before,
        lambda: sight(PASSED, remote=restored("1.0", PASSED)),
        lambda: sight(PUSHED, remote=restored("1.0", PUSHED)),
    ),
    (
        laws.a_restore_leads_to_what_served_before,
        lambda: sight(remote=restored("1.0", REJECTED)),
        lambda: sight(PUSHED, remote=restored("1.0", PUSHED)),
    ),
    (
        laws.a_restore_leads_to_what_served_before,
        lambda: sight(PROPOSED, remote=restored("1.0", PROPOSED)),
        lambda: sight(PUSHED, remote=restored("1.0", PUSHED)),
    ),
    (
        laws.a_failure_was_seen,
        lambda: sight(REJECTED),
        lambda: sight(of(status={"verdict": Verdict.FAILED, "evidence": (ROW,)})),
    ),
    (
        laws.git_and_cluster_agree_or_a_person_is_asked,
        lambda: sight(remote=asking("errors-1")),
        lambda: sight(remote=asking("1.0")),
    ),
    *(
        (
            laws.git_and_cluster_agree_or_a_person_is_asked,
            lambda wrong=wrong: sight(wrong, remote=asking("errors-1")),
            lambda: sight(REJECTED, remote=asking("errors-1")),
        )
        for wrong in (of(), PASSED, WANTED, PUSHED)
    ),
    (
        laws.git_and_cluster_agree_or_a_person_is_asked,
        lambda: sight(of(status={"reason": "it has timed out"}), remote=asking("errors-1")),
        lambda: sight(of(status={"reason": "it has timed out: a person aborts"}), remote=asking("errors-1")),
    ),
    (
        laws.no_secret_is_shown,
        lambda: sight(words=lambda: f"a query with {SECRET} in it"),
        lambda: sight(words=lambda: "a query with ***** in it"),
    ),
    (
        laws.an_ending_is_told,
        lambda: sight(replace(PASSED, status=replace(PASSED.status, reason=""))),
        lambda: sight(PASSED),
    ),
    (
        laws.an_ending_is_told,
        lambda: sight(replace(PASSED, status=replace(PASSED.status, decided_at=None))),
        lambda: sight(PASSED),
    ),
    (laws.proposals_stay_bounded, lambda: sight(remote=branched(2)), lambda: sight(remote=branched(1))),
]


def found(law: Law, seen: Callable[[], Sight]) -> list[str]:
    """What a law says about a world that stays so for a while."""
    memory, now = Memory(), seen()
    list(law(now, memory))
    return list(law(later(now), memory))


def later(seen: Sight) -> Sight:
    return Sight(**{name: LONG if name == "at" else getattr(seen, name) for name in Sight.__slots__})


def own_laws() -> Iterator[Law]:
    yield from (law for law in (*TALE_STEPS, *TALE_REST) if law not in REST)


@pytest.mark.parametrize(("law", "broken", "whole"), PLANTED, ids=lambda part: getattr(part, "__name__", ""))
def test_each_law_finds_what_breaks_it_and_nothing_else(law: Law, broken: Callable[[], Sight], whole: Callable[[], Sight]) -> None:
    assert found(law, broken)
    assert found(law, whole) == []


def test_every_law_has_a_world_that_breaks_it() -> None:
    assert {law.__name__ for law in own_laws()} == {law.__name__ for law, _, _ in PLANTED}


def test_what_a_new_daemon_changes_is_named() -> None:
    before = {"rollouts web": {"replicas": 1}, "services web": {}}
    assert differences(before, dict(before)) == []
    after = {"rollouts web": {"replicas": 2}, "releases web": {}}
    assert differences(before, after) == ["services web is gone", "rollouts web is changed", "releases web is new"]


def test_a_law_is_waived_for_its_own_deeds_only() -> None:
    assert waived(laws.proposals_stay_bounded, frozenset({Deed.DELETE}))
    assert not waived(laws.proposals_stay_bounded, frozenset({Deed.ABORT}))
    assert not waived(laws.no_secret_is_shown, frozenset(Deed))
