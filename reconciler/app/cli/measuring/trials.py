"""Carries out a trial run: the daemon's providers and the daemon's judge, without an AnalysisRun in any cluster."""

import asyncio
import os
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import uuid4

import typer

from reconciler.analysis.advance import Answer, advance
from reconciler.analysis.due import Task, due
from reconciler.analysis.judge import RunTerms
from reconciler.analysis.model import RUN_UID_LABEL, AnalysisRun, AnalysisStatus
from reconciler.analysis.observe import Measuring
from reconciler.analysis.preparation import prepare
from reconciler.analysis.provider import Provider
from reconciler.analysis.trial import at_once, first_look, first_tasks
from reconciler.app.cli.cluster import ClusterPlace, LateTransport, SecretsOnce
from reconciler.kernel.clock import SystemClock
from reconciler.kernel.errors import Terminal, Transient
from reconciler.kernel.identity import Manifest, ObjectRef, name_of, namespace_of, uid_of
from reconciler.kernel.resources import JOBS
from reconciler.kube.client import Client
from reconciler.kube.errors import ApiError
from reconciler.kube.fence import Fence
from reconciler.providers.metrics_client import MetricsClient
from reconciler.providers.registry import ProviderHands, ProviderRow, installed, providers
from reconciler.web.client import ClientSettings, open_client

JOB = "job"
KEPT = 1_000
"""Measurements of a metric that a long watch looks back on."""
SHORTEST_PAUSE = 0.2
"""Seconds between two looks at an answer that is awaited."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialOptions:
    """What a person chose: where the metrics are asked, whether Jobs may run, and how long is looked."""

    prometheus: str = ""
    secrets: str = "reconciler"
    """The namespace of the Secrets of providers."""
    link_local: bool = False
    jobs: bool = False
    watch: bool = False
    longest: timedelta = timedelta(0)


@dataclass(frozen=True, slots=True)
class TrialPass:
    """One look: how the run stands, and what was answered in it."""

    status: AnalysisStatus
    answers: tuple[Answer, ...]


@dataclass(frozen=True, slots=True)
class TrialHands:
    """What reaches the outside: the cluster, when it is needed, and HTTP."""

    client: Client
    http: MetricsClient
    rows: Mapping[str, ProviderRow]
    """The providers there are, installed plug-ins among them."""


@asynccontextmanager
async def trial_hands(place: ClusterPlace, options: TrialOptions) -> AsyncIterator[TrialHands]:
    """Both hands for one command's time; a watch reads Secrets again and again, as they may rotate."""
    terms = ClientSettings(environment=True, link_local=options.link_local)
    async with LateTransport(place) as transport, open_client(terms) as http:
        reads = transport if options.watch else SecretsOnce(transport)
        yield TrialHands(Client(reads, Fence()), MetricsClient(http, SystemClock(), SystemClock()), installed())


def trial_metadata(namespace: str) -> Manifest:
    """Who the run is: a uid of its own, which its Jobs carry."""
    return {"name": "analyze", "namespace": namespace, "uid": str(uuid4())}


def trial_terms(hands: TrialHands, run: AnalysisRun, options: TrialOptions) -> RunTerms:
    """What the run is judged by. Raises Terminal; Jobs without leave are a usage error."""
    terms = checked_terms(hands, run)
    job = next((metric.name for metric in terms.metrics if metric.kind == JOB), "")
    if job and not options.jobs:
        raise typer.BadParameter(f"metric {job} runs a Job in the cluster: --jobs lets it run, and removes it afterwards")
    return terms


def checked_terms(hands: TrialHands, run: AnalysisRun) -> RunTerms:
    """What a run is judged by, checked as the daemon and lint do. Raises Terminal."""
    terms = prepare(run, hands.rows).terms
    for index, metric in enumerate(terms.metrics):
        problem = next(iter(hands.rows[metric.kind].checks.problems(metric.config)), None)
        if problem is not None:
            raise Terminal(f"metrics[{index}] {metric.name}: provider.{problem}")
    return terms


def redirected(run: AnalysisRun, prometheus: str) -> AnalysisRun:
    """The run with every Prometheus metric asking this server, whatever its template says."""
    if not prometheus:
        return run
    return replace(run, metrics=tuple(_redirected(metric, prometheus) for metric in run.metrics))


def _redirected(metric: Manifest, prometheus: str) -> Manifest:
    provider = metric.get("provider")
    config = provider.get("prometheus") if isinstance(provider, dict) else None
    if not isinstance(provider, dict) or not isinstance(config, dict):
        return metric
    return {**metric, "provider": {**provider, "prometheus": {**config, "address": prometheus}}}


async def trial_passes(hands: TrialHands, run: AnalysisRun, terms: RunTerms, options: TrialOptions) -> AsyncGenerator[TrialPass, None]:
    """One look after the other: until each metric has an answer, or, when watching, until the run is over. Its Jobs are gone at the end."""
    measuring = Measuring(hands.client, SystemClock(), trial_providers(hands, run, options), explaining=True)
    look = _Looking(measuring, run, terms, options)
    try:
        async for passed in look.passes():
            yield passed
    finally:
        if options.jobs:
            await _clean(hands.client, run.manifest)


def trial_providers(hands: TrialHands, run: AnalysisRun, options: TrialOptions) -> Mapping[str, Provider]:
    """All providers over a trial's hands."""
    return providers(
        hands.rows,
        ProviderHands(
            client=hands.client,
            http=hands.http,
            prometheus_address=options.prometheus,
            namespace=options.secrets,
            variables=os.environ,
            # No run is there to own its Jobs: the cluster would collect them at once. A label tells whose they are.
            job_namespace=namespace_of(run.manifest),
        ),
    )


async def _clean(client: Client, run: Manifest) -> None:
    """Remove the Jobs that carry the run's uid; what cannot be removed is said, and changes no verdict."""
    label = f"{RUN_UID_LABEL}={uid_of(run)}"
    try:
        for job in await client.list(JOBS, namespace_of(run), labels=label):
            await client.delete(ObjectRef(JOBS, namespace_of(job), name_of(job)), uid=uid_of(job))
    except (ApiError, Transient) as error:
        left = f"kubectl delete jobs -n {namespace_of(run)} -l {label}"
        typer.echo(f"reconciler: Jobs may be left behind: {error}; remove them with: {left}", err=True)


class _Looking:
    """The passes of one trial."""

    def __init__(self, measuring: Measuring, run: AnalysisRun, terms: RunTerms, options: TrialOptions) -> None:
        self._measuring = measuring
        self._run = run
        self._terms = terms if options.watch else at_once(terms)
        self._watch = options.watch
        self._longest = options.longest
        self._kept = dict.fromkeys((metric.name for metric in terms.metrics), KEPT)
        self._clock = SystemClock()

    async def passes(self) -> AsyncIterator[TrialPass]:
        status, ends, terms = AnalysisStatus(), self._end(), self._terms
        while True:
            now = self._clock.now()
            if ends is not None and now >= ends:
                terms = replace(terms, requested_end=True)
            tasks = due(terms, status, now) if self._watch else first_tasks(terms, status, now)
            answers = await self._measured(tasks, first=status.phase is None)
            if not self._watch and any(answer.measurement is None for answer in answers):
                raise Transient("the Kubernetes API gave no answer to a provider: nothing was measured")
            advanced = advance(terms, status, answers, self._kept, self._clock.now())
            status = advanced.status
            yield TrialPass(status, answers)
            wake = advanced.wake_at if self._watch else first_look(terms, status, self._clock.now())
            if wake is None:
                return
            await self._pause(min(wake, ends) if ends is not None and not terms.requested_end else wake)

    async def _measured(self, tasks: Sequence[Task], *, first: bool) -> tuple[Answer, ...]:
        """The answers; a cluster that is silent later on, where it answered before, is asked again."""
        try:
            return await self._measuring.measure(self._run, tasks)
        except Transient:
            if first or not self._watch:
                raise
            return tuple(Answer(task, None) for task in tasks)

    def _end(self) -> datetime | None:
        return self._clock.now() + self._longest if self._watch and self._longest else None

    async def _pause(self, until: datetime) -> None:
        await asyncio.sleep(max((until - self._clock.now()).total_seconds(), SHORTEST_PAUSE))
