"""Metric plug-ins: providers of other people, found as entry points of installed Python packages, held to the contract of ours.

A metric names one by its entry point: `plugin: {example.com/latency: {…}}`. The entry point leads to a class, or a function, that is called
with the client which all metrics share, and answers a provider (`analysis.provider`). What it may also do of a provider is found out by
its methods; that it sweeps is not asked, for what removes objects with the daemon's rights is the daemon's own.
"""

import inspect
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from importlib.metadata import EntryPoint
from typing import Any

from reconciler.analysis.model import PLUGIN, Measurement, Metric, RunPhase
from reconciler.analysis.provider import (
    FACTS,
    FALLBACK,
    PARTIAL,
    SERIES,
    STALE,
    Awaited,
    Checking,
    Confiding,
    Describing,
    MeasurementTask,
    Provider,
)
from reconciler.kernel.errors import Terminal, Transient
from reconciler.kernel.identity import Manifest
from reconciler.kernel.problem import Problem
from reconciler.kernel.redaction import suspects, texts
from reconciler.kernel.shapes import Shapes
from reconciler.providers.answers import failed
from reconciler.providers.metrics_client import MetricsClient
from reconciler.providers.requests import confided
from reconciler.runtime.installed import loaded, words

GROUP = "reconciler.metrics"
"""The group of entry points; the name of each is the key of its configuration in a metric."""


@dataclass(frozen=True, slots=True)
class MetricPlugin:
    """One installed plug-in: what makes its provider, or why it cannot be used."""

    name: str
    factory: Any
    reason: str = ""

    @property
    def kind(self) -> str:
        """The kind of a metric that names it."""
        return f"{PLUGIN}{self.name}"

    @property
    def shapes(self) -> Shapes:
        """The configuration of a plug-in may hold anything."""
        return {}

    def problems(self, config: Manifest) -> Iterator[Problem]:
        """Why it cannot be used, or else what it says itself of a configuration."""
        if self.reason:
            yield Problem(f"plugin.{self.name}", self.reason)
            return
        try:
            if isinstance(self.factory, Checking):
                yield from (Problem(f"plugin.{self.name}.{one.field}", one.detail) for one in self.factory.problems(config))
        except Exception as error:  # whatever other people's code does, it costs only its own metrics
            yield Problem(f"plugin.{self.name}", f"cannot check its configuration: {words(error)}")

    def provider(self, http: MetricsClient) -> Provider:
        """Its provider, held to the contract; one that says why there is none."""
        if self.factory is None:
            return UnusablePlugin(self.name, self.reason)
        try:
            made = self.factory(http)
        except (Exception, SystemExit) as error:
            return UnusablePlugin(self.name, f"cannot be made: {words(error)}")
        if not inspect.iscoroutinefunction(getattr(made, "run", None)):
            return UnusablePlugin(self.name, "makes no provider: it has no `async def run(self, task)`")
        return AwaitedPluggedIn(self.name, made) if isinstance(made, Awaited) else PluggedIn(self.name, made)


def metric_plugins(points: Iterable[EntryPoint]) -> tuple[MetricPlugin, ...]:
    """What entry points lead to, each name once. A plug-in that cannot be used is one that says why."""
    return tuple(MetricPlugin(found.name, found.factory, found.reason) for found in loaded(points))


class UnusablePlugin:
    """Answers each measurement with why the plug-in cannot be used."""

    def __init__(self, name: str, reason: str) -> None:
        self._reason = f'metric plugin "{name}" {reason}'

    async def run(self, task: MeasurementTask) -> Measurement:
        return failed(task, self._reason)


class PluggedIn:
    """A provider of other people: what it answers is looked at before it is believed."""

    def __init__(self, name: str, provider: Any) -> None:
        self._name = name
        self._provider = provider

    async def run(self, task: MeasurementTask) -> Measurement:
        try:
            return self._held(task, await self._provider.run(task))
        except (Terminal, Transient) as error:
            return failed(task, error)
        except SystemExit as error:  # it may end its own measurement, and not the daemon
            return failed(task, words(error))

    def question(self, metric: Metric) -> Mapping[str, str]:
        """What it says that it asks; nothing where it does not, or fails to."""
        try:
            asked = self._provider.question(metric) if isinstance(self._provider, Describing) else {}
            return {str(key): str(value) for key, value in asked.items()}
        except Exception:
            return {}

    def secrets(self, metric: Metric) -> Iterator[str]:
        """What it says is secret, and what looks like it; every text of its configuration where it fails to say."""
        yield from confided(metric.config)
        yield from suspects(metric.config)
        try:
            yield from map(str, self._provider.secrets(metric) if isinstance(self._provider, Confiding) else ())
        except Exception:
            yield from texts(metric.config)

    def _held(self, task: MeasurementTask, answer: Any) -> Measurement:
        """The measurement, if it is one."""
        broken = _broken(answer)
        if broken:
            return failed(task, f'metric plugin "{self._name}" broke its contract: {broken}')
        known: Measurement = answer
        finished = (known.finished or task.now) if known.phase.completed else None
        metadata = {key: value for key, value in known.metadata.items() if key not in FACTS or _is_fact(key, value)}
        return replace(known, started=known.started or task.now, finished=finished, metadata=metadata)


class AwaitedPluggedIn(PluggedIn):
    """The same of one whose answers take longer than a request."""

    async def resume(self, task: MeasurementTask, measurement: Measurement) -> Measurement:
        try:
            return self._held(task, await self._provider.resume(task, measurement))
        except (Terminal, Transient) as error:
            return failed(task, error)
        except SystemExit as error:  # it may end its own measurement, and not the daemon
            return failed(task, words(error))

    async def terminate(self, task: MeasurementTask, measurement: Measurement) -> Measurement:
        try:
            ended = self._held(task, await self._provider.terminate(task, measurement))
        except (Terminal, Transient) as error:
            return failed(task, error)
        except SystemExit as error:  # it may end its own measurement, and not the daemon
            return failed(task, words(error))
        return ended if ended.finished else failed(task, f'metric plugin "{self._name}" broke its contract: terminate came back unfinished')


def _broken(answer: Any) -> str:
    """What of an answer is no measurement; empty when it is one."""
    if not isinstance(answer, Measurement):
        return f"it answered {type(answer).__name__}, and no Measurement"
    phase: Any = answer.phase
    if not isinstance(phase, RunPhase):
        return f"its phase is {phase!r}, and no RunPhase"
    texts: tuple[Any, ...] = (answer.value, answer.message, *answer.metadata, *answer.metadata.values(), *answer.secrets)
    return "value, message, metadata and secrets have to be texts" if any(not isinstance(text, str) for text in texts) else ""


def _is_fact(key: str, value: str) -> bool:
    """What a plug-in may say of those that are never masked and read again: how many series there were, and what of it is no data."""
    return (key == SERIES and value.isascii() and value.isdigit()) or (key in (FALLBACK, PARTIAL, STALE) and value == "true")
