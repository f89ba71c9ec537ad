"""A node: takes pods nobody has yet, runs them, and keeps their logs and counters for a while after they are gone."""

import asyncio
import logging
from collections import Counter, OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field

import aiohttp

from reconciler_sandbox.client import ApiClient, ApiError
from reconciler_sandbox.controllers.objects import Key, Manifest, condition_of, everywhere, is_deleting, key_of, now, one, timestamp, uid_of
from reconciler_sandbox.node.behaviour import Behaviours
from reconciler_sandbox.node.container import Tools
from reconciler_sandbox.node.log import Log
from reconciler_sandbox.node.network import Address, Network, Resolver
from reconciler_sandbox.node.pace import Pace
from reconciler_sandbox.node.pod import PODS, Pod, remove
from reconciler_sandbox.node.pool import AddressesExhausted, AddressPool
from reconciler_sandbox.node.server import Served

CALL_TIMEOUT = 30.0
REMEMBERED = 500
HEARTBEAT, HEARTBEAT_AGAIN = 10.0, 1.0
RETRY_PAUSE = 0.1

log = logging.getLogger(__name__)


async def at_once() -> None:
    """Nobody sends traffic but by the API's own word."""


@dataclass(frozen=True, slots=True)
class NodeSettings:
    """Who the node is and what it offers. `tester_headers` mark a request as a tester's in the counters."""

    name: str = "sandbox"
    behaviours: Behaviours = field(default_factory=Behaviours)
    network: Network = field(default_factory=Network)
    pace: Pace = field(default_factory=Pace)
    tester_headers: tuple[str, ...] = ("x-release-tester",)
    capacity: int = 1000
    routed: Callable[[], Awaitable[None]] = at_once
    """Returns once whoever sends traffic to pods knows what the API holds now; a deleted pod waits for it, within its grace."""


class Node:
    """Runs pods of any cluster it can reach through the Kubernetes API."""

    def __init__(self, client: ApiClient, settings: NodeSettings) -> None:
        self.started = asyncio.Event()
        self._client = client
        self._settings = settings
        self._pods: dict[str, Pod] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._remembered: OrderedDict[Key, Pod] = OrderedDict()
        self._waiting: dict[str, Manifest] = {}
        self._bound: set[str] = set()
        self._over: set[str] = set()
        self._since = ""
        self._failure = ""
        self._room = asyncio.Event()

    async def run(self) -> None:
        """Serve until cancelled; then every pod is stopped and every address given back."""
        pool = AddressPool()
        connector = aiohttp.TCPConnector(limit=0, force_close=True)
        try:
            async with aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar(), auto_decompress=False) as session:
                settings = self._settings
                resolver = Resolver(self._client, settings.network)
                tools = Tools(self._client, session, resolver, settings.behaviours, settings.pace, settings.tester_headers, settings.routed)
                await self._serve(pool, tools)
        finally:
            pool.close()

    def logs(self, namespace: str, pod: str, container: str = "") -> str:
        """What a container of a present or recent pod printed. Raises KeyError when the node does not know it."""
        return self._remembered[Key(namespace, pod)].log(container).text

    def stream_log(self, namespace: str, pod: str, query: Mapping[str, str]) -> AsyncIterator[bytes]:
        """The answer to a request for a pod's log: `container`, `tailLines` and `follow`. Raises KeyError as `logs` does."""
        log = self._remembered[Key(namespace, pod)].log(query.get("container", ""))
        lines = int(query["tailLines"]) if query.get("tailLines", "").isdigit() else None
        return _encoded(log, lines, follow=query.get("follow") in {"true", "1"})

    def served(self, namespace: str, pod: str) -> Counter[Served]:
        """What a present or recent pod served; probes are not counted. Raises KeyError when the node does not know it."""
        return self._remembered[Key(namespace, pod)].served

    @property
    def failure(self) -> str:
        """Why this machine cannot run a pod that is wanted; empty if all is well."""
        return self._failure or next((pod.failure for pod in self._pods.values() if pod.failure), "")

    def where(self, address: str, port: int) -> Address:
        """Where a port of a pod is answered on this machine. Raises ConnectionRefusedError for one that it never opened."""
        return Resolver(self._client, self._settings.network).listening(address, port)

    @property
    def known(self) -> tuple[Key, ...]:
        """The present and recent pods, oldest first."""
        return tuple(self._remembered)

    async def _serve(self, pool: AddressPool, tools: Tools) -> None:
        await self._register()
        self.started.set()
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._watch(pool, tools))
                group.create_task(self._let_in())
                group.create_task(self._stay_alive())
        finally:
            tasks = list(self._tasks.values())
            for task in tasks:
                _cancel(task)
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _watch(self, pool: AddressPool, tools: Tools) -> None:
        async for event, manifest in self._client.watch(everywhere(PODS)):
            await self._take_note(event, manifest, pool, tools)

    async def _let_in(self) -> None:
        """Schedules those who wait, the longest first, whenever a pod has left or the server may be back."""
        while True:
            await self._room.wait()
            self._room.clear()
            for uid in tuple(self._waiting):
                if uid in self._waiting and not self._is_full:
                    await self._schedule(self._waiting.pop(uid))

    @property
    def _is_full(self) -> bool:
        return len(self._tasks) + len(self._bound) >= self._settings.capacity

    async def _take_note(self, event: str, manifest: Manifest, pool: AddressPool, tools: Tools) -> None:
        uid = uid_of(manifest)
        if event == "DELETED":
            self._waiting.pop(uid, None)
            self._bound.discard(uid)
            self._over.discard(uid)
            _cancel(self._tasks.get(uid))
            return
        node = manifest["spec"].get("nodeName")
        if not node and not is_deleting(manifest):
            await self._schedule(manifest)
        elif node == self._settings.name and uid in self._pods:
            self._pods[uid].observe(manifest)
        elif node == self._settings.name and is_deleting(manifest):
            await remove(self._client, manifest)
        elif node == self._settings.name and uid not in self._over and not _is_over(manifest):
            self._start(manifest, pool, tools)

    async def _schedule(self, manifest: Manifest) -> None:
        if manifest["spec"].get("schedulingGates"):
            return
        uid = uid_of(manifest)
        if self._is_full:
            self._waiting[uid] = manifest
            await self._call_off(manifest)
            return
        key = key_of(manifest)
        target = {"apiVersion": "v1", "kind": "Node", "name": self._settings.name}
        binding = {"apiVersion": "v1", "kind": "Binding", "metadata": {"name": key.name, "namespace": key.namespace}, "target": target}
        try:
            async with asyncio.timeout(CALL_TIMEOUT):
                self._bound.add(uid)
                await self._client.create(one(PODS, key) + "/binding", binding)
        except (ApiError, TimeoutError) as error:
            self._bound.discard(uid)
            log.debug("binding of %s/%s: %s", *key, error)
            if not isinstance(error, ApiError) or error.is_passing:
                self._waiting[uid] = manifest
                asyncio.get_running_loop().call_later(RETRY_PAUSE, self._room.set)

    async def _call_off(self, manifest: Manifest) -> None:
        known = condition_of(manifest, "PodScheduled")
        if known is not None and known["status"] == "False":
            return
        condition = {
            "type": "PodScheduled",
            "status": "False",
            "reason": "Unschedulable",
            "message": "0/1 nodes are available: 1 Too many pods.",
            "lastTransitionTime": timestamp(now()),
        }
        try:
            async with asyncio.timeout(CALL_TIMEOUT):
                await self._client.patch(
                    one(PODS, key_of(manifest)) + "/status",
                    {"status": {"phase": "Pending", "conditions": [condition]}},
                    style="strategic",
                )
        except (ApiError, TimeoutError) as error:
            log.debug("condition of %s/%s: %s", *key_of(manifest), error)

    def _start(self, manifest: Manifest, pool: AddressPool, tools: Tools) -> None:
        try:
            address = pool.take()
        except AddressesExhausted as problem:
            log.error("pod %s/%s cannot start: %s", *key_of(manifest), problem)
            self._failure = f"pods cannot start: {problem}"
            return
        uid = uid_of(manifest)
        self._bound.discard(uid)
        self._settings.network.ports.enter(address)
        pod = Pod(manifest, address, tools)
        pod.observe(manifest)
        self._pods[uid] = pod
        self._remember(key_of(manifest), pod)
        self._tasks[uid] = asyncio.create_task(self._live(uid, pod, pool), name=f"pod {key_of(manifest)}")

    async def _live(self, uid: str, pod: Pod, pool: AddressPool) -> None:
        try:
            await pod.run()
        finally:
            self._settings.network.ports.leave(pod.address)
            pool.give_back(pod.address)
            # Events from before the pod's last word are still to come; they must not start it again.
            self._over.add(uid)
            del self._pods[uid], self._tasks[uid]
            self._room.set()

    def _remember(self, key: Key, pod: Pod) -> None:
        self._remembered[key] = pod
        self._remembered.move_to_end(key)
        while len(self._remembered) > REMEMBERED:
            self._remembered.popitem(last=False)

    async def _register(self) -> None:
        name = self._settings.name
        manifest = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "labels": {"kubernetes.io/hostname": name}}}
        capacity = {"cpu": "8", "memory": "32Gi", "pods": str(self._settings.capacity)}
        self._since = timestamp(now())
        async with asyncio.timeout(CALL_TIMEOUT):
            if await self._client.get(f"/api/v1/nodes/{name}") is None:
                await self._client.create("/api/v1/nodes", manifest)
            await self._say_ready(capacity=capacity, allocatable=capacity)

    async def _stay_alive(self) -> None:
        """A controller manager that hears nothing from a node for 40 seconds evicts its pods."""
        pause = HEARTBEAT
        while True:
            await asyncio.sleep(pause)
            try:
                async with asyncio.timeout(CALL_TIMEOUT):
                    await self._say_ready()
                pause = HEARTBEAT
            except (ApiError, TimeoutError) as error:
                log.debug("heartbeat: %s", error)
                pause = HEARTBEAT_AGAIN

    async def _say_ready(self, **status: Manifest) -> None:
        ready = {
            "type": "Ready",
            "status": "True",
            "reason": "KubeletReady",
            "message": "the sandbox is ready",
            "lastHeartbeatTime": timestamp(now()),
            "lastTransitionTime": self._since,
        }
        path = f"/api/v1/nodes/{self._settings.name}/status"
        await self._client.patch(path, {"status": {**status, "conditions": [ready]}}, style="strategic")


async def _encoded(log: Log, lines: int | None, *, follow: bool) -> AsyncIterator[bytes]:
    if not follow:
        yield log.tail(lines).encode()
        return
    async for part in log.follow(lines):
        yield part.encode()


def _cancel(task: asyncio.Task[None] | None) -> None:
    """Cancel once: a second time would interrupt the pod's own orderly end."""
    if task is not None and not task.cancelling():
        task.cancel()


def _is_over(manifest: Manifest) -> bool:
    return (manifest.get("status") or {}).get("phase") in {"Succeeded", "Failed"}
