"""What metrics cost: a condition, and a round of many metrics that are due at once, asked over HTTP and written down.

The cost is processor time of this process, which also plays the API server and the metrics server: an upper bound.
"""

import asyncio
import time
from datetime import timedelta

from benchmarks.measure import Row, median_seconds
from reconciler.analysis.conditions import Conditions, assess
from reconciler.kernel.identity import Key, Manifest
from reconciler.kernel.resources import ANALYSIS_RUNS
from tests.kit.analysis import NOW, Endpoint, Stage, endpoint, run, stage, vector
from tests.kit.clusters import NAMESPACE
from tests.kit.metrics import metrics_client, prometheus_at

INTERVAL = 10
OF_A_RUN = 10
CONDITIONS = Conditions("len(result) > 0 and not isNaN(result[0]) and result[0] >= 0.95", "result[0] < 0.9")


def rows(runs: int = 100, rounds: int = 2000) -> list[Row]:
    """The cost of a pair of conditions, and of a round in percent of a core."""
    seconds = median_seconds(lambda: assess(CONDITIONS, [0.97], NOW), rounds)
    spent, asked = asyncio.run(_round(runs))
    return [
        Row("two conditions of a measurement", seconds * 1e6, 100, "µs", f"median of {rounds}"),
        Row(f"{runs * OF_A_RUN} metrics each {INTERVAL} s", spent / INTERVAL * 100, 100, "% of a core", f"{asked} requests in the round"),
    ]


async def _round(runs: int) -> tuple[float, int]:
    """Processor seconds of the round after the first one, and how many requests it made."""
    async with endpoint() as server, metrics_client() as http:
        server.answer("/api/v1/query", vector("0.97"))
        async with stage({"prometheus": prometheus_at(http, server.url)}) as place:
            names = [f"check-{number}" for number in range(runs)]
            for name in names:
                await place.create(_run(name))
            await _passes(place, names, server)
            return await _passes(place, names, server)


async def _passes(place: Stage, names: list[str], server: Endpoint) -> tuple[float, int]:
    """One pass of every run, all at once, when each metric is due."""
    for name in names:
        place.cache.put(ANALYSIS_RUNS, await place.client.get(ANALYSIS_RUNS, NAMESPACE, name))
    before, begin = len(server.requests), time.process_time()
    await asyncio.gather(*[place.controller.reconcile(Key("analysisrun", NAMESPACE, name)) for name in names])
    spent = time.process_time() - begin
    place.clock.time += timedelta(seconds=INTERVAL + 1)
    return spent, len(server.requests) - before


def _run(name: str) -> Manifest:
    limits = {"interval": f"{INTERVAL}s", "successCondition": CONDITIONS.success, "failureCondition": CONDITIONS.failure}
    asked = [
        {"name": f"m{number}", **limits, "provider": {"prometheus": {"query": f'up{{run="{name}",n="{number}"}}'}}}
        for number in range(OF_A_RUN)
    ]
    return run(*asked, name=name)
