"""Analysis: what to ask, what was answered, and how a run stands (contract 6.1)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from reconciler.kernel.identity import Manifest

UNLIMITED_FAILURES = -1
ERROR_PAUSE = timedelta(seconds=10)
"""After an error, and where a metric names no interval, the next measurement waits this long (contract 6.5)."""
DEFAULT_RETENTION = 10
PLUGIN = "plugin "
"""What the kind of a metric begins with that names a plug-in: its name follows."""
RUN_UID_LABEL = "analysisrun.argoproj.io/uid"
RUN_NAME = "analysisrun.argoproj.io/name"
RUN_NAMESPACE = "analysisrun.argoproj.io/namespace"
RUN_METRIC = "analysisrun.argoproj.io/metric-name"
TYPE_LABEL = "rollout-type"
STEP_LABEL = "step-index"


class RunPhase(StrEnum):
    """Phases of runs, metrics and measurements; the last four are final."""

    PENDING = "Pending"
    RUNNING = "Running"
    SUCCESSFUL = "Successful"
    FAILED = "Failed"
    ERROR = "Error"
    INCONCLUSIVE = "Inconclusive"

    @property
    def completed(self) -> bool:
        return self not in (RunPhase.PENDING, RunPhase.RUNNING)

    @property
    def bad(self) -> bool:
        """True when one metric in this phase ends the whole run."""
        return self in (RunPhase.FAILED, RunPhase.ERROR, RunPhase.INCONCLUSIVE)


class RunKind(StrEnum):
    """What a rollout asks a run for: the value of the label `rollout-type` (contract 6.4)."""

    STEP = "Step"
    BACKGROUND = "Background"
    PRE_PROMOTION = "PrePromotion"
    POST_PROMOTION = "PostPromotion"


@dataclass(frozen=True, slots=True)
class SecretKey:
    """One entry of a Secret in the run's namespace."""

    name: str
    key: str


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument of a run: a literal, or a secret, which wins over the literal (contract 6.2, 13.54)."""

    name: str
    value: str | None = None
    secret: SecretKey | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One question with its limits, all arguments filled in. `count` 0 and `failure_limit` None mean: not set.

    `providers` are the configurations by kind as written; validation refuses all but exactly one.
    """

    name: str
    providers: Mapping[str, Manifest] = field(default_factory=dict)
    interval: timedelta | None = None
    initial_delay: timedelta | None = None
    count: int = 0
    success_condition: str = ""
    failure_condition: str = ""
    failure_limit: int | None = None
    inconclusive_limit: int = 0
    consecutive_error_limit: int = 4
    consecutive_success_limit: int = 0
    consecutive_failure_limit: int | None = None
    """More failures than this in a row fail it; a field of ours, without which the reference's own count of all failures holds."""

    @property
    def allowed_failures(self) -> int:
        """How many failures in all it stands; any number where only those in a row count."""
        if self.failure_limit is not None:
            return self.failure_limit
        return 0 if self.consecutive_failure_limit is None else UNLIMITED_FAILURES

    @property
    def effective_count(self) -> int | None:
        """How many measurements make it complete; None: it never is by itself (contract 6.6)."""
        if self.count:
            return self.count
        return 1 if self.interval is None else None

    @property
    def kind(self) -> str:
        """The kind of its one provider."""
        return next(iter(self.providers), "")

    @property
    def config(self) -> Manifest:
        """The configuration of its one provider."""
        return self.providers[self.kind]


@dataclass(frozen=True, slots=True)
class Retention:
    """How many measurements to keep of the metrics that match a pattern (contract 1.5)."""

    pattern: str
    limit: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeToLive:
    """Seconds after which a completed run is removed, by its end (contract 6.10)."""

    after_completion: int | None = None
    after_success: int | None = None
    after_failure: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """One answer, or one still awaited (no `finished`)."""

    phase: RunPhase
    started: datetime | None = None
    finished: datetime | None = None
    resume_at: datetime | None = None
    value: str = ""
    message: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)
    secrets: frozenset[str] = field(default=frozenset(), repr=False)
    """What was learned on the way and must not be shown, a fetched token: `observe` masks it and lets go of it."""
    result: Any = field(default=None, repr=False, compare=False)
    """What the conditions saw, where they saw something: `observe` lets go of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricResult:
    """What one metric has answered so far. The counters outlive the measurements, which are trimmed."""

    name: str
    phase: RunPhase = RunPhase.RUNNING
    measurements: tuple[Measurement, ...] = ()
    message: str = ""
    count: int = 0
    successful: int = 0
    failed: int = 0
    inconclusive: int = 0
    error: int = 0
    consecutive_error: int = 0
    consecutive_success: int = 0
    consecutive_failure: int = 0
    dry_run: bool = False
    metadata: Mapping[str, str] = field(default_factory=dict)

    @property
    def last(self) -> Measurement | None:
        return self.measurements[-1] if self.measurements else None

    @property
    def unfinished(self) -> Measurement | None:
        """The measurement that is still awaited, if one is."""
        return self.last if self.last is not None and self.last.finished is None else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """How many metrics ended how (not measurements)."""

    count: int = 0
    successful: int = 0
    failed: int = 0
    inconclusive: int = 0
    error: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class AnalysisStatus:
    """How a run stands. `phase` is None before the first pass."""

    phase: RunPhase | None = None
    message: str = ""
    results: tuple[MetricResult, ...] = ()
    started: datetime | None = None
    completed: datetime | None = None
    summary: Summary = Summary()
    dry_run_summary: Summary | None = None

    def result(self, metric: str) -> MetricResult | None:
        return next((result for result in self.results if result.name == metric), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class AnalysisRun:
    """One run as written: `metrics` still hold their placeholders."""

    manifest: Manifest
    metrics: tuple[Manifest, ...] = ()
    arguments: tuple[Argument, ...] = ()
    dry_run: tuple[str, ...] = ()
    retention: tuple[Retention, ...] = ()
    terminate: bool = False
    time_to_live: TimeToLive = TimeToLive()
    status: AnalysisStatus = AnalysisStatus()
