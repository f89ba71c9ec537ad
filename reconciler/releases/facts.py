"""Everything the judge of a release may know, read before it thinks. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from reconciler.kernel.identity import Manifest, annotations_of, labels_of
from reconciler.kernel.well_known import HASH_LABEL
from reconciler.releases.comparison.sample import Sample
from reconciler.releases.model import Release, ReleasePhase
from reconciler.releases.opening.config_mark import means_version
from reconciler.releases.opening.content import covers
from reconciler.releases.preview.record import Propagation
from reconciler.releases.share.sample import ShareSample
from reconciler.releases.verdict.runs import Run
from reconciler.rollouts.view import RolloutView
from reconciler.sources.images import container_images, template_of

RELEASE = "reconciler.dev/release"
NO_ROLLOUT = RolloutView(manifest={"metadata": {}})


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseFacts:
    """The live Rollout with what belongs to it, and what else happened to the workload."""

    live: RolloutView | None = None
    """The Rollout; None when there is none."""
    workload: Manifest | None = None
    """The object that a workloadRef borrows the pod template from."""
    runs: tuple[Run, ...] = ()
    """AnalysisRuns of the Rollout, and of its Experiments."""
    experiment_end: str = ""
    """How an experiment of this attempt brought the Rollout home, in words; empty where none did."""
    after: Run | None = None
    """The AnalysisRun that watches after promotion."""
    again: Run | None = None
    """The AnalysisRun that measures this proven version once more."""
    serves: bool = False
    """True when users are on the version that this release brought, and no later release brought it."""
    replica_sets: tuple[Manifest, ...] = ()
    pairs: tuple[Manifest, ...] = ()
    """ReplicaSets that this release owns: the baseline it is compared with, and what is left of an earlier one."""
    crashed: str = ""
    """Which container of the new version crash-loops how often, in words; empty while none does."""
    newer: str = ""
    """What took over, in words: a newer release of the same workload, or Git asking for something else by now."""
    tried_again: bool = False
    """True when a later attempt has the same version: what it asks of the cluster is that one's to say."""
    overridden: bool = False
    """True when a person's override runs instead of this release, so that nothing measured is about it."""
    held_by: Release | None = None
    """The earlier release whose rejection holds this version back."""
    rejections: int = 0
    """How often another template with the same images was rejected within the policy's window."""
    config_applied: bool = True
    """True when the config that this release asks for lives; asked only where nothing but config changes and another tool applies it."""

    sample: Sample | None = None
    """What canary and baseline answered in the window that is due; None when none is."""

    share: ShareSample | None = None
    """How many requests both sides served in the window that is due; None when none is."""

    propagation: Propagation | None = None
    """How far a tester's header came just now; None when that was not asked."""

    @property
    def rollout(self) -> RolloutView:
        """The live Rollout, or one that says nothing."""
        return self.live or NO_ROLLOUT

    @property
    def observed(self) -> bool:
        return self.live is not None and self.live.observed(self.workload)

    @property
    def holder(self) -> Manifest | None:
        """The live object whose pod template runs."""
        return self.workload if self.workload is not None else self.live.manifest if self.live else None

    @property
    def images(self) -> Mapping[str, str]:
        """What the live template asks for, container by container."""
        return {container: text for container, _, text in container_images(self.holder)} if self.holder is not None else {}

    def carries(self, release: Release) -> bool:
        """True when the live template is what this release asks for and the rollout layer has seen it.

        Content decides. What we wrote ourselves carries our mark besides, and may hold more than Git says: an admission webhook may
        have added to it. Where only config changes, the template cannot tell, so that the mark or the live config has to.
        """
        template = template_of(self.holder) if self.holder is not None else None
        if template is None or not self.observed:
            return False
        asked, marked, same = release.spec.content.template, self._marked(release.name), self.runs_template_of(release)
        if release.spec.companion or not release.spec.previous:
            return same and (self.config_applied or marked)
        return marked and (same or (self.images == release.spec.images and covers(asked, template)))

    def runs_template_of(self, release: Release) -> bool:
        """True when the live template means what this release asks for, no matter who wrote it."""
        template, asked = template_of(self.holder) if self.holder is not None else None, release.spec.content.template
        if template is None:
            return False
        return means_version(release, template) if asked else self.images == release.spec.images

    def _marked(self, release: str) -> bool:
        parts = [part for part in (self.live.manifest if self.live else None, self.workload) if part is not None]
        return bool(parts) and all(annotations_of(part).get(RELEASE) == release for part in parts)

    def runs_of(self, release: Release) -> tuple[Run, ...]:
        """The AnalysisRuns of this attempt: of its pods, and of no attempt before it."""
        earlier, own = release.spec.earlier_runs, release.status.pod_hash
        found = [run for run in self.runs if own and run.hash == own and run.uid not in earlier]
        return (*found, *((self.after,) if self.after is not None else ()))

    def splits(self, release: Release) -> bool:
        """True while users may be on the version of this release and on the one that served before it, and nothing else meanwhile."""
        live, own = self.rollout, release.status.pod_hash
        ours = bool(own) and live.current == own and release.status.phase is ReleasePhase.PROGRESSING
        gone = release.decided or release.spec.previous is None or self.overridden or self.newer or live.promoted or live.aborted
        return ours and not gone

    def replica_set(self, pod_hash: str) -> Manifest | None:
        return next((rs for rs in self.replica_sets if pod_hash and labels_of(rs).get(HASH_LABEL) == pod_hash), None)

    def all_available(self, release: Release) -> bool:
        """True when every pod that is asked for of this release serves: until then its containers may crash, of which no watch tells."""
        found = self.replica_set(release.status.pod_hash)
        if found is None:
            return False
        return int((found.get("status") or {}).get("availableReplicas") or 0) >= int((found.get("spec") or {}).get("replicas") or 0)
