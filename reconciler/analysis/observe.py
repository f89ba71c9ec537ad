"""What the outside says to a run: its secrets, and the measurements that are due, taken side by side (contract 6.2, 6.5)."""

import asyncio
import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from traceback import format_tb

import structlog

from reconciler.analysis.advance import Answer
from reconciler.analysis.arguments import Unresolved, substitute
from reconciler.analysis.conditions import Conditions, Working, workings
from reconciler.analysis.due import Move, Task
from reconciler.analysis.manifest import InvalidMetric, parse_metrics
from reconciler.analysis.model import AnalysisRun, AnalysisStatus, Measurement, Metric, RunPhase, SecretKey
from reconciler.analysis.provider import FACTS, Awaited, Confiding, Describing, MeasurementTask, Provider, Sweeping, ended
from reconciler.kernel.clock import Clock
from reconciler.kernel.errors import Transient
from reconciler.kernel.identity import Manifest, namespace_of
from reconciler.kernel.plan import Action
from reconciler.kernel.redaction import Redactor
from reconciler.kernel.resources import SECRETS
from reconciler.kernel.text import encodable
from reconciler.kube.client import Client
from reconciler.kube.errors import ApiError

LONGEST_MEASUREMENT = 90.0
"""Seconds; a pass ends after 120, whatever timeout a metric asks for."""
LONGEST_TEXT = 10_000
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Values:
    """The values of arguments by name, and what masks those among them that may not be read."""

    by_name: Mapping[str, str | None]
    redactor: Redactor


class Measuring:
    """Takes the due measurements of one run. The only place that sees the values of secrets: what leaves it holds none."""

    def __init__(self, client: Client, clock: Clock, providers: Mapping[str, Provider], *, explaining: bool = False) -> None:
        self._client = client
        self._clock = clock
        self._providers = providers
        self._explaining = explaining

    async def measure(self, run: AnalysisRun, tasks: Sequence[Task]) -> tuple[Answer, ...]:
        """One answer a task. Raises Unresolved when an argument has no value, InvalidMetric when its value makes no metric."""
        if not tasks:
            return ()
        values = await self._resolve(run)
        metrics = {metric.name: metric for metric in _filled_metrics(run, values)}
        # A name may itself hold a secret argument; what was checked with a placeholder is then not found again.
        if any(task.metric.name not in metrics for task in tasks):
            raise Unresolved("the name of a metric cannot come from a secret")
        async with asyncio.TaskGroup() as group:
            running = [group.create_task(self._answer(run, task, metrics[task.metric.name], values.redactor)) for task in tasks]
        return tuple(done.result() for done in running)

    async def sweep(self, kind: str, run: Manifest, status: AnalysisStatus, kept: int) -> tuple[Action, ...]:
        """What removes the leftovers of one provider's measurements, all but the newest `kept`."""
        provider = self._providers[kind]
        measurements = [measurement for result in status.results for measurement in result.measurements]
        return await provider.sweep(run, measurements, kept) if isinstance(provider, Sweeping) else ()

    async def _answer(self, run: AnalysisRun, task: Task, metric: Metric, redactor: Redactor) -> Answer:
        """The answer to a task as people may see it; the task keeps its placeholders."""
        provider = self._providers[metric.kind]
        known = redactor.also(provider.secrets(metric)) if isinstance(provider, Confiding) else redactor
        asked = provider.question(metric) if isinstance(provider, Describing) else {}
        measurement = await self._take(run, replace(task, metric=metric), known)
        if measurement is None:
            return Answer(task, None)
        finished = None if measurement.finished is None else self._clock.now()
        shown = presentable(replace(measurement, finished=finished), known)
        worked = explained(metric, measurement, known) if self._explaining and finished else ()
        return Answer(task, shown, {key: known.text(value) for key, value in asked.items()}, worked)

    async def _take(self, run: AnalysisRun, task: Task, redactor: Redactor) -> Measurement | None:
        now = self._clock.now()
        asked = MeasurementTask(run=run.manifest, metric=task.metric, namespace=namespace_of(run.manifest), now=now, number=task.number)
        try:
            async with asyncio.timeout(LONGEST_MEASUREMENT):
                return await self._move(asked, task)
        except TimeoutError:
            message = f"no answer within {LONGEST_MEASUREMENT:g} s"
        except Transient:
            return None
        except Exception as error:  # its words and its traceback may hold what was resolved for it: only masked words leave
            message = f"a bug: provider {task.metric.kind} failed: {type(error).__name__}: {error}"
            log.error("a bug: provider failed", provider=task.metric.kind, reason=redactor.text(message), at=format_tb(error.__traceback__))
        return Measurement(phase=RunPhase.ERROR, message=message, started=now, finished=now)

    async def _move(self, asked: MeasurementTask, task: Task) -> Measurement:
        provider = self._providers[task.metric.kind]
        if task.measurement is None:
            return await provider.run(asked)
        if isinstance(provider, Awaited):
            act = provider.terminate if task.move is Move.TERMINATE else provider.resume
            return await act(asked, task.measurement)
        # A request is never left unfinished; a measurement that is was begun by another program.
        return ended(asked, task.measurement) if task.move is Move.TERMINATE else await provider.run(asked)

    async def _resolve(self, run: AnalysisRun) -> Values:
        """The arguments with their secrets, read from the run's own namespace, never from a cache."""
        named = [(argument.name, argument.secret) for argument in run.arguments if argument.secret is not None]
        read = {name: await self._secret(namespace_of(run.manifest), key) for name, key in named}
        plain = {argument.name: argument.value for argument in run.arguments}
        return Values({**plain, **read}, Redactor(read.values()))

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


def _filled_metrics(run: AnalysisRun, values: Values) -> tuple[Metric, ...]:
    """The metrics with all values in place. A value that makes no metric is quoted in the refusal, masked if it is a secret."""
    try:
        return parse_metrics(substitute(run.metrics, values.by_name))
    except InvalidMetric as error:
        raise InvalidMetric(values.redactor.text(str(error))) from None


def presentable(measurement: Measurement, redactor: Redactor) -> Measurement:
    """A measurement as it may leave us: no secret in any of its texts, and none of them without end. Masked first, then cut."""
    known = redactor.also(measurement.secrets) if measurement.secrets else redactor
    metadata = {key: value if key in FACTS else _shown(value, known) for key, value in measurement.metadata.items()}
    value, message = _shown(measurement.value, known), _shown(measurement.message, known)
    return replace(measurement, value=value, message=message, metadata=metadata, secrets=frozenset(), result=None)


def explained(metric: Metric, measurement: Measurement, redactor: Redactor) -> tuple[Working, ...]:
    """How the conditions came to their answers, as people may see it; nothing where they were not asked."""
    if measurement.result is None or measurement.started is None:
        return ()
    known = redactor.also(measurement.secrets)
    found = workings(Conditions(metric.success_condition, metric.failure_condition), measurement.result, measurement.started)
    return tuple(replace(one, text=_shown(one.text, known), worked=_shown(one.worked, known)) for one in found)


def _shown(text: str, redactor: Redactor) -> str:
    return encodable(redactor.text(text)[:LONGEST_TEXT])
