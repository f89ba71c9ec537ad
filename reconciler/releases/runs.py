"""The AnalysisRuns of one attempt: which they are, which were configured, and what is put on record of those that ended. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reconciler.analysis.model import STEP_LABEL, TYPE_LABEL, RunKind, RunPhase
from reconciler.kernel.identity import Manifest, labels_of, name_of, uid_of
from reconciler.kernel.well_known import HASH_LABEL
from reconciler.releases.model import RunRecord

AFTER = "AfterPromotion"
"""The kind of a run that watches after promotion; the others are named by the contract (contract 6.4)."""


@dataclass(frozen=True, slots=True)
class Run:
    """One AnalysisRun, as far as a release asks. `kind` is the run's type label, or `AFTER`."""

    manifest: Manifest
    kind: str

    @property
    def uid(self) -> str:
        return uid_of(self.manifest)

    @property
    def name(self) -> str:
        return name_of(self.manifest)

    @property
    def hash(self) -> str:
        return labels_of(self.manifest).get(HASH_LABEL, "")

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
        text = labels_of(self.manifest).get(STEP_LABEL, "")
        return int(text) if self.kind == RunKind.STEP and text.isdigit() else None

    @property
    def record(self) -> RunRecord:
        cut_short = bool((self.manifest.get("spec") or {}).get("terminate")) and self.kind != RunKind.BACKGROUND
        return RunRecord(uid=self.uid, name=self.name, kind=self.kind, phase=self.phase, step=self.step, cut_short=cut_short)


def run_of(manifest: Manifest) -> Run:
    """A run that the rollout layer made."""
    return Run(manifest, labels_of(manifest).get(TYPE_LABEL, ""))


@dataclass(frozen=True, slots=True)
class Configured:
    """One analysis that a Rollout asks for on the way to full promotion."""

    kind: RunKind
    step: int | None = None

    def __str__(self) -> str:
        where = {
            RunKind.STEP: f"the analysis of step {(self.step or 0) + 1}",
            RunKind.BACKGROUND: "the background analysis",
            RunKind.PRE_PROMOTION: "the analysis before promotion",
            RunKind.POST_PROMOTION: "the analysis after promotion",
        }
        return where[self.kind]

    def met_by(self, record: RunRecord) -> bool:
        """True when this run is that analysis and ran to its end with success."""
        same = record.kind == self.kind and record.step == self.step
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


def _of_blue_green(blue_green: Mapping[str, Any]) -> Iterator[Configured]:
    for field, kind in (("prePromotionAnalysis", RunKind.PRE_PROMOTION), ("postPromotionAnalysis", RunKind.POST_PROMOTION)):
        if _object(blue_green.get(field)).get("templates"):
            yield Configured(kind)


def missing(asked: Sequence[Configured], records: Sequence[RunRecord]) -> tuple[Configured, ...]:
    """The analyses that never ran to a good end."""
    return tuple(one for one in asked if not any(one.met_by(record) for record in records))


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
