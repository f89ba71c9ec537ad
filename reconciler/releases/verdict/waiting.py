"""What a release without a verdict waits for, where it does not go on by itself: a sentence of its own record, for people. Pure."""

from typing import Any

from reconciler.kernel.identity import Manifest
from reconciler.releases.facts import ReleaseFacts
from reconciler.releases.model import Release
from reconciler.releases.policies.policy import ReleasePolicy

OVERRIDDEN = "a person's override runs in its place: it goes on once Git asks for another pod template, or the override is taken away"
STRAYED = "another template was written in its place: it goes on once that is taken back, or Git asks for another pod template"
PAUSED = "a person paused the rollout: promote it to let it go on, or abort it"
INCONCLUSIVE = "an analysis was inconclusive: a person promotes or aborts"
ELSEWHERE = "promoted, but the weights on record still lead users to another version: the Rollout's events say what cannot be written"
UNTIL_PROMOTED = "a pause without an end: a person promotes or aborts"


def waits_for(release: Release, policy: ReleasePolicy, facts: ReleaseFacts) -> str:
    """One sentence; empty while it goes on by itself."""
    if facts.overridden:
        return OVERRIDDEN
    live = facts.rollout
    if not release.status.pod_hash:
        return ""
    if live.current != release.status.pod_hash:  # an abort of what was written in its place is none of this version
        return STRAYED if facts.observed and not facts.runs_template_of(release) else ""
    if live.aborted:
        return ""
    if live.promoted and live.elsewhere:
        return ELSEWHERE
    stuck = live.timed_out if policy.on_stuck == "wait" and not live.healthy else ""
    return _pause(live.manifest) or (f"{stuck} The policy says to wait: a person aborts, or mends what its pods need" if stuck else "")


def _pause(rollout: Manifest) -> str:
    """What the Rollout is paused for, if no clock ends it."""
    spec, status = _object(rollout.get("spec")), _object(rollout.get("status"))
    reasons = {_object(condition).get("reason") for condition in status.get("pauseConditions") or ()}
    if "InconclusiveAnalysisRun" in reasons:
        return INCONCLUSIVE
    if spec.get("paused") is True:
        return PAUSED
    endless = ("BlueGreenPause" in reasons and not _promotes_itself(spec)) or ("CanaryPauseStep" in reasons and not _timed(spec, status))
    return UNTIL_PROMOTED if endless else ""


def _promotes_itself(spec: Manifest) -> bool:
    blue_green = _object(_object(spec.get("strategy")).get("blueGreen"))
    return bool(blue_green.get("autoPromotionSeconds"))


def _timed(spec: Manifest, status: Manifest) -> bool:
    """True when the step that it stands at ends by the clock."""
    steps, index = _object(_object(spec.get("strategy")).get("canary")).get("steps"), status.get("currentStepIndex")
    if not isinstance(steps, list) or not isinstance(index, int) or not 0 <= index < len(steps):
        return True
    return bool(_object(_object(steps[index]).get("pause")).get("duration"))


def _object(value: Any) -> Manifest:
    return value if isinstance(value, dict) else {}
