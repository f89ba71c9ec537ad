"""Asks what canary and baseline answered in one window. Whatever goes wrong outside is an answer that says so, and never ends a pass."""

import asyncio
from collections.abc import Sequence

from reconciler.analysis.arguments import substitute
from reconciler.analysis.provider import Counters, CounterTask
from reconciler.analysis.statistics import Counts
from reconciler.kernel.errors import Terminal, Transient
from reconciler.kernel.redaction import Redactor
from reconciler.releases.comparison.sample import MetricAnswer, Sample, WindowQuestion, answer
from reconciler.releases.comparison.terms import Compare, ComparedMetric
from reconciler.releases.model import Release
from reconciler.releases.preview.life import ProbeQuestion
from reconciler.releases.preview.observe import Send, propagation
from reconciler.releases.preview.record import Propagation
from reconciler.releases.share.observe import share
from reconciler.releases.share.sample import ShareQuestion, ShareSample
from reconciler.releases.share.terms import ShareTerms

LONGEST = 15.0
"""Seconds that a window is waited for; one that takes longer is lost, and the release goes on."""
LONGEST_TEXT = 300
AT_A_TIME = 8
"""Releases whose windows are waited for at a time: fewer than are looked at, so that metrics which hang keep no other from an abort."""


class Sampling:
    """Takes the samples of one release after the other. `send` sends what testers would."""

    def __init__(self, counters: Counters, send: Send) -> None:
        self._counters = counters
        self._send = send
        self._asking = 0
        self._probing = 0

    async def sample(self, release: Release, compare: Compare, question: WindowQuestion) -> Sample | None:
        """One answer a metric, asked side by side; None while too many releases are waited for: the next look asks again."""
        if self._asking >= AT_A_TIME:
            return None
        self._asking += 1
        try:
            async with asyncio.TaskGroup() as group:
                asked = [group.create_task(self._answer(release, compare, metric, question)) for metric in compare.metrics]
        finally:
            self._asking -= 1
        return Sample(question, tuple(task.result() for task in asked))

    async def share(self, release: Release, terms: ShareTerms, question: ShareQuestion) -> ShareSample:
        """How many requests both sides served."""
        return await share(self._counters, release, terms, question)

    async def propagation(self, question: ProbeQuestion) -> Propagation | None:
        """How far a tester's header comes; None while too many are waited for: the next look asks again."""
        if self._probing >= AT_A_TIME:
            return None
        self._probing += 1
        try:
            return await propagation(self._send, question)
        finally:
            self._probing -= 1

    async def _answer(self, release: Release, compare: Compare, metric: ComparedMetric, question: WindowQuestion) -> MetricAnswer:
        """Both sides at once, so that one slow answer costs its own time only."""
        known = question.sides
        sides = ((known.canary, known.canary_replica_set), (known.baseline, known.baseline_replica_set))
        try:
            async with asyncio.timeout(LONGEST):
                gained = await self._gained([task for side in sides for task in _tasks(release, compare, metric, (side, question))])
        except TimeoutError:
            return MetricAnswer(metric.name, None, f"no answer within {LONGEST:g} s")
        except (Terminal, Transient) as error:
            return MetricAnswer(metric.name, None, Redactor().text(str(error))[:LONGEST_TEXT])
        canary, baseline = (Counts(requests, found if metric.bad else requests - found) for requests, found in (gained[:2], gained[2:]))
        return answer(metric.name, canary, baseline)

    async def _gained(self, tasks: Sequence[CounterTask]) -> list[float]:
        """Every answer, or the first refusal once all have come."""
        answers = await asyncio.gather(*map(self._counters.gained, tasks), return_exceptions=True)
        refusal = next((found for found in answers if isinstance(found, BaseException)), None)
        if refusal is not None:
            raise refusal
        return [found for found in answers if not isinstance(found, BaseException)]


def _tasks(release: Release, compare: Compare, metric: ComparedMetric, asked: tuple[tuple[str, str], WindowQuestion]) -> list[CounterTask]:
    """All requests of one side, then those that are counted as bad or good."""
    (pod_hash, replica_set), question = asked
    values = {"hash": pod_hash, "replicaSet": replica_set, "namespace": release.namespace, "workload": release.spec.workload.name}
    [selectors] = substitute([{"requests": metric.requests, "counted": metric.bad or metric.good}], values)
    return [
        CounterTask(
            address=compare.address,
            selector=selector,
            known_by=selectors["requests"],
            start=question.start,
            end=question.end,
            secret=compare.secret,
        )
        for selector in (selectors["requests"], selectors["counted"])
    ]
