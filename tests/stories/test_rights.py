"""The rights of `deploy/` are enough and all of use: every call of a daemon is held against them through a good and a failing release.

The sandbox lets everybody do everything; a real server refuses (tests/real/test_rights.py, where every right is proven to be of use).
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from reconciler_sandbox.client import Answer, Call
from reconciler_sandbox.rehearsal.inprocess import DirectTransport

from reconciler.app.daemon import Daemon
from reconciler.app.settings.reading import load_settings
from tests.kit.granted import Asked, asked_of, documents, elsewhere, rights
from tests.kit.kubectl import binary
from tests.kit.shop import BAD, Shop, shop
from tests.kit.wait import until

pytestmark = pytest.mark.skipif(not binary(), reason="no kubectl on this machine")
SOURCES = "reconciler-source-"
DEADLINE = 60.0


# What this story does not need, and who does. What sources may write is their allow-list (tests/test_deploy.py), not judged here.
JOBS, PODS = "measurements that are Jobs", "restarts, metadata of pods, versions that do not come up"
LATE = "what another pass wrote before the cache knew"
HISTORY = "histories that are full"
BORROWED = "rollouts that borrow a Deployment's or another template, and Deployments taken over"
SUBSETS = "traffic split by subsets"
OWNERS = "clusters with OwnerReferencesPermissionEnforcement"
EXPERIMENTS = "experiments, and the Services that their templates ask for"
UNUSED: Mapping[str, str] = {
    "reconciler-analysis-secrets: get secrets": "arguments of analyses that come from Secrets",
    "reconciler: create jobs.batch": JOBS,
    "reconciler: get jobs.batch": JOBS,
    "reconciler: delete jobs.batch": JOBS,
    "reconciler: create pods/eviction": PODS,
    "reconciler: list pods": PODS,
    "reconciler: update pods": PODS,
    "reconciler: get analysisruns.argoproj.io": LATE,
    "reconciler: get releases.reconciler.dev": LATE,
    "reconciler: get replicasets.apps": LATE,
    "reconciler: update replicasets.apps": "labels and annotations of a ReplicaSet that change",
    "reconciler: delete analysisruns.argoproj.io": HISTORY,
    "reconciler: delete releases.reconciler.dev": HISTORY,
    "reconciler: delete replicasets.apps": HISTORY,
    "reconciler: delete rollouts.argoproj.io": BORROWED,
    "reconciler: get deployments.apps": BORROWED,
    "reconciler: patch deployments.apps": BORROWED,
    "reconciler: update deployments.apps": BORROWED,
    "reconciler: get podtemplates": BORROWED,
    "reconciler: get clusteranalysistemplates.argoproj.io": "analyses that use templates of the whole cluster",
    "reconciler-router-istio: update destinationrules.networking.istio.io": SUBSETS,
    "reconciler: create experiments.argoproj.io": EXPERIMENTS,
    "reconciler: delete experiments.argoproj.io": EXPERIMENTS,
    "reconciler: get experiments.argoproj.io": EXPERIMENTS,
    "reconciler: patch experiments.argoproj.io": EXPERIMENTS,
    "reconciler: create services": EXPERIMENTS,
    "reconciler: delete services": EXPERIMENTS,
    "reconciler: get services": EXPERIMENTS,
    "reconciler: update analysisruns/finalizers.argoproj.io": OWNERS,
    "reconciler: update experiments/finalizers.argoproj.io": OWNERS,
    "reconciler: update releases/finalizers.reconciler.dev": OWNERS,
    "reconciler: update rollouts/finalizers.argoproj.io": OWNERS,
}


@pytest.mark.timeout(180)
async def test_the_rights_of_the_deployment_are_enough_and_of_use(tmp_path: Path) -> None:
    granted = list(rights(await asyncio.to_thread(documents)))
    async with shop(tmp_path) as place:
        asked: set[Asked] = set()
        async with daemon(place, tmp_path, asked):

            async def settled(claim: Callable[[], Awaitable[bool]]) -> None:
                """Wait until a claim holds; a call that nothing allows ends the wait at once."""

                async def holds() -> bool:
                    assert not {one for one in asked if not any(right.allows(one) for right in granted)}
                    return await claim()

                await until(holds, DEADLINE)

            await settled(lambda: closed(place, "1", "passed"))
            await place.push("2")
            await settled(lambda: closed(place, "2", "passed"))
            await place.push(BAD)
            await settled(lambda: closed(place, BAD, "failed"))
            await settled(lambda: home(place, "2"))
        assert len(asked) > 50
        own = [right for right in granted if not right.role.startswith(SOURCES) and not elsewhere(right)]
        unused = {str(right) for right in own if not any(right.allows(one) for one in asked)}
        assert not unused - set(UNUSED), "nobody needs these rights, or who does is not written down"
        assert not set(UNUSED) - {str(right) for right in own}, "these rights are not granted any more"


async def test_a_call_that_nothing_grants_is_not_allowed() -> None:
    granted = list(rights(await asyncio.to_thread(documents)))
    (asked,) = asked_of(Call("DELETE", "/api/v1/namespaces/shop/secrets/x", {}, {}, b""), Answer(200, {}, b""))
    assert asked == Asked("delete", "", "secrets", "", "shop", "x") and not any(right.allows(asked) for right in granted)


async def closed(place: Shop, version: str, verdict: str) -> bool:
    return (await place.release(version)).get("verdict") == verdict and await place.phase() == "Healthy"


async def home(place: Shop, version: str) -> bool:
    return await place.image() == version and await place.restores() == 1 and await place.weights() == (100, 0)


@asynccontextmanager
async def daemon(place: Shop, folder: Path, asked: set[Asked]) -> AsyncIterator[None]:
    """A whole daemon in process, lease and freeze included; what it asks for is noted."""

    async def noted(call: Call) -> Answer:
        answer = await place.ground.server.call(call)
        asked.update(asked_of(call, answer))
        return answer

    transport = DirectTransport(noted)
    stopping = asyncio.Event()
    life = Daemon(load_settings(place.ground.settings_file), transport, folder / "daemon", read_only_mode=False)
    async with asyncio.TaskGroup() as group:
        group.create_task(life.run(stopping))
        try:
            yield
        finally:
            stopping.set()
