"""One container of a pod: pulled, started, perhaps ended and started again, each time as its restart policy and its image say."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

import aiohttp

from reconciler_sandbox.client import ApiClient
from reconciler_sandbox.controllers.objects import Manifest, now
from reconciler_sandbox.node import program
from reconciler_sandbox.node.behaviour import Behaviour, Behaviours
from reconciler_sandbox.node.environment import command_line, environment
from reconciler_sandbox.node.log import Log
from reconciler_sandbox.node.network import Origin, Resolver
from reconciler_sandbox.node.pace import Pace
from reconciler_sandbox.node.probe import attempt_of, port_of, probe_of, watch_readiness
from reconciler_sandbox.node.program import Ended, Surroundings
from reconciler_sandbox.node.server import Identity, PodServer, Served
from reconciler_sandbox.node.unsupported import Unsupported

CRASH_AFTER = 0.02


@dataclass(frozen=True, slots=True)
class Tools:
    """What every container of a node shares."""

    client: ApiClient
    session: aiohttp.ClientSession
    resolver: Resolver
    behaviours: Behaviours
    pace: Pace
    tester_headers: tuple[str, ...]
    routed: Callable[[], Awaitable[None]]
    """Returns once whoever sends traffic to pods knows what the API holds now."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """Not running, and why."""

    reason: str
    message: str = ""


@dataclass(frozen=True, slots=True)
class Running:
    """Running since."""

    since: datetime


@dataclass(frozen=True, slots=True)
class Terminated:
    """Ended."""

    ended: Ended
    since: datetime
    until: datetime


State = Waiting | Running | Terminated


class Container:
    """Runs until its restart policy is satisfied or it is cancelled; `changed` is called whenever its status reads differently."""

    def __init__(self, spec: Manifest, pod: Manifest, address: str, tools: Tools, changed: Callable[[], None]) -> None:
        self.spec = spec
        self.state: State = Waiting("ContainerCreating")
        self.last: State | None = None
        self.ready = False
        self.restarts = 0
        self.finished = False
        self.failure = ""  # why this machine, not its image, keeps it from running
        self.served: Counter[Served] = Counter()
        self.log = Log()
        self._pod = pod
        self.address = address
        self._tools = tools
        self._changed = changed
        self._serving = False

    @property
    def name(self) -> str:
        """The container's name."""
        return str(self.spec["name"])

    @property
    def image(self) -> str:
        """The image reference as written."""
        return str(self.spec["image"])

    @property
    def image_digest(self) -> str:
        """The digest the image resolves to."""
        return self._tools.behaviours.digest(self.image)

    @property
    def is_serving(self) -> bool:
        """Whether it answers requests now."""
        return self._serving

    async def run(self, restart_policy: str) -> None:
        """Live through starts and ends."""
        try:
            await self._live(restart_policy)
        finally:
            self.log.close()

    async def _live(self, restart_policy: str) -> None:
        failures = 0
        while True:
            await self._pull()
            ended, lasted = await self._start()
            if restart_policy == "Never" or (restart_policy == "OnFailure" and ended.code == 0):
                self.finished = True
                self._changed()
                return
            failures = 0 if lasted > 2 * self._tools.pace.longest_backoff else failures
            await self._back_off(failures)
            failures += 1
            self.restarts += 1

    async def _pull(self) -> None:
        failures = 0
        while not self._can_be_pulled():
            reason = "ErrImagePull" if failures == 0 else "ImagePullBackOff"
            self._show(Waiting(reason, f'failed to pull image "{self.image}": not found'))
            pause = min(self._tools.pace.restart_backoff * 2.0**failures, self._tools.pace.longest_backoff)
            failures += 1
            try:
                async with asyncio.timeout(pause):
                    await self._tools.behaviours.change()
            except TimeoutError:
                continue

    def _can_be_pulled(self) -> bool:
        """Known images, and programs: a Job's command may turn out to be one that the sandbox does not have, and then says so."""
        if self.image in self._tools.behaviours or program.is_known(self.spec):
            return True
        return not self._is_long_running and bool(command_line(self.spec, {}))

    @property
    def _is_long_running(self) -> bool:
        return bool(self._pod["spec"].get("restartPolicy", "Always") == "Always")

    async def _start(self) -> tuple[Ended, float]:
        since = now()
        self._show(Running(since))
        try:
            ended = await self._execute()
        finally:
            self.ready = False
        until = now()
        self._show(Terminated(ended, since, until))
        return ended, (until - since).total_seconds()

    async def _back_off(self, failures: int) -> None:
        pause = min(self._tools.pace.restart_backoff * 2.0**failures, self._tools.pace.longest_backoff)
        self.last = self.state
        metadata = self._pod["metadata"]
        place = f"pod={metadata['name']}_{metadata['namespace']}({metadata['uid']})"
        self._show(Waiting("CrashLoopBackOff", f"back-off {pause:g}s restarting failed container={self.name} {place}"))
        await asyncio.sleep(pause)

    async def _execute(self) -> Ended:
        behaviour = self._tools.behaviours.get(self.image)
        if behaviour is not None and behaviour.exits is not None:
            return await self._exit(behaviour, behaviour.exits)
        if behaviour is not None and self._is_long_running:
            return await self._serve(behaviour)
        return await self._call()

    async def _exit(self, behaviour: Behaviour, code: int) -> Ended:
        await asyncio.sleep(behaviour.latency)
        self.log.write(f"{behaviour.version} exits with {code}\n")
        return Ended(code)

    async def _call(self) -> Ended:
        try:
            words = command_line(self.spec, environment(self.spec))
        except Unsupported as problem:
            return program.refused(problem)
        aliases = {name: entry["ip"] for entry in self._pod["spec"].get("hostAliases") or () for name in entry.get("hostnames") or ()}
        origin = Origin(self._pod["metadata"]["namespace"], self.address, aliases)
        self._show_ready(True)
        return await program.run(words, Surroundings(self._tools.session, self._tools.resolver, origin, self.log.write))

    async def _serve(self, behaviour: Behaviour) -> Ended:
        if behaviour.crash:
            await asyncio.sleep(CRASH_AFTER)
            self.log.write(f"{behaviour.version} crashed at start\n")
            return Ended(1)
        metadata = self._pod["metadata"]
        server = PodServer(
            Identity(metadata["namespace"], metadata["name"], self.image), self._tools.behaviours, self._tools.tester_headers
        )
        server.served = self.served
        try:
            try:
                ports = self._tools.resolver.ports
                await server.start(self.address, tuple(ports.open(self.address, port) for port in self._ports()))
            except OSError as error:
                self.failure = f"cannot listen on {self.address}: {error.strerror or error}"
                return Ended(1, self.failure)
            self.failure = ""
            self._serving = True
            return await self._until_crash(server, behaviour)
        finally:
            self._serving = False
            await server.stop()

    async def _until_crash(self, server: PodServer, behaviour: Behaviour) -> Ended:
        self.log.write(f"{behaviour.version} listens on {self._tools.resolver.known_as(self.address)}\n")
        readiness = asyncio.create_task(self._become_ready(behaviour))
        try:
            while not behaviour.crash:
                await self._tools.behaviours.change()
                behaviour = self._tools.behaviours.get(self.image, behaviour)
        finally:
            readiness.cancel()
            await asyncio.gather(readiness, return_exceptions=True)
        self.log.write(f"{behaviour.version} crashed\n")
        return Ended(1)

    async def _become_ready(self, behaviour: Behaviour) -> None:
        probe = self.spec.get("readinessProbe")
        if not probe:
            await asyncio.sleep(behaviour.ready_after)
            self._show_ready(True)
            return
        attempt = attempt_of(probe, self.spec, self.where, self._tools.session)
        if attempt is None:
            self.log.write(f"readiness probe {sorted(probe)[0]} is not supported by the sandbox: never ready\n")
            return
        await watch_readiness(probe_of(probe, self._tools.pace.probe_period), attempt, self._show_ready)

    def where(self, port: int) -> tuple[str, int]:
        """Where a port is answered on this machine. Raises ConnectionRefusedError for one that was never opened."""
        return self._tools.resolver.listening(self.address, port)

    def _ports(self) -> tuple[int, ...]:
        declared = {int(port["containerPort"]) for port in self.spec.get("ports") or () if port.get("protocol", "TCP") == "TCP"}
        probe = (self.spec.get("readinessProbe") or {}).get("httpGet")
        probed = {port_of(probe["port"], self.spec)} - {0} if probe else set()
        return tuple(sorted(declared | probed))

    def _show(self, state: State) -> None:
        self.state = state
        self._changed()

    def _show_ready(self, ready: bool) -> None:
        if ready is not self.ready:
            self.ready = ready
            self._changed()
