"""What a provider is: one outside system that answers one metric at a time (contract 7)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol, runtime_checkable

from reconciler.analysis.model import Measurement, Metric, RunPhase
from reconciler.expr.values import Value
from reconciler.kernel.identity import Manifest
from reconciler.kernel.plan import Action
from reconciler.kernel.problem import Problem
from reconciler.kernel.shapes import Shapes


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasurementTask:
    """One measurement to take: `metric` has its arguments filled in, `number` counts its measurements from 1, errors included."""

    run: Manifest
    metric: Metric
    namespace: str
    now: datetime
    number: int = 1


JOB_NAME, JOB_NAMESPACE = "job-name", "job-namespace"
"""Where a measurement that is a Job says which one it is (contract 7.3)."""
SERIES, FALLBACK, PARTIAL, STALE = "series", "fallback", "partial", "stale"
"""How many series an answer had; `true` when only the query's own fallback spoke, when some of the data did not come, and when what came
is not of the moment that was asked about."""
FACTS = frozenset({JOB_NAME, JOB_NAMESPACE, SERIES, FALLBACK, PARTIAL, STALE})
"""Metadata that a provider makes up itself and that we read again: never masked, whatever word happens to be a secret."""


class Provider(Protocol):
    """Takes measurements. Whatever goes wrong outside is a measurement in phase Error.

    The one exception is Transient: the Kubernetes API gave no answer, so nothing is known and the same is asked again soon.
    All methods may be repeated: a measurement cut off before it was written down is found again or taken again.
    """

    async def run(self, task: MeasurementTask) -> Measurement:
        """Take a measurement; one of a provider that is also Awaited may come back unfinished."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class CounterTask:
    """What a counter gained between two moments: its selector with all arguments filled in; `address` empty is the default server.

    `known_by` selects what must have been there at the start: where none of it was, its history is lost, and nothing is said to be gained.
    """

    address: str
    selector: str
    known_by: str
    start: datetime
    end: datetime
    secret: str = ""
    """A Secret of the daemon's namespace that says who we are at the address; empty: nobody in particular."""


class Counters(Protocol):
    """Reads counters. The same task has the same answer whenever it is asked, so that no request counts twice."""

    async def gained(self, task: CounterTask) -> float:
        """How much all series of the selector gained together. Raises Terminal or Transient with the reason."""
        ...


@runtime_checkable
class Awaited(Protocol):
    """What a provider also does whose answers take longer than a request."""

    async def resume(self, task: MeasurementTask, measurement: Measurement) -> Measurement:
        """Look again at one that was not finished."""
        ...

    async def terminate(self, task: MeasurementTask, measurement: Measurement) -> Measurement:
        """End one that is not finished; it comes back finished."""
        ...


TERMINATED = "Metric Terminated"


def ended(task: MeasurementTask, measurement: Measurement) -> Measurement:
    """An awaited measurement that is not waited for any longer (contract 6.5, 13.22)."""
    return replace(measurement, phase=RunPhase.INCONCLUSIVE, message=TERMINATED, finished=task.now, resume_at=None)


@runtime_checkable
class Describing(Protocol):
    """What a provider may also do: say what it asks, from the first measurement on (contract 7.1)."""

    def question(self, metric: Metric) -> Mapping[str, str]:
        """Keys for the `metadata` of the metric's result."""
        ...


@runtime_checkable
class Checking(Protocol):
    """What a provider says of configurations before anything is asked; pure."""

    @property
    def shapes(self) -> Shapes:
        """The fields of its configuration: a row that its key names, and those that this one refers to."""
        ...

    def problems(self, config: Manifest) -> Iterable[Problem]:
        """Every broken rule of one metric's configuration, with its field from the provider's key on."""
        ...


@runtime_checkable
class Doubting(Protocol):
    """What a provider may also do: say what a metric of a good configuration cannot do although it is there for it; pure."""

    def doubts(self, metric: Metric) -> Iterable[Problem]:
        """Each with its field from the provider's key on."""
        ...


@dataclass(frozen=True, slots=True)
class Unparsed:
    """A question that the parser of its language does not take; `sure` when no server that speaks it, or one like it, would."""

    problem: Problem
    sure: bool


@runtime_checkable
class Parsing(Protocol):
    """What a provider may also do whose questions have a grammar; pure. Open arguments stand as `{{args.NAME}}`."""

    def unparsed(self, config: Manifest) -> Iterable[Unparsed]:
        """What cannot be read whatever its arguments are."""
        ...

    def result_like(self, config: Manifest) -> Value:
        """A result of the kind that conditions will see; None: it cannot be told."""
        ...


@runtime_checkable
class Confiding(Protocol):
    """What a provider may also do: say which values of a metric's configuration are secrets; pure."""

    def secrets(self, metric: Metric) -> Iterable[str]:
        """Tokens, passwords and the like, beside the secret arguments, which are known."""
        ...


@runtime_checkable
class Sweeping(Protocol):
    """What a provider may also do: say how to be rid of what its measurements left outside."""

    async def sweep(self, run: Manifest, measurements: Iterable[Measurement], kept: int) -> tuple[Action, ...]:
        """What removes all but the newest `kept` things that a run's measurements left behind; writes nothing itself."""
        ...


@runtime_checkable
class Remembering(Protocol):
    """What a provider may also do whose service keeps a history: answer what it would have answered then."""

    def replaying(self, until: datetime) -> Provider:
        """A provider that takes measurements at past moments up to `until`, in as few requests as it can.

        A server that gives no answer raises Transient: what was then is not known, which is no measurement.
        """
        ...
