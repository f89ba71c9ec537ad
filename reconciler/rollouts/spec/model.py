"""The spec of a rollout: what a person wrote, with the contract's defaults filled in (contract 1)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from reconciler.kernel.identity import Labels, Manifest
from reconciler.rollouts.traffic.model import HeaderRoute, MirrorRoute

DEFAULT_DELAY = 30
UNLIMITED = 2**31 - 1
PING, PONG = "ping", "pong"
Amount = int | str
"""A number of pods, or any text as a percentage (contract 1.3)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RolloutAnalysis:
    """An analysis a rollout asks for: `manifest` is the RolloutAnalysis object as written (contract 1.5)."""

    manifest: Manifest
    starting_step: int = 0

    @property
    def measured(self) -> bool:
        """True when it names any template; without one there is no run."""
        return bool(self.manifest.get("templates"))


@dataclass(frozen=True, slots=True)
class Pause:
    """Wait `duration` seconds, or for a person; `text` is the duration as written."""

    duration: int | None = None
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CanaryScale:
    """How many canary pods, apart from traffic (contract 1.4); precedence replicas > weight."""

    replicas: int | None = None
    weight: int | None = None
    match_traffic: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class StepTemplate:
    """One version that an experiment step runs: that of the canary or of stable (`reference`), changed a little.

    `selector` None: that of the version; `weight` None: no share of the traffic; `service` None: no Service unless it has a weight.
    """

    name: str
    reference: str
    replicas: int | None = None
    labels: Labels = field(default_factory=dict)
    annotations: Labels = field(default_factory=dict)
    selector: Manifest | None = None
    weight: int | None = None
    service: str | None = None


@dataclass(frozen=True, slots=True)
class ExperimentStep:
    """A step that waits for an Experiment. `manifest` is as written: what the Experiment takes over word by word is read there."""

    manifest: Manifest
    templates: tuple[StepTemplate, ...] = ()
    analyses: tuple[Manifest, ...] = ()


@dataclass(frozen=True, slots=True)
class PluginStep:
    """A step that a plug-in carries out; `config` is any JSON, the plug-in's own affair."""

    name: str
    config: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One item of `canary.steps`. More than one kind may be set; completion asks them in the contract's order (contract 4.3)."""

    set_weight: int | None = None
    pause: Pause | None = None
    scale: CanaryScale | None = None
    header_route: HeaderRoute | None = None
    mirror_route: MirrorRoute | None = None
    analysis: RolloutAnalysis | None = None
    experiment: ExperimentStep | None = None
    plugin: PluginStep | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TrafficRouting:
    """The routers to drive: `manifest` as written, `routers` the names of those configured, in the contract's order (contract 1.7)."""

    manifest: Manifest
    routers: tuple[str, ...]
    maximum: int = 100
    managed_routes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ProgressThreshold:
    """How many available canary pods count as enough: `kind` is Percent or Pods."""

    kind: str
    value: int


@dataclass(frozen=True, slots=True)
class PodMetadata:
    """Labels and annotations put on pods while they play a role (contract 10.4)."""

    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PingPong:
    """Two Services that take turns at being the stable one (contract 1.3, 13.48)."""

    ping_service: str
    pong_service: str

    def sides(self, stable: str) -> tuple[str, str]:
        """The (canary, stable) Services; `stable` is the `stablePingPong` on record, and none means that pong is stable."""
        return (self.pong_service, self.ping_service) if stable == PING else (self.ping_service, self.pong_service)


@dataclass(frozen=True, slots=True, kw_only=True)
class Canary:
    """Strategy canary (contract 1.3)."""

    canary_service: str = ""
    stable_service: str = ""
    steps: tuple[Step, ...] = ()
    raw_steps: tuple[Manifest, ...] | None = None
    routing: TrafficRouting | None = None
    max_surge: Amount = "25%"
    max_unavailable: Amount = "25%"
    analysis: RolloutAnalysis | None = None
    anti_affinity: Manifest | None = None
    canary_metadata: PodMetadata | None = None
    stable_metadata: PodMetadata | None = None
    scale_down_delay: int | None = None
    scale_down_delay_revisions: int | None = None
    abort_delay: int | None = None
    dynamic_stable_scale: bool = False
    ping_pong: PingPong | None = None
    min_pods: int = 0
    threshold: ProgressThreshold | None = None

    @property
    def dynamic(self) -> bool:
        """True when stable shrinks as weight moves: only with a router (contract 1.3)."""
        return self.dynamic_stable_scale and self.routing is not None

    @property
    def maximum(self) -> int:
        return self.routing.maximum if self.routing else 100


@dataclass(frozen=True, slots=True, kw_only=True)
class BlueGreen:
    """Strategy blue/green (contract 1.2)."""

    active_service: str = ""
    preview_service: str = ""
    preview_replica_count: int | None = None
    auto_promotion: bool = True
    auto_promotion_seconds: int = 0
    max_unavailable: Amount = "25%"
    scale_down_delay: int | None = None
    scale_down_delay_revisions: int | None = None
    pre_promotion: RolloutAnalysis | None = None
    post_promotion: RolloutAnalysis | None = None
    anti_affinity: Manifest | None = None
    preview_metadata: PodMetadata | None = None
    active_metadata: PodMetadata | None = None
    abort_delay: int | None = None


@dataclass(frozen=True, slots=True)
class WorkloadRef:
    """The object whose pod template the rollout borrows (contract 1.6)."""

    api_version: str
    kind: str
    name: str
    scale_down: str = "never"


@dataclass(frozen=True, slots=True, kw_only=True)
class RolloutSpec:
    """One rollout's spec. `template` and `selector` are the resolved ones when a workloadRef is used."""

    strategy: Canary | BlueGreen
    replicas: int = 1
    replicas_given: bool = True
    selector: Manifest = field(default_factory=dict)
    template: Manifest = field(default_factory=dict)
    workload_ref: WorkloadRef | None = None
    min_ready_seconds: int = 0
    rollback_window: int = 0
    revision_history_limit: int = 10
    paused: bool = False
    progress_deadline: int = 600
    progress_deadline_abort: bool = False
    restart_at: datetime | None = None
    successful_runs: int = 5
    unsuccessful_runs: int = 5

    @property
    def canary(self) -> Canary | None:
        return self.strategy if isinstance(self.strategy, Canary) else None

    @property
    def blue_green(self) -> BlueGreen | None:
        return self.strategy if isinstance(self.strategy, BlueGreen) else None

    @property
    def routing(self) -> TrafficRouting | None:
        return self.strategy.routing if isinstance(self.strategy, Canary) else None

    @property
    def steps(self) -> tuple[Step, ...]:
        return self.strategy.steps if isinstance(self.strategy, Canary) else ()

    @property
    def maximum(self) -> int:
        """The weight that means all traffic (contract 0.1)."""
        return self.strategy.maximum if isinstance(self.strategy, Canary) else 100
