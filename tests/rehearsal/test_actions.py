"""Deeds change the stage: objects, images, traffic, faults, the daemon, verbs of real commands."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from reconciler_sandbox.node.behaviour import Behaviour
from reconciler_sandbox.rehearsal.actions import Hands
from reconciler_sandbox.rehearsal.stage import Stage
from reconciler_sandbox.rehearsal.story import (
    BehaviourChange,
    DaemonOrder,
    FaultOrder,
    Flow,
    ObjectPatch,
    TrafficChange,
    Verb,
)

from tests.kit.rehearsal import CONFIG_MAPS, IMAGE, config_map, field_of, stage
from tests.kit.wait import until

MAP = field_of("ConfigMap", "one", "data", equals=1).target


@asynccontextmanager
async def hands(folder: Path) -> AsyncIterator[tuple[Stage, Hands]]:
    async with stage(folder) as built, Hands(built) as own:
        yield built, own


MERGE = {"data": {"a": "2"}}
OPERATIONS = [{"op": "replace", "path": "/data/a", "value": "2"}]


@pytest.mark.parametrize(("style", "body"), [("merge", MERGE), ("json", OPERATIONS), ("strategic", MERGE)])
async def test_an_object_is_patched_in_every_style(tmp_path: Path, style: str, body: object) -> None:
    async with hands(tmp_path) as (built, own):
        await built.api.create(CONFIG_MAPS, dict(config_map("one", a="1")))
        await own.carry_out(ObjectPatch(MAP, body, style))
        patched = await built.api.get(f"{CONFIG_MAPS}/one")
        assert patched is not None and patched["data"] == {"a": "2"}


async def test_a_verb_claims_that_it_ends_well(tmp_path: Path) -> None:
    async with hands(tmp_path) as (_, own):
        ((what, _, observed, held),) = (await own.carry_out(Verb(("kubectl", "get", "namespace", "shop", "-o", "name")))).claims
        assert (what, observed, held) == ("$ kubectl get namespace shop -o name", "exit code 0: namespace/shop", True)
        assert not (await own.carry_out(Verb(("kubectl", "get", "namespace", "nowhere")))).claims[0][3]


async def test_images_and_traffic_change_while_everything_runs(tmp_path: Path) -> None:
    async with hands(tmp_path) as (built, own):
        await own.carry_out(BehaviourChange({f"{IMAGE}:9": Behaviour("9", hang=True)}))
        await own.carry_out(TrafficChange({"web": Flow(host="web.example.com", rate=0)}))
        assert built.behaviours[f"{IMAGE}:9"].hang
        assert built.users.untagged("web") == []


async def test_a_fault_of_the_forge_does_not_reach_git(tmp_path: Path) -> None:
    async with hands(tmp_path) as (built, own), httpx.AsyncClient(trust_env=False) as client:
        await own.carry_out(FaultOrder(target="forge", status=502, times=1))
        refs = built.host.clone_url("shop/manifests") + "/info/refs?service=git-upload-pack"
        assert (await client.get(refs)).status_code == 401
        assert (await client.get(f"{built.host.api}/user")).status_code == 502
        assert (await client.get(f"{built.host.api}/user")).status_code == 401


async def test_a_fault_of_the_metrics_ends_with_its_time(tmp_path: Path) -> None:
    async with hands(tmp_path) as (built, own), httpx.AsyncClient(trust_env=False) as client:
        query = f"{built._proxies['provider'].url}/api/v1/query?query=up"
        assert (await client.get(query)).status_code == 200
        await own.carry_out(FaultOrder(target="provider", status=503, lasting=0.3))
        assert (await client.get(query)).status_code == 503

        async def answers_again() -> bool:
            return (await client.get(query)).status_code == 200

        await until(answers_again)


async def test_a_late_answer_is_late(tmp_path: Path) -> None:
    async with hands(tmp_path) as (built, own), httpx.AsyncClient(trust_env=False) as client:
        await own.carry_out(FaultOrder(target="provider", delay=0.3, times=1))
        began = asyncio.get_running_loop().time()
        await client.get(f"{built._proxies['provider'].url}/api/v1/query?query=up")
        assert asyncio.get_running_loop().time() - began >= 0.3


async def test_the_daemon_is_started_killed_and_stopped(tmp_path: Path) -> None:
    async with hands(tmp_path) as (built, own):
        assert (await own.carry_out(DaemonOrder("start"))).claims[0][2:] == ("ready", True)
        first = built.daemon.pid
        assert (await own.carry_out(DaemonOrder("restart"))).claims[0][2:] == ("ready", True)
        assert built.daemon.pid not in (None, first)
        assert (await own.carry_out(DaemonOrder("stop"))).claims[0][3]
        await own.carry_out(DaemonOrder("kill"))
        assert built.daemon.pid is None and not built.daemon.failure
