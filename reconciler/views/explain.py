"""Why a rollout stands where it stands: one sentence, then the rule, its value and limit, and what a person can do."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from reconciler.kernel.duration import parse_duration
from reconciler.kernel.identity import Manifest, labels_of, name_of, namespace_of
from reconciler.kernel.moment import parse_moment
from reconciler.kernel.well_known import HASH_LABEL as HASH
from reconciler.kernel.well_known import SUSPEND, suspended
from reconciler.releases.evidence import evidence_of
from reconciler.releases.model import EPOCH, Release
from reconciler.releases.override import OVERRIDE, overridden
from reconciler.views.tree import Family, phase_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """The answer of `explain`. Fields that do not apply are empty."""

    sentence: str
    rule: str = ""
    value: str = ""
    limit: str = ""
    query: str = ""
    object: str = ""
    next: str = ""
    problems: tuple[str, ...] = ()
    """What is wrong with the source that applies it, as its inventory has it."""


Why = Callable[[Family, Release | None, datetime], Explanation | None]


def explain(family: Family, release: Release | None, now: datetime) -> Explanation:
    """The first reason that applies; at the latest, the phase itself."""
    for why in REASONS:
        explanation = why(family, release, now)
        if explanation is not None:
            return explanation
    phase, message = phase_of(family.rollout)
    return Explanation(sentence=f"{phase}: {message or 'no reason is recorded'}", object=_object(family))


def _suspended(family: Family, _: Release | None, __: datetime) -> Explanation | None:
    held = next((m for m in (family.rollout, family.namespace) if m is not None and suspended(m)), None)
    if held is None:
        return None
    place = f"{held['kind']} {'/'.join(filter(None, (namespace_of(held), name_of(held))))}"
    return Explanation(
        sentence=f"A person suspended the {place}: nothing is written, traffic stays as it is",
        rule=SUSPEND,
        value="true",
        object=place,
        next=f"kubectl annotate {held['kind'].lower()} {name_of(held)}{_in_namespace(held)} {SUSPEND}-",
    )


def _invalid(family: Family, _: Release | None, __: datetime) -> Explanation | None:
    condition = _condition(family, "InvalidSpec")
    if condition is None:
        return None
    return Explanation(
        sentence=f"Nothing is done while the spec is invalid: {condition.get('message')}",
        rule="InvalidSpec",
        object=_object(family),
        next="correct the named field in Git and push",
    )


def _overridden(family: Family, _: Release | None, __: datetime) -> Explanation | None:
    identity = overridden(family.rollout)
    if not identity:
        return None
    lift = f"kubectl annotate rollout {name_of(family.rollout)}{_in_namespace(family.rollout)} {OVERRIDE}-"
    return Explanation(
        sentence="An override of a person is in force: the live template is theirs and nobody judges it",
        rule=OVERRIDE,
        value=identity,
        object=_object(family),
        next=f"it ends when Git changes the pod template; to end it now: {lift}",
    )


def _unjudged(family: Family, release: Release | None, _: datetime) -> Explanation | None:
    if release is None or release.decided or not release.status.unjudged:
        return None
    reason = release.status.unjudged
    return Explanation(
        sentence=f"What Git asks for is applied and nobody judges it: {reason}",
        rule="ReleasePolicy",
        object=f"Release {release.namespace}/{release.name}",
        next="correct the policies and push; the release is judged from then on",
    )


def _decided(family: Family, release: Release | None, _: datetime) -> Explanation | None:
    if release is None or release.status.verdict is None or not release.status.held:
        return None
    worst = next((row for row in release.status.evidence if row.phase in ("Failed", "Error", "Inconclusive")), None)
    restore = release.status.restore
    done = f"restore in Git: {restore.state} {restore.sha[:12]}; " if restore is not None else ""
    return Explanation(
        sentence=f"Release {release.name} ended: {release.status.verdict}: {release.status.reason}",
        rule=worst.condition if worst else str(release.status.verdict),
        value=", ".join(worst.values) if worst else "",
        limit=worst.limit if worst else "",
        query=worst.query if worst else "",
        object=f"Release {release.namespace}/{release.name}",
        next=f"{done}to try it again: reconciler hold lift {release.name}",
    )


def _aborted(family: Family, _: Release | None, __: datetime) -> Explanation | None:
    condition = _condition_of_reason(family, "RolloutAborted")
    if condition is None or not _status(family).get("abort"):
        return None
    name = name_of(family.rollout)
    return Explanation(
        sentence=f"Traffic is on the stable version: {condition.get('message')}",
        rule="RolloutAborted",
        object=_object(family),
        next=f"reconciler retry {name}, or push another version",
    )


def _paused(family: Family, _: Release | None, now: datetime) -> Explanation | None:
    name = name_of(family.rollout)
    if family.rollout["spec"].get("paused"):
        return Explanation(
            sentence="A person paused it", rule="spec.paused", value="true", object=_object(family), next=f"reconciler promote {name}"
        )
    pauses = _status(family).get("pauseConditions") or []
    if not pauses:
        return None
    return _pause(family, pauses[0], now)


def _pause(family: Family, pause: Manifest, now: datetime) -> Explanation:
    name, reason = name_of(family.rollout), str(pause.get("reason"))
    step = _step(family)
    seconds = _seconds(((step or {}).get("pause") or {}).get("duration"))
    next_verb = f"reconciler promote {name}"
    if reason == "CanaryPauseStep" and seconds is not None:
        ends = _time(str(pause.get("startTime"))) + timedelta(seconds=seconds)
        left = max(0, round((ends - now).total_seconds()))
        sentence = f"It waits out the pause of step {_index(family) + 1}: {left} s of {seconds} s are left"
        return Explanation(sentence=sentence, rule=reason, value=f"{left}s", limit=f"{seconds}s", object=_object(family), next=next_verb)
    sentences = {
        "CanaryPauseStep": f"It waits for a person at step {_index(family) + 1}",
        "BlueGreenPause": "The new version is ready behind the preview service and waits for a person",
        "InconclusiveAnalysisRun": "An analysis could not tell good from bad, so it waits for a person",
    }
    return Explanation(sentence=sentences.get(reason, f"It is paused: {reason}"), rule=reason, object=_object(family), next=next_verb)


def _measuring(family: Family, _: Release | None, __: datetime) -> Explanation | None:
    current = _status(family).get("currentPodHash")
    running = [
        r for r in family.runs if labels_of(r).get(HASH) == current and (r.get("status") or {}).get("phase") in ("Running", "Pending")
    ]
    step = _step(family)
    if not running or (step is not None and "analysis" not in step):
        return None
    rows = evidence_of(running[0])
    row = rows[0] if rows else None
    return Explanation(
        sentence=f"It waits for analysis run {name_of(running[0])} to end",
        rule=row.condition if row else "",
        value=", ".join(row.values) if row else "no measurement yet",
        limit=row.limit if row else "",
        query=row.query if row else "",
        object=f"AnalysisRun {namespace_of(running[0])}/{name_of(running[0])}",
        next=f"reconciler get rollout {name_of(family.rollout)} --watch",
    )


def _pods(family: Family, _: Release | None, __: datetime) -> Explanation | None:
    status = _status(family)
    current = next((rs for rs in family.replica_sets if labels_of(rs).get(HASH) == status.get("currentPodHash")), None)
    if current is None:
        return None
    wanted, available = int(current["spec"].get("replicas") or 0), int((current.get("status") or {}).get("availableReplicas") or 0)
    if available >= wanted:
        return None
    return Explanation(
        sentence=f"It waits for pods of the new version: {available} of {wanted} are available",
        rule="replicas available",
        value=str(available),
        limit=str(wanted),
        object=f"ReplicaSet {namespace_of(current)}/{name_of(current)}",
        next=f"kubectl -n {namespace_of(current)} get pods -l {HASH}={labels_of(current).get(HASH)}",
    )


def _healthy(family: Family, release: Release | None, _: datetime) -> Explanation | None:
    if _phase(family) != "Healthy":
        return None
    if release is not None and release.status.verdict is None:
        return Explanation(
            sentence=f"Everybody is on the new version; release {release.name} is still {release.status.phase}",
            rule="afterPromotion" if release.status.phase == "Watching" else "",
            object=f"Release {release.namespace}/{release.name}",
        )
    reason = f": {release.status.verdict}, {release.status.reason}" if release is not None else ""
    return Explanation(sentence=f"It runs what Git asks for{reason}", object=_object(family))


REASONS: tuple[Why, ...] = (_suspended, _invalid, _overridden, _unjudged, _decided, _aborted, _paused, _measuring, _pods, _healthy)


def _status(family: Family) -> dict[str, Any]:
    return dict(family.rollout.get("status") or {})


def _phase(family: Family) -> str:
    return phase_of(family.rollout)[0]


def _object(family: Family) -> str:
    return f"Rollout {namespace_of(family.rollout)}/{name_of(family.rollout)}"


def _condition(family: Family, kind: str) -> Manifest | None:
    return next((c for c in _status(family).get("conditions") or [] if c.get("type") == kind), None)


def _condition_of_reason(family: Family, reason: str) -> Manifest | None:
    return next((c for c in _status(family).get("conditions") or [] if c.get("reason") == reason), None)


def _in_namespace(manifest: Manifest) -> str:
    return f" -n {namespace_of(manifest)}" if namespace_of(manifest) else ""


def _index(family: Family) -> int:
    return int(_status(family).get("currentStepIndex") or 0)


def _step(family: Family) -> Manifest | None:
    steps = ((family.rollout["spec"].get("strategy") or {}).get("canary") or {}).get("steps") or []
    return steps[_index(family)] if _index(family) < len(steps) else None


def _seconds(duration: Any) -> int | None:
    """A pause's length (contract 1.4): seconds, as number or text, or a Go duration."""
    if duration is None:
        return None
    text = str(duration)
    if text.isdigit():
        return int(text)
    try:
        return int(parse_duration(text).total_seconds())
    except ValueError:
        return None


def _time(text: str) -> datetime:
    try:
        return parse_moment(text)
    except ValueError:
        return EPOCH
