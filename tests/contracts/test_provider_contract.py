"""What every provider promises, and every fake of one too."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import pytest

from reconciler.analysis.model import RunPhase
from reconciler.analysis.provider import MeasurementTask, Provider
from reconciler.kernel.identity import Manifest
from reconciler.providers.job import Job
from reconciler.providers.prometheus import Prometheus
from reconciler.providers.web import Web
from reconciler.web.client import open_client
from tests.kit.analysis import NOW, Scripted, endpoint, measurement, task, vector
from tests.kit.clusters import api

JOB: Manifest = {"spec": {"template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "i"}]}}}}


@dataclass(frozen=True)
class Case:
    """A provider with a question it can answer and one it cannot."""

    provider: Provider
    good: MeasurementTask
    bad: MeasurementTask


@asynccontextmanager
async def case_of(name: str) -> AsyncIterator[Case]:
    async with AsyncExitStack() as stack:
        client = await stack.enter_async_context(open_client())
        server = await stack.enter_async_context(endpoint())
        server.answer("/api/v1/query", vector("1"))
        server.answer("/", {"ok": True})
        if name == "job":
            kubernetes = await stack.enter_async_context(api())
            yield Case(Job(kubernetes.client), task("job", JOB), task("job", {"spec": "nonsense"}))
        if name == "prometheus":
            provider = Prometheus(client, server.url)
            yield Case(provider, task("prometheus", {"query": "up"}), task("prometheus", {"query": "up", "address": "nowhere"}))
        if name == "web":
            yield Case(Web(client), task("web", {"url": server.url}), task("web", {"url": f"{server.url}/missing"}))
        if name == "scripted":
            yield Case(Scripted("RE"), task("scripted", {}), task("scripted", {}))


NAMES = ("prometheus", "web", "job", "scripted")


@pytest.mark.parametrize("name", NAMES)
async def test_a_measurement_says_when_it_began_and_ends_when_it_is_final(name: str) -> None:
    async with case_of(name) as case:
        found = await case.provider.run(case.good)
    assert found.started == NOW
    assert (found.finished is not None) is found.phase.completed


@pytest.mark.parametrize("name", NAMES)
async def test_what_goes_wrong_outside_is_an_error_in_words(name: str) -> None:
    async with case_of(name) as case:
        if name == "scripted":
            await case.provider.run(case.good)
        found = await case.provider.run(case.bad)
    assert found.phase is RunPhase.ERROR and found.finished == NOW
    assert found.message or name == "scripted"


@pytest.mark.parametrize("name", NAMES)
async def test_an_awaited_measurement_that_is_told_to_end_comes_back_finished(name: str) -> None:
    async with case_of(name) as case:
        begun = await case.provider.run(case.good)
        awaited = begun if begun.finished is None else measurement("R")
        found = await case.provider.terminate(case.good, awaited)
    assert (found.phase, found.message, found.finished) == (RunPhase.INCONCLUSIVE, "Metric Terminated", NOW)


@pytest.mark.parametrize("name", NAMES)
async def test_an_awaited_measurement_may_be_looked_at_again_and_again(name: str) -> None:
    async with case_of(name) as case:
        awaited = await case.provider.run(case.good)
        first = await case.provider.resume(case.good, awaited)
        second = await case.provider.resume(case.good, awaited)
    assert first == second and first.started == NOW
