"""The mesh: watches the API, renders, brings into force, keeps Envoy alive. One Envoy plays the gateway and every sidecar."""

import asyncio
import contextlib
from collections.abc import Mapping
from pathlib import Path

import structlog

from reconciler_sandbox.client import ApiClient
from reconciler_sandbox.mesh.errors import EnvoyFailed, Rejected
from reconciler_sandbox.mesh.files import Files
from reconciler_sandbox.mesh.objects import KINDS, Objects
from reconciler_sandbox.mesh.process import Envoy, free_ports
from reconciler_sandbox.mesh.translate.bootstrap import bootstrap
from reconciler_sandbox.mesh.translate.hosts import reference
from reconciler_sandbox.mesh.translate.render import render
from reconciler_sandbox.mesh.translate.terms import Config, Json, Layout
from reconciler_sandbox.mesh.trial import offenders
from reconciler_sandbox.podnetwork import PodPorts

LOOPBACK = "127.0.0.1"
DEFAULT_GATEWAY_PORTS = {80: 0}
START_ATTEMPTS = 4  # a port that was free when asked may be taken when Envoy binds it
COALESCE_SECONDS = 0.002
SHORTEST_RETRY_SECONDS, LONGEST_RETRY_SECONDS = 0.1, 5.0
SETTLE_SECONDS = 30.0
log = structlog.get_logger()


class Mesh:
    """Serves the Services, Istio objects and Ingresses of one API on loopback ports.

    `gateway_ports` maps the ports that Gateways declare to the ports to listen on; 0 chooses a free one. `problems` says what
    is not served and why, by object (`VirtualService default/web`). `ports` tells where the ports of pods are, as their node knows.
    """

    def __init__(
        self, api: ApiClient, *, folder: Path, gateway_ports: Mapping[int, int] | None = None, ports: PodPorts | None = None
    ) -> None:
        self._folder = folder
        self._asked = dict(gateway_ports or DEFAULT_GATEWAY_PORTS)
        self._objects = Objects(api)
        self._envoy = Envoy(folder)
        self._files = Files(folder, self._envoy.admin)
        self._layout = Layout(gateway_ports={}, mesh_port=0, stats_port=0, ports=ports or PodPorts())
        self._refused: dict[str, tuple[Json, str]] = {}
        self._in_force = -1
        self._progress = asyncio.Condition()
        self._tasks: list[asyncio.Task[None]] = []
        self.problems: dict[str, str] = {}
        self.restarts = 0

    async def start(self) -> None:
        """Start Envoy with nothing to serve, then follow the API; raises EnvoyFailed or EnvoyMissing."""
        self._folder.mkdir(parents=True, exist_ok=True)
        try:
            await self._start_on_free_ports()
        except BaseException:
            await self.stop()
            raise
        followers = [self._objects.follow(kind) for kind in KINDS]
        self._objects.changed.set()
        self._tasks = [asyncio.create_task(work) for work in (*followers, self._keep_in_force(), self._keep_alive())]

    async def stop(self) -> None:
        """End everything that `start` began."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []
        await self._envoy.stop()
        self._envoy.close()

    def gateway_address(self, port: int = 80) -> tuple[str, int]:
        """Where the gateway port that Gateways declare as `port` listens."""
        return LOOPBACK, self._layout.gateway_ports[port]

    @property
    def mesh_address(self) -> tuple[str, int]:
        """Where clients inside the mesh connect, naming the service in the Host header."""
        return LOOPBACK, self._layout.mesh_port

    @property
    def stats_url(self) -> str:
        """Istio's metrics in Prometheus's text format."""
        return f"http://{LOOPBACK}:{self._layout.stats_port}/stats/prometheus"

    @property
    def envoy_pid(self) -> int | None:
        """The process that serves, while there is one."""
        return self._envoy.pid

    async def settled(self, timeout: float = SETTLE_SECONDS) -> None:
        """Wait until everything that the API holds now is in force in Envoy; raises TimeoutError, or what ended the mesh."""
        async with asyncio.timeout(timeout):
            generation = await self._objects.caught_up()
            async with self._progress:
                await self._progress.wait_for(lambda: self._in_force >= generation or self._failed())
        for task in self._tasks:
            if task.done() and not task.cancelled():
                task.result()

    def _failed(self) -> bool:
        return any(task.done() for task in self._tasks)

    async def _start_on_free_ports(self) -> None:
        for attempt in range(1, START_ATTEMPTS + 1):
            self._layout = _layout(self._asked, self._layout.ports)
            self._files.write_all(render((), self._layout))
            try:
                return await self._start_envoy()
            except EnvoyFailed as failure:
                if "in use" not in str(failure) or attempt == START_ATTEMPTS:
                    raise

    async def _start_envoy(self) -> None:
        """Envoy is ready even if it could not open a listener that comes from a file: that is a failure here."""
        await self._envoy.start(bootstrap(self._layout, str(self._envoy.socket)))
        try:
            await self._files.listening()
        except (Rejected, TimeoutError) as error:
            await self._envoy.stop()
            raise EnvoyFailed(f"Envoy does not listen: {self._envoy.last_words()}") from error

    async def _keep_alive(self) -> None:
        """Start Envoy again whenever it ends; the files on disk are what it served before."""
        pause = SHORTEST_RETRY_SECONDS
        while True:
            code = await self._envoy.ended()
            log.warning("Envoy ended and is started again", code=code, log=self._envoy.last_words())
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_RETRY_SECONDS)
            with contextlib.suppress(EnvoyFailed):
                await self._start_envoy()
                pause = SHORTEST_RETRY_SECONDS
                self.restarts += 1
                self._objects.changed.set()

    async def _keep_in_force(self) -> None:
        pause = SHORTEST_RETRY_SECONDS
        while True:
            await self._objects.changed.wait()
            await asyncio.sleep(COALESCE_SECONDS)  # a Service, its Endpoints and its routes usually change together
            self._objects.changed.clear()
            generation = self._objects.generation
            try:
                await self._bring_into_force(self._objects.all())
            except (EnvoyFailed, Rejected, TimeoutError) as failure:
                self._complain(str(failure) or type(failure).__name__)
                await asyncio.sleep(pause)
                pause = min(pause * 2, LONGEST_RETRY_SECONDS)
                continue
            pause = SHORTEST_RETRY_SECONDS
            async with self._progress:
                self._in_force = generation
                self._progress.notify_all()

    def _complain(self, reason: str) -> None:
        """Say that the newest objects are not in force, and have another try."""
        log.warning("configuration not in force; trying again", reason=reason)
        self.problems = {**self.problems, "Envoy": reason}
        self._objects.changed.set()

    async def _bring_into_force(self, objects: list[Json]) -> None:
        try:
            await self._apply(objects)
        except Rejected:
            await self._refuse_offenders(objects)
            await self._apply(objects)

    async def _apply(self, objects: list[Json]) -> None:
        """Render and apply all but the objects that Envoy refused as they are now."""
        self._refused = {name: entry for name, entry in self._refused.items() if entry[0] in objects}
        config: Config = render([manifest for manifest in objects if reference(manifest) not in self._refused], self._layout)
        await self._files.apply(config)
        self.problems = {**config.problems, **{name: reason for name, (_, reason) in self._refused.items()}}

    async def _refuse_offenders(self, objects: list[Json]) -> None:
        reasons = await offenders([manifest for manifest in objects if reference(manifest) not in self._refused], self._layout)
        for manifest in objects:
            if reference(manifest) in reasons:
                self._refused[reference(manifest)] = (manifest, reasons[reference(manifest)])
                log.warning("Envoy refuses an object", object=reference(manifest), reason=reasons[reference(manifest)])


def _layout(asked: Mapping[int, int], ports: PodPorts) -> Layout:
    mesh_port, stats_port, *others = free_ports(2 + len(asked))
    chosen = zip(asked.items(), others, strict=True)
    return Layout({declared: wanted or free for (declared, wanted), free in chosen}, mesh_port, stats_port, ports=ports)
