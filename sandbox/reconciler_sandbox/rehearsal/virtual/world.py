"""Everything around the daemon, in memory and under one loop: API server, controllers, a node, traffic, metrics and a Git server."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from reconciler.app.settings.model import NotifierSettings, Settings
from reconciler.runtime.journal import Journal, Silence
from reconciler.sources.renderer import RenderOptions
from reconciler.sources.settings import Allow, ForgeSettings, SourceSettings
from reconciler_sandbox.apiserver.server import ApiServer
from reconciler_sandbox.client import ApiClient
from reconciler_sandbox.cluster import built_in
from reconciler_sandbox.controllers.loop import run
from reconciler_sandbox.controllers.objects import TIME
from reconciler_sandbox.node.behaviour import Behaviour, Behaviours
from reconciler_sandbox.node.pace import Pace
from reconciler_sandbox.rehearsal.fittings import definitions
from reconciler_sandbox.rehearsal.virtual.calls import exit_code
from reconciler_sandbox.rehearsal.virtual.faults import Weather
from reconciler_sandbox.rehearsal.virtual.forge import FORGE, MemoryForge
from reconciler_sandbox.rehearsal.virtual.forge import REPOSITORY as PULLS
from reconciler_sandbox.rehearsal.virtual.git import MemoryRunner
from reconciler_sandbox.rehearsal.virtual.http import PROMETHEUS, MemoryHttp, Server
from reconciler_sandbox.rehearsal.virtual.inbox import HOOK, INBOX, MemoryInbox
from reconciler_sandbox.rehearsal.virtual.life import Footing, Life
from reconciler_sandbox.rehearsal.virtual.loop import BEGINNING, virtual_now
from reconciler_sandbox.rehearsal.virtual.node import VirtualNode
from reconciler_sandbox.rehearsal.virtual.objects import ObjectStore
from reconciler_sandbox.rehearsal.virtual.remote import MemoryRemote
from reconciler_sandbox.rehearsal.virtual.traffic import Traffic

REPOSITORY = "file:///simulated/manifests"
SOURCE = "simulated"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What a world is made of: the manifests in Git, who runs how, where the daemon may write, and the seed of all dice."""

    files: Mapping[str, bytes]
    behaviours: Mapping[str, Behaviour]
    namespaces: tuple[str, ...]
    kinds: tuple[str, ...]
    folder: Path
    seed: int = 0
    users: float = 20.0
    namespace: str = ""
    """Of objects that name none."""
    interval: timedelta = timedelta(seconds=30)
    weather: Weather = field(default_factory=Weather)
    renderer: str = ""
    options: RenderOptions = field(default_factory=RenderOptions)
    """Which folder the source follows, and how it is rendered."""
    journal: Journal = field(default_factory=Silence)
    settings: Settings | None = None
    """What the daemon is told in place of one source of these files."""
    told: bool = False
    """True where people read pull requests on a forge, and messages of a notifier."""


class World:
    """An async context manager; people act on `remote` and `api`, and daemons come and go."""

    def __init__(self, ground: Ground) -> None:
        self.ground = ground
        self.behaviours = Behaviours(ground.behaviours)
        self.server = ApiServer(now=virtual_now, seed=ground.seed)
        self.api = ApiClient(self.server.call)
        self.remote = MemoryRemote()
        asked = any(b"istio_request_duration" in content for content in ground.files.values())
        origin = BEGINNING.timestamp()
        self.traffic = Traffic(self.server.store, self.behaviours, users=ground.users, origin=origin, durations=asked)
        self.forge, self.inbox = MemoryForge(self.remote), MemoryInbox()
        self.servers = {FORGE: Server(self.forge.answer), INBOX: Server(self.inbox.answer)}
        self.http = MemoryHttp(self.traffic.store, self._advance, self.servers)
        self.settings = ground.settings or settings_of_world(ground)
        self._mirror = ObjectStore()
        self._lives = 0
        self._task: asyncio.Task[None] | None = None

    def _advance(self) -> None:
        self.traffic.advance(asyncio.get_running_loop().time())

    async def __aenter__(self) -> Self:
        TIME.set(virtual_now)
        self.remote.commit(dict(self.ground.files), "manifests", at=self.now)
        for definition in definitions():
            await self.api.create("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", definition)
        for name in dict.fromkeys(("reconciler", *self.ground.namespaces)):
            namespace: dict[str, Any] = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
            if await self.api.get(f"/api/v1/namespaces/{name}") is None:
                await self.api.create("/api/v1/namespaces", namespace)
        self.server.store.observers.append(lambda c, _kind, _entry: self.traffic.changes(c, asyncio.get_running_loop().time()))
        self._task = asyncio.create_task(self._run(), name="world")
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        assert self._task is not None
        if self._task.done() and not self._task.cancelled():
            self._task.result()
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task

    async def _run(self) -> None:
        pace = Pace(job_backoff=10.0)
        async with asyncio.TaskGroup() as group:
            group.create_task(self.server.collect())
            group.create_task(run(self.api, built_in(self.api, pace)))
            group.create_task(VirtualNode(self.api, self.behaviours, lambda container: exit_code(container, self.traffic)).run())

    def behave(self, images: Mapping[str, Behaviour]) -> None:
        """From now on images behave so, also where they run already."""
        self.traffic.close(asyncio.get_running_loop().time())
        self.behaviours.update(images)

    @property
    def now(self) -> int:
        """Unix seconds."""
        return int(virtual_now().timestamp())

    def begin_life(self, *, forgetful: bool = False) -> Life:
        """A daemon starts; a forgetful one finds an empty disk."""
        if forgetful:
            self._mirror = ObjectStore()
        self._lives += 1
        mirror, remotes = self._mirror, {REPOSITORY: self.remote}
        footing = Footing(
            settings=self.settings,
            call=self.server.call,
            http=self.http,
            runners=lambda directory, _home: MemoryRunner(directory, mirror, remotes),
            folder=self.ground.folder,
            seed=self.ground.seed * 1000 + self._lives,
            journal=self.ground.journal,
        )
        life = Life(footing, self.ground.weather)
        life.start()
        return life


def settings_of_world(ground: Ground) -> Settings:
    """What the daemon is told: one source that it applies, all controllers, the defaults of everything else."""
    source = SourceSettings(
        name=SOURCE,
        repository=REPOSITORY,
        branch="main",
        path=ground.options.path or ".",
        renderer=ground.renderer,
        exclude=ground.options.exclude,
        helm=ground.options.helm,
        jsonnet=ground.options.jsonnet,
        application=ground.options.application,
        environment="simulated",
        interval=ground.interval,
        apply=True,
        allow=Allow(namespaces=ground.namespaces, kinds=ground.kinds),
        namespace=ground.namespace,
        forge=ForgeSettings(kind="github", api=FORGE, repository=PULLS, token_file="/dev/null") if ground.told else None,
    )
    return Settings(
        instance_id="",
        job_namespace="",
        namespace="reconciler",
        listen="",
        prometheus=PROMETHEUS,
        controllers=("rollout", "analysis", "release"),
        workdir="",
        lease_duration=timedelta(seconds=15),
        lease_renewal=timedelta(seconds=5),
        webhook_secret_file="",
        policies="",
        sources=(source,),
        notifiers=(NotifierSettings(name="inbox", kind="webhook", url=INBOX + HOOK),) if ground.told else (),
    )
