"""A battery of kubectl commands prints the same on the sandbox as on a real control plane."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from secrets import token_hex
from typing import Any

import pytest
from reconciler_sandbox.cluster import Workings
from reconciler_sandbox.node.behaviour import Behaviour, Behaviours
from reconciler_sandbox.node.network import Network
from reconciler_sandbox.node.node import NodeSettings

from tests.kit.kubectl import Kubectl, binary
from tests.kit.sandbox import QUICK
from tests.real.kit.api import Api
from tests.real.kit.battery import DIFFERENT, GROUP, SCENES, Command
from tests.real.kit.masks import masked
from tests.real.kit.reach import caller
from tests.real.kit.servers import Server, namespace_of, sandbox_server

pytestmark = [pytest.mark.real, pytest.mark.timeout(300), pytest.mark.skipif(not binary(), reason="no kubectl on this machine")]
IMAGES = {"web:1": Behaviour("v1"), "web:2": Behaviour("v2"), "works:1": Behaviour("works", exits=0)}


@pytest.fixture
async def sandbox(tmp_path: Path) -> AsyncIterator[Server]:
    (tmp_path / "sandbox").mkdir()
    async with sandbox_server(tmp_path / "sandbox") as server:
        yield server


def home_of(server: Server, folder: Path) -> Path:
    folder.mkdir()
    (folder / "config").write_bytes(server.kubeconfig.read_bytes())
    return folder


async def transcript(server: Server, commands: tuple[Command, ...], home: Path) -> list[str]:
    """What every command printed and how it ended, in turn, on a server with nodes."""
    kubectl, group = Kubectl(home), f"g{token_hex(4)}.example.com"
    node = NodeSettings(behaviours=Behaviours(IMAGES), network=Network(masked=server.sandbox is None), pace=QUICK)
    async with (
        namespace_of(server) as api,
        caller(server) as call,
        Workings(call, node, controllers=server.sandbox is not None),
    ):
        return [await printed(kubectl, api, command, group) for command in commands]


async def printed(kubectl: Kubectl, api: Api, command: Command, group: str) -> str:
    words, body = (command, None) if isinstance(command, str) else command
    stdin: Any = json.loads(json.dumps(body).replace(GROUP, group)) if body is not None else None
    code, text = await kubectl.run(f"-n {api.namespace} {words.replace(GROUP, group)}", stdin)
    return f"exit {code}\n{masked(text, {api.namespace: 'NAMESPACE', group: GROUP})}"


@pytest.mark.parametrize("scene", SCENES)
async def test_a_scene_reads_the_same(scene: str, sandbox: Server, real_server: Server, tmp_path: Path) -> None:
    commands = SCENES[scene]
    ours = await transcript(sandbox, commands, home_of(sandbox, tmp_path / "ours"))
    theirs = await transcript(real_server, commands, home_of(real_server, tmp_path / "theirs"))
    told = [
        f"$ kubectl {title(command)}\n--- sandbox\n{mine}\n--- real\n{other}\n"
        for command, mine, other in zip(commands, ours, theirs, strict=True)
        if (mine != other) is not (f"{scene}: {title(command)}" in DIFFERENT)
    ]
    assert not told, f"{len(told)} of {len(commands)} differ\n" + "\n".join(told)


def title(command: Command) -> str:
    """A command in one line; the object it is given is named."""
    if isinstance(command, str):
        return command
    return f"{command[0]} {command[1]['kind']}/{command[1]['metadata']['name']}"


def test_the_battery_is_large_and_knows_its_exceptions() -> None:
    known = {f"{scene}: {title(command)}" for scene, commands in SCENES.items() for command in commands}
    assert sum(map(len, SCENES.values())) >= 120
    assert known >= DIFFERENT.keys()
