"""A VirtualService that another writer puts back at once, as a self-healing applier does: named with the rule it needs, and not fought."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from reconciler_sandbox.client import ApiError

from tests.kit.killing import alive
from tests.kit.shop import VIRTUAL_SERVICES, Shop, shop
from tests.kit.wait import until

PINNED = "        - setWeight: 30\n        - pause: {}\n"


@asynccontextmanager
async def pinned(place: Shop, written: list[int]) -> AsyncIterator[None]:
    """Whatever anybody writes to the route is back at 100 and 0 within a moment."""

    async def pin() -> None:
        while True:
            await asyncio.sleep(0.02)
            found = await place.api.get(f"{VIRTUAL_SERVICES}/web")
            if found is None or await place.weights() == (100, 0):
                continue
            for route, weight in zip(found["spec"]["http"][0]["route"], (100, 0), strict=True):
                route["weight"] = weight
            with contextlib.suppress(ApiError):
                await place.api.replace(f"{VIRTUAL_SERVICES}/web", found)
                written.append(1)

    task = asyncio.create_task(pin())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.mark.story
@pytest.mark.timeout(240)
async def test_a_pinned_route_is_told_with_the_exact_rule_and_is_not_fought_and_goes_on_when_it_is_let_go(tmp_path: Path) -> None:
    async with shop(tmp_path, PINNED) as place, alive(place.ground) as life:
        await until(lambda: place.settled_at("1"), 60)
        written: list[int] = []
        async with pinned(place, written):
            await place.push("2")

            async def contested() -> list[str]:
                life.raise_failure()
                events = await place.api.list("/api/v1/namespaces/shop/events")
                return [event["message"] for event in events if event["reason"] == "TrafficContested"]

            told = await until(contested, 60)
            assert all("VirtualService shop/web: " in words and " puts its own routes back" in words for words in told)
            assert all("ignoreDifferences, group networking.istio.io, kind VirtualService, jqPathExpressions" in words for words in told)
            assert all(".weight" in words and "RespectIgnoreDifferences=true" in words for words in told)
            before = len(written)
            await asyncio.sleep(3)
            assert len(written) - before <= 2 and len(written) <= 6
            assert (await place.release("2")).get("verdict") is None and await place.asked() == place.content("2")

        async def moved() -> bool:
            life.raise_failure()
            return await place.weights() == (70, 30)

        await until(moved, 90)
