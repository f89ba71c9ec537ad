"""A fleet of routed canaries: what a release costs in a small and in a large one, a push to many, and idling. A daemon of its own process.

Git is served over smart HTTP, the API server is the sandbox's or a real one; pods of every ReplicaSet are available at once.
"""

import asyncio
import hashlib
import hmac
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import orjson
import yaml
from reconciler_sandbox.rehearsal.daemon import Daemon

from benchmarks.grounds import EVENT, LIST, READ, WRITE, Calls, Ground, real_ground, sandbox_ground
from benchmarks.measure import Row
from reconciler.kernel.identity import Manifest, ObjectRef, Resource, name_of, uid_of
from reconciler.kernel.resources import PODS as PODS_OF
from reconciler.kernel.resources import REPLICA_SETS, ROLLOUTS
from reconciler.kube.cache import Cache
from reconciler.kube.client import Client
from reconciler.kube.config import endpoint
from reconciler.kube.errors import NotFound
from reconciler.kube.fence import Fence
from reconciler.kube.http import HttpTransport
from reconciler.kube.informer import Informer
from scripts.real.errors import NotObtained
from tests.kit.clusters import running
from tests.kit.ports import free_port
from tests.kit.repositories import Origin
from tests.kit.rollouts import NAMESPACE, canary, pause, rollout, service, virtual_service, weight
from tests.kit.smarthttp import serve
from tests.kit.store import merged
from tests.real.kit.servers import NOT_RUN

Stand = Callable[[Path], AbstractAsyncContextManager[Ground]]
DEADLINE = 900.0
IDLE_SECONDS = 20.0
SETTLE_SECONDS = 10.0
PODS = 1
CONCURRENCY = 16
WRITES, EVENTS, READS, ASKED_IDLE = 23.0, 8.0, 2.0, 32.0
"""Calls a release of the reference with raised limits (without events), the goals for events and reads; calls a minute when idle."""
IDLE_PROCESSOR = 0.05
"""Seconds of a core a minute."""
RATE = "writes/s of the raw PATCH rate"
TICKS = os.sysconf("SC_CLK_TCK")
SECRET = b"bench"
PAGE = os.sysconf("SC_PAGE_SIZE")


class Kubelet:
    """Says that the pods of a ReplicaSet are there, as often as its size changes."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._resized: asyncio.Queue[Manifest] = asyncio.Queue()

    def hear(self, resource: Resource, manifest: Manifest) -> None:
        if resource == REPLICA_SETS:
            self._resized.put_nowait(manifest)

    async def run(self) -> None:
        while True:
            found = await self._resized.get()
            wanted, known = found["spec"].get("replicas", 1), found.get("status") or {}
            status = {
                "replicas": wanted,
                "readyReplicas": wanted,
                "availableReplicas": wanted,
                "observedGeneration": found["metadata"]["generation"],
            }
            if any(known.get(key, 0) != value for key, value in status.items()):
                with suppress(NotFound):
                    await self._client.patch(ObjectRef(REPLICA_SETS, NAMESPACE, name_of(found)), {"status": status}, subresource="status")


@dataclass(slots=True)
class Fleet:
    """The daemon, what it follows and what it steers; `seen` is what the bench sees of the server."""

    ground: Ground
    seen: Cache
    origin: Origin
    daemon: Daemon
    repository: str

    async def push(self, numbers: Iterable[int], version: str) -> None:
        """Commit, and tell the daemon as a Git host does."""
        files = {f"web-{number}.yaml": _manifest(number, version) for number in numbers}
        after = self.origin.commit(files, f"version {version}")
        body = orjson.dumps({"ref": "refs/heads/main", "after": after, "repository": {"clone_url": self.repository}})
        headers = {
            "X-GitHub-Event": "push",
            "X-GitHub-Delivery": version,
            "X-Hub-Signature-256": f"sha256={hmac.new(SECRET, body, hashlib.sha256).hexdigest()}",
        }
        async with httpx.AsyncClient(trust_env=False) as client:
            (await client.post(self.daemon.ready_url.replace("/readyz", "/webhook"), content=body, headers=headers)).raise_for_status()

    async def settled(self, numbers: Iterable[int], version: str) -> None:
        """Until each of these runs a version and is healthy; fails with what the daemon said last."""
        open_ones, deadline = set(numbers), time.perf_counter() + DEADLINE
        while open_ones := {number for number in open_ones if not self._is_healthy(number, version)}:
            late = f"{len(open_ones)} never got {version}: {self.daemon.last_words()}" if time.perf_counter() > deadline else ""
            assert not (said := self.daemon.failure or late), said
            await asyncio.sleep(0.05)

    def is_there(self, number: int) -> bool:
        return self.seen.get(ROLLOUTS, NAMESPACE, f"web-{number}") is not None

    def _is_healthy(self, number: int, version: str) -> bool:
        found = self.seen.get(ROLLOUTS, NAMESPACE, f"web-{number}")
        if found is None or found["spec"]["template"]["spec"]["containers"][0]["image"] != f"web:{version}":
            return False
        status = found.get("status") or {}
        observed = status.get("observedGeneration") == str(found["metadata"]["generation"])
        return observed and status.get("phase") == "Healthy" and status.get("stableRS") == status.get("currentPodHash")

    async def quiet(self) -> None:
        """Until the daemon has written nothing for a while: old versions have gone, and what was scribbled over is put right."""
        async with asyncio.timeout(DEADLINE):
            while True:
                self.ground.counted()
                await asyncio.sleep(SETTLE_SECONDS)
                kinds = self.ground.counted().kinds
                if not kinds[WRITE] + kinds[EVENT]:
                    return

    async def start(self) -> None:
        """Start the daemon, or another one in its place."""
        await self.daemon.stop()
        await self.daemon.start()
        assert await self.daemon.ready() == "ready", self.daemon.last_words()

    @property
    def memory(self) -> float:
        """Resident MiB of the daemon."""
        return int(Path(f"/proc/{self.daemon.pid}/statm").read_text(encoding="ascii").split()[1]) * PAGE / 2**20

    @property
    def processor_seconds(self) -> float:
        """User and system time of the daemon and of its children that have ended."""
        words = Path(f"/proc/{self.daemon.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        return sum(map(int, words[11:15])) / TICKS


@dataclass(frozen=True, slots=True)
class Wave:
    """What one push to many rollouts cost."""

    releases: int
    seconds: float
    processor: float
    calls: Calls

    def each(self, kind: str) -> float:
        """Calls of a kind a release."""
        return self.calls.kinds[kind] / self.releases

    @property
    def written(self) -> int:
        return self.calls.kinds[WRITE] + self.calls.kinds[EVENT]

    @property
    def targets(self) -> str:
        """What was written a release, by resource."""
        return ", ".join(f"{what} {count / self.releases:.1f}" for what, count in self.calls.written.most_common())

    def __str__(self) -> str:
        told = ", ".join(f"{count} {kind}" for kind, count in sorted(self.calls.kinds.items()))
        return f"all healthy after {self.seconds:.1f} s; {told}"


def rows(small: int = 100, large: int = 1000, pushed: int = 500) -> list[Row]:
    """On the sandbox's API server. Linux only: memory and time of a process are read from /proc."""
    return asyncio.run(_rows(sandbox_ground, small, large, pushed)) if sys.platform.startswith("linux") else []


def real_rows(small: int = 100, large: int = 1000, pushed: int = 500) -> list[Row]:
    """The same on a real API server, which shares the machine; a line says so where there is none."""
    if not sys.platform.startswith("linux"):
        return []
    try:
        found = asyncio.run(_rows(real_ground, small, large, pushed))
    except NotObtained as reason:
        print(f"{NOT_RUN}: {reason}", file=sys.stderr)
        return []
    return [replace(row, what=f"real API server: {row.what}") for row in found]


async def _rows(stand: Stand, small: int, large: int, pushed: int) -> list[Row]:
    with tempfile.TemporaryDirectory(prefix="reconciler-bench-") as folder:
        async with _fleet(Path(folder), stand) as fleet:
            empty = fleet.memory
            await _grown(fleet, range(small))
            alone = await _wave(fleet, range(small), "2")
            await _grown(fleet, range(large))
            among_many = await _wave(fleet, range(small), "3")
            wide = await _wave(fleet, range(pushed), "4")
            raw = await _raw_rate(fleet, range(pushed))
            return [
                *_release_rows(alone, among_many, large),
                Row(f"{pushed} rollouts receive a new image in one push", wide.written / wide.seconds, raw, RATE, str(wide)),
                *await _idle(fleet, empty, large),
            ]


def _release_rows(alone: Wave, among_many: Wave, large: int) -> list[Row]:
    """What a release costs, alone and in a large fleet: nothing in a pass may grow with the fleet."""
    count = alone.releases
    spent, before = (wave.processor / wave.releases * 1000 for wave in (among_many, alone))
    return [
        Row(
            f"{count} of {large:,} rollouts releasing: CPU a release", spent, before, f"ms, of that in a fleet of {count}", str(among_many)
        ),
        Row("writes a release, without events", among_many.each(WRITE), WRITES, "", among_many.targets),
        Row("events a release", among_many.each(EVENT), EVENTS, ""),
        Row("objects read a release", among_many.each(READ), READS, "", f"{among_many.calls.kinds[LIST]} lists in all"),
    ]


async def _grown(fleet: Fleet, numbers: range) -> None:
    """Rollouts that are not there yet get their first version."""
    new = [number for number in numbers if not fleet.is_there(number)]
    await fleet.push(new, "1")
    await fleet.settled(new, "1")


async def _wave(fleet: Fleet, numbers: range, version: str) -> Wave:
    """From a push until all are healthy."""
    fleet.ground.counted()
    used, begin = fleet.processor_seconds, time.perf_counter()
    await fleet.push(numbers, version)
    await fleet.settled(numbers, version)
    return Wave(len(numbers), time.perf_counter() - begin, fleet.processor_seconds - used, fleet.ground.counted())


async def _raw_rate(fleet: Fleet, numbers: range) -> float:
    """Status patches per second of as many workers as the daemon has."""
    async with HttpTransport(endpoint(str(fleet.daemon.log.with_name("kubeconfig")))) as transport:
        client = Client(transport, Fence())
        left = iter([*numbers] * 4)

        async def work() -> None:
            for number in left:
                body = {"status": {"message": f"raw {time.perf_counter()}"}}
                await client.patch(ObjectRef(ROLLOUTS, NAMESPACE, f"web-{number}"), body, subresource="status")

        begin = time.perf_counter()
        await asyncio.gather(*(work() for _ in range(CONCURRENCY)))
        return len(numbers) * 4 / (time.perf_counter() - begin)


async def _idle(fleet: Fleet, empty: float, count: int) -> list[Row]:
    """Nothing happens but polls, leases and resyncs."""
    after_work = fleet.memory
    await fleet.start()
    replica_sets = fleet.seen.list(REPLICA_SETS)
    await _add_pods(fleet.ground.client, replica_sets)
    await fleet.quiet()
    used, begin = fleet.processor_seconds, time.perf_counter()
    await asyncio.sleep(IDLE_SECONDS)
    minute, spent = 60 / (time.perf_counter() - begin), fleet.processor_seconds - used
    count_of_sets, calls = len(replica_sets), fleet.ground.counted().kinds
    beside = (
        f"{count_of_sets:,} ReplicaSets, {count_of_sets * PODS:,} pods; {empty:.0f} MiB without any, {after_work:.0f} MiB before a restart"
    )
    asked = ", ".join(f"{count} {kind}" for kind, count in sorted(calls.items()))
    return [
        Row(f"{count:,} rollouts idle: memory above the empty daemon", fleet.memory - empty, 150, "MiB", beside),
        Row(f"{count:,} rollouts idle: CPU a minute", spent * minute, IDLE_PROCESSOR, "s", f"over {IDLE_SECONDS:g} s"),
        Row(f"{count:,} rollouts idle: calls a minute", calls.total() * minute, ASKED_IDLE, "", asked),
    ]


async def _add_pods(client: Client, replica_sets: Sequence[Manifest]) -> None:
    for found in replica_sets:
        owner = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": name_of(found), "uid": uid_of(found), "controller": True}
        template = found["spec"]["template"]
        for number in range(PODS):
            labels = template["metadata"]["labels"]
            metadata = {"name": f"{name_of(found)}-{number}", "namespace": NAMESPACE, "labels": labels, "ownerReferences": [owner]}
            await client.create(PODS_OF, {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"]})


@asynccontextmanager
async def _fleet(folder: Path, stand: Stand) -> AsyncIterator[Fleet]:
    origin = Origin(folder / "host" / "fleet.git")
    origin.commit({"README.md": "empty"})
    with serve(origin.path.parent) as host:
        async with stand(folder) as ground:
            (folder / "kubeconfig").write_text(ground.kubeconfig, encoding="utf-8")
            words = [
                sys.executable,
                "-m",
                "reconciler",
                "run",
                "-c",
                "reconciler.yaml",
                "--kubeconfig",
                "kubeconfig",
                "--log-format",
                "json",
            ]
            daemon = Daemon(words, folder, f"http://127.0.0.1:{free_port()}/readyz")
            (folder / "secret").write_bytes(SECRET)
            settings = _settings(host.url("fleet.git"), urlsplit(daemon.ready_url).netloc, folder / "secret")
            (folder / "reconciler.yaml").write_text(settings, encoding="utf-8")
            kubelet, seen = Kubelet(ground.client), Cache((ROLLOUTS, REPLICA_SETS), {})
            informers = [Informer(ground.client, seen, resource, kubelet.hear) for resource in (ROLLOUTS, REPLICA_SETS)]
            fleet = Fleet(ground, seen, origin, daemon, host.url("fleet.git"))
            try:
                async with running(kubelet.run(), *(informer.run() for informer in informers)):
                    await fleet.start()
                    yield fleet
            finally:
                await daemon.stop()


def _manifest(number: int, version: str) -> str:
    """A routed canary, its two Services and its route."""
    name = f"web-{number}"
    labels, sides = {"app": name}, {"canaryService": f"{name}-canary", "stableService": f"{name}-stable"}
    routing = {"istio": {"virtualService": {"name": name}}}
    steps = canary(weight(20), pause("1s"), weight(60), **sides, scaleDownDelaySeconds=5, trafficRouting=routing)
    made = rollout(name=name, image=f"web:{version}", replicas=PODS, canary=steps)
    made["metadata"] = {"name": name, "namespace": NAMESPACE}
    made["spec"]["selector"]["matchLabels"] = made["spec"]["template"]["metadata"]["labels"] = labels
    route = virtual_service(name)
    route["spec"]["http"][0]["route"] = [
        {"destination": {"host": side}, "weight": share} for side, share in zip(sides.values(), (0, 100), strict=True)
    ]
    services = [merged(service(side), {"spec": {"selector": labels}}) for side in sides.values()]
    return "\n---\n".join(orjson.dumps(manifest).decode() for manifest in (made, route, *services))


def _settings(repository: str, listen: str, secret: Path) -> str:
    source = {
        "name": "fleet",
        "repository": repository,
        "branch": "main",
        "environment": "bench",
        "interval": "30s",
        "apply": True,
        "allow": {"namespaces": [NAMESPACE], "kinds": ["Rollout.argoproj.io", "Service", "VirtualService.networking.istio.io"]},
    }
    return yaml.safe_dump({"listen": listen, "webhook": {"secretFile": str(secret)}, "sources": [source]})
