"""What others may know of a Rollout: its status, parsed once into typed fields, whichever controller wrote it. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from reconciler.kernel.identity import Manifest

ABORTED = "RolloutAborted"
TIMED_OUT = "ProgressDeadlineExceeded"
FAST_PROMOTED = "FastPromoted"
NAMED_RUNS = (
    ("canary", "currentStepAnalysisRunStatus"),
    ("canary", "currentBackgroundAnalysisRunStatus"),
    ("blueGreen", "prePromotionAnalysisRunStatus"),
    ("blueGreen", "postPromotionAnalysisRunStatus"),
)


class AbortCause(StrEnum):
    """Who or what brought a rollout home, as far as its own condition says (the literal words of contract 3.5)."""

    ANALYSIS = "analysis"
    DEADLINE = "deadline"
    PERSON = "person"


CAUSES: Mapping[str, AbortCause] = {
    "analysis phase error/failed": AbortCause.ANALYSIS,
    "Experiment analysis phase is error/failed": AbortCause.ANALYSIS,
    "has timed out progressing": AbortCause.DEADLINE,
}
"""What the message of the condition contains; without any of these nobody but a person asked for the abort."""


@dataclass(frozen=True, slots=True)
class NamedRun:
    """An AnalysisRun that the status names as one of this attempt, and the phase it mirrors."""

    name: str
    phase: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RolloutView:
    """A live Rollout. Hashes are pod template hashes; `observed`: its controller has seen its newest generation.

    `aborted_at` and `began` are as written (RFC3339), `began` empty where the controller does not say when this attempt began.
    """

    manifest: Manifest
    phase: str = ""
    current: str = ""
    stable: str = ""
    aborted: bool = False
    aborted_at: str = ""
    abort_message: str = ""
    timed_out: str = ""
    """What the condition says when the progress deadline has passed; empty while it has not."""
    promoting_in_full: bool = False
    completion: str = ""
    began: str = ""
    observed_generation: str = ""
    workload_observed_generation: str = ""
    named_runs: tuple[NamedRun, ...] = ()
    experiment: str = ""
    """The Experiment of the current step, while it counts."""
    carrying: frozenset[str] = frozenset()
    """Services of an experiment that have a share of the traffic on record."""
    elsewhere: int = 0
    """Weight on record that leads to another version than the newest; 0 without routes. A promotion is not over before it is 0."""

    @property
    def promoted(self) -> bool:
        """True when all traffic and pods are on the newest version."""
        return bool(self.current) and self.current == self.stable

    @property
    def healthy(self) -> bool:
        return self.phase == "Healthy"

    @property
    def promoted_in_full(self) -> bool:
        """True when a person skipped what was left of the steps."""
        return self.promoting_in_full or self.completion == FAST_PROMOTED

    @property
    def abort_cause(self) -> AbortCause:
        return next((cause for words, cause in CAUSES.items() if words in self.abort_message), AbortCause.PERSON)

    def observed(self, workload: Manifest | None) -> bool:
        """True when its controller has seen the newest generation of it, and of the object that its template is borrowed from."""
        if self.observed_generation != str(self.manifest["metadata"].get("generation")):
            return False
        return workload is None or self.workload_observed_generation == str(workload["metadata"].get("generation"))


def view_of(rollout: Manifest) -> RolloutView:
    """The view of a live object. What a stranger wrote in another shape reads as absent."""
    status = _object(rollout.get("status"))
    conditions = [c for c in status.get("conditions") or () if isinstance(c, dict)]
    duration = _object(status.get("duration"))
    return RolloutView(
        manifest=rollout,
        phase=str(status.get("phase") or ""),
        current=str(status.get("currentPodHash") or ""),
        stable=str(status.get("stableRS") or ""),
        aborted=status.get("abort") is True,
        aborted_at=str(status.get("abortedAt") or ""),
        abort_message=_message(conditions, ABORTED),
        timed_out=_message(conditions, TIMED_OUT),
        promoting_in_full=status.get("promoteFull") is True,
        completion=str(duration.get("completionStatus") or ""),
        began=str(duration.get("rolloutStartedAt") or ""),
        observed_generation=str(status.get("observedGeneration") or ""),
        workload_observed_generation=str(status.get("workloadObservedGeneration") or ""),
        named_runs=tuple(_named(status)),
        experiment=str(_object(status.get("canary")).get("currentExperiment") or ""),
        carrying=frozenset(_carrying(_object(_object(status.get("canary")).get("weights")))),
        elsewhere=_elsewhere(rollout, str(status.get("currentPodHash") or "")),
    )


def _named(status: Manifest) -> Iterator[NamedRun]:
    for strategy, field in NAMED_RUNS:
        run = _object(_object(status.get(strategy)).get(field))
        if run.get("name"):
            yield NamedRun(str(run["name"]), str(run.get("status") or ""))


def _carrying(weights: Manifest) -> Iterator[str]:
    for share in weights.get("additional") or ():
        if isinstance(share, dict) and share.get("weight"):
            yield str(share.get("serviceName") or "")


def _elsewhere(rollout: Manifest, current: str) -> int:
    """What is left on record of routes that are no longer asked for does not count."""
    canary = _object(_object(_object(rollout.get("spec")).get("strategy")).get("canary"))
    weights = _object(_object(_object(rollout.get("status")).get("canary")).get("weights"))
    shares = [_object(weights.get(side)) for side in ("canary", "stable")] if canary.get("trafficRouting") else []
    known = [share.get("weight") for share in shares if share.get("podTemplateHash") not in (None, "", current)]
    return sum(weight for weight in known if isinstance(weight, int) and not isinstance(weight, bool))


def _message(conditions: list[Manifest], reason: str) -> str:
    return next((str(c.get("message") or reason) for c in conditions if c.get("reason") == reason), "")


def _object(value: Any) -> Manifest:
    return value if isinstance(value, dict) else {}
