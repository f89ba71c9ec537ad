"""What runs the pods: ReplicaSets as the rollout layer looks at them."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from reconciler.kernel.identity import Manifest, annotations_of, labels_of, name_of, uid_of
from reconciler.kernel.moment import parse_moment
from reconciler.kernel.well_known import DESIRED_REPLICAS, HASH_LABEL, REVISION, SCALE_DOWN_DEADLINE

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class ReplicaSet:
    """One ReplicaSet, read from its manifest (contract 0.1: spec, actual, available). Read once: a pass asks for these a hundred times.

    `spec` are the replicas asked for; Kubernetes defaults an absent number to 1. `desired` are the rollout's replicas when it was last
    scaled, if it says so; `deadline` is the raw scale-down deadline, if one is written.
    """

    manifest: Manifest
    name: str = field(init=False, repr=False, compare=False)
    created: datetime = field(init=False, repr=False, compare=False)
    hash: str = field(init=False, repr=False, compare=False)
    spec: int = field(init=False, repr=False, compare=False)
    actual: int = field(init=False, repr=False, compare=False)
    ready: int = field(init=False, repr=False, compare=False)
    available: int = field(init=False, repr=False, compare=False)
    desired: int | None = field(init=False, repr=False, compare=False)
    deadline: str | None = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        annotations, status = annotations_of(self.manifest), self.manifest.get("status") or {}
        replicas, desired = (self.manifest.get("spec") or {}).get("replicas"), annotations.get(DESIRED_REPLICAS, "")
        created, read = self.manifest["metadata"].get("creationTimestamp"), object.__setattr__
        read(self, "name", name_of(self.manifest))
        read(self, "created", parse_moment(created) if created else EPOCH)
        read(self, "hash", labels_of(self.manifest).get(HASH_LABEL, ""))
        read(self, "spec", 1 if replicas is None else int(replicas))
        read(self, "actual", int(status.get("replicas") or 0))
        read(self, "ready", int(status.get("readyReplicas") or 0))
        read(self, "available", int(status.get("availableReplicas") or 0))
        read(self, "desired", int(desired) if desired.isdigit() else None)
        read(self, "deadline", annotations.get(SCALE_DOWN_DEADLINE))

    @property
    def uid(self) -> str:
        return uid_of(self.manifest)

    @property
    def revision(self) -> int:
        text = annotations_of(self.manifest).get(REVISION, "")
        return int(text) if text.isdigit() else 0

    @property
    def deleting(self) -> bool:
        return bool(self.manifest["metadata"].get("deletionTimestamp"))


def oldest_first(manifests: Iterable[Manifest]) -> tuple[ReplicaSet, ...]:
    """ReplicaSets by age, then by name: the order of contract 10.2."""
    return tuple(sorted((ReplicaSet(m) for m in manifests), key=lambda r: (r.created, r.name)))


def total_available(replica_sets: Iterable[ReplicaSet]) -> int:
    return sum(r.available for r in replica_sets)
