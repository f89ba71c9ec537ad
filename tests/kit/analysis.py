"""Builders for analyses, and a stage on which the controller of runs works against a real API in process."""

import json
import ssl
from collections import deque
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from aiohttp import web

from reconciler.analysis.controller import AnalysisRunController
from reconciler.analysis.judge import RunTerms, judge, record
from reconciler.analysis.model import AnalysisStatus, Measurement, Metric, MetricResult, RunPhase
from reconciler.analysis.provider import MeasurementTask, Provider
from reconciler.app.indexes import INDEXES
from reconciler.kernel.identity import Key, Manifest
from reconciler.kernel.resources import ANALYSIS_RUNS, EVENTS, JOBS
from reconciler.kube.cache import Cache
from reconciler.kube.client import Client
from reconciler.providers.job import Job
from reconciler.runtime.access import cluster_access
from reconciler.runtime.journal import Silence
from reconciler.runtime.recorder import Recorder
from tests.kit.clusters import NAMESPACE, api

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
LETTERS = {"S": RunPhase.SUCCESSFUL, "F": RunPhase.FAILED, "I": RunPhase.INCONCLUSIVE, "E": RunPhase.ERROR, "R": RunPhase.RUNNING}


def metric(name: str = "m", **limits: Any) -> Metric:
    """A metric of a provider that tests play."""
    return Metric(name=name, **{"providers": {"web": {}}, **limits})


def metric_manifest(name: str = "m", **fields: Any) -> Manifest:
    return {"name": name, "provider": {"scripted": {}}, **fields}


def measurement(letter: str, at: datetime = NOW, message: str = "", value: str = "") -> Measurement:
    """A measurement by its phase's first letter; R is still running."""
    phase = LETTERS[letter]
    return Measurement(phase=phase, started=at, finished=at if phase.completed else None, message=message, value=value)


def result(letters: str, name: str = "m", at: datetime = NOW, **fields: Any) -> MetricResult:
    """What a metric answered so far, by letters, not yet judged."""
    answered = MetricResult(name=name, **fields)
    for letter in letters:
        answered = record(answered, measurement(letter, at))
    return answered


def status_after(terms: RunTerms, **letters: str) -> AnalysisStatus:
    """The status of a run whose metrics answered in rounds: one letter of each metric a round, judged after each."""
    status = AnalysisStatus()
    for turn in range(max(map(len, letters.values()))):
        results = {r.name: r for r in status.results}
        for name, answers in letters.items():
            if turn < len(answers) and not (name in results and results[name].phase.completed):
                results[name] = record(
                    results.get(name) or MetricResult(name=name, dry_run=name in terms.dry_run), measurement(answers[turn])
                )
        status = judge(terms, replace(status, results=tuple(results.values())), was_ending=False, now=NOW)
    return status


def run(*metrics: Manifest, name: str = "check", status: Manifest | None = None, **spec: Any) -> Manifest:
    """An AnalysisRun as a person would write it."""
    manifest: Manifest = {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "AnalysisRun",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {"metrics": list(metrics) or [metric_manifest()], **spec},
    }
    return manifest if status is None else {**manifest, "status": status}


def task(provider: str, config: Manifest, **limits: Any) -> MeasurementTask:
    """One measurement to take of a run `check` with the uid u-1."""
    number = limits.pop("number", 1)
    owner = run()
    owner["metadata"]["uid"] = "u-1"
    asked = metric(providers={provider: config}, **limits)
    return MeasurementTask(run=owner, metric=asked, namespace=NAMESPACE, now=NOW, number=number)


class Clock:
    """A clock that only moves when told."""

    def __init__(self) -> None:
        self.time = NOW

    def now(self) -> datetime:
        return self.time

    def monotonic(self) -> float:
        return (self.time - NOW).total_seconds()


@dataclass
class Scripted:
    """A provider that answers in the order of its letters, the last one for ever; R begins what `resume` then finishes."""

    letters: str = "S"
    message: str = ""
    asked: list[str] = field(default_factory=list)

    async def run(self, task: MeasurementTask) -> Measurement:
        letter = self.letters[0]
        self.letters = self.letters[1:] or letter
        self.asked.append(f"run {task.metric.name} {task.number}")
        return measurement(letter, task.now, self.message)

    async def resume(self, task: MeasurementTask, measurement: Measurement) -> Measurement:
        self.asked.append(f"resume {task.metric.name}")
        return replace(measurement, phase=LETTERS[self.letters[0]], finished=task.now)

    async def terminate(self, task: MeasurementTask, measurement: Measurement) -> Measurement:
        self.asked.append(f"terminate {task.metric.name}")
        return replace(measurement, phase=RunPhase.INCONCLUSIVE, message="Metric Terminated", finished=task.now)


@dataclass
class Stage:
    """The controller with its providers, its clock and the API it writes to."""

    client: Client
    cache: Cache
    clock: Clock
    controller: AnalysisRunController
    recorder: Recorder

    async def create(self, manifest: Manifest) -> Manifest:
        created = await self.client.create(ANALYSIS_RUNS, manifest)
        self.cache.put(ANALYSIS_RUNS, created)
        return created

    async def look(self, name: str = "check") -> datetime | None:
        """Bring the cache up to date and run one pass."""
        self.cache.put(ANALYSIS_RUNS, await self.client.get(ANALYSIS_RUNS, NAMESPACE, name))
        for job in await self.client.list(JOBS, NAMESPACE):
            self.cache.put(JOBS, job)
        return await self.controller.reconcile(Key("analysisrun", NAMESPACE, name))

    async def after(self, seconds: float, name: str = "check") -> datetime | None:
        """One pass so much later."""
        self.clock.time += timedelta(seconds=seconds)
        return await self.look(name)

    async def status(self, name: str = "check") -> Manifest:
        return dict((await self.client.get(ANALYSIS_RUNS, NAMESPACE, name)).get("status") or {})

    async def reasons(self) -> list[str]:
        return sorted(event["reason"] for event in await self.events())

    async def events(self) -> list[Manifest]:
        """Everything that was told, once it is posted."""
        await self.recorder.drain()
        return await self.client.list(EVENTS, NAMESPACE)


@asynccontextmanager
async def stage(providers: Mapping[str, Provider], instance: str = "") -> AsyncIterator[Stage]:
    """With the given providers, and with real Jobs."""
    async with api() as kubernetes:
        client, cache, clock = kubernetes.client, Cache(AnalysisRunController.watches, INDEXES), Clock()
        known: Mapping[str, Provider] = {"job": Job(client), **providers}
        recorder = Recorder(client, clock)
        controller = AnalysisRunController(cluster_access(client, cache, clock, recorder, Silence()), known, instance)
        yield Stage(client, cache, clock, controller, recorder)


@dataclass
class Endpoint:
    """A tiny HTTP server: what it answers, by path, and what it was asked."""

    url: str = ""
    answers: dict[str, tuple[int, Any]] = field(default_factory=dict)
    requests: list[tuple[str, str, Mapping[str, str], str]] = field(default_factory=list)

    def answer(self, path: str, body: Any, status: int = 200) -> None:
        self.answers[path] = (status, body)

    def answer_in_turn(self, path: str, *bodies: Any) -> None:
        """One body a request; the last one for ever."""
        self.answers[path] = (200, deque(bodies))

    async def respond(self, request: web.Request) -> web.Response:
        text = await request.text()
        self.requests.append((request.method, request.path_qs, dict(request.headers), text))
        status, body = self.answers.get(f"{request.method} {request.path}") or self.answers.get(request.path) or (404, "nothing here")
        if isinstance(body, deque):
            body = body.popleft() if len(body) > 1 else body[0]
        if isinstance(body, bytes):
            return web.Response(status=status, body=body)
        return web.Response(status=status, text=body if isinstance(body, str) else json.dumps(body))


@asynccontextmanager
async def endpoint(tls: ssl.SSLContext | None = None) -> AsyncIterator[Endpoint]:
    """A server on a free loopback port."""
    answering = Endpoint()
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", answering.respond)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls)
        await site.start()
        host, port = runner.addresses[0][:2]
        answering.url = f"{'https' if tls else 'http'}://{host}:{port}"
        yield answering
    finally:
        await runner.cleanup()


def vector(*values: str) -> Manifest:
    """A Prometheus answer: a vector with one series a value."""
    series = [{"metric": {"n": str(n)}, "value": [1.0, value]} for n, value in enumerate(values)]
    return {"status": "success", "data": {"resultType": "vector", "result": series}}
