"""Two daemons, one of which leads: the second one beside a stage's own, who leads now, and what the audit log says of who wrote when."""

import os
import signal
import sys
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import yaml
from reconciler_sandbox.rehearsal.daemon import Daemon
from reconciler_sandbox.rehearsal.stage import Stage

from tests.kit.wait import until
from tests.real.kit.audit import Entry, entries
from tests.real.kit.program import free_port

LOCK = "argo-rollouts-controller-lock"
LEASE = f"/apis/coordination.k8s.io/v1/namespaces/reconciler/leases/{LOCK}"
TAKEOVER_SECONDS = 60.0


@asynccontextmanager
async def second_daemon(stage: Stage, kubeconfig: str) -> AsyncIterator[Daemon]:
    """Another daemon with the stage's settings, an address of its own and this kubeconfig; it is killed with the context."""
    folder = stage.folder / "second"
    folder.mkdir()
    settings = {**yaml.safe_load(stage.settings_file.read_text(encoding="utf-8")), "listen": f"127.0.0.1:{free_port()}"}
    (folder / "reconciler.yaml").write_text(yaml.safe_dump(settings), encoding="utf-8")
    (folder / "kubeconfig").write_text(kubeconfig, encoding="utf-8")
    words = ["run", "-c", str(folder / "reconciler.yaml"), "--kubeconfig", str(folder / "kubeconfig"), "--log-format", "json"]
    daemon = Daemon([sys.executable, "-m", "reconciler", *words], folder, f"http://{settings['listen']}/readyz")
    await daemon.start()
    try:
        yield daemon
    finally:
        await daemon.kill()


async def leading(stage: Stage, *daemons: Daemon) -> Daemon:
    """Which of them holds the lease, once one of them does."""

    async def holder() -> Daemon | None:
        held = await stage.api.get(LEASE) or {}
        name = str((held.get("spec") or {}).get("holderIdentity") or "")
        return next((daemon for daemon in daemons if daemon.pid is not None and f"-{daemon.pid}-" in name), None)

    return await until(holder, TAKEOVER_SECONDS)


@asynccontextmanager
async def frozen(daemon: Daemon) -> AsyncIterator[None]:
    """A daemon whose process stands still, and goes on afterwards."""
    pid = daemon.pid
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)


@dataclass(frozen=True, slots=True)
class Unled:
    """A write by whom another had taken the lease from."""

    write: Entry
    holder: Entry

    def __str__(self) -> str:
        what = f"{self.write.verb} {self.write.resource} {self.write.name}"
        return f"{self.write.user} wrote ({what}) at {self.write.at}, {self.holder.user} led since {self.holder.done}"


def unled(log: Path, users: Collection[str]) -> list[Unled]:
    """Every write that one of these users sent after another one had been given the lease."""
    ours = [entry for entry in entries(log) if entry.user in users and entry.writes and entry.code < 300]
    taken = [entry for entry in ours if entry.resource == "leases" and entry.name == LOCK]
    found = []
    for write in ours:
        before = [lease for lease in taken if (lease.at if lease.user == write.user else lease.done) <= write.at]
        if write.resource != "leases" and before and before[-1].user != write.user:
            found.append(Unled(write, before[-1]))
    return found
