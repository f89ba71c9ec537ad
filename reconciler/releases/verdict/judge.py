"""How an attempt ends: from facts to the next status, one step at a time (ADR 0011). Pure.

Steps are asked in order; the first that answers makes the pass. A verdict, once written, is never changed. Only runs of this attempt
are evidence, and only what they measured.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from msgspec.structs import replace

from reconciler.analysis.model import RunPhase
from reconciler.kernel.duration import words_of
from reconciler.releases.comparison.windows import compared, shortfall
from reconciler.releases.comparison.words import passed_words, verdict_words
from reconciler.releases.facts import ReleaseFacts
from reconciler.releases.model import Evidence, Release, ReleasePhase, ReleaseStatus, Restore, RestoreMode, RestoreState, Verb, Verdict
from reconciler.releases.policies.policy import ReleasePolicy
from reconciler.releases.preview.life import overstayed, previewed
from reconciler.releases.share.batches import observed
from reconciler.releases.verdict.blame import Ending, blame, words
from reconciler.releases.verdict.evidence import fitting, passes, requests_of, samples
from reconciler.releases.verdict.runs import configured, missing
from reconciler.releases.verdict.waiting import waits_for
from reconciler.releases.verdict.windows import measured, thin_words

ABORT_DELAY = timedelta(seconds=30)
"""How long a rollout keeps the pods of an aborted version when it does not say (contract 1.4, 1.3)."""
LONGEST_KEPT = timedelta(minutes=10)
RECORDED = 50
Step = Callable[["Look"], ReleaseStatus | None]


@dataclass(frozen=True, slots=True)
class Look:
    """One look at one release."""

    release: Release
    policy: ReleasePolicy
    facts: ReleaseFacts
    now: datetime

    @property
    def status(self) -> ReleaseStatus:
        return self.release.status

    def with_(self, status: ReleaseStatus) -> "Look":
        return Look(replace(self.release, status=status), self.policy, self.facts, self.now)


def judge(release: Release, policy: ReleasePolicy, facts: ReleaseFacts, now: datetime) -> ReleaseStatus:
    """The status after this look. Same arguments, same status; unchanged when there is nothing to say."""
    if release.decided:
        return release.status
    waiting = replace(release.status, unjudged="", reason=waits_for(release, policy, facts))
    counted = replace(waiting, comparison=compared(release, policy.compare, facts, now))
    counted = replace(counted, share=observed(release, policy.observed_share, facts, now))
    counted = replace(counted, preview=previewed(release, policy.preview, facts, now))
    noted = replace(release, status=_noted(counted, release, policy, facts))
    look = Look(noted, policy, facts, now)
    return _closed(next((status for step in STEPS if (status := step(look)) is not None), noted.status), now)


def _closed(status: ReleaseStatus, now: datetime) -> ReleaseStatus:
    """With the verdict the preview is over: what the rollout layer then does takes the way away."""
    known = status.preview
    return status if status.verdict is None or known is None or known.ended else replace(status, preview=replace(known, ended=now))


def _noted(status: ReleaseStatus, release: Release, policy: ReleasePolicy, facts: ReleaseFacts) -> ReleaseStatus:
    """What this attempt's ended runs measured is on record from the first look on, before any clean-up of runs can take it away."""
    if facts.overridden:
        return status
    known = {record.uid for record in status.runs}
    fresh = [run for run in facts.runs_of(release) if run.ended and run.uid not in known][: RECORDED - len(known)]
    rows = fitting(status.evidence, [row for run in fresh for row in measured(run.manifest, policy)])
    return replace(status, runs=(*status.runs, *(run.record for run in fresh)), evidence=(*status.evidence, *rows)) if fresh else status


def answer_held(look: Look) -> ReleaseStatus | None:
    """Git asks again for a version that is held: not deployed, not judged, but answered, and Git restored as the verdict wanted it."""
    held_by = look.facts.held_by
    if held_by is None:
        return None
    if held_by.status.lost is not None:
        return _held_for_elsewhere(look, held_by)
    same = held_by.spec.identity == look.release.spec.identity  # its pods are known: a person may still promote them
    known = replace(look.status, pod_hash=held_by.status.pod_hash if same else "")
    status = _end(look.with_(known), Verdict.HELD, f"this version was rejected by {held_by.name} and is held")
    wanted = held_by.status.restore
    if wanted is None or look.release.spec.previous is None:
        return replace(status, held=True)
    restore = Restore(state=RestoreState.WANTED, mode=wanted.mode, push_until=look.now + look.policy.push_within)
    return replace(status, held=True, phase=ReleasePhase.RESTORING, restore=restore)


def _held_for_elsewhere(look: Look, lost: Release) -> ReleaseStatus:
    """What failed its users in another environment does not begin in this one. Git stays: where it asks for it, a person decides."""
    found = lost.status.lost
    why = f"{lost.spec.environment} ({lost.namespace}/{lost.name}): {found.reason}" if found is not None else ""
    status = _end(look, Verdict.HELD, f"these images lost their proof in {why}")
    return replace(status, held=True, held_elsewhere=True)


def give_way(look: Look) -> ReleaseStatus | None:
    """A newer commit for the same workload wins; nothing is written to Git."""
    return _end(look, Verdict.SUPERSEDED, look.facts.newer) if look.facts.newer else None


def stand_aside(look: Look) -> ReleaseStatus | None:
    """While a person's override runs, what happens to its pods says nothing about this release."""
    return look.status if look.facts.overridden else None


def recognise(look: Look) -> ReleaseStatus | None:
    """Until the Rollout carries this release's template and has been looked at, there is nothing to judge."""
    live = look.facts.rollout
    if look.status.pod_hash and live.current == look.status.pod_hash:
        return None
    if live.current and look.facts.carries(look.release):
        return replace(look.status, phase=ReleasePhase.PROGRESSING, pod_hash=live.current)
    return look.status


def accept_baseline(look: Look) -> ReleaseStatus | None:
    """What serves when nothing is on record is the baseline: proven, as there is nothing to go back to.

    A first version that does not serve yet becomes the baseline once it is healthy, and not before.
    """
    if not look.release.spec.baseline:
        return None
    live, served = look.facts.rollout, look.release.spec.serving
    if served and live.stable == served:
        status = replace(look.status, pod_hash=served)
        return _promoted(look.with_(status), Verdict.PASSED, "it served here when we began")
    if served:
        return _end(look, Verdict.SUPERSEDED, "another version serves by now")
    return None


def accept_first(look: Look) -> ReleaseStatus | None:
    """The first version is proven as baseline once it is healthy."""
    if not look.release.spec.baseline:
        return None
    if not look.facts.rollout.healthy or not look.facts.rollout.promoted:
        return look.status
    return _promoted(look, Verdict.PASSED, "the version that runs here is the baseline")


def notice_abort(look: Look) -> ReleaseStatus | None:
    """The rollout layer brought traffic home: freeze who or what ended it, with the numbers, at first sight."""
    live = look.facts.rollout
    if not live.aborted or live.promoted or (live.aborted_at and live.aborted_at == look.release.spec.earlier_abort):
        return None
    return _close(look, blame(look.release, look.facts))


def notice_worse(look: Look) -> ReleaseStatus | None:
    """Worse than its baseline, surely enough: record that we will abort, before we do; lost, where users are all on it by now."""
    known = look.status.comparison
    if known is None or not known.exceeded:
        return None
    if look.facts.rollout.promoted:
        promoted = look.with_(replace(look.status, promoted_at=look.status.promoted_at or look.now))
        return _close(promoted, Ending(Verdict.FAILED, verdict_words(known)))
    if any(verb.verb == "abort" for verb in look.status.verbs):
        return None
    return replace(look.status, verbs=(*look.status.verbs, Verb(verb="abort", at=look.now, reason=verdict_words(known))))


def notice_stuck(look: Look) -> ReleaseStatus | None:
    """Pods that never come up: record that we will abort, before we do."""
    if look.facts.rollout.promoted or look.policy.on_stuck != "abort" or any(verb.verb == "abort" for verb in look.status.verbs):
        return None
    reason = look.facts.crashed or look.facts.rollout.timed_out
    if not reason:
        return None
    return replace(look.status, verbs=(*look.status.verbs, Verb(verb="abort", at=look.now, reason=reason)))


def notice_overstayed(look: Look) -> ReleaseStatus | None:
    """The policy's time is over, no decision came, and only testers met the version: record that we will abort, before we do."""
    known = look.status.preview
    if known is None or look.facts.rollout.promoted or any(verb.verb == "abort" for verb in look.status.verbs):
        return None
    if not overstayed(known, look.facts, look.now):
        return None
    verb = Verb(verb="abort", at=look.now, reason=f"its preview stood for {words_of(look.now - known.since)}, and no user is on it yet")
    return replace(look.status, preview=replace(known, expired=True), verbs=(*look.status.verbs, verb))


def notice_alone(look: Look) -> ReleaseStatus | None:
    """Everybody was moved to it because nothing else was left, and its pods never come up: there is nothing to abort, and Git leads back.

    That happens where the stable ReplicaSet is deleted by hand: the rollout layer then promotes what is there (contract 13.4).
    """
    live = look.facts.rollout
    if not live.promoted or live.healthy or look.status.promoted_at is not None:
        return None
    if not live.timed_out or look.policy.on_stuck != "abort":
        return look.status
    alone = replace(look.status, promoted_at=look.now)
    return _close(look.with_(alone), Ending(Verdict.FAILED, f"nothing else is left, and it never came up: {live.timed_out}"))


def watch_promoted(look: Look) -> ReleaseStatus | None:
    """Everybody is on the new version; with `afterPromotion` it is measured there while the old one stays warm."""
    if not look.facts.rollout.promoted or look.policy.after_promotion is None:
        return None
    if look.status.promoted_at is None and look.facts.rollout.elsewhere:
        return None
    if look.status.promoted_at is None:
        return replace(look.status, phase=ReleasePhase.WATCHING, promoted_at=look.now)
    after = look.facts.after
    if after is None or not after.ended:
        return look.status
    if after.phase == RunPhase.SUCCESSFUL:
        return _pass(look)
    said = f"after promotion: {words(look.status.evidence, after.name, after.phase)}"
    return _close(look, Ending.of_run(after.phase, said, look.status.evidence, after.name))


def accept_promotion(look: Look) -> ReleaseStatus | None:
    """Promoted and healthy, with all users: proven, if every analysis that was asked for has measured something and succeeded."""
    live = look.facts.rollout
    if not live.promoted or not live.healthy or live.elsewhere or look.policy.after_promotion is not None:
        return None
    if any(not run.ended for run in look.facts.runs_of(look.release)):
        return look.status  # it is being told to end; what it found counts
    return _pass(look)


STEPS: tuple[Step, ...] = (
    answer_held,
    give_way,
    stand_aside,
    accept_baseline,
    recognise,
    accept_first,
    notice_abort,
    notice_worse,
    notice_stuck,
    notice_overstayed,
    notice_alone,
    watch_promoted,
    accept_promotion,
)


def _pass(look: Look) -> ReleaseStatus:
    """Promoted: what the comparison lacks is said first, then what the analyses do."""
    compare, known = look.policy.compare, look.status.comparison
    if compare is None:
        return _analysed(look)
    missing_here = shortfall(known, compare, look.status.pair_refused)
    if missing_here is not None:
        return _promoted(look, missing_here.verdict, missing_here.reason)
    analysed = _analysed(look) if configured(look.facts.rollout.manifest) or look.policy.after_promotion is not None else None
    if analysed is not None and analysed.verdict is not Verdict.PASSED:
        return analysed
    said = passed_words(known) if known is not None else ""
    return _promoted(look, Verdict.PASSED, f"{analysed.reason}; {said}" if analysed is not None else said)


def _analysed(look: Look) -> ReleaseStatus:
    evidence = _judging(look)
    count = samples(evidence)
    asked = configured(look.facts.rollout.manifest)
    skipped = missing(asked, look.status.runs)
    rows = {record.name: tuple(row for row in evidence if row.run == record.name) for record in look.status.runs}
    empty = [name for name, found in rows.items() if not samples(found)]
    unpassed = [name for name, found in rows.items() if not passes(found)]
    after = look.policy.after_promotion is not None
    if not asked and not after:
        return _unmeasured(look)
    if skipped:
        return _promoted(look, Verdict.NOT_ENOUGH_EVIDENCE, f"not measured: {_why_skipped(look)}{skipped[0]} never ran to its end")
    if empty or not look.status.runs:
        named, thin = empty[0] if empty else "the analysis", sum(row.thin for row in evidence)
        why = f"no measurement of {named} {thin_words(evidence)}" if thin else f"every measurement of {named} came without data"
        return _promoted(look, Verdict.NOT_ENOUGH_EVIDENCE, why)
    if unpassed:
        return _promoted(
            look, Verdict.NOT_ENOUGH_EVIDENCE, f"no measurement of {unpassed[0]} passed: it ended well because few enough failed"
        )
    if count < look.policy.minimum_sample:
        return _promoted(look, Verdict.NOT_ENOUGH_EVIDENCE, f"{count} measurements with data, {look.policy.minimum_sample} are required")
    requests, least = requests_of(look.status.evidence, look.policy.volume_metric), look.policy.minimum_requests
    if requests < least:
        words = f"{requests:.0f} requests by metric {look.policy.volume_metric}, {least} are required"
        return _promoted(look, Verdict.NOT_ENOUGH_EVIDENCE, words)
    return _promoted(look, Verdict.PASSED, f"{passes(evidence)} measurements passed")


def _judging(look: Look) -> tuple[Evidence, ...]:
    """The evidence without the metric that only counts requests: it has data whatever the version does."""
    policy = look.policy
    counts = policy.volume_metric if policy.minimum_requests or policy.minimum_requests_per_window else None
    return tuple(row for row in look.status.evidence if row.metric != counts)


def _unmeasured(look: Look) -> ReleaseStatus:
    if look.policy.require_analysis:
        return _promoted(look, Verdict.NOT_ENOUGH_EVIDENCE, "no analysis is configured, and the policy requires one")
    passed = _promoted(look, Verdict.PASSED, "promoted; no analysis is configured, so nothing was measured")
    return replace(passed, unmeasured=True)


def _why_skipped(look: Look) -> str:
    return "promoted in full by a person; " if look.facts.rollout.promoted_in_full else ""


def _promoted(look: Look, verdict: Verdict, reason: str) -> ReleaseStatus:
    return replace(_end(look, verdict, reason), promoted_at=look.status.promoted_at or look.now)


def _close(look: Look, ending: Ending) -> ReleaseStatus:
    """Not passed: what the verdict means for the version and for Git, as the policy says (ADR 0011)."""
    wanted = {
        Verdict.FAILED: look.policy.on_failure,
        Verdict.ABORTED: look.policy.on_abort,
        Verdict.NOT_ENOUGH_EVIDENCE: look.policy.on_no_evidence if look.status.promoted_at is None else "none",
    }.get(ending.verdict, "none")
    status = _end(look, ending.verdict, ending.reason)
    if ending.verdict in (Verdict.FAILED, Verdict.ABORTED):
        again = look.facts.rejections > 0
        status = replace(status, held=True, holds_images=again, keep_until=_kept_until(look))
    if wanted == "none" or look.release.spec.previous is None:
        return status
    mode = RestoreMode.PROPOSE if wanted == "propose" else RestoreMode.PUSH
    restore = Restore(state=RestoreState.WANTED, mode=mode, push_until=look.now + look.policy.push_within)
    return replace(status, phase=ReleasePhase.RESTORING, restore=restore)


def _kept_until(look: Look) -> datetime | None:
    """Until when the rejected version stays reachable for testers; None where users are still on it or another tool applies."""
    if look.status.promoted_at is not None or look.release.spec.companion:
        return None
    kept = look.policy.keep_rejected if look.policy.keep_rejected is not None else _abort_delay(look.facts)
    return look.now + kept if kept else None


def _abort_delay(facts: ReleaseFacts) -> timedelta:
    """How long the Rollout itself would keep it; a basic canary keeps nothing."""
    strategy = (facts.rollout.manifest.get("spec") or {}).get("strategy") or {}
    canary, blue_green = strategy.get("canary") or {}, strategy.get("blueGreen") or {}
    if not canary.get("trafficRouting") and not blue_green:
        return timedelta()
    seconds = (canary or blue_green).get("abortScaleDownDelaySeconds")
    if not isinstance(seconds, int):
        return ABORT_DELAY
    return min(timedelta(seconds=seconds), LONGEST_KEPT) if seconds else LONGEST_KEPT


def _end(look: Look, verdict: Verdict, reason: str) -> ReleaseStatus:
    seen = tuple(run.uid for run in look.facts.runs if run.hash == look.status.pod_hash)
    ended = replace(look.status, phase=ReleasePhase.CLOSED, verdict=verdict, reason=reason, decided_at=look.now, seen_runs=seen)
    return replace(ended, evidence=(*ended.evidence, *fitting(ended.evidence, _unfinished(look))))


def _unfinished(look: Look) -> tuple[Evidence, ...]:
    """What runs that are still under way have measured so far."""
    if look.facts.overridden or look.facts.held_by is not None:
        return ()
    running = (run for run in look.facts.runs_of(look.release) if not run.ended)
    return tuple(row for run in running for row in measured(run.manifest, look.policy))
