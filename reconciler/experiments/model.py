"""An Experiment as written and as it stands (contract 8.1)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from reconciler.analysis.model import RunPhase
from reconciler.kernel.identity import Manifest, annotations_of, name_of, namespace_of
from reconciler.rollouts.status.model import Condition

EXPERIMENT_NAME = "experiment.argoproj.io/name"
TEMPLATE_NAME = "experiment.argoproj.io/template-name"
DEFAULT_DEADLINE, DEFAULT_DELAY = 600, 30


class TemplateCode(StrEnum):
    """How one template stands; the last three are final."""

    PROGRESSING = "Progressing"
    RUNNING = "Running"
    SUCCESSFUL = "Successful"
    FAILED = "Failed"
    ERROR = "Error"

    @property
    def completed(self) -> bool:
        return self not in (TemplateCode.PROGRESSING, TemplateCode.RUNNING)

    @property
    def bad(self) -> bool:
        return self in (TemplateCode.FAILED, TemplateCode.ERROR)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExperimentTemplate:
    """One version that runs. `service` None: it has no Service; empty: one named like its ReplicaSet."""

    name: str
    replicas: int = 1
    min_ready_seconds: int = 0
    selector: Manifest = field(default_factory=dict)
    template: Manifest = field(default_factory=dict)
    service: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExperimentAnalysis:
    """One analysis that runs beside the templates; those that are `required` end the experiment when all of them succeeded."""

    name: str
    template_name: str
    cluster_scope: bool = False
    arguments: tuple[Manifest, ...] = ()
    required: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ExperimentSpec:
    """What a person or a canary step asked for. `duration` None: until its required analyses succeeded or it is told to end."""

    templates: tuple[ExperimentTemplate, ...] = ()
    analyses: tuple[ExperimentAnalysis, ...] = ()
    duration: timedelta | None = None
    progress_deadline: int = DEFAULT_DEADLINE
    scale_down_delay: int = DEFAULT_DELAY
    terminate: bool = False
    dry_run: tuple[Manifest, ...] = ()
    retention: tuple[Manifest, ...] = ()
    run_metadata: Manifest = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PodCounts:
    """Pods of one template. Those of an experiment are never of another version, so all of them are updated ones."""

    replicas: int = 0
    ready: int = 0
    available: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateStatus:
    """How one template stands. `moved` is when its pods last changed; `service` and `hash` are known while it has a Service."""

    name: str
    counts: PodCounts = PodCounts()
    collisions: int | None = None
    code: TemplateCode | None = None
    message: str = ""
    moved: datetime | None = None
    service: str = ""
    hash: str = ""

    @property
    def completed(self) -> bool:
        return self.code is not None and self.code.completed


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredStatus:
    """How one analysis stands: its run, once there is one, and what that said. `phase` is None before there is anything to say."""

    name: str
    run: str = ""
    phase: RunPhase | None = None
    message: str = ""

    @property
    def completed(self) -> bool:
        return self.phase is not None and self.phase.completed


@dataclass(frozen=True, slots=True, kw_only=True)
class ExperimentStatus:
    """How an experiment stands. `phase` is None before the first pass; `available_at` is when all of its pods first served."""

    phase: RunPhase | None = None
    message: str = ""
    available_at: datetime | None = None
    templates: tuple[TemplateStatus, ...] = ()
    runs: tuple[MeasuredStatus, ...] = ()
    conditions: tuple[Condition, ...] = ()

    @property
    def finished(self) -> bool:
        return self.phase is not None and self.phase.completed

    def template(self, name: str) -> TemplateStatus:
        return next((template for template in self.templates if template.name == name), TemplateStatus(name=name))

    def run(self, name: str) -> MeasuredStatus:
        return next((run for run in self.runs if run.name == name), MeasuredStatus(name=name))


@dataclass(frozen=True, slots=True)
class Experiment:
    """One Experiment, read from its manifest."""

    manifest: Manifest
    spec: ExperimentSpec
    status: ExperimentStatus

    @property
    def name(self) -> str:
        return name_of(self.manifest)

    @property
    def namespace(self) -> str:
        return namespace_of(self.manifest)


def marks_of(experiment: str, template: str) -> Mapping[str, str]:
    """The annotations of what belongs to one template (contract 0.3)."""
    return {EXPERIMENT_NAME: experiment, TEMPLATE_NAME: template}


def template_of(manifest: Manifest) -> str:
    """The template that something belongs to, by its own account."""
    return annotations_of(manifest).get(TEMPLATE_NAME, "")
