"""What a release asks of the cluster, level-triggered and only through verbs that every client has (DESIGN 1, 3)."""

from collections.abc import Callable
from datetime import datetime, timedelta

from reconciler.kernel.identity import Manifest, ObjectRef, annotations_of, labels_of, name_of, namespace_of
from reconciler.kernel.plan import Action, Emit, Patch, PatchStyle
from reconciler.kernel.resources import ANALYSIS_RUNS, DEPLOYMENTS, REPLICA_SETS, ROLLOUTS
from reconciler.kernel.well_known import HASH_LABEL as HASH
from reconciler.releases.facts import ReleaseFacts
from reconciler.releases.model import Release, ReleasePhase, Verdict
from reconciler.releases.policy import ReleasePolicy

DEADLINE = "scale-down-deadline"
MARGIN = timedelta(seconds=30)
PATIENCE = timedelta(minutes=2)
Move = Callable[[Release, ReleasePolicy, ReleaseFacts, datetime], tuple[Action, ...]]


def steer(release: Release, policy: ReleasePolicy, facts: ReleaseFacts, now: datetime) -> tuple[Action, ...]:
    """The writes that are due now; none once the cluster is as the release wants it."""
    if facts.rollout is None or facts.overridden:
        return ()
    return tuple(action for move in MOVES for action in move(release, policy, facts, now))


def abort_when_recorded(release: Release, _: ReleasePolicy, facts: ReleaseFacts, __: datetime) -> tuple[Action, ...]:
    """Press abort, once our reason for it is on record."""
    verb = next((entry for entry in release.status.verbs if entry.verb == "abort"), None)
    ours = facts.current == release.status.pod_hash and not facts.promoted
    if verb is None or not ours or facts.status.get("abort") or facts.rollout is None:
        return ()
    return (
        Emit(facts.rollout, "ReleaseAborted", f"release {release.name} is aborted: {verb.reason}", warning=True),
        Patch(_rollout(facts.rollout), {"status": {"abort": True}}, subresource="status"),
    )


def keep_stable_warm(release: Release, policy: ReleasePolicy, facts: ReleaseFacts, _: datetime) -> tuple[Action, ...]:
    """While the new version is watched, the old one's pods are not taken away (scale-down-deadline, contract 2.10)."""
    after, proven = policy.after_promotion, release.spec.proven
    if release.status.phase is not ReleasePhase.WATCHING or after is None or proven is None or release.status.promoted_at is None:
        return ()
    old = facts.replica_set(proven.pod_hash)
    until = release.status.promoted_at + after.window + MARGIN
    if old is None or not (old.get("spec") or {}).get("replicas") or not _sooner(annotations_of(old).get(DEADLINE), until):
        return ()
    place = ObjectRef(REPLICA_SETS, namespace_of(old), name_of(old))
    return (Patch(place, {"metadata": {"annotations": {DEADLINE: until.strftime("%Y-%m-%dT%H:%M:%SZ")}}}),)


def end_watch(release: Release, policy: ReleasePolicy, facts: ReleaseFacts, now: datetime) -> tuple[Action, ...]:
    """The window is over: the watching run is asked to end; what it has not failed by then, it passes."""
    after, promoted_at = policy.after_promotion, release.status.promoted_at
    if release.status.phase is not ReleasePhase.WATCHING or after is None or promoted_at is None or facts.after is None:
        return ()
    over = now >= promoted_at + after.window
    if not over or (facts.after.get("spec") or {}).get("terminate"):
        return ()
    return (Patch(ObjectRef(ANALYSIS_RUNS, namespace_of(facts.after), name_of(facts.after)), {"spec": {"terminate": True}}),)


def bring_back(release: Release, _: ReleasePolicy, facts: ReleaseFacts, __: datetime) -> tuple[Action, ...]:
    """Lost after promotion: the proven template goes live again, then is promoted at once, while its pods are still warm."""
    if release.status.verdict is not Verdict.FAILED or release.status.promoted_at is None or release.spec.proven is None:
        return ()
    proven = facts.replica_set(release.spec.proven.pod_hash)
    lost = facts.stable == release.status.pod_hash
    if proven is None or not lost or facts.rollout is None or not facts.observed:
        return ()
    if facts.current == release.status.pod_hash:
        return (_template_patch(release, facts.rollout, proven),)
    if facts.current == labels_of(proven).get(HASH) and not facts.status.get("promoteFull"):
        return (Patch(_rollout(facts.rollout), {"status": {"promoteFull": True}}, subresource="status"),)
    return ()


def on_the_way_home(release: Release, facts: ReleaseFacts, now: datetime) -> bool:
    """Whether users still are on a version that lost after promotion and the proven one can take them: Git waits for that (DESIGN 2).

    Not for ever: a way home that takes longer than `PATIENCE` must not keep Git asking for the rejected version.
    """
    proven, decided_at = release.spec.proven, release.status.decided_at
    if release.status.verdict is not Verdict.FAILED or release.status.promoted_at is None or proven is None or decided_at is None:
        return False
    warm = facts.replica_set(proven.pod_hash) is not None
    return warm and facts.stable == release.status.pod_hash and now < decided_at + PATIENCE


MOVES: tuple[Move, ...] = (abort_when_recorded, keep_stable_warm, end_watch, bring_back)


def _rollout(rollout: Manifest) -> ObjectRef:
    return ObjectRef(ROLLOUTS, namespace_of(rollout), name_of(rollout))


def _template_patch(release: Release, rollout: Manifest, proven: Manifest) -> Patch:
    """The write of `undo` (contract 11.1): the ReplicaSet's template without the hash label, as a whole."""
    template = proven["spec"]["template"]
    labels = {key: value for key, value in (template["metadata"].get("labels") or {}).items() if key != HASH}
    clean = {**template, "metadata": {**template["metadata"], "labels": labels}}
    resource = DEPLOYMENTS if release.spec.template.kind == "Deployment" else ROLLOUTS
    place = ObjectRef(resource, release.namespace, release.spec.template.name)
    return Patch(place, [{"op": "replace", "path": "/spec/template", "value": clean}], PatchStyle.JSON)


def _sooner(deadline: str | None, until: datetime) -> bool:
    """Whether a deadline is set that comes before `until`. Without one nobody counts down yet."""
    if not deadline:
        return False
    try:
        return datetime.fromisoformat(deadline) < until
    except ValueError:
        return True
