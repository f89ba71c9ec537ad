"""A daemon's process is killed with SIGKILL at six points of a failing release, with a real Envoy and real users, and started again."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from aiohttp import web
from reconciler_sandbox.githost.faults import Fault
from reconciler_sandbox.node.behaviour import Behaviour
from reconciler_sandbox.rehearsal.stage import Stage
from reconciler_sandbox.rehearsal.story import Flow

from tests.kit.claims import failed_claims
from tests.kit.killing import Ground
from tests.kit.shop import ANALYSIS_FILE, BAD, IMAGE, NETWORK, NETWORK_FILE, ROLLOUT_FILE, Shop, rollout
from tests.kit.wait import until

pytestmark = [pytest.mark.story, pytest.mark.timeout(180)]
DEADLINE = 90.0
RUNS = "/apis/argoproj.io/v1alpha1/namespaces/shop/analysisruns"
USERS = Flow(host="web.example.com", rate=30.0)
GATEWAY = """\
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: public, namespace: shop}
spec:
  selector: {istio: ingressgateway}
  servers:
    - port: {number: 80, name: http, protocol: HTTP}
      hosts: ["*.example.com"]
"""
ANALYSIS = """\
apiVersion: argoproj.io/v1alpha1
kind: AnalysisTemplate
metadata: {name: success-rate, namespace: shop}
spec:
  args: [{name: version}]
  metrics:
    - name: success-rate
      initialDelay: 1s
      interval: 1s
      count: 10
      failureLimit: 1
      inconclusiveLimit: 9
      successCondition: len(result) > 0 && !isNaN(result[0]) && result[0] >= 0.95
      failureCondition: len(result) > 0 && !isNaN(result[0]) && result[0] < 0.95
      provider:
        prometheus:
          query: >-
            (sum(rate(istio_requests_total{destination_canonical_revision="{{args.version}}",response_code!~"5.."}[4s])) or vector(0))
            / sum(rate(istio_requests_total{destination_canonical_revision="{{args.version}}"}[4s]))
"""
STEPS = """\
        - setWeight: 40
        - analysis:
            templates: [{templateName: success-rate}]
            args:
              - name: version
                valueFrom: {podTemplateHashValue: Latest}
        - setWeight: 60
"""


@dataclass(slots=True)
class Held:
    """A request to the Git host that is kept waiting; its answer is lost."""

    met: asyncio.Event = field(default_factory=asyncio.Event)
    let_go: asyncio.Event = field(default_factory=asyncio.Event)

    def fault(self, method: str, path: str, *, after: bool, saying: bytes = b"") -> Fault:
        """Holds requests with these words in them: before the work is done, which then is refused, or after it."""

        async def effect(request: web.BaseRequest) -> web.StreamResponse | None:
            # Read only where words are asked for: what is read here cannot be streamed to git.
            if self.let_go.is_set() or (saying and saying not in await request.read()):
                return None
            self.met.set()
            await self.let_go.wait()
            return web.Response(status=503)

        return Fault(effect, method=method, path=path, times=None, after=after)


Moment = Callable[["Scene"], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Scene:
    """A stage whose daemon may die."""

    stage: Stage
    shop: Shop
    held: Held


async def release_created(scene: Scene) -> None:
    await until(lambda: scene.shop.releases(BAD), DEADLINE)


async def at_weight_40(scene: Scene) -> None:
    async def reached() -> bool:
        return await scene.shop.weights() == (60, 40)

    await until(reached, DEADLINE)


async def analysis_failed(scene: Scene) -> None:
    async def reached() -> bool:
        return any((run.get("status") or {}).get("phase") == "Failed" for run in await scene.shop.api.list(RUNS))

    await until(reached, DEADLINE)


async def between_verdict_and_push(scene: Scene) -> None:
    scene.stage.host.faults.add(scene.held.fault("POST", "*/git-receive-pack", after=False))
    await asyncio.wait_for(scene.held.met.wait(), DEADLINE)
    assert (await scene.shop.release(BAD))["verdict"] == "failed"
    assert await scene.shop.restores() == 0


async def after_push_before_status(scene: Scene) -> None:
    scene.stage.host.faults.add(scene.held.fault("POST", "*/git-receive-pack", after=True))
    await asyncio.wait_for(scene.held.met.wait(), DEADLINE)
    assert (await scene.shop.release(BAD))["restore"]["state"] == "wanted"
    assert await scene.shop.restores() == 1


async def while_announcing(scene: Scene) -> None:
    scene.stage.host.faults.add(scene.held.fault("*", "*/comments*", after=True, saying=b"Git was restored"))
    await asyncio.wait_for(scene.held.met.wait(), DEADLINE)


MOMENTS: tuple[Moment, ...] = (
    release_created,
    at_weight_40,
    analysis_failed,
    between_verdict_and_push,
    after_push_before_status,
    while_announcing,
)


@pytest.mark.parametrize("moment", MOMENTS, ids=lambda moment: moment.__name__)
async def test_a_failing_release_ends_the_same_after_kill_9(tmp_path: Path, moment: Moment) -> None:
    async with scene(tmp_path) as played:
        await played.shop.push(BAD)
        await moment(played)
        await played.stage.daemon.kill()
        played.held.let_go.set()
        await played.stage.daemon.start()
        left: list[str] = ["nothing was looked at"]

        async def ended() -> bool:
            nonlocal left
            assert not played.stage.daemon.failure, played.stage.daemon.failure
            left = await failed_claims(played.shop)
            return not left

        try:
            await until(ended, DEADLINE)
        except AssertionError:
            raise AssertionError(f"{left}; {await played.shop.release(BAD)}; {played.stage.daemon.last_words()}") from None
        before = played.stage.users.answered("users", BAD)
        served = len(played.stage.users.untagged("users"))
        await until(lambda: len(played.stage.users.untagged("users")) >= served + 30, DEADLINE)
        assert played.stage.users.answered("users", BAD) == before, "users still meet the bad version"
        assert not await failed_claims(played.shop)


@asynccontextmanager
async def scene(folder: Path) -> AsyncIterator[Scene]:
    """A stage with version 1 proven and users on it; its daemon runs."""
    images = {f"{IMAGE}:1": Behaviour("1"), f"{IMAGE}:{BAD}": Behaviour(BAD, error_rate=1.0)}
    async with Stage(sample(folder / "sample"), images) as stage:
        shop = Shop(stage.api, stage.host, Ground(stage.server, stage.host, stage.settings_file, folder), STEPS)
        await stage.daemon.start()
        await until(lambda: shop.settled_at("1"), DEADLINE)
        await stage.users.change({"users": USERS})
        await until(lambda: stage.users.answered("users", "1") >= 10, DEADLINE)
        yield Scene(stage, shop, Held())


def sample(folder: Path) -> Path:
    """The manifest repository: one canary behind a gateway."""
    routed = NETWORK.replace("hosts: [web]", "hosts: [web.example.com]\n  gateways: [public]") + GATEWAY
    for name, content in {ROLLOUT_FILE: rollout("1", STEPS), NETWORK_FILE: routed.encode(), ANALYSIS_FILE: ANALYSIS.encode()}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder
