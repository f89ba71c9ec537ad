"""What a release asks of the cluster, level-triggered and only through verbs that every client has. Pure.

A verb that brings a version home or back is put on record before it is pressed, so that who did it is never a guess.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from msgspec.structs import replace

from reconciler.kernel.identity import Manifest, ObjectRef, annotations_of, name_of, namespace_of
from reconciler.kernel.moment import render_moment
from reconciler.kernel.plan import Action, Emit, Patch, PatchStyle
from reconciler.kernel.resources import ANALYSIS_RUNS, DEPLOYMENTS, REPLICA_SETS, ROLLOUTS
from reconciler.kernel.well_known import HASH_LABEL, SCALE_DOWN_DEADLINE
from reconciler.releases.facts import ReleaseFacts
from reconciler.releases.model import Cause, Release, ReleasePhase, ReleaseStatus, Verb, Verdict
from reconciler.releases.policies.policy import ReleasePolicy

MARGIN = timedelta(seconds=30)
ANSWER, GLANCE = timedelta(seconds=90), timedelta(seconds=5)
"""How long an answer is waited for at the end of a window, so that no measurement is cut short; and between two looks."""
PATIENCE = timedelta(minutes=2)
MOST_RETURNS = 2
"""How often the template is put back after promotion; another hand that puts the other one back after that is left to a person."""


@dataclass(frozen=True, slots=True)
class Steering:
    """What is due now: verbs to put on record first, then writes; `wake_at`: when something will be due by itself."""

    record: ReleaseStatus | None = None
    actions: tuple[Action, ...] = ()
    wake_at: datetime | None = None


NOTHING = Steering()
Move = Callable[[Release, ReleasePolicy, ReleaseFacts, datetime], Steering]


def steer(release: Release, policy: ReleasePolicy, facts: ReleaseFacts, now: datetime) -> Steering:
    """What is due; nothing once the cluster is as the release wants it, or a later attempt of the version has the word."""
    if facts.live is None or facts.overridden or facts.tried_again:
        return NOTHING
    moves = [move(release, policy, facts, now) for move in MOVES]
    record = next((one.record for one in moves if one.record is not None), None)
    wake_at = min((one.wake_at for one in moves if one.wake_at is not None), default=None)
    return Steering(record, tuple(action for one in moves for action in one.actions), wake_at)


def abort_when_recorded(release: Release, _: ReleasePolicy, facts: ReleaseFacts, __: datetime) -> Steering:
    """Press abort, once our reason for it is on record."""
    verb = _last(release, "abort")
    live = facts.rollout
    ours = bool(release.status.pod_hash) and live.current == release.status.pod_hash and not live.promoted
    if verb is None or release.decided or not ours or live.aborted:
        return NOTHING
    told = Emit(live.manifest, "ReleaseAborted", f"release {release.name} is aborted: {verb.reason}", warning=True)
    return Steering(actions=(told, Patch(_rollout(live.manifest), {"status": {"abort": True}}, subresource="status")))


def retry_lifted(release: Release, _: ReleasePolicy, facts: ReleaseFacts, now: datetime) -> Steering:
    """A lifted version whose pods still stand aborted goes on: the abort of the attempt before is taken away, once."""
    live = facts.rollout
    stands = live.aborted and live.aborted_at == release.spec.earlier_abort and facts.runs_template_of(release)
    if release.decided or release.spec.cause is not Cause.LIFTED or not release.spec.earlier_abort or not stands:
        return NOTHING
    return _retry(release, facts, now, "a person let this version be tried again")


def measure_again(release: Release, policy: ReleasePolicy, facts: ReleaseFacts, now: datetime) -> Steering:
    """A version that could not be measured is tried again after a while, within the policy's limit."""
    live, decided_at = facts.rollout, release.status.decided_at
    waits = release.status.verdict is Verdict.COULD_NOT_MEASURE and release.status.promoted_at is None
    stands = live.aborted and not live.promoted and live.current == release.status.pod_hash
    tries = release.spec.attempt - 1
    if not waits or not stands or facts.newer or decided_at is None or tries >= policy.measure_again.limit:
        return NOTHING
    due = decided_at + policy.measure_again.after * 2**tries
    if now < due:
        return Steering(wake_at=due)
    return _retry(release, facts, now, "the metrics may answer again")


def _retry(release: Release, facts: ReleaseFacts, now: datetime, reason: str) -> Steering:
    if _last(release, "retry") is None:
        return Steering(record=_recorded(release, Verb(verb="retry", at=now, reason=reason)))
    told = Emit(facts.rollout.manifest, "ReleaseRetried", f"release {release.name} is tried again: {reason}")
    return Steering(actions=(told, Patch(_rollout(facts.rollout.manifest), {"status": {"abort": False}}, subresource="status")))


def keep_previous_warm(release: Release, policy: ReleasePolicy, facts: ReleaseFacts, _: datetime) -> Steering:
    """While the new version is watched, the old one's pods are not taken away (scale-down-deadline, contract 2.10)."""
    after, previous = policy.after_promotion, release.spec.previous
    if release.status.phase is not ReleasePhase.WATCHING or after is None or previous is None or release.status.promoted_at is None:
        return NOTHING
    old = facts.replica_set(previous.pod_hash)
    until = _whole(release.status.promoted_at + after.window + MARGIN)
    if old is None or not (old.get("spec") or {}).get("replicas") or not _sooner(annotations_of(old).get(SCALE_DOWN_DEADLINE), until):
        return NOTHING
    place = ObjectRef(REPLICA_SETS, namespace_of(old), name_of(old))
    return Steering(actions=(Patch(place, {"metadata": {"annotations": {SCALE_DOWN_DEADLINE: render_moment(until)}}}),))


def end_after_promotion(release: Release, policy: ReleasePolicy, facts: ReleaseFacts, now: datetime) -> Steering:
    """The window is over, and no answer is awaited: the run is asked to end; what it has not failed by then, it passes."""
    after, promoted_at, run = policy.after_promotion, release.status.promoted_at, facts.after
    if release.status.phase is not ReleasePhase.WATCHING or after is None or promoted_at is None or run is None or run.ended:
        return NOTHING
    over = promoted_at + after.window
    if now < over or (run.measuring and now < over + ANSWER):
        return Steering(wake_at=over if now < over else now + GLANCE)
    if (run.manifest.get("spec") or {}).get("terminate"):
        return NOTHING
    place = ObjectRef(ANALYSIS_RUNS, namespace_of(run.manifest), run.name)
    return Steering(actions=(Patch(place, {"spec": {"terminate": True}}),))


def bring_back(release: Release, _: ReleasePolicy, facts: ReleaseFacts, now: datetime) -> Steering:
    """Lost after promotion: the previous template goes live again while its pods are still warm; `bring_home` has the rest.

    Not where another tool applies the template: that tool would put it back, users and all. There Git goes first.
    """
    previous = _warm(release, facts)
    if previous is None or release.spec.companion or facts.rollout.stable != release.status.pod_hash or not facts.observed:
        return NOTHING
    live = facts.rollout
    if live.current == release.status.pod_hash:
        return _put_back(release, facts, previous, now)
    return NOTHING


def bring_home(release: Release, _: ReleasePolicy, facts: ReleaseFacts, now: datetime) -> Steering:
    """Users are on a rejected version, and the one before it is on its way: it is promoted at once, without a person.

    No pause, analysis or step keeps users with what was rejected, however they came there. An abort of the way home is a person's word.
    """
    live, previous = facts.rollout, release.spec.previous
    there = release.status.held and bool(release.status.pod_hash) and live.stable == release.status.pod_hash and facts.observed
    if not there or previous is None or live.current != previous.pod_hash or live.promoting_in_full or live.aborted:
        return NOTHING
    if _last(release, "promote") is None and _last(release, "undo") is None:
        verb = Verb(verb="promote", at=now, reason="users are on this rejected version: the one before it takes them at once")
        return Steering(record=_recorded(release, verb))
    told = Emit(
        live.manifest, "ReleaseBroughtHome", f"users leave {release.name}, which was rejected, for the version before it", warning=True
    )
    return Steering(actions=(told, Patch(_rollout(live.manifest), {"status": {"promoteFull": True}}, subresource="status")))


def _put_back(release: Release, facts: ReleaseFacts, previous: Manifest, now: datetime) -> Steering:
    """Each return is on record; once the rejected template has come back after the second one, no third follows."""
    returns = [verb for verb in release.status.verbs if verb.verb == "undo"]
    template, holder = _template(previous), facts.holder
    generation = str(holder["metadata"].get("generation")) if holder is not None else ""
    if returns and returns[-1].generation == generation:
        return Steering(actions=(_template_patch(release, facts.rollout.manifest, template),))
    if len(returns) >= MOST_RETURNS:
        return NOTHING
    undo = Verb(verb="undo", at=now, reason="lost after promotion: the previous template goes live again", generation=generation)
    return Steering(record=_recorded(release, undo))


def on_the_way_home(release: Release, facts: ReleaseFacts, now: datetime) -> bool:
    """True while users are on a version that lost after promotion and the previous one can take them: Git waits for that.

    Not for ever: a way home that takes longer than `PATIENCE` must not keep Git asking for the rejected version; and not where Git has to
    go first, because another tool applies.
    """
    decided_at = release.status.decided_at
    if decided_at is None or release.spec.companion or _warm(release, facts) is None:
        return False
    return facts.rollout.stable == release.status.pod_hash and now < decided_at + PATIENCE


MOVES: tuple[Move, ...] = (
    abort_when_recorded,
    retry_lifted,
    measure_again,
    keep_previous_warm,
    end_after_promotion,
    bring_back,
    bring_home,
)


def _warm(release: Release, facts: ReleaseFacts) -> Manifest | None:
    """The ReplicaSet of the previous version, for a release that was lost after promotion."""
    previous = release.spec.previous
    if release.status.verdict is not Verdict.FAILED or release.status.promoted_at is None or previous is None:
        return None
    return facts.replica_set(previous.pod_hash)


def _last(release: Release, verb: str) -> Verb | None:
    return next((entry for entry in reversed(release.status.verbs) if entry.verb == verb), None)


def _recorded(release: Release, verb: Verb) -> ReleaseStatus:
    return replace(release.status, verbs=(*release.status.verbs, verb))


def _rollout(rollout: Manifest) -> ObjectRef:
    return ObjectRef(ROLLOUTS, namespace_of(rollout), name_of(rollout))


def _template(previous: Manifest) -> Manifest:
    """A ReplicaSet's template without the hash label: the body of `undo` (contract 11.1)."""
    template = previous["spec"]["template"]
    labels = {key: value for key, value in (template["metadata"].get("labels") or {}).items() if key != HASH_LABEL}
    return {**template, "metadata": {**template["metadata"], "labels": labels}}


def _template_patch(release: Release, rollout: Manifest, template: Manifest) -> Patch:
    resource = DEPLOYMENTS if release.spec.template.kind == "Deployment" else ROLLOUTS
    place = ObjectRef(resource, release.namespace, release.spec.template.name)
    return Patch(place, [{"op": "replace", "path": "/spec/template", "value": template}], PatchStyle.JSON)


def _whole(moment: datetime) -> datetime:
    """Deadlines are written in whole seconds: compared with anything finer they would never be met."""
    return moment.replace(microsecond=0)


def _sooner(deadline: str | None, until: datetime) -> bool:
    """True when a deadline is set and comes before `until`; without one no count-down has begun."""
    if not deadline:
        return False
    try:
        found = datetime.fromisoformat(deadline)
    except ValueError:
        return True
    return (found if found.tzinfo else found.replace(tzinfo=UTC)) < until
