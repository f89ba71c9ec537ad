"""What runs the pods: ReplicaSets as the rollout layer looks at them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from reconciler.model.identity import Manifest, annotations_of, labels_of, name_of, uid_of
from reconciler.model.moment import parse_moment

HASH_LABEL = "rollouts-pod-template-hash"
REVISION = "rollout.argoproj.io/revision"
REVISION_HISTORY = "rollout.argoproj.io/revision-history"
DESIRED_REPLICAS = "rollout.argoproj.io/desired-replicas"
WORKLOAD_GENERATION = "rollout.argoproj.io/workload-generation"
EPHEMERAL_METADATA = "rollout.argoproj.io/ephemeral-metadata"
SCALE_DOWN_DEADLINE = "scale-down-deadline"
MANAGED_BY = "argo-rollouts.argoproj.io/managed-by-rollouts"
INSTANCE_ID = "argo-rollouts.argoproj.io/controller-instance-id"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class ReplicaSet:
    """One ReplicaSet, read from its manifest (contract 0.1: spec, actual, available)."""

    manifest: Manifest

    @property
    def name(self) -> str:
        return name_of(self.manifest)

    @property
    def uid(self) -> str:
        return uid_of(self.manifest)

    @property
    def hash(self) -> str:
        return labels_of(self.manifest).get(HASH_LABEL, "")

    @property
    def spec(self) -> int:
        """Replicas asked for; Kubernetes defaults an absent number to 1."""
        value = (self.manifest.get("spec") or {}).get("replicas")
        return 1 if value is None else int(value)

    @property
    def actual(self) -> int:
        return self._count("replicas")

    @property
    def ready(self) -> int:
        return self._count("readyReplicas")

    @property
    def available(self) -> int:
        return self._count("availableReplicas")

    @property
    def created(self) -> datetime:
        text = self.manifest["metadata"].get("creationTimestamp")
        return parse_moment(text) if text else EPOCH

    @property
    def revision(self) -> int:
        text = annotations_of(self.manifest).get(REVISION, "")
        return int(text) if text.isdigit() else 0

    @property
    def desired(self) -> int | None:
        """The rollout's replicas when this ReplicaSet was last scaled, if it says so."""
        text = annotations_of(self.manifest).get(DESIRED_REPLICAS, "")
        return int(text) if text.isdigit() else None

    @property
    def deadline(self) -> str | None:
        """The raw scale-down deadline, if one is written."""
        return annotations_of(self.manifest).get(SCALE_DOWN_DEADLINE)

    @property
    def deleting(self) -> bool:
        return bool(self.manifest["metadata"].get("deletionTimestamp"))

    def _count(self, field: str) -> int:
        return int((self.manifest.get("status") or {}).get(field) or 0)


def oldest_first(manifests: Iterable[Manifest]) -> tuple[ReplicaSet, ...]:
    """ReplicaSets by age, then by name: the order of contract 10.2."""
    return tuple(sorted((ReplicaSet(m) for m in manifests), key=lambda r: (r.created, r.name)))


def total_available(replica_sets: Iterable[ReplicaSet]) -> int:
    return sum(r.available for r in replica_sets)
