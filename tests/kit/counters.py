"""Counters that a test sets: what each side gains per second, by pod template hash, and what goes wrong."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from reconciler.analysis.provider import Counters, CounterTask
from reconciler.kernel.errors import Transient
from reconciler.releases.comparison.record import ComparedCounts, Comparison, SideTally
from reconciler.releases.comparison.terms import Compare, ComparedMetric
from tests.kit.releases import NOW

ERRORS = ComparedMetric(name="errors", requests='requests{v="{{args.hash}}"}', bad='requests{v="{{args.hash}}",code="500"}')
COMPARE = Compare(metrics=(ERRORS,))

COMPARED = ComparedCounts(
    metric="errors", canary=SideTally(requests=980, bad=12), baseline=SideTally(requests=9120, bad=9), e_value=142.9, lost=2
)
RECORD = Comparison(
    digest="d", canary="new", baseline="old", budget=0.01, effect=1.5, until=NOW, windows=7, e_value=142.9, metrics=(COMPARED,)
)


@dataclass
class SteadyCounters:
    """`rates` are requests and bad requests a second by hash; `away` is why nothing answers; `asked` is every task so far.
    `real` answers in their place."""

    rates: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    away: str = ""
    asked: list[CounterTask] = field(default_factory=list)
    real: Counters | None = None

    async def gained(self, task: CounterTask) -> float:
        self.asked.append(task)
        if self.real is not None:
            return await self.real.gained(task)
        if self.away:
            raise Transient(self.away)
        seconds = (task.end - task.start).total_seconds()
        requests, bad = next((rates for hashed, rates in self.rates.items() if f'"{hashed}"' in task.selector), (0.0, 0.0))
        return seconds * (bad if "code=" in task.selector else requests)
