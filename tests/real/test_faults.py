"""The daemon on a real control plane while things go wrong: killed, replaced, cut off, lied to. Every story of the demo still holds.

Each play has a control plane of its own, because most of what goes wrong would hit whoever shares it.
"""

import asyncio
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.real.kit.accounts import administrators
from tests.real.kit.controlplane import RealCluster
from tests.real.kit.detour import Forgetting, through
from tests.real.kit.leaders import frozen, leading, second_daemon, unled
from tests.real.kit.playing import DISTURBED, MUCH_LONGER, Arrangement, Scene, played, seed
from tests.real.kit.servers import Server, started_cluster
from tests.real.kit.weather import Weather

pytestmark = [pytest.mark.real, pytest.mark.disturbed, pytest.mark.timeout(600), pytest.mark.xdist_group("plays")]
SHORT_LEASE = {"lease": {"duration": "5s", "renewEvery": "1s"}}
CHANGES, RESTARTS = 3, 3
SLOWLY: Mapping[str, Any] = {**DISTURBED, "burst": 240, "longer": MUCH_LONGER}
PATIENT_LEASE = {"lease": {"duration": "15s", "renewEvery": "3s"}}


@pytest.fixture
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A control plane that only one play uses. Skips where somebody's own cluster is named: it is not ours to disturb."""
    for started in started_cluster(tmp_path_factory.mktemp("disturbed")):
        if started.real is None:
            pytest.skip("the cluster is not ours to disturb")
        yield started


@pytest.fixture
def cluster(server: Server) -> RealCluster:
    assert server.real is not None
    return server.real


async def peace() -> None:
    """Let the stories end."""
    await asyncio.Event().wait()


# -- the process ------------------------------------------------------------------------------------------------------


async def test_every_story_holds_while_two_daemons_lead_in_turns(server: Server, cluster: RealCluster, tmp_path: Path) -> None:
    tokens = await administrators(server, "first", "second")
    first, second = (cluster.kubeconfig_of(token) for token in tokens.values())
    trouble = partial(led_in_turns, second)
    scene = await played(server, tmp_path, Arrangement(daemon_kubeconfig=first, settings=SHORT_LEASE, trouble=trouble, **SLOWLY))
    assert [note.rpartition(" ")[2] for note in scene.troubles][:3] == ["frozen", "killed", "frozen"], scene.troubles
    assert [str(write) for write in unled(cluster.audit_log, tokens)] == []


async def led_in_turns(kubeconfig: str, scene: Scene) -> None:
    """Whoever leads is frozen until the other one has led for a while, or killed."""
    await scene.installed()
    async with second_daemon(scene.stage, kubeconfig) as second:
        both = (scene.stage.daemon, second)
        for way in ("frozen", "killed") * CHANGES:
            leader = await leading(scene.stage, *both)
            await scene.moment()
            follower = next(daemon for daemon in both if daemon is not leader)
            scene.note(f"the leader was {way}")
            if way == "frozen":
                async with frozen(leader):
                    await leading(scene.stage, follower)
                    await asyncio.sleep(scene.dice.uniform(0, 2))
            else:
                await leader.kill()
                await leading(scene.stage, follower)
                await leader.start()
            await asyncio.sleep(scene.dice.uniform(1, 4))
        await peace()


# -- the server -------------------------------------------------------------------------------------------------------


async def test_every_story_holds_while_the_api_server_restarts_and_forgets(server: Server, cluster: RealCluster, tmp_path: Path) -> None:
    async with through(cluster, tmp_path, cluster.token, Forgetting) as (proxy, kubeconfig):
        trouble = partial(forgotten_again_and_again, cluster, proxy)
        scene = await played(server, tmp_path, Arrangement(daemon_kubeconfig=kubeconfig, settings=PATIENT_LEASE, trouble=trouble, **SLOWLY))
    assert len(scene.troubles) >= 3, scene.troubles
    assert proxy.expired >= 3, "hardly a watch went on from a version that is gone"


async def forgotten_again_and_again(cluster: RealCluster, proxy: Forgetting, scene: Scene) -> None:
    """SIGKILL of the API server after all history was compacted, and a new start at the same address."""
    await scene.installed()
    for _ in range(RESTARTS):
        await scene.moment()
        async with scene.stage.away:
            proxy.back.clear()
            await asyncio.to_thread(cluster.compact)
            await asyncio.to_thread(cluster.restart_apiserver)
            proxy.back.set()
        scene.note("the API server was restarted")
        await asyncio.sleep(scene.dice.uniform(4, 8))
    await peace()


# -- the way ----------------------------------------------------------------------------------------------------------


async def test_every_story_holds_in_bad_weather(server: Server, cluster: RealCluster, tmp_path: Path) -> None:
    weather = Weather(Random(seed()))
    async with through(cluster, tmp_path, cluster.token) as (proxy, kubeconfig):
        for fault in weather.faults():
            proxy.faults.add(fault)
        await played(server, tmp_path, Arrangement(daemon_kubeconfig=kubeconfig, settings=PATIENT_LEASE, **SLOWLY))
    assert all(weather.met[word] >= 5 for word in weather.words), weather.met
