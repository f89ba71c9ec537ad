"""The AnalysisRuns of one attempt: which they are, which were configured, and what is put on record of those that ended. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reconciler.analysis.model import STEP_LABEL, TYPE_LABEL, RunKind, RunPhase
from reconciler.kernel.identity import Manifest, annotations_of, labels_of, name_of, uid_of
from reconciler.kernel.well_known import HASH_LABEL, REVISION
from reconciler.releases.model import RunRecord
from reconciler.rollouts.view import RolloutView

AFTER = "AfterPromotion"
"""The kind of a run that watches after promotion; the others are named by the contract (contract 6.4)."""
EXPERIMENT = "Experiment"
"""The kind of a run that an Experiment of the Rollout made (contract 8.3)."""


@dataclass(frozen=True, slots=True)
class Run:
    """One AnalysisRun, as far as a release asks. `kind` is the run's type label, `AFTER` or `EXPERIMENT`.

    `experiment` is the Experiment that it measures for: that one belongs to the Rollout, and says of which version it is.
    """

    manifest: Manifest
    kind: str
    experiment: Manifest | None = None

    @property
    def uid(self) -> str:
        return uid_of(self.manifest)

    @property
    def name(self) -> str:
        return name_of(self.manifest)

    @property
    def hash(self) -> str:
        return labels_of(self.experiment or self.manifest).get(HASH_LABEL, "")

    @property
    def phase(self) -> str:
        return str((self.manifest.get("status") or {}).get("phase") or "")

    @property
    def ended(self) -> bool:
        return self.phase in (RunPhase.SUCCESSFUL, RunPhase.FAILED, RunPhase.ERROR, RunPhase.INCONCLUSIVE)

    @property
    def measuring(self) -> bool:
        """True while an answer is awaited."""
        results = (self.manifest.get("status") or {}).get("metricResults") or []
        last = [result["measurements"][-1] for result in results if result.get("measurements")]
        return any(not measurement.get("finishedAt") for measurement in last)

    @property
    def step(self) -> int | None:
        if self.experiment is not None:
            return step_of(self.experiment)
        text = labels_of(self.manifest).get(STEP_LABEL, "")
        return int(text) if self.kind == RunKind.STEP and text.isdigit() else None

    @property
    def analysis(self) -> str:
        """Which analysis of its experiment it is, by the experiment's own account."""
        named = _object((self.experiment or {}).get("status")).get("analysisRuns") or []
        known = (each for each in named if _object(each).get("analysisRun") == self.name)
        return next((str(each.get("name") or "") for each in known), "")

    @property
    def cut_short(self) -> bool:
        """True when it was told to end before it was done. A background analysis and one of an experiment end with what they watch."""
        told = bool((self.manifest.get("spec") or {}).get("terminate"))
        if self.experiment is not None:
            return told and bool((self.experiment.get("spec") or {}).get("terminate"))
        return told and self.kind != RunKind.BACKGROUND

    @property
    def record(self) -> RunRecord:
        known = {"uid": self.uid, "name": self.name, "kind": self.kind, "phase": self.phase}
        return RunRecord(**known, step=self.step, cut_short=self.cut_short, analysis=self.analysis)


def run_of(manifest: Manifest) -> Run:
    """A run that the rollout layer made."""
    return Run(manifest, labels_of(manifest).get(TYPE_LABEL, ""))


def step_of(experiment: Manifest) -> int | None:
    """The step of the canary that an Experiment is of: the end of its name, which the contract gives it (contract 8.5)."""
    owners: list[Manifest] = experiment["metadata"].get("ownerReferences") or []
    owner: Manifest = next((each for each in owners if each.get("controller")), {})
    revision, hash = annotations_of(experiment).get(REVISION, ""), labels_of(experiment).get(HASH_LABEL, "")
    rest = name_of(experiment).removeprefix(f"{owner.get('name', '')}-{hash}-{revision}-").partition("-")[0]
    return int(rest) if rest.isdigit() else None


@dataclass(frozen=True, slots=True)
class Configured:
    """One analysis that a Rollout asks for on the way to full promotion; `analysis` names one of an experiment."""

    kind: RunKind | str
    step: int | None = None
    analysis: str = ""

    def __str__(self) -> str:
        where = {
            RunKind.STEP: f"the analysis of step {(self.step or 0) + 1}",
            RunKind.BACKGROUND: "the background analysis",
            RunKind.PRE_PROMOTION: "the analysis before promotion",
            RunKind.POST_PROMOTION: "the analysis after promotion",
            EXPERIMENT: f"the analysis {self.analysis} of the experiment of step {(self.step or 0) + 1}",
        }
        return where[self.kind]

    def met_by(self, record: RunRecord) -> bool:
        """True when this run is that analysis and ran to its end with success."""
        same = (record.kind, record.step, record.analysis) == (self.kind, self.step, self.analysis)
        return same and record.phase == RunPhase.SUCCESSFUL and not record.cut_short


def configured(rollout: Manifest) -> tuple[Configured, ...]:
    """Every analysis that the Rollout's strategy asks for, in its order."""
    strategy = _object(_object(rollout.get("spec")).get("strategy"))
    return (*_of_canary(_object(strategy.get("canary"))), *_of_blue_green(_object(strategy.get("blueGreen"))))


def _of_canary(canary: Mapping[str, Any]) -> Iterator[Configured]:
    if _object(canary.get("analysis")).get("templates"):
        yield Configured(RunKind.BACKGROUND)
    steps: Any = canary.get("steps")
    for index, step in enumerate(steps if isinstance(steps, list) else ()):
        if _object(_object(step).get("analysis")).get("templates"):
            yield Configured(RunKind.STEP, index)
        analyses: Any = _object(_object(step).get("experiment")).get("analyses")
        for analysis in analyses if isinstance(analyses, list) else ():
            yield Configured(EXPERIMENT, index, str(_object(analysis).get("name") or ""))


def _of_blue_green(blue_green: Mapping[str, Any]) -> Iterator[Configured]:
    for field, kind in (("prePromotionAnalysis", RunKind.PRE_PROMOTION), ("postPromotionAnalysis", RunKind.POST_PROMOTION)):
        if _object(blue_green.get(field)).get("templates"):
            yield Configured(kind)


def missing(asked: Sequence[Configured], records: Sequence[RunRecord]) -> tuple[Configured, ...]:
    """The analyses that never ran to a good end."""
    return tuple(one for one in asked if not any(one.met_by(record) for record in records))


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def experiment_end(experiments: Sequence[Manifest], live: RolloutView, pod_hash: str) -> str:
    """How an Experiment of this attempt brought the Rollout home, in its own words; empty where none did.

    Of its version, and begun with the attempt: one of an earlier attempt says nothing about this one.
    """
    if not live.aborted or not live.began:
        return ""
    bad = (RunPhase.FAILED, RunPhase.ERROR)
    own = (e for e in experiments if pod_hash and labels_of(e).get(HASH_LABEL) == pod_hash)
    fresh = (e for e in own if str(e["metadata"].get("creationTimestamp") or "") >= live.began)
    ended = next((e for e in fresh if _object(e.get("status")).get("phase") in bad), None)
    if ended is None:
        return ""
    status = _object(ended.get("status"))
    return f"experiment {name_of(ended)} ended as {status.get('phase')}: {status.get('message') or 'without a word'}"
