"""Swapped in over the reference's objects on a real API server, with pods that run: nothing restarts, nothing is written, it goes on."""

from collections.abc import AsyncIterator

import pytest

from reconciler.kernel.identity import ObjectRef, name_of
from reconciler.kernel.resources import ANALYSIS_RUNS, DEPLOYMENTS, EXPERIMENTS, ROLLOUTS, SERVICES
from reconciler.kube.client import Client
from tests.kit.rollouts import NAMESPACE
from tests.kit.wait import until
from tests.real.kit.ground import PATIENCE
from tests.real.kit.servers import Server
from tests.real.kit.takeover import (
    Takeover,
    keys_of,
    left_on,
    peopled,
    pods_of,
    pressed,
    reaches,
    rollout_of,
    served,
    shapes_of,
    versions_of,
)

WRITTEN_BY_US = (ROLLOUTS, SERVICES, ANALYSIS_RUNS, EXPERIMENTS, DEPLOYMENTS)
PHASES = (
    "basic-paused",
    "blue-green-analysis-running",
    "blue-green-paused",
    "blue-green-switched",
    "canary-aborted",
    "canary-analysis-running",
    "canary-experiment-running",
    "canary-healthy",
    "canary-paused",
    "nginx-paused",
    "ping-stable",
    "pong-stable",
    "workload-ref-healthy",
)
ON = {
    "basic-paused": {"promoteFull": True},
    "blue-green-analysis-running": None,
    "blue-green-paused": {"pauseConditions": None},
    "canary-aborted": {"promoteFull": True},
    "canary-analysis-running": {"promoteFull": True},
    "canary-experiment-running": {"promoteFull": True},
    "canary-paused": {"promoteFull": True},
    "ping-stable": {"pauseConditions": None},
    "pong-stable": {"pauseConditions": None},
}
"""What a person presses to bring each to its end; None: the analysis that runs succeeds."""


@pytest.fixture
async def client(server: Server) -> AsyncIterator[Client]:
    async with peopled(server) as made:
        yield made


@pytest.mark.parametrize("phase", PHASES)
async def test_nothing_moves_when_we_take_over(client: Client, phase: str) -> None:
    await left_on(client, phase)
    versions, shapes, before = await versions_of(client, *WRITTEN_BY_US), await shapes_of(client), await rollout_of(client)
    async with Takeover(client).at_work() as takeover:
        await takeover.looked_at(*await keys_of(client))
        after = await rollout_of(client)
        assert after["status"] == before["status"]
        assert await versions_of(client, *WRITTEN_BY_US) == versions
        assert await shapes_of(client) == shapes


@pytest.mark.parametrize("phase", ON)
async def test_what_was_under_way_goes_on_to_its_end(client: Client, phase: str) -> None:
    await left_on(client, phase)
    before = await pods_of(client)
    async with Takeover(client).at_work():
        patch = ON[phase]
        if patch is None:
            [run] = await client.list(ANALYSIS_RUNS, NAMESPACE)
            await client.patch(ObjectRef(ANALYSIS_RUNS, NAMESPACE, name_of(run)), {"status": {"phase": "Successful"}})
        else:
            await pressed(client, {"status": patch}, subresource="status")
        rollout = await reaches(client, "Healthy")
        replicas = rollout["spec"]["replicas"]
        assert rollout["status"]["stableRS"] == rollout["status"]["currentPodHash"]
        await until(lambda: _serves(client, "web:3" if phase == "pong-stable" else "web:2", replicas), PATIENCE)
        assert before & await pods_of(client), "every pod was replaced"


async def _serves(client: Client, image: str, replicas: int) -> bool:
    """The version has all its pods; the former one may wait for its deadline."""
    return (await served(client)).get(image, 0) >= replicas
