"""Each router that the sandbox carries, with the whole daemon and a real Envoy: a good version goes all the way, a bad one home."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from reconciler_sandbox.load import Load

from tests.kit.roads import HEADER, HOST, ROADS, Journey, Road, journey
from tests.kit.shop import BAD


@pytest.fixture(params=ROADS)
def road(request: pytest.FixtureRequest) -> Road:
    return ROADS[request.param]


@asynccontextmanager
async def steady_users(play: Journey) -> AsyncIterator[Load]:
    """Users who ask all the time: what one weight change costs would be seen in their answers."""
    load = Load(play.mesh.gateway_address(), host=HOST, path=play.road.path, rate=40)
    await load.start()
    try:
        yield load
    finally:
        await load.stop()


def within_four_sigma(shares: dict[str, int], percent: int) -> bool:
    total = sum(shares.values())
    expected = total * percent / 100
    return set(shares) == {"1", "2"} and abs(shares["2"] - expected) < 4 * (expected * (100 - percent) / 100) ** 0.5


@pytest.mark.story
@pytest.mark.timeout(300)
async def test_a_good_version_meets_testers_then_a_share_of_the_users_then_all_and_no_request_is_lost(tmp_path: Path, road: Road) -> None:
    async with journey(tmp_path, road) as play:
        place = play.place
        await play.reached(lambda: place.settled_at("1"))
        assert await play.shares(40) == {"1": 40}
        dark = road.steps.count("- ", 0, road.steps.index("pause: {}")) - 1
        async with steady_users(play) as users:
            await place.push("2", road.content("2"))
            await play.paused_at(dark)
            assert await play.shares(2000) == {"1": 2000}
            assert await play.shares(400, **HEADER) == {"2": 400}
            for step, percent in ((dark + 3, 40), (dark + 5, 60)):
                await play.resume()
                await play.paused_at(step)
                shares = await play.shares(2000)
                assert within_four_sigma(shares, percent), shares
            assert await play.shares(200, **HEADER) == {"2": 200}
            await play.resume()
            await play.reached(lambda: place.settled_at("2"))
            assert await play.shares(2000) == {"2": 2000}
        assert len(users.samples) > 100 and not users.failures
        assert play.mesh.problems == {} and await place.asked() == road.content("2")


@pytest.mark.story
@pytest.mark.timeout(300)
async def test_a_bad_version_goes_home_before_a_user_sees_it_and_git_is_restored(tmp_path: Path, road: Road) -> None:
    async with journey(tmp_path, road) as play:
        place = play.place
        await play.reached(lambda: place.settled_at("1"))
        assert await play.shares(40) == {"1": 40}
        async with steady_users(play) as users:
            await place.push(BAD, road.content(BAD))

            async def rejected() -> bool:
                return (await place.release(BAD)).get("verdict") == "failed" and await place.asked() == road.content("1")

            async def home() -> bool:
                return await place.phase() == "Healthy" and await place.image() == "1"

            await play.reached(rejected)
            await play.reached(home)
            assert await play.shares(2000) == {"1": 2000}
            assert await play.shares(200, **HEADER) == {"1": 200}
        assert users.samples and {sample.version for sample in users.samples} == {"1"} and not users.failures
        assert await place.restores() == 1 and play.mesh.problems == {}
