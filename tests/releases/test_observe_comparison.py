"""What canary and baseline are asked, and what becomes of answers that do not come."""

import asyncio
from collections.abc import Mapping
from datetime import timedelta

from reconciler_sandbox.rehearsal.virtual.loop import run_virtually

from reconciler.analysis.provider import CounterTask
from reconciler.analysis.statistics import Counts, Window
from reconciler.kernel.errors import Terminal
from reconciler.releases.comparison.observe import AT_A_TIME, Sampling
from reconciler.releases.comparison.sample import ComparedSides, Sample, WindowQuestion
from reconciler.releases.comparison.terms import Compare, ComparedMetric
from reconciler.runtime.queue import PER_CONTROLLER
from tests.kit.counters import COMPARE, SteadyCounters
from tests.kit.echoes import nobody
from tests.kit.releases import BAD, GOOD, NOW, release

ASKED = WindowQuestion(ComparedSides(BAD, GOOD), NOW - timedelta(minutes=1), NOW)
RATES = {BAD: (2.0, 0.5), GOOD: (10.0, 0.1)}


async def sampled(counters: SteadyCounters, compare: Compare = COMPARE) -> Sample:
    found = await Sampling(counters, nobody).sample(release(), compare, ASKED)
    assert found is not None
    return found


async def test_both_sides_are_asked_the_same_about_the_same_time() -> None:
    counters = SteadyCounters(RATES)
    found = await sampled(counters)
    assert found.question is ASKED
    assert found.answers[0].window == Window(Counts(120, 30), Counts(600, 6))
    assert {(task.start, task.end) for task in counters.asked} == {(ASKED.start, ASKED.end)}
    assert {task.known_by for task in counters.asked} == {f'requests{{v="{BAD}"}}', f'requests{{v="{GOOD}"}}'}
    assert [task.selector for task in counters.asked] == [
        f'requests{{v="{BAD}"}}',
        f'requests{{v="{BAD}",code="500"}}',
        f'requests{{v="{GOOD}"}}',
        f'requests{{v="{GOOD}",code="500"}}',
    ]


async def test_what_is_not_good_is_bad_and_arguments_are_filled_in() -> None:
    slow = ComparedMetric(
        name="slow", requests='all{v="{{args.hash}}"}', good='fast{v="{{args.hash}}",n="{{ args.namespace }}/{{args.workload}}",code=""}'
    )
    counters = SteadyCounters(RATES)
    found = await sampled(counters, Compare(metrics=(slow,), address="http://other"))
    assert found.answers[0].window == Window(Counts(120, 90), Counts(600, 594))
    assert 'n="shop/web"' in counters.asked[1].selector and counters.asked[1].address == "http://other"


async def test_a_provider_without_an_answer_is_said_and_secrets_are_not() -> None:
    found = await sampled(SteadyCounters(RATES, away="http://ann:hunter2@prometheus: no answer"))
    assert found.answers[0].window is None
    assert "no answer" in found.answers[0].problem and "hunter2" not in found.answers[0].problem


class Slow(SteadyCounters):
    """No answer comes before so many questions are under way."""

    def __init__(self, rates: Mapping[str, tuple[float, float]], together: int) -> None:
        super().__init__(rates)
        self._together = asyncio.Barrier(together)

    async def gained(self, task: CounterTask) -> float:
        async with self._together:
            return await super().gained(task)


async def test_both_sides_are_asked_at_once() -> None:
    found = await sampled(Slow(RATES, 4))
    assert found.answers[0].window == Window(Counts(120, 30), Counts(600, 6))


def test_an_answer_that_never_comes_is_not_waited_for() -> None:
    found = run_virtually(sampled(Slow(RATES, 5)))
    assert (found.answers[0].window, found.answers[0].problem) == (None, "no answer within 15 s")


class Refusing(SteadyCounters):
    """Answers all but one metric."""

    async def gained(self, task: CounterTask) -> float:
        if "broken" in task.selector:
            raise Terminal("bad_data: parse error" + " x" * 500)
        return await super().gained(task)


async def test_one_metric_that_is_refused_costs_only_itself() -> None:
    broken = ComparedMetric(name="broken", requests='broken{v="{{args.hash}}"}', bad='broken{v="{{args.hash}}"}')
    found = await sampled(Refusing(RATES), Compare(metrics=(broken, *COMPARE.metrics)))
    assert [one.window is None for one in found.answers] == [True, False]
    assert found.answers[0].problem.startswith("bad_data") and len(found.answers[0].problem) == 300


class Hanging(SteadyCounters):
    """No answer ever comes."""

    async def gained(self, task: CounterTask) -> float:
        self.asked.append(task)
        await asyncio.Event().wait()
        return 0.0


async def test_releases_whose_metrics_hang_leave_workers_for_the_others() -> None:
    """Beyond a few that are waited for, a release goes on without a sample: its window is asked for at the next look."""
    sampling = Sampling(Hanging(), nobody)
    waiting = [asyncio.create_task(sampling.sample(release(), COMPARE, ASKED)) for _ in range(AT_A_TIME)]
    await asyncio.sleep(0)
    assert await asyncio.wait_for(sampling.sample(release(), COMPARE, ASKED), 10) is None
    assert AT_A_TIME < PER_CONTROLLER and not any(task.done() for task in waiting)
    waiting[0].cancel()
    await asyncio.wait({waiting[0]})
    again = asyncio.create_task(sampling.sample(release(), COMPARE, ASKED))
    await asyncio.sleep(0)
    assert not again.done()
    for task in (again, *waiting):
        task.cancel()
    await asyncio.gather(again, *waiting, return_exceptions=True)
