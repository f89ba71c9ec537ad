"""The stage: a whole cluster, a mesh with a real Envoy, metrics and a Git host in one temporary folder, with a real daemon beside them.

Everything listens on free loopback ports and ends with the context: no process, task, socket or folder is left.
"""

import asyncio
import shutil
import socket
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from secrets import token_urlsafe
from types import MappingProxyType, TracebackType
from typing import Self

from reconciler.git.command import require_git
from reconciler.kernel.errors import Terminal
from reconciler.kernel.identity import Manifest
from reconciler_sandbox.apiserver.server import ApiServer
from reconciler_sandbox.client import ApiClient, ApiError, Caller
from reconciler_sandbox.cluster import Workings
from reconciler_sandbox.githost.faults import Faults
from reconciler_sandbox.githost.host import GitHost
from reconciler_sandbox.mesh.errors import EnvoyFailed, EnvoyMissing
from reconciler_sandbox.mesh.mesh import Mesh
from reconciler_sandbox.metrics.metrics import Metrics
from reconciler_sandbox.node.behaviour import Behaviour, Behaviours
from reconciler_sandbox.node.network import Network
from reconciler_sandbox.node.node import NodeSettings
from reconciler_sandbox.node.pool import AddressesExhausted, AddressPool
from reconciler_sandbox.podnetwork import PodPorts
from reconciler_sandbox.rehearsal.child import Ran, program, run_command
from reconciler_sandbox.rehearsal.daemon import Daemon
from reconciler_sandbox.rehearsal.fittings import (
    ASIDE,
    BOT,
    FOLLOWED,
    NAMESPACES,
    PERSON,
    REPOSITORY,
    definitions,
    followed,
    kubeconfig,
    namespaces,
    secret_file,
    settings,
    with_sources,
)
from reconciler_sandbox.rehearsal.people import People, Place
from reconciler_sandbox.rehearsal.proxy import Proxy
from reconciler_sandbox.rehearsal.recorder import Recorder
from reconciler_sandbox.rehearsal.users import UserGroups

GATEWAY_IP = "10.0.0.80"
GATEWAY_PORTS = {80: 0, 8080: 0}
SCRAPE_SECONDS = 0.5
CURL = "curlimages/curl:8.10.1"
READY_SECONDS = 60.0
LOOK_AGAIN_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """A cluster that is not ours but at our disposal: it has controllers of its own and no nodes.

    `kubeconfig` is that of people; the daemon's own may be another, with fewer rights or with a proxy on the way.
    """

    call: Caller
    kubeconfig: str
    daemon_kubeconfig: str = ""


class Stage:
    """One stage that serves the manifest repository `sample`. `api_faults` puts a proxy before the daemon's API, which costs speed.

    With `elsewhere` the daemon runs on that cluster, and our nodes and mesh are attached to it through its API alone.
    """

    sources: Mapping[str, str] = FOLLOWED
    """Name and folder of each source that is followed, where the sample has it."""
    namespaces: Sequence[str] = NAMESPACES

    def __init__(
        self,
        sample: Path,
        images: Mapping[str, Behaviour] | None = None,
        *,
        api_faults: bool = False,
        elsewhere: Elsewhere | None = None,
    ) -> None:
        self.began = time.time()
        self.folder = Path()
        self.behaviours = Behaviours({CURL: Behaviour("curl"), **(images or {})})
        self.ports = PodPorts()
        self.server = ApiServer()
        self._elsewhere = elsewhere
        self._call = elsewhere.call if elsewhere else self.server.call
        self.api = ApiClient(self._call)
        self._sample = sample
        self._api_faults = api_faults
        self._proxies: dict[str, Proxy] = {}
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            await self._build(stack)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self._stack.aclose()

    # -- what stories use ---------------------------------------------------------------------------------------------

    @property
    def kubeconfig(self) -> Path:
        """For people: straight to the API server."""
        return self.folder / "kubeconfig"

    @property
    def settings_file(self) -> Path:
        return self.folder / "reconciler.yaml"

    @property
    def failure(self) -> str:
        """Why nothing can come of waiting: the daemon is gone, or this machine cannot run pods; empty if all is well."""
        return self.daemon.failure or self.cluster.node.failure

    def faults(self, system: str) -> Faults:
        """Where the faults of provider, forge, git or api are kept. Raises Terminal for an API without a proxy."""
        if system in ("forge", "git"):
            return self.host.faults
        if system not in self._proxies:
            raise Terminal(f"this stage has no way to disturb the {system}")
        return self._proxies[system].faults

    async def command(self, words: tuple[str, ...]) -> Ran:
        """Run `reconciler …` or `kubectl …` against this stage as a person does."""
        return await run_command([*program(words[0]), *words[1:], "--kubeconfig", str(self.kubeconfig)], self.folder)

    # -- building -----------------------------------------------------------------------------------------------------

    async def _build(self, stack: AsyncExitStack) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="reconciler-stage-"))
        stack.callback(shutil.rmtree, self.folder, ignore_errors=True)
        await self.server.start("127.0.0.1", 0)
        stack.push_async_callback(self.server.stop)
        self.mesh = Mesh(self.api, folder=self.folder / "mesh", gateway_ports=GATEWAY_PORTS, ports=self.ports)
        self.host = GitHost(self.folder / "hosted", users={name: token_urlsafe(16) for name in (BOT, PERSON)})
        find_addresses()
        await self._side_by_side(stack)
        await self._build_cluster(stack)
        self.users = await stack.enter_async_context(UserGroups(self.mesh.gateway_address))
        self.recorder = await stack.enter_async_context(Recorder(self.api, self.began))
        self._give_files()
        place = Place(self.host.clone_url(REPOSITORY, PERSON), self.host.api, self.host.access.token(PERSON), REPOSITORY)
        self.people = People(place, self.folder / "clone")
        stack.push_async_callback(self.daemon.stop)

    async def _side_by_side(self, stack: AsyncExitStack) -> None:
        """What takes long and does not need each other: Envoy, the Git host, the kinds."""
        stack.push_async_callback(self.mesh.stop)
        stack.push_async_callback(self.host.stop)
        try:
            async with asyncio.timeout(READY_SECONDS), asyncio.TaskGroup() as group:
                for work in (self.mesh.start(), self._host_repository(), self._define_kinds()):
                    group.create_task(work)
        except TimeoutError as late:
            raise Terminal(f"the stage was not ready after {READY_SECONDS:g} s: is the machine very busy?") from late
        except ExceptionGroup as failures:
            raise told(failures) from failures

    async def _routed(self) -> None:
        """Envoy knows what the API holds now; a mesh that ended is told by others."""
        with suppress(EnvoyFailed):
            await self.mesh.settled()

    async def _build_cluster(self, stack: AsyncExitStack) -> None:
        owned = self._elsewhere is None
        gateways = {GATEWAY_IP: self.mesh.gateway_address(80)}
        network = Network(gateways=gateways, mesh=self.mesh.mesh_address, masked=not owned, ports=self.ports)
        node = NodeSettings(behaviours=self.behaviours, network=network, routed=self._routed)
        self.cluster = await stack.enter_async_context(Workings(self._call, node, controllers=owned))
        self.metrics = Metrics([self.mesh.stats_url], interval=SCRAPE_SECONDS)
        await self.metrics.start()
        stack.push_async_callback(self.metrics.stop)
        self._proxies["provider"] = await stack.enter_async_context(Proxy(self.metrics.url))
        if self._api_faults:
            self._proxies["api"] = await stack.enter_async_context(Proxy(self.server.url))

    async def _host_repository(self) -> None:
        await find_git()
        await self.host.start()
        await self.host.create_repository(REPOSITORY, self.hosted(), author="Ann Author <ann@example.com>")

    def hosted(self) -> Path | Mapping[str, bytes | None]:
        """What the repository holds in the beginning."""
        return self._sample

    def with_sources(self, written: str) -> str:
        """The daemon's settings with the sources that it follows."""
        return with_sources(written, followed(self._sample, self.sources))

    async def _define_kinds(self) -> None:
        for definition in definitions():
            await self._create("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", definition)
        for namespace in namespaces(self.namespaces):
            await self._create("/api/v1/namespaces", namespace)
        for definition in definitions():
            await self._served(definition)

    async def _create(self, path: str, manifest: Manifest) -> None:
        try:
            await self.api.create(path, manifest)
        except ApiError as error:
            if error.reason != "AlreadyExists":
                raise

    async def _served(self, definition: Manifest) -> None:
        """Wait until a kind answers, which is a moment after it was defined."""
        spec = definition["spec"]
        for version in spec["versions"]:
            while await self.api.get(f"/apis/{spec['group']}/{version['name']}/{spec['names']['plural']}") is None:  # noqa: ASYNC110 -- no event tells it
                await asyncio.sleep(LOOK_AGAIN_SECONDS)

    def _give_files(self) -> None:
        """The files of people and daemon. The daemon's kubeconfig leads through the proxy if there is one."""
        straight = self._elsewhere.kubeconfig if self._elsewhere else kubeconfig(self.server.url)
        self.kubeconfig.write_text(straight, encoding="utf-8")
        own = self.folder / "daemon-kubeconfig"
        detour = kubeconfig(self._proxies["api"].url) if self._api_faults else self._elsewhere and self._elsewhere.daemon_kubeconfig
        own.write_text(detour or straight, encoding="utf-8")
        listen = f"127.0.0.1:{_free_port()}"
        written = settings(
            repository=self.host.clone_url(REPOSITORY),
            forge=self.host.api,
            prometheus=self._proxies["provider"].url,
            listen=listen,
            token_file=secret_file(self.folder / "token", self.host.access.token(BOT)),
        )
        self.settings_file.write_text(self.with_sources(written), encoding="utf-8")
        words = ["run", "-c", str(self.settings_file), "--kubeconfig", str(own), "--log-format", "json"]
        self.daemon = Daemon([sys.executable, "-m", "reconciler", *words], self.folder, f"http://{listen}/readyz")


class WholeStage(Stage):
    """A stage that follows everything in the sample repository."""

    sources = MappingProxyType({**FOLLOWED, **ASIDE})


def told(failures: ExceptionGroup) -> Exception:
    """Of several failures the first that a person can do something about, in one line; else all of them."""
    for failure in failures.exceptions:
        if isinstance(failure, Terminal | EnvoyMissing | EnvoyFailed):
            return Terminal(str(failure))
    return failures


def find_addresses() -> None:
    """Raises Terminal in one line when pods cannot listen on this machine."""
    pool = AddressPool()
    try:
        pool.take()
    except AddressesExhausted as problem:
        raise Terminal(f"pods cannot start here: {problem}") from problem
    finally:
        pool.close()


async def find_git() -> None:
    """Raises Terminal in one line when this machine cannot serve git over HTTP."""
    require_git()
    ran = await run_command(["git", "--exec-path"], Path("/"))
    if not (Path(ran.output) / "git-http-backend").exists():
        raise Terminal("git http-backend is missing: install the full git package (on some systems git-daemon or git-core)")


def _free_port() -> int:
    """A loopback port that nobody listens on at this moment; the daemon binds it a moment later."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
