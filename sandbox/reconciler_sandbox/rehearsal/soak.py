"""A long time with many workloads under virtual time: memory stays flat, queues become empty, a release costs what it cost before."""

import asyncio
import gc
import logging
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import structlog

from reconciler_sandbox.node.behaviour import Behaviour
from reconciler_sandbox.rehearsal.virtual.life import Life
from reconciler_sandbox.rehearsal.virtual.loop import run_virtually
from reconciler_sandbox.rehearsal.virtual.world import Ground, World

DAY, QUIET = 86400.0, 3600.0
"""Seconds of a day, and those at its end in which nobody pushes."""
IMAGE = "registry.example.com/shop/app"
KINDS = ("Service", "Rollout.argoproj.io", "AnalysisTemplate.argoproj.io")
RELEASED, BAD = 5, 5
"""So many workloads get all the versions, so that what is kept of each reaches its limit; one version in so many crashes at start."""
WARM_UP = 0.25
"""The share of the days in which caches fill."""
MEMORY, WRITES = 1.15, 1.2
"""How much more of objects in memory, and of writes for a release, the later half of the days may have than the earlier one."""
MANIFEST = """\
apiVersion: v1
kind: Service
metadata: {{name: app, namespace: {namespace}}}
spec: {{selector: {{app: app}}, ports: [{{port: 80, targetPort: 8080}}]}}
---
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata: {{name: app, namespace: {namespace}}}
spec:
  replicas: 2
  revisionHistoryLimit: 3
  progressDeadlineSeconds: 300
  selector: {{matchLabels: {{app: app}}}}
  template:
    metadata: {{labels: {{app: app}}}}
    spec: {{containers: [{{name: app, image: "{image}", ports: [{{containerPort: 8080}}]}}]}}
  strategy: {{canary: {{steps: [{{setWeight: 50}}, {{pause: {{duration: 5m}}}}]}}}}
"""


@dataclass(frozen=True, slots=True)
class Day:
    """One day as it ended: objects in Python's memory, resident memory, objects in the cluster, and writes of the daemon in it."""

    number: int
    objects: int
    megabytes: float
    stored: int
    releases: int
    writes: int
    idle: bool

    @property
    def writes_per_release(self) -> float:
        return self.writes / max(self.releases, 1)

    def __str__(self) -> str:
        rest = "empty" if self.idle else "NOT EMPTY"
        memory = f"{self.objects:>9,} objects  {self.megabytes:7.1f} MB  {self.stored:>6,} stored"
        return f"day {self.number:>3}  {memory}  {self.writes_per_release:5.1f} writes a release  queues {rest}"


class Soak:
    """`workloads` in a namespace each; on each day there are so many `releases`, one in five of which crashes."""

    def __init__(self, workloads: int, releases: int, told: Callable[[Day], None], day: float = DAY) -> None:
        self._told = told
        self._length, self._quiet = day, min(QUIET, day / 2)
        self._workloads = workloads
        self._releases = releases
        self._pushed = 0
        self._images = dict.fromkeys(range(workloads), f"{IMAGE}:0")

    def ground(self, folder: Path) -> Ground:
        """The world that it is played in."""
        namespaces = tuple(map(_namespace, range(self._workloads)))
        files = {f"{_namespace(number)}.yaml": self._manifest(number) for number in range(self._workloads)}
        return Ground(files=files, behaviours={f"{IMAGE}:0": Behaviour("0")}, namespaces=namespaces, kinds=KINDS, folder=folder, users=1.0)

    def days(self, days: int) -> list[Day]:
        """Play so many days; structured logs are dropped."""
        before = structlog.get_config()
        structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL), cache_logger_on_first_use=False)
        try:
            with tempfile.TemporaryDirectory(prefix="soak-") as place:
                return run_virtually(self._play(self.ground(Path(place)), days))
        finally:
            structlog.configure(**before)

    async def _play(self, ground: Ground, days: int) -> list[Day]:
        found: list[Day] = []
        async with World(ground) as world:
            life = world.begin_life()
            try:
                await asyncio.sleep(self._quiet)
                for number in range(1, days + 1):
                    found.append(await self._day(world, life, number))
                    self._told(found[-1])
            finally:
                await life.end()
        return found

    async def _day(self, world: World, life: Life, number: int) -> Day:
        before = life.way.writes
        for _ in range(self._releases):
            await asyncio.sleep((self._length - self._quiet) / self._releases)
            self._push(world, life)
        await asyncio.sleep(self._quiet)
        if life.failure is not None:
            raise life.failure
        gc.collect()
        stored = sum(len(collection.entries) for collection in world.server.store.collections.values())
        return Day(number, len(gc.get_objects()), _megabytes(), stored, self._releases, life.way.writes - before, life.idle)

    def _push(self, world: World, life: Life) -> None:
        """The next workload's next version."""
        self._pushed += 1
        number, image = self._pushed % min(self._workloads, RELEASED), f"{IMAGE}:{self._pushed}"
        world.behaviours.update({image: Behaviour(str(self._pushed), crash=self._pushed % BAD == 0)})
        self._images[number] = image
        world.remote.commit({f"{_namespace(number)}.yaml": self._manifest(number)}, f"app {self._pushed}", at=world.now)
        life.hear_of_push()

    def _manifest(self, number: int) -> bytes:
        return MANIFEST.format(namespace=_namespace(number), image=self._images[number]).encode()


def _namespace(number: int) -> str:
    return f"team-{number:03}"


def _megabytes() -> float:
    """Resident memory of this process."""
    words = Path("/proc/self/status").read_text(encoding="utf-8").split("VmRSS:")
    return int(words[1].split()[0]) / 1024 if len(words) > 1 else 0.0


def growth(days: list[Day]) -> tuple[float, float]:
    """The later half beside the earlier one, without the warm-up: objects in memory, and writes for a release."""
    steady = days[int(len(days) * WARM_UP) :]
    first, second = steady[: (len(steady) + 1) // 2], steady[len(steady) // 2 :]
    objects = _mean([day.objects for day in second]) / _mean([day.objects for day in first])
    return objects, _mean([day.writes for day in second]) / _mean([day.writes for day in first])


def _mean(numbers: list[int]) -> float:
    return sum(numbers) / max(len(numbers), 1) or 1.0


def wrong_with(days: list[Day]) -> Iterator[str]:
    """What does not stay as it was."""
    memory, writes = growth(days)
    if memory > MEMORY:
        yield f"objects in memory grow {memory:.2f} times"
    if writes > WRITES:
        yield f"writes for a release grow {writes:.2f} times"
    yield from (f"queues are not empty at the end of day {day.number}" for day in days if not day.idle)
