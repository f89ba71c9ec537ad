"""Everything the judge of a release may know, read before it thinks."""

from dataclasses import dataclass
from typing import Any

from reconciler.kernel.identity import Manifest, annotations_of, labels_of
from reconciler.kernel.well_known import HASH_LABEL as HASH
from reconciler.sources.images import container_images

RELEASE = "reconciler.dev/release"
ABORTED = "RolloutAborted"
TIMED_OUT = "ProgressDeadlineExceeded"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseFacts:
    """The live Rollout with what belongs to it, and what else happened to the workload."""

    rollout: Manifest | None
    workload: Manifest | None = None
    """The Deployment a workloadRef names."""
    runs: tuple[Manifest, ...] = ()
    """AnalysisRuns of the Rollout."""
    after: Manifest | None = None
    """The AnalysisRun that watches after promotion."""
    replica_sets: tuple[Manifest, ...] = ()
    stuck: str | None = None
    """Why the pods of the new version will never come up, in words; None while they may."""
    newer: str | None = None
    """What took over, in words: a newer release of the same workload, or Git asking for something else by now."""
    overridden: bool = False
    """Whether a person's override runs instead of this release, so that nothing measured is about it."""
    held_by: str | None = None
    """The earlier release whose rejection holds this identity back."""

    @property
    def status(self) -> dict[str, Any]:
        return dict((self.rollout or {}).get("status") or {})

    @property
    def current(self) -> str:
        return str(self.status.get("currentPodHash") or "")

    @property
    def stable(self) -> str:
        return str(self.status.get("stableRS") or "")

    @property
    def promoted(self) -> bool:
        return bool(self.current) and self.current == self.stable

    @property
    def images(self) -> dict[str, str]:
        """What the live template asks for, container by container."""
        template = self.workload if self.workload is not None else self.rollout
        return {container: text for container, _, text in container_images(template)} if template is not None else {}

    def carries(self, release: str) -> bool:
        """Whether the Rollout's template, wherever it is kept, is this release's and the rollout layer has seen it (contract 3.4)."""
        marked = [part for part in (self.rollout, self.workload) if part is not None]
        return self.rollout is not None and all(annotations_of(part).get(RELEASE) == release for part in marked) and self.observed

    @property
    def observed(self) -> bool:
        if self.rollout is None:
            return False
        seen = str(self.status.get("observedGeneration", "")) == str(self.rollout["metadata"].get("generation"))
        if not seen or self.workload is None:
            return seen
        return str(self.status.get("workloadObservedGeneration", "")) == str(self.workload["metadata"].get("generation"))

    def condition(self, reason: str) -> Manifest | None:
        """The first condition with this reason."""
        return next((c for c in self.status.get("conditions") or [] if c.get("reason") == reason), None)

    def runs_of(self, pod_hash: str) -> tuple[Manifest, ...]:
        """The AnalysisRuns that judged this ReplicaSet."""
        return tuple(run for run in self.runs if labels_of(run).get(HASH) == pod_hash)

    def replica_set(self, pod_hash: str) -> Manifest | None:
        return next((rs for rs in self.replica_sets if labels_of(rs).get(HASH) == pod_hash), None)
