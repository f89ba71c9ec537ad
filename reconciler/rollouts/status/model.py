"""The status of a rollout: what the controller writes for people, other tools and its own next pass (contract 3.2)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any


class Phase(StrEnum):
    """The four words that Argo CD knows (contract 11.3)."""

    HEALTHY = "Healthy"
    PROGRESSING = "Progressing"
    PAUSED = "Paused"
    DEGRADED = "Degraded"


class PauseReason(StrEnum):
    """Why a rollout waits (contract 4.4)."""

    CANARY_STEP = "CanaryPauseStep"
    BLUE_GREEN = "BlueGreenPause"
    INCONCLUSIVE_ANALYSIS = "InconclusiveAnalysisRun"
    INCONCLUSIVE_EXPERIMENT = "InconclusiveExperiment"


@dataclass(frozen=True, slots=True)
class PauseCondition:
    """One reason to wait and when it began."""

    reason: str
    started: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """One typed statement about the rollout; `status` is True, False or Unknown."""

    type: str
    status: str
    reason: str
    message: str
    updated: datetime | None = None
    changed: datetime | None = None


@dataclass(frozen=True, slots=True)
class RunStatus:
    """How an analysis run stands, mirrored."""

    name: str
    status: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True)
class Share:
    """One destination's recorded weight."""

    weight: int
    service: str = ""
    hash: str = ""


@dataclass(frozen=True, slots=True)
class Weights:
    """The weights last brought into force. `verified` is None where it is not verified."""

    canary: Share
    stable: Share
    additional: tuple[Share, ...] = ()
    verified: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Duration:
    """How long this attempt takes (contract 3.8).

    `manual_pause_seconds` is None until a person's pause has ended, and 0 after one below a second: clients tell the two apart.
    """

    started: datetime | None = None
    completion: str = ""
    finished: datetime | None = None
    manual_pause_started: datetime | None = None
    manual_pause_seconds: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StepPluginStatus:
    """What the plug-in of a step said last: one entry for each operation on each step (contract 4.3).

    `backoff` is how long it is left alone from `updated` on, `executions` how often it was run; `status` is the plug-in's own memory, any
    JSON, handed back to it at the next call; `disabled` says that the daemon's settings switch it off.
    """

    index: int
    name: str
    operation: str
    phase: str
    message: str = ""
    started: datetime | None = None
    updated: datetime | None = None
    finished: datetime | None = None
    backoff: str = ""
    executions: int = 0
    disabled: bool = False
    status: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CanaryStatus:
    """The part that only canaries have."""

    weights: Weights | None = None
    step_run: RunStatus | None = None
    background_run: RunStatus | None = None
    experiment: str = ""
    stable_ping_pong: str = ""
    plugins: tuple[StepPluginStatus, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class BlueGreenStatus:
    """The part that only blue/green rollouts have."""

    active_selector: str = ""
    preview_selector: str = ""
    checkpoint: bool = False
    pre_run: RunStatus | None = None
    post_run: RunStatus | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RolloutStatus:
    """One rollout's status. Empty text, None, false and empty tuples are written as absent."""

    observed_generation: str = ""
    workload_observed_generation: str = ""
    phase: str = ""
    message: str = ""
    current_hash: str = ""
    step_hash: str = ""
    step_index: int | None = None
    stable_hash: str = ""
    replicas: int = 0
    updated: int = 0
    ready: int = 0
    available: int = 0
    hpa_replicas: int = 0
    selector: str = ""
    collisions: int | None = None
    conditions: tuple[Condition, ...] = ()
    pauses: tuple[PauseCondition, ...] = ()
    controller_pause: bool = False
    abort: bool = False
    aborted_at: datetime | None = None
    promote_full: bool = False
    restarted_at: datetime | None = None
    canary: CanaryStatus = field(default_factory=CanaryStatus)
    blue_green: BlueGreenStatus = field(default_factory=BlueGreenStatus)
    duration: Duration | None = None
    balancers: tuple[Mapping[str, Any], ...] = ()
    """What load balancers said of the weights (`albs`)."""

    @property
    def promoted(self) -> bool:
        """Fully promoted: two empty hashes count as equal too (contract 0.1)."""
        return self.stable_hash == self.current_hash

    @property
    def completed(self) -> bool:
        """Fully promoted to a version that there is (contract 3.5)."""
        return bool(self.stable_hash) and self.promoted

    def pause(self, reason: PauseReason) -> PauseCondition | None:
        for pause in self.pauses:
            if pause.reason == reason:
                return pause
        return None

    def condition(self, type: str) -> Condition | None:
        for condition in self.conditions:
            if condition.type == type:
                return condition
        return None
