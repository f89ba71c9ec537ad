"""From a failed measurement to route weights that are home, beside a raw PATCH of the same object on the same API server.

The API server is the sandbox's, over HTTP on loopback; the controller is the real one, with informers, queue and workers.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from statistics import median

from benchmarks.measure import Row, median_awaited
from reconciler.app.indexes import INDEXES
from reconciler.kernel.clock import SystemClock
from reconciler.kernel.identity import Manifest, ObjectRef, Resource, labels_of, name_of
from reconciler.kernel.resources import ANALYSIS_RUNS, ANALYSIS_TEMPLATES, REPLICA_SETS, ROLLOUTS, SERVICES, VIRTUAL_SERVICES
from reconciler.kernel.well_known import HASH_LABEL
from reconciler.kube.cache import Cache
from reconciler.kube.client import Client
from reconciler.kube.fence import Fence
from reconciler.kube.http import Endpoint, HttpTransport
from reconciler.kube.informer import Informer
from reconciler.rollouts.controller import RolloutController
from reconciler.rollouts.observe import ObserverTerms, RolloutObserver
from reconciler.rollouts.traffic.router import kinds_of
from reconciler.routers.registry import ROUTERS
from reconciler.runtime.access import cluster_access
from reconciler.runtime.engine import Engine
from reconciler.runtime.journal import Silence
from reconciler.runtime.recorder import Recorder
from tests.kit.clusters import api
from tests.kit.rollouts import NAMESPACE, analysis, analysis_template, canary, pause, rollout, service, virtual_service, weight
from tests.kit.stepplugins import NO_PLUGINS

DEADLINE = 30.0
WEB = ObjectRef(ROLLOUTS, NAMESPACE, "web")
ROUTE = ObjectRef(VIRTUAL_SERVICES, NAMESPACE, "web")


@dataclass(slots=True)
class Stage:
    """The cluster as a watcher sees it; `changed` wakes whoever waits for something."""

    client: Client
    cache: Cache
    changed: asyncio.Event

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait until something is seen. Raises TimeoutError."""
        async with asyncio.timeout(DEADLINE):
            while not holds():
                self.changed.clear()
                await self.changed.wait()

    @property
    def rollout(self) -> Manifest:
        return self.cache.get(ROLLOUTS, NAMESPACE, "web") or {}

    @property
    def status(self) -> Manifest:
        return self.rollout.get("status") or {}

    @property
    def weight(self) -> int:
        found = self.cache.get(VIRTUAL_SERVICES, NAMESPACE, "web") or {}
        return next((d.get("weight", 0) for d in found["spec"]["http"][0]["route"] if d["destination"]["host"] == "web-canary"), 0)


def rows(rounds: int = 5, patches: int = 100) -> list[Row]:
    """Each round is a release that fails at weight 50."""
    return asyncio.run(_rows(rounds, patches))


async def _rows(rounds: int, patches: int) -> list[Row]:
    async with _stage() as stage:
        raw = await median_awaited(lambda: _patch(stage), patches)
        spans = [await _failure(stage, number) for number in range(rounds)]
    beyond = median(spans) - raw
    beside = f"raw PATCH: {raw * 1e3:.1f} ms; {median(spans) * 1e3:.1f} ms in all"
    return [Row("failed measurement → weights home", beyond * 1e3, 50, "ms", beside)]


async def _patch(stage: Stage) -> None:
    stamp = {"metadata": {"annotations": {"bench": str(time.perf_counter())}}}
    await stage.client.patch(ROUTE, stamp)


async def _failure(stage: Stage, number: int) -> float:
    """Seconds from the answer to the run's status write until a watcher sees all traffic at home."""
    image = f"web:bad-{number}"
    containers = [{"name": "web", "image": image, "resources": {}}]
    await stage.client.patch(WEB, {"spec": {"template": {"spec": {"containers": containers}}}})
    await stage.until(lambda: stage.weight == 50 and _run(stage, image) is not None and stage.status.get("phase") == "Paused")
    run = _run(stage, image)
    assert run is not None, "the wait before has seen it"
    await stage.client.patch(ObjectRef(ANALYSIS_RUNS, NAMESPACE, name_of(run)), {"status": {"phase": "Failed", "message": "bench"}})
    begin = time.perf_counter()
    await stage.until(lambda: stage.weight == 0)
    span = time.perf_counter() - begin
    await stage.until(lambda: stage.status.get("phase") == "Degraded")
    return span


def _run(stage: Stage, image: str) -> Manifest | None:
    """The run that measures a version now."""
    found = {_image(r): labels_of(r).get(HASH_LABEL) for r in stage.cache.list(REPLICA_SETS, NAMESPACE)}
    runs = (r for r in stage.cache.list(ANALYSIS_RUNS, NAMESPACE) if labels_of(r).get(HASH_LABEL) == found.get(image, "none"))
    return next((r for r in runs if not (r.get("status") or {}).get("phase")), None)


def _image(replica_set: Manifest) -> str:
    return str(replica_set["spec"]["template"]["spec"]["containers"][0]["image"])


@asynccontextmanager
async def _stage() -> AsyncIterator[Stage]:
    """API server, controller and a watcher; pods of every ReplicaSet are available at once."""
    async with api(listening=True) as cluster, HttpTransport(Endpoint(cluster.server.url, _nobody)) as transport:
        client, seen, resized = Client(transport, Fence()), asyncio.Event(), asyncio.Event()
        await _furnish(cluster.client)
        watched = (ROLLOUTS, REPLICA_SETS, ANALYSIS_RUNS, VIRTUAL_SERVICES)
        stage = Stage(client, Cache(watched, INDEXES), seen)
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(Informer(client, stage.cache, r, lambda *_: (seen.set(), resized.set())).run()) for r in watched]
            tasks += [group.create_task(_controller(client).run()), group.create_task(_kubelet(stage, resized))]
            await stage.until(lambda: stage.status.get("phase") == "Healthy")
            yield stage
            for task in tasks:
                task.cancel()


async def _nobody() -> str:
    return ""


def _controller(client: Client) -> Engine:
    cache, clock = Cache((*RolloutController.watches, *kinds_of(ROUTERS)), INDEXES), SystemClock()
    access = cluster_access(client, cache, clock, Recorder(client, clock), Silence())
    return Engine([RolloutController(access, RolloutObserver(client, cache, ROUTERS, ObserverTerms()), NO_PLUGINS)], client, cache, clock)


async def _furnish(client: Client) -> None:
    steps = canary(weight(50), pause(), istio=True, analysis=analysis())
    wanted: list[tuple[Resource, Manifest]] = [
        (SERVICES, service("web-canary")),
        (SERVICES, service("web-stable")),
        (VIRTUAL_SERVICES, virtual_service()),
        (ANALYSIS_TEMPLATES, analysis_template(count=None)),
        (ROLLOUTS, rollout(canary=steps)),
    ]
    for resource, manifest in wanted:
        metadata = {key: value for key, value in manifest["metadata"].items() if key in ("name", "namespace")}
        await client.create(resource, {**manifest, "metadata": metadata})


async def _kubelet(stage: Stage, resized: asyncio.Event) -> None:
    """Says that the pods of a ReplicaSet are there, as often as its size changes."""
    while True:
        resized.clear()
        for replica_set in stage.cache.list(REPLICA_SETS, NAMESPACE):
            await _count(stage.client, replica_set)
        await resized.wait()


async def _count(client: Client, replica_set: Manifest) -> None:
    wanted = replica_set["spec"].get("replicas", 1)
    status = {"replicas": wanted, "readyReplicas": wanted, "availableReplicas": wanted}
    known = replica_set.get("status") or {}
    observed = replica_set["metadata"].get("generation", 1)
    if {key: known.get(key) for key in status} != status or known.get("observedGeneration") != observed:
        ref = ObjectRef(REPLICA_SETS, NAMESPACE, name_of(replica_set))
        await client.patch(ref, {"status": {**status, "observedGeneration": observed}}, subresource="status")
