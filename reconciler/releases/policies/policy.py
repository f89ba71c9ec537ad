"""How releases of workloads are judged and undone: a ReleasePolicy, parsed (docs/configuration.md)."""

from dataclasses import dataclass
from datetime import timedelta

from reconciler.kernel.identity import Manifest
from reconciler.releases.comparison.terms import Compare
from reconciler.releases.preview.terms import PreviewTerms
from reconciler.releases.share.terms import ShareTerms


@dataclass(frozen=True, slots=True)
class WorkloadName:
    """One workload of a namespace."""

    kind: str
    name: str


@dataclass(frozen=True, slots=True)
class AfterPromotion:
    """The new version is watched for `window` at 100 % while the old one stays warm (ADR 0010)."""

    window: timedelta
    analysis: Manifest


@dataclass(frozen=True, slots=True)
class Reverify:
    """A proven version that serves is measured again: `every` so often, for `window`; what fails then loses its proof."""

    every: timedelta
    window: timedelta
    analysis: Manifest


@dataclass(frozen=True, slots=True)
class MeasureAgain:
    """A version that could not be measured is tried again: first after `after`, then after twice as long, `limit` times at most."""

    after: timedelta = timedelta(minutes=5)
    limit: int = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleasePolicy:
    """One policy.

    `rollout` is the Rollout spec to adopt plain Deployments with, or None. `keep_rejected` None: as long as the Rollout keeps the pods
    of a version that was brought home. `push_within`: a verdict older than this is proposed. `hold_window`: images that are rejected
    again within it, with another template, are held whatever the template. `minimum_requests`: so many the new version has answered by the
    metric of that name, which measures how many it has answered so far and proves nothing by itself; 0 asks for none.
    `minimum_requests_per_window`: so many came in the window of a measurement, or it says nothing; 0 asks for none.
    """

    name: str
    namespace: str
    workloads: tuple[WorkloadName, ...] = ()
    on_failure: str = "restore"
    on_abort: str = "propose"
    on_no_evidence: str = "propose"
    on_stuck: str = "abort"
    on_config_change: str = "roll"
    crash_restarts: int = 3
    require_analysis: bool = False
    minimum_sample: int = 0
    minimum_requests: int = 0
    minimum_requests_per_window: int = 0
    volume_metric: str = "volume"
    keep_rejected: timedelta | None = None
    push_within: timedelta = timedelta(hours=1)
    hold_window: timedelta = timedelta(hours=24)
    measure_again: MeasureAgain = MeasureAgain()
    history_limit: int = 10
    compare: Compare | None = None
    observed_share: ShareTerms | None = None
    preview: PreviewTerms | None = None
    after_promotion: AfterPromotion | None = None
    reverify: Reverify | None = None
    rollout: Manifest | None = None

    def concerns(self, namespace: str, kind: str, name: str) -> bool:
        """True when this policy covers a workload. A cluster policy has no namespace."""
        if self.namespace and self.namespace != namespace:
            return False
        return not self.workloads or WorkloadName(kind, name) in self.workloads


DEFAULT = ReleasePolicy(name="default", namespace="")
