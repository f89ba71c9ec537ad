"""The shipped comparison, minute by minute: a Prometheus holds what callers counted of both versions, and a release is judged by it.

`policies/compare.yaml` is applied as it is shipped, but for the name of the workload and the address of the Prometheus.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml
from reconciler_sandbox.metrics.server import Server
from reconciler_sandbox.metrics.store import Store

from reconciler.releases.model import Verdict
from tests.kit.clusters import NAMESPACE
from tests.kit.desk import Desk, desk, rollout
from tests.kit.metrics import metrics_client, prometheus_at
from tests.kit.promql import labels_of
from tests.releases.test_comparing import HOME, NEW, aborted, minutes, newest, next_version, record

SHIPPED = Path(__file__).resolve().parents[2] / "policies" / "compare.yaml"
HOUR, EVERY = 3600, 15
WEIGHT, RATE = 0.05, 50
"""As its comment advises: 5 % of 50 requests a second."""
LASTS = 10
"""Minutes of the step at that weight."""


def shipped(address: str) -> str:
    policy = yaml.safe_load(SHIPPED.read_text())
    policy["spec"]["workloads"] = [{"kind": "Rollout", "name": "web"}]
    policy["spec"]["compare"]["address"] = address
    return yaml.safe_dump(policy)


def told(begin: float, *, share: float, bad: float, slow: float) -> Store:
    """What a Prometheus scraped for an hour around the release: `bad` and `slow` are shares of the canary's answers, 0.1 % of stable's."""
    store = Store(retention=10_000_000)
    for version, rate, failing, late in (("h1", RATE * (1 - share), 0.001, 0.001), ("h2", RATE * share, bad, slow)):
        named = f'reporter="source",destination_workload_namespace="{NAMESPACE}",destination_canonical_revision="{version}"'
        latency = "istio_request_duration_milliseconds"
        gains = {
            f'istio_requests_total{{{named},response_code="200"}}': rate * (1 - failing),
            f'istio_requests_total{{{named},response_code="503"}}': rate * failing,
            f"{latency}_count{{{named}}}": rate,
            f'{latency}_bucket{{{named},le="500"}}': rate * (1 - late),
            f'{latency}_bucket{{{named},le="+Inf"}}': rate,
        }
        for series, gain in gains.items():
            labels = labels_of(series)
            for second in range(-HOUR, HOUR, EVERY):
                store.append(labels, round((begin + second) * 1000), max(0, second + HOUR) * gain)
    return store


@asynccontextmanager
async def shop_with(folder: Path, **tale: float) -> AsyncIterator[Desk]:
    """A proven version, and a new one at its first step, compared as shipped."""
    async with desk(folder) as shop, metrics_client() as http:
        server = Server(told(shop.clock.time.timestamp(), **tale), lambda: shop.clock.time.timestamp())
        await server.start()
        try:
            shop.counters.real = prometheus_at(http, server.url)
            shop.push({"web.yaml": rollout(), "compare.yaml": shipped(server.url)})
            await shop.look()
            await shop.follow_policy("compare")
            await shop.proven()
            await next_version(shop, NEW, "h2")
            yield shop
        finally:
            await server.stop()


async def promoted(shop: Desk) -> Any:
    """The release at its end, promoted after its step."""
    await minutes(shop, LASTS)
    assert not await aborted(shop)
    await shop.say(phase="Healthy", currentPodHash="h2", stableRS="h2")
    await shop.judge()
    return (await newest(shop)).status


@pytest.mark.parametrize(("tale", "metric"), [({"bad": 0.02, "slow": 0.001}, "errors"), ({"bad": 0.001, "slow": 0.05}, "slow")])
async def test_a_canary_that_fails_or_crawls_more_than_its_baseline_goes_home(tmp_path: Path, tale: dict[str, float], metric: str) -> None:
    async with shop_with(tmp_path, share=WEIGHT, **tale) as shop:
        looks = 0
        while not await aborted(shop) and looks < LASTS:
            await minutes(shop, 1)
            looks += 1
        assert await aborted(shop) and looks > 1, "the first minute is the warm-up"
        await shop.say(phase="Degraded", abort=True, conditions=[HOME])
        await shop.judge()
        status = (await newest(shop)).status
        assert status.verdict is Verdict.FAILED and status.reason.startswith(f"{metric}: ")
        assert b"web:1.0" in shop.origin.read("web.yaml")


async def test_a_canary_that_is_as_good_passes_by_the_requests_of_both(tmp_path: Path) -> None:
    async with shop_with(tmp_path, share=WEIGHT, bad=0.001, slow=0.001) as shop:
        status = await promoted(shop)
        assert (status.verdict, status.unmeasured) == (Verdict.PASSED, False)
        counted = [metric.canary.requests for metric in (await record(shop)).metrics]
        assert counted == [pytest.approx(150 * (LASTS - 1))] * 2


@pytest.mark.parametrize("share", [0.0, 0.005])
async def test_a_canary_that_hardly_anybody_called_is_not_proven(tmp_path: Path, share: float) -> None:
    async with shop_with(tmp_path, share=share, bad=1.0 if not share else 0.001, slow=0.001) as shop:
        status = await promoted(shop)
        assert (status.verdict, status.restore) == (Verdict.NOT_ENOUGH_EVIDENCE, None)
        assert b"web:1.1" in shop.origin.read("web.yaml"), "who promoted it meant it: Git stays"
