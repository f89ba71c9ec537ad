"""The two API servers that are measured, each a fresh one of processes of its own: the sandbox's, and a real one with its etcd."""

import asyncio
import os
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from reconciler_sandbox.apiserver.server import ApiServer

from scripts.real.binaries import ControlPlane
from tests.real.kit.controlplane import RealCluster
from tests.real.kit.program import Program, answers, free_port

PAGE = os.sysconf("SC_PAGE_SIZE")
READY_SECONDS = 30.0


class Witness(Protocol):
    """A server that can be measured once it is started."""

    @property
    def kubeconfig(self) -> Path: ...

    @property
    def pids(self) -> tuple[int, ...]: ...

    def start(self) -> None:
        """Returns when it is ready."""

    def stop(self) -> None: ...


class Sandbox:
    """The sandbox's API server alone, over HTTP as `demo` runs it."""

    def __init__(self, folder: Path) -> None:
        self.kubeconfig = folder / "kubeconfig"
        self._port = free_port()
        self._program = Program([sys.executable, "-m", "benchmarks.witnesses", str(self.kubeconfig), str(self._port)], folder / "log")

    @property
    def pids(self) -> tuple[int, ...]:
        return (self._program.pid,)

    def start(self) -> None:
        self._program.start()
        self._program.until(lambda: self._written() and answers(f"http://127.0.0.1:{self._port}/readyz"), READY_SECONDS)

    def _written(self) -> bool:
        return self.kubeconfig.is_file() and self.kubeconfig.stat().st_size > 0

    def stop(self) -> None:
        self._program.stop()


class Real:
    """etcd without fsync and kube-apiserver over TLS, it knows no other way; no controller takes time from it."""

    def __init__(self, programs: ControlPlane, folder: Path) -> None:
        self._cluster = RealCluster(replace(programs, controller_manager=None), folder)

    @property
    def kubeconfig(self) -> Path:
        return self._cluster.kubeconfig

    @property
    def pids(self) -> tuple[int, ...]:
        return self._cluster.pids

    def start(self) -> None:
        self._cluster.start()

    def stop(self) -> None:
        self._cluster.stop()


def resident(witness: Witness) -> float:
    """MiB of memory of all its processes."""
    return sum(int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]) for pid in witness.pids) * PAGE / 2**20


def started(witness: Witness) -> float:
    """Seconds until it is ready."""
    begin = time.perf_counter()
    witness.start()
    return time.perf_counter() - begin


async def serve(kubeconfig: Path, port: int) -> None:
    """The sandbox's API server in this process, for ever."""
    server = ApiServer()
    await server.start(port=port)
    await asyncio.to_thread(kubeconfig.write_text, server.kubeconfig(), encoding="utf-8")
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1]), int(sys.argv[2])))
