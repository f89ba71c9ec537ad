"""Who may write, and when: one leader, nobody who stalled past the lease, nobody while frozen, never with --read-only (ADR 0021, 0022).

Daemons are real: in process with every write noted, or a process that is stopped and continued by signals.
"""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from aiohttp import web
from reconciler_sandbox.apiserver.serving import Listener
from reconciler_sandbox.client import Answer, Call
from reconciler_sandbox.githost.faults import Fault
from reconciler_sandbox.rehearsal.child import dies_with_parent, environment
from reconciler_sandbox.rehearsal.fittings import kubeconfig, secret_file
from reconciler_sandbox.rehearsal.inprocess import DirectTransport

from reconciler.app.daemon import Daemon
from reconciler.kube.transport import Request
from reconciler.runtime.freeze import FREEZE
from tests.kit.killing import label_of
from tests.kit.shop import BAD, RELEASES, Shop, shop
from tests.kit.wait import until

DEADLINE = 60.0
LEASE = "/apis/coordination.k8s.io/v1/namespaces/reconciler/leases/argo-rollouts-controller-lock"
NAMESPACE = "/api/v1/namespaces/reconciler"
SLOW = "        - setWeight: 30\n        - pause: {duration: 3s}\n        - setWeight: 60\n"


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Shop]:
    async with shop(tmp_path, SLOW) as found:
        yield found


@asynccontextmanager
async def daemon(place: Shop, name: str, *, read_only: bool = False) -> AsyncIterator[list[str]]:
    """A daemon in this process; everything it writes to the API, its Lease left out."""
    writes: list[str] = []

    async def note(request: Request) -> None:
        if "/leases" not in request.path:
            writes.append(label_of(request.method, request.path) or "event")

    transport = DirectTransport(place.ground.server.call, before=note)
    stopping = asyncio.Event()
    living = Daemon(place.ground.settings, transport, place.ground.folder / name, read_only_mode=read_only)
    task = asyncio.create_task(living.run(stopping))
    try:
        yield writes
    finally:
        stopping.set()
        async with asyncio.timeout(10):
            await task


def told(place: Shop) -> list[str]:
    """What the forge was told, and who pushed."""
    calls = [(method, path) for method, path, _ in place.host.requests if method not in ("GET", "HEAD")]
    return [f"{method} {path}" for method, path in calls if path.startswith("/api/") or path.endswith("git-receive-pack")]


async def listening(place: Shop) -> list[str]:
    """What is written to the Git host from now on, told as it arrives: an ended daemon's last request may be answered only later."""
    heard: list[str] = []

    async def note(request: web.BaseRequest) -> web.StreamResponse | None:
        if request.path.endswith("git-receive-pack") or (request.path.startswith("/api/") and request.method not in ("GET", "HEAD")):
            heard.append(f"{request.method} {request.path}")
        return None

    async with httpx.AsyncClient(trust_env=False, timeout=DEADLINE) as client:
        await client.get(place.host.url)  # whatever was sent before this has arrived before this
    place.host.faults.add(Fault(note, times=None))
    return heard


async def looked_for_a_while(place: Shop, polls: int = 5) -> None:
    """Wait until the sources were looked at so many times more."""
    seen = len(place.host.requests)
    await until(lambda: len(place.host.requests) >= seen + polls, DEADLINE)


async def proven(place: Shop, version: str) -> None:
    await until(lambda: place.settled_at(version), DEADLINE)


async def test_read_only_writes_nothing(place: Shop) -> None:
    async with daemon(place, "first"):
        await proven(place, "1")
        await place.push(BAD)
        await until(lambda: place.release(BAD), DEADLINE)
    (release,) = await place.releases(BAD)
    news = {"phase": "Closed", "verdict": "superseded", "reason": "as a person says"}
    await place.api.patch(f"{RELEASES}/{release['metadata']['name']}/status", {"status": {**news, "decidedAt": "2026-11-25T03:00:00Z"}})
    heard, before = await listening(place), await place.releases(BAD)
    async with daemon(place, "second", read_only=True) as writes:
        await looked_for_a_while(place)
    assert writes == heard == []
    assert await place.releases(BAD) == before


async def test_nothing_is_written_while_frozen_and_what_is_due_is_done_afterwards(place: Shop) -> None:
    async with daemon(place, "first") as writes:
        await proven(place, "1")
        await place.push("2")

        async def at_30() -> bool:
            return await place.weights() == (70, 30)

        await until(at_30, DEADLINE)
        await frozen(place, "all")
        await noticed(place)
        before = len(writes), told(place)
        await place.push("3")
        await looked_for_a_while(place, 10)
        assert (len(writes), told(place)) == before
        assert await at_30()
        await frozen(place, None)
        await proven(place, "3")
    assert await place.weights() == (100, 0)


async def test_a_daemon_that_starts_while_frozen_writes_nothing(place: Shop) -> None:
    await frozen(place, "all")
    async with daemon(place, "first") as writes:
        await looked_for_a_while(place)
        assert writes == []
        await frozen(place, None)
        await proven(place, "1")


async def test_of_two_daemons_one_leads_and_the_other_takes_over(place: Shop) -> None:
    async with AsyncExitStack() as leading, AsyncExitStack() as waiting:
        first = await leading.enter_async_context(daemon(place, "first"))
        await until(lambda: holder(place), DEADLINE)
        second = await waiting.enter_async_context(daemon(place, "second"))
        await proven(place, "1")
        await looked_for_a_while(place)
        assert first and not second
        await leading.aclose()
        done = len(first)
        await place.push("2")
        await proven(place, "2")
        assert second and len(first) == done


async def test_loop_stalled_past_the_lease_writes_nothing(place: Shop, tmp_path: Path) -> None:
    async with process(place, tmp_path) as stalled:
        await proven(place, "1")
        await place.push("2")

        async def at_30() -> bool:
            return await place.weights() == (70, 30)

        await until(at_30, DEADLINE)
        await at_rest(stalled.door)
        os.kill(stalled.pid, signal.SIGSTOP)
        await until(lambda: expired(place), DEADLINE)
        await taken_over(place)
        written, logged = len(stalled.door.writes), stalled.log.stat().st_size
        os.kill(stalled.pid, signal.SIGCONT)
        await until(lambda: b"withheld: the lease" in stalled.log.read_bytes()[logged:], DEADLINE)
        await looked_for_a_while(place)
        assert stalled.door.writes[written:] == []
        assert await at_30()
        await place.api.delete(LEASE)
        await proven(place, "2")


# -- hands --------------------------------------------------------------------------------------------------------------


async def at_rest(door: "Door") -> None:
    """Wait until nothing was written for sixty looks: no pass is half way through its writes."""
    counts: list[int] = []

    async def quiet() -> bool:
        counts.append(len(door.writes))
        return len(counts) >= 60 and len(set(counts[-60:])) == 1

    await until(quiet, DEADLINE)


async def holder(place: Shop) -> str:
    found = await place.api.get(LEASE)
    return found["spec"].get("holderIdentity") or "" if found else ""


async def expired(place: Shop) -> bool:
    """Whether the lease was not renewed for its whole duration."""
    spec = (await place.api.get(LEASE) or {})["spec"]
    return datetime.fromisoformat(spec["renewTime"]) + timedelta(seconds=spec["leaseDurationSeconds"]) < datetime.now(UTC)


async def taken_over(place: Shop) -> None:
    """Somebody else leads from now on."""
    spec = {"holderIdentity": "reconciler-elsewhere", "leaseDurationSeconds": 3600}
    await place.api.patch(LEASE, {"spec": spec})


async def noticed(place: Shop) -> None:
    """Wait until a daemon has read our namespace twice: the first answer then has taken effect, and what was under way has ended."""
    reads = 0

    async def count(call: Call, _: Answer) -> Answer | None:
        nonlocal reads
        reads += (call.method, call.path) == ("GET", NAMESPACE)
        return None

    place.ground.server.faults_after = count
    await until(lambda: reads >= 2, DEADLINE)


async def frozen(place: Shop, scope: str | None) -> None:
    await place.api.patch(NAMESPACE, {"metadata": {"annotations": {FREEZE: scope}}})


class Door:
    """A second way into the API server, for one daemon; what comes through it is noted."""

    def __init__(self, place: Shop) -> None:
        self.writes: list[str] = []
        self.calls = 0
        self._call = place.ground.server.call

    async def call(self, call: Call) -> Answer:
        self.calls += 1
        if call.method not in ("GET", "HEAD") and "/leases" not in call.path:
            self.writes.append(f"{call.method} {call.path}")
        return await self._call(call)


@dataclass(frozen=True, slots=True)
class Process:
    """A daemon that is a process of its own."""

    pid: int
    door: Door
    log: Path


@asynccontextmanager
async def process(place: Shop, folder: Path) -> AsyncIterator[Process]:
    """A daemon's process, killed with the context."""
    door = Door(place)
    listener = Listener(door.call)
    await listener.start("127.0.0.1", 0)
    own = secret_file(folder / "kubeconfig", kubeconfig(listener.url))
    words = ["run", "-c", str(place.ground.settings_file), "--kubeconfig", str(own), "--log-format", "json"]
    with (folder / "log").open("wb") as log:
        child = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "reconciler",
            *words,
            cwd=folder,
            env=environment(folder),
            stdout=log,
            stderr=log,
            preexec_fn=dies_with_parent(),
        )
    try:
        yield Process(child.pid, door, folder / "log")
    finally:
        child.kill()
        await child.wait()
        await listener.stop()
