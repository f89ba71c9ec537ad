"""A dark canary behind nginx, with the whole daemon and a real Envoy: testers see it first, then a share of the users, then everybody."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import yaml
from reconciler_sandbox.mesh.mesh import Mesh
from reconciler_sandbox.podnetwork import PodPorts

from tests.kit.killing import Life, alive
from tests.kit.mesh import Visitor
from tests.kit.shop import NETWORK, NETWORK_FILE, ROLLOUT_FILE, ROLLOUTS, Shop, rollout, shop
from tests.kit.wait import until

DEADLINE = 60.0
INGRESSES = "/apis/networking.k8s.io/v1/namespaces/shop/ingresses"
NGINX = "nginx.ingress.kubernetes.io"
MADE = "web-shop-canary"
ISTIO = """\
        istio:
          virtualService: {name: web, routes: [primary]}
"""
ROUTING = """\
        nginx:
          stableIngress: shop
          additionalIngressAnnotations: {canary-by-header: X-Tester, canary-by-header-value: "yes"}
"""
STEPS = """\
        - setCanaryScale: {replicas: 1}
        - pause: {}
        - setCanaryScale: {matchTrafficWeight: true}
        - setWeight: 40
        - pause: {}
"""
INGRESS = """\
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: shop, namespace: shop}
spec:
  ingressClassName: nginx
  rules:
    - host: web.example.com
      http:
        paths: [{path: /, pathType: Prefix, backend: {service: {name: web, port: {name: http}}}}]
"""


def network() -> str:
    """The two Services, and an Ingress in place of the VirtualService."""
    return "---\n".join(text for text in NETWORK.split("---\n") if "VirtualService" not in text) + INGRESS


def content(version: str, routing: str = ROUTING) -> bytes:
    return rollout(version, STEPS).decode().replace(ISTIO, routing).encode()


@dataclass
class Scene:
    place: Shop
    mesh: Mesh
    life: Life
    users: Visitor

    async def shares(self, count: int, **headers: str) -> dict[str, int]:
        await self.mesh.settled()
        return dict(await self.users.shares(count, **headers))

    async def reached(self, claim: Callable[[], Awaitable[bool]]) -> None:
        async def holds() -> bool:
            self.life.raise_failure()
            return await claim()

        await until(holds, DEADLINE)

    async def paused_at(self, step: int) -> None:
        async def holds() -> bool:
            status = (await self.place.rollout()).get("status") or {}
            return bool(status.get("pauseConditions")) and status.get("currentStepIndex") == step

        await self.reached(holds)

    async def resume(self) -> None:
        await self.place.api.patch(f"{ROLLOUTS}/web/status", {"status": {"pauseConditions": None}})

    async def canary(self) -> dict[str, Any] | None:
        return await self.place.api.get(f"{INGRESSES}/{MADE}")

    async def weight(self) -> str:
        found = await self.canary()
        return str(found["metadata"]["annotations"].get(f"{NGINX}/canary-weight")) if found else ""


@asynccontextmanager
async def scene(folder: Path) -> AsyncIterator[Scene]:
    ports = PodPorts()
    files = {NETWORK_FILE: network(), ROLLOUT_FILE: content("1").decode()}
    async with shop(folder, files=files, ports=ports) as place:
        settings = yaml.safe_load(place.ground.settings_file.read_text())
        settings["sources"][0]["allow"]["kinds"].append("Ingress.networking.k8s.io")
        place.ground.settings_file.write_text(yaml.safe_dump(settings))
        mesh = Mesh(place.api, folder=folder / "mesh", ports=ports)
        await mesh.start()
        try:
            async with alive(place.ground) as life, aiohttp.ClientSession() as session:
                yield Scene(place, mesh, life, Visitor(session, mesh.gateway_address()))
        finally:
            await mesh.stop()


@pytest.mark.story
@pytest.mark.timeout(300)
async def test_testers_see_a_dark_canary_first_then_a_share_of_all_users_then_all(tmp_path: Path) -> None:
    async with scene(tmp_path) as play:
        place = play.place
        await play.reached(lambda: place.settled_at("1"))
        assert await play.shares(40) == {"1": 40}

        await place.push("2", content("2"))
        await play.paused_at(1)
        assert await play.weight() == "0" and await place.available("2") == 1
        assert await play.shares(400) == {"1": 400}
        assert await play.shares(400, X_Tester="yes") == {"2": 400}

        await play.resume()
        await play.paused_at(4)
        shares = await play.shares(2000)
        assert await play.weight() == "40"
        assert set(shares) == {"1", "2"} and abs(shares["2"] - 800) < 4 * (2000 * 0.4 * 0.6) ** 0.5
        assert await play.shares(200, X_Tester="yes") == {"2": 200}

        await place.write({NETWORK_FILE: network().replace("path: /,", "path: /shop,").encode()}, "another path")
        await play.reached(lambda: follows(play, "/shop"))
        assert await play.weight() == "40"

        await play.resume()
        await play.reached(lambda: place.settled_at("2"))
        assert await play.weight() == "0" and await place.asked() == content("2")


async def follows(play: Scene, path: str) -> bool:
    found = await play.canary()
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
        assert await play.weight() == "40"

        without = rollout("2", "        - setWeight: 40\n        - pause: {}\n").decode().replace(f"      trafficRouting:\n{ISTIO}", "")
        await place.write({ROLLOUT_FILE: without.encode()}, "no router any more")

        async def gone() -> bool:
            return await play.canary() is None

        await play.reached(gone)
        assert await place.image() == "2" and (await play.users.visit())[0] == 200
        assert [ingress["metadata"]["name"] for ingress in await place.api.list(INGRESSES)] == ["shop"]
