"""Asks what canary and baseline answered in one window. Whatever goes wrong outside is an answer that says so, and never ends a pass."""

import asyncio

from reconciler.analysis.arguments import substitute
from reconciler.analysis.provider import Counters, CounterTask
from reconciler.analysis.statistics import Counts
from reconciler.kernel.errors import Terminal, Transient
from reconciler.kernel.redaction import Redactor
from reconciler.releases.compare import Compare, ComparedMetric
from reconciler.releases.comparison_sample import MetricAnswer, Sample, WindowQuestion, answer
from reconciler.releases.model import Release

LONGEST = 15.0
"""Seconds that a window is waited for; one that takes longer is lost, and the release goes on."""
LONGEST_TEXT = 300


class Sampling:
    """Takes the samples of one release after the other."""

    def __init__(self, counters: Counters) -> None:
        self._counters = counters

    async def sample(self, release: Release, compare: Compare, question: WindowQuestion) -> Sample:
        """One answer a metric, asked side by side."""
        async with asyncio.TaskGroup() as group:
            asked = [group.create_task(self._answer(release, compare.address, metric, question)) for metric in compare.metrics]
        return Sample(question, tuple(task.result() for task in asked))

    async def _answer(self, release: Release, address: str, metric: ComparedMetric, question: WindowQuestion) -> MetricAnswer:
        sides = question.sides
        try:
            async with asyncio.timeout(LONGEST):
                canary = await self._counts(release, address, metric, (sides.canary, question))
                baseline = await self._counts(release, address, metric, (sides.baseline, question))
        except TimeoutError:
            return MetricAnswer(metric.name, None, f"no answer within {LONGEST:g} s")
        except (Terminal, Transient) as error:
            return MetricAnswer(metric.name, None, Redactor().text(str(error))[:LONGEST_TEXT])
        return answer(metric.name, canary, baseline)

    async def _counts(self, release: Release, address: str, metric: ComparedMetric, asked: tuple[str, WindowQuestion]) -> Counts:
        hashed, question = asked
        values = {"hash": hashed, "namespace": release.namespace, "workload": release.spec.workload.name}
        [selectors] = substitute([{"requests": metric.requests, "counted": metric.bad or metric.good}], values)

        async def gained(name: str) -> float:
            known_by = selectors["requests"]
            task = CounterTask(address=address, selector=selectors[name], known_by=known_by, start=question.start, end=question.end)
            return await self._counters.gained(task)

        requests, counted = await gained("requests"), await gained("counted")
        return Counts(requests, counted if metric.bad else requests - counted)
