"""Why a rollout stands where it stands: one sentence, then the rule, its value and limit, and what a person can do."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from reconciler.kernel.duration import words_of
from reconciler.kernel.frozen import FREEZE, Frozen
from reconciler.kernel.identity import Manifest, annotations_of, controller_uid, labels_of, name_of, namespace_of, uid_of
from reconciler.kernel.moment import parse_moment
from reconciler.kernel.well_known import HASH_LABEL as HASH
from reconciler.kernel.well_known import SUSPEND, suspended
from reconciler.releases.announce.found_words import found_lines
from reconciler.releases.model import EPOCH, Release, ReleasePhase, RestoreState, Verdict
from reconciler.releases.override import OVERRIDE, overridden
from reconciler.releases.verdict.evidence import evidence_of
from reconciler.rollouts.preview import preview_words
from reconciler.rollouts.spec.durations import parse_seconds
from reconciler.sources.permission import SOURCE
from reconciler.views.freeze import freeze_sentence, unfreeze_command
from reconciler.views.releases import RELEASE
from reconciler.views.step_plugins import at_plugin_step
from reconciler.views.tree import Family, canary_steps, phase_of
from reconciler.views.why.counterfactual import counterfactuals, of_release, of_version
from reconciler.views.why.explanation import Explanation


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """Everything that an explanation may speak of."""

    family: Family
    release: Release | None
    """The newest release of the workload."""
    now: datetime
    frozen: Sequence[Frozen] = ()
    problems: tuple[str, ...] = ()
    flags: str = ""
    """What a command needs beside `-n` to be pasted (` --context …`)."""

    def command(self, verb: str, name: str = "") -> str:
        """Our own command about this workload, or about an object of its namespace, to be pasted."""
        return f"reconciler {verb} {name or name_of(self.family.rollout)} -n {namespace_of(self.family.rollout)}{self.flags}"


Why = Callable[[Situation], Explanation | None]


def explain(situation: Situation) -> Explanation:
    """The first reason that applies; at the latest, the phase itself."""
    found = next((explanation for why in REASONS if (explanation := why(situation)) is not None), None)
    frozen = freeze_sentence(situation.frozen)
    said = replace(found or _phase_itself(situation), frozen=frozen, problems=situation.problems)
    return replace(said, compared=_compared(situation.release), preview=preview_words(situation.family.rollout))


def _compared(release: Release | None) -> tuple[str, ...]:
    return found_lines(release.status) if release is not None else ()


def _phase_itself(situation: Situation) -> Explanation:
    phase, message = phase_of(situation.family.rollout)
    return Explanation(sentence=f"{phase}: {message or 'no reason is recorded'}", object=_object(situation.family))


def _frozen(situation: Situation) -> Explanation | None:
    """A frozen cluster stops everything; a frozen Git only a release that waits for its way back."""
    release, scopes = situation.release, {part.scope for part in situation.frozen}
    restoring = release is not None and release.status.restore is not None and release.status.restore.state is RestoreState.WANTED
    if "cluster" not in scopes and not ("git" in scopes and restoring):
        return None
    return Explanation(
        sentence=freeze_sentence(situation.frozen),
        rule=FREEZE,
        value=", ".join(sorted(scopes)),
        object=f"Namespace {situation.frozen[0].namespace}",
        next=unfreeze_command(situation.frozen, situation.flags),
    )


def _suspended(situation: Situation) -> Explanation | None:
    family = situation.family
    held = next((m for m in (family.rollout, family.namespace) if m is not None and suspended(m)), None)
    if held is None:
        return None
    place = f"{held['kind']} {'/'.join(filter(None, (namespace_of(held), name_of(held))))}"
    return Explanation(
        sentence=f"A person suspended the {place}: nothing is written, traffic stays as it is",
        rule=SUSPEND,
        value="true",
        object=place,
        next=f"kubectl annotate {held['kind'].lower()} {name_of(held)}{_in_namespace(held)}{situation.flags} {SUSPEND}-",
    )


def _invalid(situation: Situation) -> Explanation | None:
    condition = _condition(situation.family, "InvalidSpec")
    if condition is None:
        return None
    return Explanation(
        sentence=f"Nothing is done while the spec is invalid: {condition.get('message')}",
        rule="InvalidSpec",
        object=_object(situation.family),
        next="correct the named field in Git and push",
    )


def _overridden(situation: Situation) -> Explanation | None:
    rollout = situation.family.rollout
    identity = overridden(rollout)
    if not identity:
        return None
    lift = f"kubectl annotate rollout {name_of(rollout)}{_in_namespace(rollout)}{situation.flags} {OVERRIDE}-"
    return Explanation(
        sentence="An override of a person is in force: the live template is theirs and nobody judges it",
        rule=OVERRIDE,
        value=identity,
        object=_object(situation.family),
        next=f"it ends when Git changes the pod template; to end it now: {lift}",
    )


def _unjudged(situation: Situation) -> Explanation | None:
    release = situation.release
    if release is None or release.decided or not release.status.unjudged:
        return None
    reason = release.status.unjudged
    return Explanation(
        sentence=f"What Git asks for is applied and nobody judges it: {reason}",
        rule="ReleasePolicy",
        object=_release(release),
        next="correct the policies and push; the release is judged from then on",
    )


def _decided(situation: Situation) -> Explanation | None:
    """A held version, unless it is the one that serves all users: then a person tried it again, and it is not held back."""
    release = situation.release
    if release is None or release.status.verdict is None or not release.status.held or _serves(situation.family, release):
        return None
    lift = f"to try it again: {situation.command('hold lift', release.name)}"
    if release.status.verdict is Verdict.PASSED:
        return Explanation(
            sentence=f"A person holds the version of release {release.name}, which had passed: it is not deployed again",
            rule="held",
            object=_release(release),
            next=lift,
        )
    said = f"Release {release.name} ended: {release.status.verdict}: {release.status.reason}"
    return _lost(situation, said, f"{_restored(release)}{lift}")


def _lost(situation: Situation, sentence: str, next_step: str) -> Explanation:
    """A release that did not pass, with the measurement that says most."""
    release = situation.release
    assert release is not None, "the caller looked"
    worst = next((row for row in release.status.evidence if row.phase in ("Failed", "Error", "Inconclusive")), None)
    return Explanation(
        sentence=sentence,
        rule=worst.condition if worst else str(release.status.verdict),
        value=", ".join(worst.values) if worst else "",
        limit=worst.limit if worst else "",
        query=worst.query if worst else "",
        object=_release(release),
        next=next_step,
        otherwise=of_release(situation.family.runs, release),
    )


def _restored(release: Release) -> str:
    restore = release.status.restore
    if restore is None:
        return ""
    known = " ".join(part for part in (restore.state, restore.sha[:12], restore.pull, restore.message) if part)
    return f"restore in Git: {known}; "


def _serves(family: Family, release: Release) -> bool:
    """True when all users are on the version of this release."""
    status = _status(family)
    current = status.get("currentPodHash")
    if _phase(family) != "Healthy" or current != status.get("stableRS"):
        return False
    if release.status.pod_hash:
        return release.status.pod_hash == current
    return annotations_of(family.rollout).get(RELEASE, release.name) == release.name


def _aborted(situation: Situation) -> Explanation | None:
    condition = _condition_of_reason(situation.family, "RolloutAborted")
    if not _status(situation.family).get("abort"):
        return None
    on_its_way = "It is aborted: traffic is on its way to the stable version"
    return Explanation(
        sentence=f"Traffic is on the stable version: {condition.get('message')}" if condition else on_its_way,
        rule="RolloutAborted",
        object=_object(situation.family),
        otherwise=of_version(situation.family.runs, str(_status(situation.family).get("currentPodHash") or "")),
        next=f"{situation.command('retry')}, or push another version",
    )


def _paused(situation: Situation) -> Explanation | None:
    family = situation.family
    if family.rollout["spec"].get("paused"):
        next_step = situation.command("promote")
        return Explanation(sentence="A person paused it", rule="spec.paused", value="true", object=_object(family), next=next_step)
    pauses = _status(family).get("pauseConditions") or []
    return _pause(situation, pauses[0]) if pauses else None


def _pause(situation: Situation, pause: Manifest) -> Explanation:
    family, reason = situation.family, str(pause.get("reason"))
    step = _step(family)
    duration = ((step or {}).get("pause") or {}).get("duration")
    seconds = parse_seconds(duration) if isinstance(duration, int | str) else None
    next_step = situation.command("promote")
    if reason == "CanaryPauseStep" and seconds is not None:
        ends = _time(str(pause.get("startTime"))) + timedelta(seconds=seconds)
        left, whole = words_of(max(timedelta(0), ends - situation.now)), words_of(timedelta(seconds=seconds))
        sentence = f"It waits out the pause of step {_index(family) + 1}: {left} of {whole} are left"
        return Explanation(sentence=sentence, rule=reason, value=left, limit=whole, object=_object(family), next=next_step)
    sentences = {
        "CanaryPauseStep": f"It waits for a person at step {_index(family) + 1}",
        "BlueGreenPause": "The new version is ready behind the preview service and waits for a person",
        "InconclusiveAnalysisRun": "An analysis could not tell good from bad, so it waits for a person",
        "InconclusiveExperiment": "An experiment could not tell good from bad, so it waits for a person",
    }
    unsure = of_version(family.runs, str(_status(family).get("currentPodHash") or "")) if reason == "InconclusiveAnalysisRun" else ()
    sentence = sentences.get(reason, f"It is paused: {reason}")
    return Explanation(sentence=sentence, rule=reason, object=_object(family), next=next_step, otherwise=unsure)


def _trying(situation: Situation) -> Explanation | None:
    """At an experiment step: how the experiment stands, and what its first analysis under way has measured."""
    family, step = situation.family, _step(situation.family)
    name = (_status(family).get("canary") or {}).get("currentExperiment")
    trial = next((trial for trial in family.experiments if name_of(trial) == name), None)
    if step is None or "experiment" not in step or trial is None:
        return None
    status = trial.get("status") or {}
    own = [run for run in family.tried_runs if controller_uid(run) == uid_of(trial)]
    under_way = [run for run in own if (run.get("status") or {}).get("phase") in ("Running", "Pending")]
    row = next((row for run in under_way for row in evidence_of(run)), None)
    said = f", {status['message']}" if status.get("message") else ""
    return Explanation(
        sentence=f"It waits for experiment {name} to end: {status.get('phase') or 'Pending'}{said}",
        rule=row.condition if row else "",
        value=", ".join(row.values) if row else "",
        limit=row.limit if row else "",
        query=row.query if row else "",
        object=f"Experiment {namespace_of(trial)}/{name}",
        next=f"{situation.command('get rollout')} --watch",
    )


def _measuring(situation: Situation) -> Explanation | None:
    family = situation.family
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
        otherwise=counterfactuals(running),
        next=f"{situation.command('get rollout')} --watch",
    )


def _pods(situation: Situation) -> Explanation | None:
    family, status = situation.family, _status(situation.family)
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
        next=f"kubectl get pods{_in_namespace(current)}{situation.flags} -l {HASH}={labels_of(current).get(HASH)}",
    )


def _healthy(situation: Situation) -> Explanation | None:
    family, release = situation.family, situation.release
    if _phase(family) != "Healthy":
        return None
    if situation.problems:
        said = f"It is healthy, but what Git asks for is not known to run: {situation.problems[0]}"
        return Explanation(sentence=said, rule="source", object=_object(family), next="correct it in Git and push")
    if release is None:
        applied = annotations_of(family.rollout).get(SOURCE)
        return Explanation(sentence="It runs what Git asks for" if applied else UNFOLLOWED, object=_object(family))
    if release.status.verdict is None:
        because = f": {release.status.reason}" if release.status.reason else ""
        return Explanation(
            sentence=f"Everybody is on the new version; release {release.name} is still {release.status.phase}{because}",
            rule="afterPromotion" if release.status.phase is ReleasePhase.WATCHING else "",
            object=_release(release),
            next=f"{situation.command('status')} --wait-for verdict",
        )
    return _ended(situation, release)


def _ended(situation: Situation, release: Release) -> Explanation:
    """A healthy Rollout whose newest release has its verdict: proven, served all the same, or gone."""
    verdict, reason, lost = release.status.verdict, release.status.reason, release.status.lost
    if lost is not None:
        said = f"Everybody is on a version that lost its proof: {lost.by}{f', {lost.reason}' if lost.reason else ''}"
        again = f"push another version, or call it proven again: {situation.command('accept')}"
        return Explanation(sentence=said, rule="reverify", value=f"{verdict}: {reason}", object=_release(release), next=again)
    if verdict is Verdict.PASSED:
        return Explanation(sentence=f"It runs what Git asks for: {verdict}, {reason}", object=_object(situation.family))
    accepted = release.status.accepted
    if accepted is not None:
        said = f"It runs what Git asks for: {accepted.by} called it proven{f', {accepted.reason}' if accepted.reason else ''}"
        return Explanation(sentence=said, value=f"{verdict}: {reason}", object=_release(release))
    if _serves(situation.family, release):
        said = f"Everybody is on the version of release {release.name} although it is not proven: {verdict}: {reason}"
        return _lost(situation, said, f"{_restored(release)}push another version, or call it proven: {situation.command('accept')}")
    said = f"It runs the version before release {release.name}, which ended: {verdict}: {reason}"
    return _lost(situation, said, f"{_restored(release)}push another version")


UNFOLLOWED = "It is healthy, and no release of it is recorded"
REASONS: tuple[Why, ...] = (
    _frozen,
    _suspended,
    _invalid,
    _overridden,
    _unjudged,
    _decided,
    _aborted,
    _paused,
    _trying,
    _measuring,
    _pods,
    lambda situation: at_plugin_step(situation.family, situation.command("get rollout")),
    _healthy,
)


def _release(release: Release) -> str:
    return f"Release {release.namespace}/{release.name}"


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
    return next(iter(canary_steps(family.rollout)[_index(family) :]), None)


def _time(text: str) -> datetime:
    try:
        return parse_moment(text)
    except ValueError:
        return EPOCH
