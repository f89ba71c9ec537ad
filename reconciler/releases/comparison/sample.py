"""One window of a comparison: who is asked about which time, and what came back. Pure."""

from dataclasses import dataclass
from datetime import datetime

from reconciler.analysis.statistics import Counts, Window


@dataclass(frozen=True, slots=True)
class ComparedSides:
    """Who is compared: what `{{args.hash}}` and `{{args.replicaSet}}` stand for on each side.

    That is a pod template hash and the ReplicaSet whose name its pods' names begin with. A pair that was made for the comparison has one
    word for both, because its hash is the stable version's.
    """

    canary: str
    baseline: str
    canary_replica_set: str = ""
    baseline_replica_set: str = ""


@dataclass(frozen=True, slots=True)
class WindowQuestion:
    """One window to ask for; `missed` windows before it were not looked at."""

    sides: ComparedSides
    start: datetime
    end: datetime
    missed: int = 0


@dataclass(frozen=True, slots=True)
class MetricAnswer:
    """What one metric said about a window; `window` is None where it could not be measured, and `problem` says why."""

    metric: str
    window: Window | None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Sample:
    """The answers to one question."""

    question: WindowQuestion
    answers: tuple[MetricAnswer, ...]


def answer(metric: str, canary: Counts, baseline: Counts) -> MetricAnswer:
    """Both sides of one metric. More bad requests than requests is no answer: the selectors do not belong together."""
    for side, counts in (("canary", canary), ("baseline", baseline)):
        if not counts.possible:
            return MetricAnswer(metric, None, f"{counts.bad:g} of {counts.requests:g} requests of the {side} bad: look at the selectors")
    return MetricAnswer(metric, Window(canary, baseline))
