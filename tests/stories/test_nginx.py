"""A dark canary behind nginx, with the whole daemon and a real Envoy: testers see it first, then a share of the users, then everybody."""

from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import pytest

from tests.kit.roads import ISTIO, ROADS, Journey, journey
from tests.kit.shop import NETWORK_FILE, ROLLOUT_FILE, rollout

INGRESSES = "/apis/networking.k8s.io/v1/namespaces/shop/ingresses"
NGINX = "nginx.ingress.kubernetes.io"
MADE = "web-shop-canary"
STEPS = """\
        - setCanaryScale: {replicas: 1}
        - pause: {}
        - setCanaryScale: {matchTrafficWeight: true}
        - setWeight: 40
        - pause: {}
"""
ROAD = ROADS["nginx"]


def content(version: str) -> bytes:
    return ROAD.content(version, STEPS)


def scene(folder: Path) -> AbstractAsyncContextManager[Journey]:
    return journey(folder, ROAD, content("1"))


async def canary(play: Journey) -> dict[str, Any] | None:
    return await play.place.api.get(f"{INGRESSES}/{MADE}")


async def weight(play: Journey) -> str:
    found = await canary(play)
    return str(found["metadata"]["annotations"].get(f"{NGINX}/canary-weight")) if found else ""


@pytest.mark.story
@pytest.mark.timeout(300)
async def test_testers_see_a_dark_canary_first_then_a_share_of_all_users_then_all(tmp_path: Path) -> None:
    async with scene(tmp_path) as play:
        place = play.place
        await play.reached(lambda: place.settled_at("1"))
        assert await play.shares(40) == {"1": 40}

        await place.push("2", content("2"))
        await play.paused_at(1)
        assert await weight(play) == "0" and await place.available("2") == 1
        assert await play.shares(400) == {"1": 400}
        assert await play.shares(400, X_Tester="yes") == {"2": 400}

        await play.resume()
        await play.paused_at(4)
        shares = await play.shares(2000)
        assert await weight(play) == "40"
        assert set(shares) == {"1", "2"} and abs(shares["2"] - 800) < 4 * (2000 * 0.4 * 0.6) ** 0.5
        assert await play.shares(200, X_Tester="yes") == {"2": 200}

        await place.write({NETWORK_FILE: ROAD.network.replace("path: /,", "path: /shop,").encode()}, "another path")
        await play.reached(lambda: follows(play, "/shop"))
        assert await weight(play) == "40"

        await play.resume()
        await play.reached(lambda: place.settled_at("2"))
        assert await weight(play) == "0" and await place.asked() == content("2")


async def follows(play: Journey, path: str) -> bool:
    found = await canary(play)
    return found is not None and found["spec"]["rules"][0]["http"]["paths"][0]["path"] == path


@pytest.mark.story
@pytest.mark.timeout(300)
async def test_a_rollout_that_leaves_nginx_in_the_middle_takes_its_canary_ingress_along(tmp_path: Path) -> None:
    async with scene(tmp_path) as play:
        place = play.place
        await play.reached(lambda: place.settled_at("1"))
        await place.push("2", content("2"))
        await play.paused_at(1)
        await play.resume()
        await play.paused_at(4)
        assert await weight(play) == "40"

        without = rollout("2", "        - setWeight: 40\n        - pause: {}\n").decode().replace(f"      trafficRouting:\n{ISTIO}", "")
        await place.write({ROLLOUT_FILE: without.encode()}, "no router any more")

        async def gone() -> bool:
            return await canary(play) is None

        await play.reached(gone)
        assert await place.image() == "2" and (await play.users.visit())[0] == 200
        assert [ingress["metadata"]["name"] for ingress in await place.api.list(INGRESSES)] == ["shop"]
