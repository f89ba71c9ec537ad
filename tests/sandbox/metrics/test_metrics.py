"""Scraped from a live target, asked over HTTP."""

import aiohttp
from reconciler_sandbox.metrics.metrics import Metrics

from tests.kit.exposition import target
from tests.kit.mesh import until


async def test_what_a_target_shows_can_be_asked_for() -> None:
    async with target() as served, aiohttp.ClientSession() as session:
        served.text = "requests_total 7"
        metrics = Metrics([served.url], interval=0.02)
        await metrics.start()
        try:
            await until(lambda: served.scrapes >= 3)
            async with session.post(f"{metrics.url}/api/v1/query", data={"query": "requests_total"}) as response:
                document = await response.json()
        finally:
            await metrics.stop()
    assert document["data"]["result"][0]["value"][1] == "7"
    assert metrics.problems == []


async def test_a_target_that_is_away_is_a_problem_and_not_an_end() -> None:
    async with target() as served:
        url = served.url
    metrics = Metrics([url], interval=0.02, retention=1.0)
    await metrics.start()
    try:
        await until(lambda: len(metrics.problems) == 1 and len(metrics.store) >= 3)
    finally:
        await metrics.stop()
    assert url in metrics.problems[0]
