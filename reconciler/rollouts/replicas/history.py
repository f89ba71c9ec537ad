"""Revisions: which number a version has, which annotations follow it, which old ReplicaSets may go (contract 10.4, 10.6)."""

from collections.abc import Iterable, Sequence

from reconciler.kernel.identity import Manifest, annotations_of, name_of
from reconciler.kernel.well_known import DESIRED_REPLICAS, REVISION, REVISION_HISTORY

NOT_COPIED = frozenset(
    {
        "kubectl.kubernetes.io/last-applied-configuration",
        REVISION,
        REVISION_HISTORY,
        DESIRED_REPLICAS,
        "notified.notifications.argoproj.io",
    }
)


def revision_of(manifest: Manifest) -> int:
    """The revision annotation, 0 when absent or no number."""
    text = annotations_of(manifest).get(REVISION, "")
    return int(text) if text.isdecimal() else 0


def next_revision(others: Iterable[Manifest]) -> int:
    """One more than the highest revision of the other ReplicaSets; the first is 1."""
    return max((revision_of(other) for other in others), default=0) + 1


def follow(replica_set: Manifest, rollout: Manifest, revision: int) -> Manifest:
    """The new ReplicaSet with the Rollout's missing annotations and at least this revision; the same object when nothing changes.

    Whenever any annotation changes, the old revision joins the revision history, even if it stays (contract 10.4, 13.46).
    """
    present = annotations_of(replica_set)
    missing = {key: value for key, value in annotations_of(rollout).items() if key not in NOT_COPIED and key not in present}
    raised = {REVISION: str(revision)} if revision_of(replica_set) < revision else {}
    if not missing and not raised:
        return replica_set
    former = [text for text in (present.get(REVISION_HISTORY, ""), present.get(REVISION, "")) if text]
    history = {REVISION_HISTORY: ",".join(former)} if present.get(REVISION) else {}
    return {**replica_set, "metadata": {**replica_set["metadata"], "annotations": {**present, **missing, **raised, **history}}}


def trim_history(others: Sequence[Manifest], limit: int) -> tuple[str, ...]:
    """The names to delete: of the oldest beyond `limit`, those that have no pods and are up to date (contract 10.6).

    `others` are all but the new and the stable ReplicaSet. One of the excess that still has pods is not replaced by a younger one.
    """
    living = [other for other in others if not other["metadata"].get("deletionTimestamp")]
    living.sort(key=lambda other: (str(other["metadata"].get("creationTimestamp") or ""), name_of(other)))
    excess = living[: max(0, len(living) - limit)]
    return tuple(name_of(other) for other in excess if _is_empty(other))


def _is_empty(replica_set: Manifest) -> bool:
    status = replica_set.get("status") or {}
    facts = int(status.get("observedGeneration", 0)) >= int(replica_set["metadata"].get("generation", 0))
    return facts and replica_set["spec"].get("replicas") == 0 and not status.get("replicas")
