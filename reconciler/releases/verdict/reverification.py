"""A proven version that serves is measured again, and what fails then takes its proof away (ADR 0033). Pure.

Users stay where they are: a verdict is never changed, and Git is not written. What ends is the trust in the version, so that it is no
proven way back any more and does not begin in an environment that is new to it.
"""

from dataclasses import dataclass
from datetime import datetime

from msgspec.structs import replace

from reconciler.analysis.model import RunPhase
from reconciler.kernel.identity import Manifest, ObjectRef, namespace_of
from reconciler.kernel.moment import parse_moment
from reconciler.kernel.plan import Patch
from reconciler.kernel.resources import ANALYSIS_RUNS
from reconciler.releases.facts import ReleaseFacts
from reconciler.releases.model import Lost, Release, ReleasePhase, ReleaseStatus, Reverified
from reconciler.releases.policies.policy import ReleasePolicy
from reconciler.releases.verdict.blame import words
from reconciler.releases.verdict.runs import Run
from reconciler.releases.verdict.windows import measured

OURS = "re-verification"
KEPT_SECONDS = 24 * 60 * 60
"""How long a run that has ended stays for people to look at."""


def again_name(release: Release) -> str:
    """Deterministic and numbered, so that a pass cut in half finds the run it made."""
    number = 1 + (release.status.reverified.number if release.status.reverified is not None else 0)
    return f"{release.name[:235]}-again-{number}"


@dataclass(frozen=True, slots=True)
class Check:
    """What is due: a run to begin, one to tell to end, or what goes on record; `wake_at`: when something will be due."""

    begin: str = ""
    end: Patch | None = None
    record: ReleaseStatus | None = None
    wake_at: datetime | None = None


NOTHING = Check()


def check(release: Release, policy: ReleasePolicy, facts: ReleaseFacts, now: datetime) -> Check:
    """One look at a release that is over; nothing for any other."""
    again, run = policy.reverify, facts.again
    if again is None or not release.proven or not facts.serves or facts.overridden or release.status.phase is not ReleasePhase.CLOSED:
        return NOTHING
    if run is not None and run.ended:
        return Check(record=judged(release, policy, run, now))
    if run is None:
        due = _last(release, now) + again.every
        return Check(wake_at=due) if now < due else Check(begin=again_name(release))
    over = _begun(run, now) + again.window
    if now < over:
        return Check(wake_at=over)
    if (run.manifest.get("spec") or {}).get("terminate"):
        return NOTHING
    return Check(end=Patch(ObjectRef(ANALYSIS_RUNS, namespace_of(run.manifest), run.name), {"spec": {"terminate": True}}))


def judged(release: Release, policy: ReleasePolicy, run: Run, now: datetime) -> ReleaseStatus:
    """The record of a run that has ended. Only a failure on data takes a proof away: a provider that is away has measured nothing."""
    number = 1 + (release.status.reverified.number if release.status.reverified is not None else 0)
    status = replace(release.status, reverified=Reverified(number=number, at=now, run=run.name, phase=run.phase))
    evidence = measured(run.manifest, policy)
    if run.phase != RunPhase.FAILED or not any(row.failed_on_data for row in evidence):
        return status
    return replace(status, lost=Lost(by=OURS, at=now, reason=words(evidence, run.name, run.phase), evidence=evidence))


def kept_for_a_day(run: Manifest) -> Manifest:
    """The run to create, which goes by itself some time after its end."""
    return {**run, "spec": {**run["spec"], "ttlStrategy": {"secondsAfterCompletion": KEPT_SECONDS}}}


def _last(release: Release, now: datetime) -> datetime:
    known = release.status.reverified
    return known.at if known is not None else release.status.decided_at or now


def _begun(run: Run, now: datetime) -> datetime:
    return parse_moment(str(run.manifest["metadata"].get("creationTimestamp") or "")) or now
