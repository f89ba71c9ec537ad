"""Measuring: secrets go in, measurements come out, in the order of the tasks."""

import asyncio
import base64
from collections.abc import Mapping
from typing import Any

import pytest

from reconciler.analysis.arguments import Unresolved
from reconciler.analysis.due import Move, Task
from reconciler.analysis.manifest import parse_run
from reconciler.analysis.model import Measurement, Metric
from reconciler.analysis.observe import Measuring
from reconciler.kernel.errors import Transient
from reconciler.kernel.resources import SECRETS
from tests.kit.analysis import Clock, Scripted, measurement, metric, metric_manifest, run
from tests.kit.clusters import NAMESPACE, Api, api


def tasks(*names: str, move: Move = Move.MEASURE, awaited: Measurement | None = None) -> list[Task]:
    return [Task(metric(name, providers={"scripted": {}}), move, awaited, 1) for name in names]


async def secret(kubernetes: Api, text: bytes) -> None:
    manifest = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s", "namespace": NAMESPACE}}
    await kubernetes.client.create(SECRETS, {**manifest, "data": {"k": base64.b64encode(text).decode()}})


SECRET = [{"name": "token", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}]


async def test_due_measurements_are_taken_side_by_side() -> None:
    both = asyncio.Barrier(2)

    class Meeting(Scripted):
        async def run(self, task: Any) -> Measurement:
            await asyncio.wait_for(both.wait(), 10)
            return await Scripted.run(self, task)

    async with api() as kubernetes:
        measuring = Measuring(kubernetes.client, Clock(), {"scripted": Meeting("S")})
        parsed = parse_run(run(metric_manifest("a"), metric_manifest("b")))
        answers = await measuring.measure(parsed, tasks("a", "b"))
    assert [answer.task.metric.name for answer in answers] == ["a", "b"]
    assert all(answer.measurement for answer in answers)


async def test_moves_are_told_to_the_provider() -> None:
    provider = Scripted("S")
    async with api() as kubernetes:
        measuring = Measuring(kubernetes.client, Clock(), {"scripted": provider})
        for move in (Move.RESUME, Move.TERMINATE):
            await measuring.measure(parse_run(run()), tasks("m", move=move, awaited=measurement("R")))
    assert provider.asked == ["resume m", "terminate m"]


async def test_nothing_due_reads_nothing() -> None:
    async with api() as kubernetes:
        assert await Measuring(kubernetes.client, Clock(), {}).measure(parse_run(run(args=SECRET)), []) == ()


async def test_secrets_are_masked_in_the_question_too() -> None:
    class Asking(Scripted):
        def question(self, metric: Metric) -> Mapping[str, str]:
            return {"ResolvedPrometheusQuery": metric.config["query"]}

    async with api() as kubernetes:
        await secret(kubernetes, b"hunter2")
        prometheus = {"prometheus": {"query": 'up{token="{{args.token}}"}'}}
        parsed = parse_run(run(metric_manifest(provider=prometheus), args=SECRET))
        measuring = Measuring(kubernetes.client, Clock(), {"prometheus": Asking("S")})
        answer = (await measuring.measure(parsed, [Task(metric(providers=prometheus), Move.MEASURE, None, 1)]))[0]
    assert answer.metadata == {"ResolvedPrometheusQuery": 'up{token="*****"}'}


async def test_a_metric_cannot_be_named_by_a_secret() -> None:
    async with api() as kubernetes:
        await secret(kubernetes, b"x")
        parsed = parse_run(run(metric_manifest("{{args.token}}"), args=SECRET))
        with pytest.raises(Unresolved, match="the name of a metric cannot come from a secret"):
            await Measuring(kubernetes.client, Clock(), {"scripted": Scripted()}).measure(parsed, tasks("dummy-value"))


async def test_a_secret_that_is_no_text_is_named_not_shown() -> None:
    async with api() as kubernetes:
        await secret(kubernetes, b"\xff\xfe")
        with pytest.raises(Unresolved, match="key 'k' of secret 's' is no text"):
            await Measuring(kubernetes.client, Clock(), {"scripted": Scripted()}).measure(parse_run(run(args=SECRET)), tasks("m"))


async def test_one_silence_does_not_cost_the_other_answers() -> None:
    class Silent(Scripted):
        async def run(self, task: Any) -> Measurement:
            if task.metric.name == "a":
                raise Transient("away")
            return await Scripted.run(self, task)

    async with api() as kubernetes:
        measuring = Measuring(kubernetes.client, Clock(), {"scripted": Silent("S")})
        answers = await measuring.measure(parse_run(run(metric_manifest("a"), metric_manifest("b"))), tasks("a", "b"))
    assert [answer.measurement is None for answer in answers] == [True, False]
