"""What the outside says to a run: its secrets, and the measurements that are due, taken side by side (contract 6.2, 6.5)."""

import asyncio
import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from reconciler.analysis.advance import Answer
from reconciler.analysis.arguments import Unresolved, masked, substitute
from reconciler.analysis.due import Move, Task
from reconciler.analysis.manifest import parse_metrics
from reconciler.analysis.model import RUN_UID_LABEL, AnalysisRun, AnalysisStatus, Measurement, Metric, RunPhase, SecretKey
from reconciler.analysis.provider import JOB_NAMESPACE, Describing, MeasurementTask, Provider
from reconciler.kernel.clock import Clock
from reconciler.kernel.errors import Transient
from reconciler.kernel.identity import Manifest, namespace_of, uid_of
from reconciler.kernel.resources import JOBS, SECRETS
from reconciler.kube.client import Client
from reconciler.kube.errors import ApiError

LONGEST_MEASUREMENT = 90.0
"""Seconds; a pass ends after 120, whatever timeout a metric asks for."""


@dataclass(frozen=True, slots=True)
class Values:
    """The values of arguments by name, and those among them that may not be read."""

    by_name: Mapping[str, str | None]
    secret: frozenset[str]


class Measuring:
    """Takes the due measurements of one run. The only place that sees the values of secrets."""

    def __init__(self, client: Client, clock: Clock, providers: Mapping[str, Provider]) -> None:
        self._client = client
        self._clock = clock
        self._providers = providers

    async def measure(self, run: AnalysisRun, tasks: Sequence[Task]) -> tuple[Answer, ...]:
        """One answer a task. Raises Unresolved when an argument has no value, InvalidMetric when its value makes no metric."""
        if not tasks:
            return ()
        values = await self._resolve(run)
        metrics = {metric.name: metric for metric in parse_metrics(substitute(run.metrics, values.by_name))}
        # A name may itself hold a secret argument; what was checked with a placeholder is then not found again.
        if any(task.metric.name not in metrics for task in tasks):
            raise Unresolved("the name of a metric cannot come from a secret")
        resolved = [replace(task, metric=metrics[task.metric.name]) for task in tasks]
        async with asyncio.TaskGroup() as group:
            running = [group.create_task(self._answer(run, task, values.secret)) for task in resolved]
        return tuple(done.result() for done in running)

    async def jobs(self, run: Manifest, status: AnalysisStatus) -> list[Manifest]:
        """All Jobs that a run has started, uncached: the newest is younger than any informer's knowledge."""
        measurements = [measurement for result in status.results for measurement in result.measurements]
        namespaces = {measurement.metadata.get(JOB_NAMESPACE) for measurement in measurements} - {None}
        label = f"{RUN_UID_LABEL}={uid_of(run)}"
        return [job for place in sorted(map(str, namespaces)) for job in await self._client.list(JOBS, place, labels=label)]

    async def _answer(self, run: AnalysisRun, task: Task, secret: frozenset[str]) -> Answer:
        metadata = {key: masked(value, secret) for key, value in self._question(task.metric).items()}
        measurement = await self._take(run, task)
        if measurement is None:
            return Answer(task, None)
        finished = None if measurement.finished is None else self._clock.now()
        return Answer(task, replace(measurement, message=masked(measurement.message, secret), finished=finished), metadata)

    def _question(self, metric: Metric) -> Mapping[str, str]:
        provider = self._providers[metric.kind]
        return provider.question(metric) if isinstance(provider, Describing) else {}

    async def _take(self, run: AnalysisRun, task: Task) -> Measurement | None:
        now = self._clock.now()
        asked = MeasurementTask(run=run.manifest, metric=task.metric, namespace=namespace_of(run.manifest), now=now, number=task.number)
        try:
            async with asyncio.timeout(LONGEST_MEASUREMENT):
                return await self._move(asked, task)
        except TimeoutError:
            message = f"no answer within {LONGEST_MEASUREMENT:g} s"
            return Measurement(phase=RunPhase.ERROR, message=message, started=now, finished=now)
        except Transient:
            return None

    async def _move(self, asked: MeasurementTask, task: Task) -> Measurement:
        provider = self._providers[task.metric.kind]
        if task.measurement is None:
            return await provider.run(asked)
        act = provider.terminate if task.move is Move.TERMINATE else provider.resume
        return await act(asked, task.measurement)

    async def _resolve(self, run: AnalysisRun) -> Values:
        """The arguments with their secrets, read from the run's own namespace, never from a cache."""
        named = [(argument.name, argument.secret) for argument in run.arguments if argument.secret is not None]
        read = {name: await self._secret(namespace_of(run.manifest), key) for name, key in named}
        plain = {argument.name: argument.value for argument in run.arguments}
        return Values({**plain, **read}, frozenset(read.values()))

    async def _secret(self, namespace: str, key: SecretKey) -> str:
        try:
            secret = await self._client.get(SECRETS, namespace, key.name)
        except Transient:
            raise
        except ApiError as error:
            raise Unresolved(error.message) from error
        encoded = (secret.get("data") or {}).get(key.key)
        if encoded is None:
            raise Unresolved(f"key '{key.key}' does not exist in secret '{key.name}'")
        try:
            return base64.b64decode(encoded, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            raise Unresolved(f"key '{key.key}' of secret '{key.name}' is no text") from None
