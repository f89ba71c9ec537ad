"""How a release ends: from facts to the next status, one beat a pass (DESIGN 2–4).

Beats are asked in order; the first that answers makes the pass. A verdict, once written, is never changed.
"""

from collections.abc import Callable
from datetime import datetime

from msgspec.structs import replace

from reconciler.kernel.identity import Manifest
from reconciler.releases.evidence import evidence_of, samples
from reconciler.releases.facts import ABORTED, TIMED_OUT, ReleaseFacts
from reconciler.releases.model import Evidence, Release, ReleasePhase, ReleaseStatus, Restore, RestoreState, Verb, Verdict
from reconciler.releases.policy import ReleasePolicy

Beat = Callable[[Release, ReleasePolicy, ReleaseFacts, datetime], ReleaseStatus | None]
BAD = ("Failed", "Error", "Inconclusive")


def judge(release: Release, policy: ReleasePolicy, facts: ReleaseFacts, now: datetime) -> ReleaseStatus:
    """The status after this look. Same arguments, same status; unchanged when there is nothing to say."""
    if release.decided:
        return release.status
    for beat in BEATS:
        status = beat(release, policy, facts, now)
        if status is not None:
            return status
    return release.status


def answer_held(release: Release, _: ReleasePolicy, facts: ReleaseFacts, now: datetime) -> ReleaseStatus | None:
    """A re-push of a held identity: a new attempt that is neither deployed nor judged, but answered and restored (DESIGN 5)."""
    if facts.held_by is None:
        return None
    reason = f"this version was rejected by {facts.held_by} and is held; lift it with: reconciler hold lift {release.name}"
    held = replace(_end(release.status, Verdict.HELD, reason, now), held=True, phase=ReleasePhase.RESTORING)
    return replace(held, restore=Restore(state=RestoreState.WANTED))


def give_way(release: Release, _: ReleasePolicy, facts: ReleaseFacts, now: datetime) -> ReleaseStatus | None:
    """A newer commit for the same workload wins; nothing is written to Git."""
    if facts.newer is None:
        return None
    return _end(release.status, Verdict.SUPERSEDED, facts.newer, now)


def stand_aside(release: Release, _: ReleasePolicy, facts: ReleaseFacts, __: datetime) -> ReleaseStatus | None:
    """While a person's override runs, what happens to its pods says nothing about this release (DESIGN 11)."""
    return release.status if facts.overridden else None


def wait_for_rollout(release: Release, _: ReleasePolicy, facts: ReleaseFacts, now: datetime) -> ReleaseStatus | None:
    """Until the Rollout carries this release's template and has been looked at, there is nothing to judge."""
    if release.status.pod_hash and facts.current == release.status.pod_hash:
        return None
    running = release.spec.baseline and facts.promoted and facts.observed and facts.images == release.spec.images
    if facts.current and (running or facts.carries(release.name)):
        return replace(release.status, phase=ReleasePhase.PROGRESSING, pod_hash=facts.current)
    return release.status


def accept_baseline(release: Release, _: ReleasePolicy, facts: ReleaseFacts, now: datetime) -> ReleaseStatus | None:
    """The first version seen running is proven as baseline once it is healthy: there is nothing to go back to."""
    if not release.spec.baseline:
        return None
    if facts.status.get("phase") != "Healthy" or not facts.promoted:
        return release.status
    return _end(release.status, Verdict.PASSED, "the version that runs here is the baseline", now)


def notice_abort(release: Release, policy: ReleasePolicy, facts: ReleaseFacts, now: datetime) -> ReleaseStatus | None:
    """The rollout layer brought traffic home: freeze who or what ended it, with the numbers, at first sight."""
    condition = facts.condition(ABORTED)
    if condition is None or not facts.status.get("abort"):
        return None
    status = replace(release.status, evidence=_evidence(facts.runs_of(release.status.pod_hash)))
    verdict, reason = _blame(release, facts, str(condition.get("message", "")))
    if verdict is Verdict.COULD_NOT_MEASURE:
        return _end(status, verdict, reason, now)
    wanted = policy.on_failure if verdict is Verdict.FAILED else policy.on_abort
    return _reject(status, policy, now, (verdict, reason, wanted))


def notice_stuck(release: Release, policy: ReleasePolicy, facts: ReleaseFacts, now: datetime) -> ReleaseStatus | None:
    """Pods that never come up: record that we will abort, before we do."""
    if facts.promoted or policy.on_stuck != "abort" or _recorded(release, "abort"):
        return None
    late = facts.condition(TIMED_OUT)
    reason = facts.stuck or (str(late.get("message")) if late else None)
    if reason is None:
        return None
    verb = Verb(verb="abort", at=now, reason=reason)
    return replace(release.status, verbs=(*release.status.verbs, verb))


def watch_after_promotion(release: Release, policy: ReleasePolicy, facts: ReleaseFacts, now: datetime) -> ReleaseStatus | None:
    """Everybody is on the new version; with `afterPromotion` it is watched while the old one stays warm."""
    if not facts.promoted or policy.after_promotion is None:
        return None
    if release.status.promoted_at is None:
        return replace(release.status, phase=ReleasePhase.WATCHING, promoted_at=now)
    after = facts.after
    phase = str((after or {}).get("status", {}).get("phase", "")) if after else ""
    if after is None or phase in ("", "Pending", "Running"):
        return release.status
    status = replace(release.status, evidence=_evidence((*facts.runs_of(release.status.pod_hash), after)))
    if phase == "Failed":
        reason = f"after promotion: {_words(after, status.evidence)}"
        return _reject(status, policy, now, (Verdict.FAILED, reason, policy.on_failure))
    if phase == "Error":
        return _end(status, Verdict.COULD_NOT_MEASURE, f"after promotion: {_words(after, status.evidence)}", now)
    if phase == "Inconclusive":
        return _end(status, Verdict.NOT_ENOUGH_EVIDENCE, f"after promotion: {_words(after, status.evidence)}", now)
    return _pass(status, policy, now)


def accept_promotion(release: Release, policy: ReleasePolicy, facts: ReleaseFacts, now: datetime) -> ReleaseStatus | None:
    """Promoted and healthy: proven, if there is evidence enough."""
    if not facts.promoted or facts.status.get("phase") != "Healthy" or policy.after_promotion is not None:
        return None
    status = replace(release.status, evidence=_evidence(facts.runs_of(release.status.pod_hash)))
    return _pass(status, policy, now)


BEATS: tuple[Beat, ...] = (
    answer_held,
    give_way,
    stand_aside,
    wait_for_rollout,
    accept_baseline,
    notice_abort,
    notice_stuck,
    watch_after_promotion,
    accept_promotion,
)


def _pass(status: ReleaseStatus, policy: ReleasePolicy, now: datetime) -> ReleaseStatus:
    count = samples(status.evidence)
    if not status.evidence and policy.require_analysis:
        return _end(status, Verdict.NOT_ENOUGH_EVIDENCE, "no analysis ran, and the policy requires one", now)
    if status.evidence and count < policy.minimum_sample:
        return _end(status, Verdict.NOT_ENOUGH_EVIDENCE, f"{count} measurements with data, {policy.minimum_sample} are required", now)
    if status.evidence and count == 0:
        return _end(status, Verdict.NOT_ENOUGH_EVIDENCE, "every measurement came without data", now)
    reason = f"{count} measurements passed" if status.evidence else "promoted; no analysis is configured, so nothing was measured"
    return replace(_end(status, Verdict.PASSED, reason, now), unmeasured=not status.evidence)


def _reject(status: ReleaseStatus, policy: ReleasePolicy, now: datetime, ending: tuple[Verdict, str, str]) -> ReleaseStatus:
    verdict, reason, wanted = ending
    keep_until = now + policy.keep_rejected if policy.keep_rejected else None
    rejected = replace(_end(status, verdict, reason, now), held=True, keep_until=keep_until)
    if wanted == "none":
        return rejected
    message = "propose" if wanted == "propose" else ""
    return replace(rejected, phase=ReleasePhase.RESTORING, restore=Restore(state=RestoreState.WANTED, message=message))


def _end(status: ReleaseStatus, verdict: Verdict, reason: str, now: datetime) -> ReleaseStatus:
    return replace(status, phase=ReleasePhase.CLOSED, verdict=verdict, reason=reason, decided_at=now)


def _blame(release: Release, facts: ReleaseFacts, message: str) -> tuple[Verdict, str]:
    """Who ended it: our own recorded verb, a failed analysis, a provider, the deadline — else a person (DESIGN, verdict table)."""
    ours = _recorded(release, "abort")
    if ours:
        return Verdict.FAILED, ours.reason
    runs = facts.runs_of(release.status.pod_hash)
    for phase, verdict in (("Failed", Verdict.FAILED), ("Error", Verdict.COULD_NOT_MEASURE)):
        run = next((r for r in runs if (r.get("status") or {}).get("phase") == phase), None)
        if run is not None:
            return verdict, _words(run, evidence_of(run))
    if "analysis phase error/failed" in message or "timed out progressing" in message:
        return Verdict.FAILED, message
    return Verdict.ABORTED, f"a person aborted it ({message})"


def _words(run: Manifest, evidence: tuple[Evidence, ...]) -> str:
    """One sentence with the numbers of the metric that decided."""
    worst = next((row for row in evidence if row.run == run["metadata"]["name"] and row.phase in BAD), None)
    if worst is None:
        return str((run.get("status") or {}).get("message") or "the analysis ended without a word")
    counted = {
        "Failed": f"failed {_times(worst.failed)} ({worst.limit.removeprefix('failureLimit ')} allowed)",
        "Error": f"could not be measured {_times(worst.error)}",
        "Inconclusive": f"had no verdict {_times(worst.inconclusive)}",
    }
    values = f": measured {', '.join(_short(value) for value in worst.values)}" if worst.values else ""
    why = f": {worst.message}" if worst.message and not worst.values else ""
    return f"{worst.metric} {counted[worst.phase]}{values}{why}"


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _short(value: str) -> str:
    """A measured value for people: `[0.6152540184245354]` as `0.6153`; what is no single number stays as it is."""
    try:
        return f"{float(value.strip('[]')):.4g}"
    except ValueError:
        return value


def _evidence(runs: tuple[Manifest, ...]) -> tuple[Evidence, ...]:
    return tuple(row for run in runs for row in evidence_of(run))


def _recorded(release: Release, verb: str) -> Verb | None:
    return next((entry for entry in release.status.verbs if entry.verb == verb), None)
