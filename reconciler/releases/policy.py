"""How releases of workloads are judged and undone: a ReleasePolicy, parsed (docs/configuration.md)."""

from dataclasses import dataclass
from datetime import timedelta

from reconciler.kernel.identity import Manifest


@dataclass(frozen=True, slots=True)
class WorkloadName:
    """One workload of a namespace."""

    kind: str
    name: str


@dataclass(frozen=True, slots=True)
class AfterPromotion:
    """The new version is watched for `window` at 100 % while the old one stays warm (DESIGN 3)."""

    window: timedelta
    analysis: Manifest


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleasePolicy:
    """One policy. `rollout` is the Rollout spec to adopt plain Deployments with, or None."""

    name: str
    namespace: str
    workloads: tuple[WorkloadName, ...] = ()
    on_failure: str = "restore"
    on_abort: str = "propose"
    on_stuck: str = "abort"
    require_analysis: bool = False
    minimum_sample: int = 0
    keep_rejected: timedelta = timedelta()
    history_limit: int = 10
    after_promotion: AfterPromotion | None = None
    rollout: Manifest | None = None

    def concerns(self, namespace: str, kind: str, name: str) -> bool:
        """Whether this policy speaks of a workload. A cluster policy has no namespace."""
        if self.namespace and self.namespace != namespace:
            return False
        return not self.workloads or WorkloadName(kind, name) in self.workloads


DEFAULT = ReleasePolicy(name="default", namespace="")
