"""What must hold in every tale beside the laws of every simulation: the same kind of functions, asked at each change or at rest."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta

from reconciler.releases.announce.message import TRAILER, commit_context, commit_state, headline, release_trailer
from reconciler.releases.holds import TRIED_AGAIN
from reconciler.releases.manifest import parse_release
from reconciler.releases.model import REJECTIONS, Cause, Release, RestoreMode, RestoreState, Verdict
from reconciler_sandbox.rehearsal.hunt.committers import TAG
from reconciler_sandbox.rehearsal.hunt.plots import SECRET
from reconciler_sandbox.rehearsal.hunt.tale import Deed
from reconciler_sandbox.rehearsal.virtual.forge import BOT
from reconciler_sandbox.rehearsal.virtual.laws import (
    HOME,
    REST,
    STEPS,
    Law,
    Manifest,
    Memory,
    Sight,
    a_rejected_version_meets_no_users,
    git_is_restored_within_its_budget,
    objects_stay_bounded,
)
from reconciler_sandbox.rehearsal.virtual.objects import trailers_of

BAD = ("errors", "crash", "never-ready", "hang", "unpullable")
MOST_STATUSES = 6
SETTLED, DEPLOYED = timedelta(seconds=5), timedelta(seconds=10)
NO_WAY_BACK = frozenset({Verdict.PASSED, Verdict.COULD_NOT_MEASURE, Verdict.SUPERSEDED})
A_PERSON = "a person "
"""So a release that waits says what somebody is to do, with `onStuck: wait` for one."""
HASH = "rollouts-pod-template-hash"
VERSION = re.compile(r"note: (n\d+)|value: (m\d+)")


def releases_of(sight: Sight) -> list[Release]:
    """The releases that are there, oldest first."""
    return sorted((parse_release(manifest) for manifest in sight.objects.get("releases", ())), key=lambda release: release.age)


def every_release(sight: Sight) -> list[Release]:
    """Those that are gone, too."""
    found = (parse_release(manifest) for manifest in sight.ever.values() if manifest.get("kind") == "Release")
    return sorted(found, key=lambda release: release.age)


def testers_reach_the_canary_alone(sight: Sight, memory: Memory) -> Iterator[str]:
    """Tagged requests go to the newest version, whoever else is served."""
    current = {str((r.get("status") or {}).get("currentPodHash", "")) for r in sight.objects.get("rollouts", ())}
    astray = {hashed: rate for hashed, rate in sight.testers.items() if hashed and hashed not in current}
    if memory.lasts("testers astray", sight.at, holds=bool(astray) and sight.served and sight.driven) > SETTLED:
        yield f"testers are on {', '.join(sorted(astray))}, and the newest version is {', '.join(sorted(current))}"


def a_held_version_meets_no_users(sight: Sight, memory: Memory) -> Iterator[str]:
    """Until a person lifts it, and nothing but a person's deed is taken for that."""
    releases = releases_of(sight)
    for release in releases:
        if release.status.verdict not in REJECTIONS or not release.status.held:
            continue
        again = [r for r in releases if r.age > release.age and r.spec.identity == release.spec.identity and r.spec.cause in TRIED_AGAIN]
        rate = sight.shares.get(release.status.pod_hash, 0.0)
        if memory.lasts(f"held {release.name}", sight.at, holds=rate > 0 and not again and sight.driven) > HOME:
            yield f"{release.name} is held, and {rate:.1f} users a second are on {release.status.pod_hash}"


def a_held_version_is_not_deployed(sight: Sight, memory: Memory) -> Iterator[str]:
    """Pushed again, it is answered and not released: no attempt of the rollout layer runs with its pods."""
    releases, status = releases_of(sight), [r.get("status") or {} for r in sight.objects.get("rollouts", ())]
    moving = {s.get("currentPodHash") for s in status if s.get("abort") is not True and s.get("stableRS") != s.get("currentPodHash")}
    for release in releases:
        again = [r for r in releases if r.age > release.age and r.spec.identity == release.spec.identity and r.spec.cause in TRIED_AGAIN]
        held = release.status.held and release.status.verdict in REJECTIONS and release.status.pod_hash in moving
        if memory.lasts(f"deployed {release.name}", sight.at, holds=held and not again and sight.driven) > DEPLOYED:
            yield f"{release.name} is held, and its pods {release.status.pod_hash} are released"


def a_rejected_version_is_tried_again_only_by_a_person(sight: Sight, _: Memory) -> Iterator[str]:
    """A retry that nobody pressed, and that is not ours either, is none."""
    releases = every_release(sight)
    for release in releases:
        before = [r for r in releases if r.age < release.age and r.spec.identity == release.spec.identity]
        if release.spec.cause is Cause.RETRIED and before and before[-1].status.verdict in REJECTIONS:
            yield f"{release.name} is a retry of {before[-1].name}, which had {before[-1].status.verdict}"


def a_bad_version_is_never_proven(sight: Sight, _: Memory) -> Iterator[str]:
    """What fails half of its requests, or does not come up, passes no analysis; without an analysis, pods still have to come up."""
    for release in every_release(sight):
        kinds = {image.rpartition(":")[2].rpartition("-")[0] for image in release.spec.images.values()}
        bad = kinds & set(BAD) and not (release.status.unmeasured and kinds & {"errors", "hang"})
        if bad and release.status.verdict is Verdict.PASSED and not release.spec.baseline:
            yield f"{release.name} passed: {release.status.reason}"


def evidence_belongs_to_one_attempt(sight: Sight, _: Memory) -> Iterator[str]:
    """No run is on record for two attempts, and none of other pods than the attempt's own.

    Where a person deleted every Release, numbers begin anew: what is written then about the attempt that is there still is no second one.
    """
    runs = {uid: manifest for uid, manifest in sight.ever.items() if manifest.get("kind") == "AnalysisRun"}
    seen: dict[str, Release] = {}
    for release in every_release(sight):
        for record in release.status.runs:
            first = seen.setdefault(record.uid, release)
            if first.name != release.name and first.spec.number <= release.spec.number:
                yield f"run {record.name} is evidence of {first.name} and of {release.name}"
            labels = runs.get(record.uid, {}).get("metadata", {}).get("labels") or {}
            if labels.get(HASH, release.status.pod_hash) != release.status.pod_hash:
                yield f"run {record.name} of {labels[HASH]} is evidence of {release.name}, whose pods are {release.status.pod_hash}"


def a_restore_leads_to_what_served_before(sight: Sight, _: Memory) -> Iterator[str]:
    """Each restoring commit sets the images of its release's previous version, and its verdict asks for a way back."""
    known = {release_trailer(release): release for release in every_release(sight)}
    for commit, text in sight.remote.restoring():
        trailer = next((t.partition(": ")[2] for t in trailers_of(text.message) if t.startswith(f"{TRAILER}: ")), "")
        release = known.get(trailer)
        if release is None:
            yield f"{commit[:7]} names {trailer}, which never was"
            continue
        previous = release.spec.previous
        tag = TAG.search(_workload_file(sight, commit))
        wanted = set(previous.images.values()) if previous is not None else set()
        if tag is not None and not any(image.endswith(f":{tag[1].decode()}") for image in wanted):
            yield f"{commit[:7]} sets {tag[1].decode()}, and {release.name} replaced {', '.join(sorted(wanted)) or 'nothing'}"
        restore = release.status.restore
        if release.status.verdict in NO_WAY_BACK or restore is None:
            yield f"{commit[:7]} restores {release.name}, which ended as {release.status.verdict}"
        elif restore.mode is RestoreMode.PROPOSE:
            yield f"{commit[:7]} restores {release.name} without asking, and its policy says propose"


def _workload_file(sight: Sight, commit: str) -> bytes:
    store = sight.remote.store
    contents = (store.blobs.get(oid, b"") for _, oid in store.files(commit).values())
    return next((content for content in contents if TAG.search(content)), b"")


def a_failure_was_seen(sight: Sight, _: Memory) -> Iterator[str]:
    """A version has failed by a measurement with data, by our own abort of pods that do not come, or by the deadline alone."""
    for release in every_release(sight):
        status = release.status
        measured = any(row.failed_on_data for row in status.evidence)
        stuck = any(verb.verb == "abort" for verb in status.verbs) or "timed out" in status.reason
        if status.verdict is Verdict.FAILED and not (measured or stuck):
            yield f"{release.name} failed: {status.reason}"


def git_and_cluster_agree_or_a_person_is_asked(sight: Sight, _: Memory) -> Iterator[str]:
    """At rest the stable version is the one that Git asks for, or the newest release says why not and who is to do what."""
    head = sight.remote.head()
    tag = TAG.search(_workload_file(sight, head)) if head else None
    stable = _images_of_stable(sight)
    if tag is None or stable is None or any(image.endswith(f":{tag[1].decode()}") for image in stable):
        return
    asked = tag[1].decode()
    if any("reconciler.dev/override" in (r["metadata"].get("annotations") or {}) for r in sight.objects.get("rollouts", ())):
        return
    mine = [r for r in releases_of(sight) if any(image.endswith(f":{asked}") for image in r.spec.images.values())]
    if not mine:
        yield f"Git asks for {asked}, {', '.join(sorted(stable))} serves, and there is no release of it"
        return
    for wrong in _unexplained(mine[-1]):
        yield f"Git asks for {asked}, {', '.join(sorted(stable))} serves, and {mine[-1].name} {wrong}"


def _unexplained(release: Release) -> Iterator[str]:
    status = release.status
    if status.verdict is None and not status.unjudged and A_PERSON not in status.reason:
        yield f"has no verdict ({status.phase})"
    elif status.verdict is Verdict.PASSED and not status.held:
        yield "passed"
    elif status.restore is not None and status.restore.state is RestoreState.WANTED and not status.restore.message:
        yield "wants to be restored, and does not say what it waits for"
    elif status.restore is not None and status.restore.state is RestoreState.PUSHED:
        yield "says that Git is restored"


def _images_of_stable(sight: Sight) -> set[str] | None:
    stable = {str((r.get("status") or {}).get("stableRS", "")) for r in sight.objects.get("rollouts", ())}
    sets = [r for r in sight.objects.get("replicasets", ()) if (r["metadata"].get("labels") or {}).get(HASH) in stable]
    return {str(c["image"]) for r in sets for c in r["spec"]["template"]["spec"]["containers"]} if sets else None


def no_secret_is_shown(sight: Sight, _: Memory) -> Iterator[str]:
    """What an argument from a Secret holds stands in no object, commit or line of the log."""
    said = sight.words()
    place = said.find(SECRET)
    if place >= 0:
        yield f"…{said[max(place - 160, 0) : place]}<here>"


def an_ending_is_told(sight: Sight, _: Memory) -> Iterator[str]:
    """A release that ended says why and when."""
    for release in releases_of(sight):
        if release.decided and not release.status.reason:
            yield f"{release.name} ended as {release.status.verdict}, and does not say why"
        if release.decided and release.status.decided_at is None:
            yield f"{release.name} ended, and does not say when"


def proposals_stay_bounded(sight: Sight, _: Memory) -> Iterator[str]:
    """One branch of proposals for a workload, whatever happens."""
    branches = [ref for ref in sight.remote.store.refs if ref.startswith("refs/heads/reconciler/")]
    if len(branches) > 1:
        yield ", ".join(branches)


def people_are_told_how_it_stands(sight: Sight, _: Memory) -> Iterator[str]:
    """At rest the commit status, the comment and the message say of each release what its Release says."""
    if sight.told is None:
        return
    forge, inbox = sight.told
    newest = {(r.spec.commit.sha, commit_context(r)): r for r in releases_of(sight) if not r.spec.baseline}
    for (commit, context), release in newest.items():
        said, wanted = forge.state_of(commit, context), commit_state(release)
        if said != wanted:
            yield f"the status of {commit[:7]} is {said or 'missing'}, and {release.name} is {wanted}"
        messages = [message["headline"] for message in inbox.told.values() if message["release"] == release.name]
        if headline(release) not in messages:
            yield f"{release.name}: {headline(release)!r}, and the messages say {messages}"
        comments = [comment.body for comment in forge.comments if release.pull is not None and comment.pull == release.pull.number]
        if release.pull is not None and not any(headline(release) in body for body in comments):
            yield f"{release.name}: {headline(release)!r}, and the comment on #{release.pull.number} does not say so"


def what_is_told_stays_bounded(sight: Sight, _: Memory) -> Iterator[str]:
    """One living comment for a pull request, one message for a release, few statuses for an attempt, one open proposal."""
    if sight.told is None:
        return
    forge, inbox = sight.told
    ours = Counter(comment.pull for comment in forge.comments if comment.author == BOT and "<!-- reconciler" in comment.body)
    yield from (f"{count} comments on #{pull}" for pull, count in ours.items() if count > 1)
    statuses = Counter((status.commit, status.context) for status in forge.statuses)
    attempts = Counter((release.spec.commit.sha, commit_context(release)) for release in every_release(sight))
    many = {place: count for place, count in statuses.items() if count > MOST_STATUSES * max(attempts[place], 1)}
    yield from (f"{count} statuses of {commit[:7]} for {attempts[commit, context]} attempts" for (commit, context), count in many.items())
    yield from (f"{count} messages about {name}" for name, count in Counter(m["release"] for m in inbox.told.values()).items() if count > 2)
    open_ones = [pull.head for pull in forge.pulls if pull.state == "open" and pull.author == BOT]
    if len(open_ones) > 1:
        yield f"open proposals: {', '.join(open_ones)}"


TALE_STEPS: Sequence[Law] = (
    *(law for law in STEPS if law is not a_rejected_version_meets_no_users),
    a_held_version_meets_no_users,
    a_held_version_is_not_deployed,
    testers_reach_the_canary_alone,
    objects_stay_bounded,
)
TALE_REST: Sequence[Law] = (
    *(law for law in REST if law is not a_rejected_version_meets_no_users),
    a_held_version_meets_no_users,
    a_held_version_is_not_deployed,
    a_rejected_version_is_tried_again_only_by_a_person,
    testers_reach_the_canary_alone,
    a_bad_version_is_never_proven,
    evidence_belongs_to_one_attempt,
    a_restore_leads_to_what_served_before,
    a_failure_was_seen,
    git_and_cluster_agree_or_a_person_is_asked,
    no_secret_is_shown,
    an_ending_is_told,
    proposals_stay_bounded,
    people_are_told_how_it_stands,
    what_is_told_stays_bounded,
)


WAIVED: Mapping[str, frozenset[Deed]] = {
    # a Rollout that a person paused switches no Service, and whoever edits a selector moves testers too
    # and while a person has frozen the cluster nothing moves
    testers_reach_the_canary_alone.__name__: frozenset({Deed.EDIT, Deed.FREEZE}),
    # without the stable pods, what is left serves until others are up; a paused Rollout leaves pods that a person scales alone; and
    # who puts a held version there by hand, or one that no release is of before it, has users there
    a_held_version_meets_no_users.__name__: frozenset({Deed.DELETE, Deed.EDIT, Deed.UNDO, Deed.SET_IMAGE, Deed.FREEZE}),
    # what a person, or another tool, puts there is theirs, and so is what a person lets go on while it is kept for inspection
    a_held_version_is_not_deployed.__name__: frozenset(
        {Deed.DELETE, Deed.UNDO, Deed.SET_IMAGE, Deed.APPLY, Deed.FREEZE, Deed.RETRY, Deed.PROMOTE_FULL}
    ),
    # the Releases of a workload are what its restores are counted from
    git_is_restored_within_its_budget.__name__: frozenset({Deed.DELETE}),
    # a branch whose Release is gone is no longer known for ours
    proposals_stay_bounded.__name__: frozenset({Deed.DELETE}),
    what_is_told_stays_bounded.__name__: frozenset({Deed.DELETE}),
    # a template that another tool wrote stays until Git changes (docs/configuration.md, "Overridden")
    git_and_cluster_agree_or_a_person_is_asked.__name__: frozenset({Deed.APPLY}),
    # these are a person's retry, and without the stable pods what is left serves (contract 13.4)
    a_rejected_version_is_tried_again_only_by_a_person.__name__: frozenset(
        {Deed.RETRY, Deed.PROMOTE, Deed.PROMOTE_FULL, Deed.DELETE, Deed.UNDO, Deed.SET_IMAGE, Deed.APPLY}
    ),
}
"""Laws that do not hold where people did one of these things."""


def waived(law: Law, deeds: frozenset[Deed]) -> bool:
    """True where what people did by hand is theirs."""
    return bool(WAIVED.get(law.__name__, frozenset()) & deeds)


def differences(before: Mapping[str, Manifest], after: Mapping[str, Manifest]) -> list[str]:
    """What another daemon changed although nothing had happened."""
    gone = [f"{name} is gone" for name in before if name not in after]
    changed = [f"{name} is changed" if name in before else f"{name} is new" for name in after if after[name] != before.get(name)]
    return gone + changed
