"""A stage comes up fast, is what it says, and leaves nothing behind."""

import asyncio
import gc
from pathlib import Path

import pytest
from reconciler_sandbox.node.behaviour import Behaviour
from reconciler_sandbox.rehearsal.fittings import REPOSITORY
from reconciler_sandbox.rehearsal.stage import Stage
from reconciler_sandbox.rehearsal.story import Flow

from reconciler.kernel.errors import Terminal
from tests.kit.procs import processes_about
from tests.kit.rehearsal import CONFIG_MAPS, IMAGE, config_map, sample, stage, web_objects
from tests.kit.wait import until


async def test_kubectl_and_our_own_commands_work_on_it(tmp_path: Path) -> None:
    async with stage(tmp_path) as built:
        await built.api.create(CONFIG_MAPS, config_map("hello", a="b"))
        ran = await built.command(("kubectl", "get", "configmap", "hello", "-n", "shop", "-o", "jsonpath={.data.a}"))
        assert (ran.code, ran.output) == (0, "b")
        assert (await built.command(("reconciler", "list", "rollouts"))).output.startswith("NAMESPACE")


async def test_it_serves_the_folder_over_git(tmp_path: Path) -> None:
    async with stage(tmp_path) as built:
        assert (await built.host.read(REPOSITORY, "environments/demo/web.yaml")).decode() == f"image: {IMAGE}:1.0\n"


async def test_users_reach_pods_through_envoy(tmp_path: Path) -> None:
    async with stage(tmp_path, {f"{IMAGE}:1.0": Behaviour("1.0")}) as built:
        for place, manifest in web_objects():
            await built.api.create(place, dict(manifest))
        await built.users.change({"web": Flow(host="web.example.com", rate=20)})
        await until(lambda: built.users.answered("web", "1.0") >= 3)
        assert built.mesh.envoy_pid is not None


async def test_what_users_met_is_in_the_metrics(tmp_path: Path) -> None:
    async with stage(tmp_path, {f"{IMAGE}:1.0": Behaviour("1.0")}) as built:
        for place, manifest in web_objects():
            await built.api.create(place, dict(manifest))
        await built.users.change({"web": Flow(host="web.example.com", rate=20)})
        await until(lambda: built.metrics.store.select("istio_requests_total", []))
        assert built.metrics.problems == []


async def test_nothing_is_left_behind(tmp_path: Path) -> None:
    before = asyncio.all_tasks()
    async with stage(tmp_path) as built:
        folder = built.folder
        await built.daemon.start()
        await built.daemon.ready()
        assert processes_about(folder)
    assert not folder.exists()
    assert not processes_about(folder)
    await asyncio.sleep(0)
    gc.collect()
    assert asyncio.all_tasks() <= before


async def test_a_stage_that_fails_half_way_leaves_nothing_either(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    built = Stage(sample(tmp_path))
    with pytest.raises(Terminal, match="git is not installed"):
        await built.__aenter__()
    assert not built.folder.exists()
    assert not processes_about(built.folder)


async def test_the_daemon_reaches_the_api_through_a_proxy_only_when_a_story_disturbs_it(tmp_path: Path) -> None:
    async with stage(tmp_path, api_faults=True) as built:
        assert built.faults("api") is not None
        assert built.server.url not in (built.folder / "daemon-kubeconfig").read_text()
        assert built.server.url in built.kubeconfig.read_text()


async def test_a_system_that_cannot_be_disturbed_is_named(tmp_path: Path) -> None:
    async with stage(tmp_path) as built:
        with pytest.raises(Terminal, match="disturb the api"):
            built.faults("api")
