"""A node without sockets: pods start, become ready, crash, end and leave as their image's row says, under the loop's time."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from reconciler_sandbox.client import ApiClient, ApiError
from reconciler_sandbox.controllers.objects import Manifest, condition_of, is_deleting, key_of, now, one, timestamp, uid_of
from reconciler_sandbox.node.behaviour import Behaviour, Behaviours

Called = Callable[[Manifest], int | None]
PODS = "v1/pods"
PULL, START = 1.0, 1.0
"""Seconds until an image is here, and until its program runs."""
DRAIN = 5.0
FIRST_BACKOFF, LONGEST_BACKOFF = 10.0, 300.0
NODE = "virtual"


@dataclass(frozen=True, slots=True)
class Health:
    """How a pod stands: its phase, whether it is ready, its restarts, and why it waits if it does."""

    phase: str
    ready: bool = False
    restarts: int = 0
    waiting: str = ""
    exit_code: int | None = None


class VirtualNode:
    """Runs every pod of a cluster. An image that the table does not have cannot be pulled; in a Job it ends well."""

    def __init__(self, client: ApiClient, behaviours: Behaviours, called: Called = lambda _container: None) -> None:
        """`called` says how a container of a Job ends that calls others; None for one that does not."""
        self._called = called
        self._client = client
        self._behaviours = behaviours
        self._lives: dict[str, asyncio.Task[None]] = {}
        self._leaving: dict[str, asyncio.Event] = {}

    async def run(self) -> None:
        """Run pods until cancelled."""
        node: Manifest = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": NODE}}
        await self._client.create("/api/v1/nodes", node)
        async with asyncio.TaskGroup() as group:
            async for kind, manifest in self._client.watch("/api/v1/pods"):
                self._hear(group, kind, manifest)

    def _hear(self, group: asyncio.TaskGroup, kind: str, manifest: Manifest) -> None:
        uid = uid_of(manifest)
        if kind == "DELETED":
            self._forget(uid)
            return
        if uid not in self._lives:
            self._leaving[uid] = asyncio.Event()
            self._lives[uid] = group.create_task(self._live(manifest, self._leaving[uid]), name=f"pod {key_of(manifest).name}")
        if is_deleting(manifest):
            self._leaving[uid].set()

    def _forget(self, uid: str) -> None:
        life = self._lives.pop(uid, None)
        self._leaving.pop(uid, None)
        if life is not None:
            life.cancel()

    async def _live(self, pod: Manifest, leaving: asyncio.Event) -> None:
        """From binding to removal. The API may be away: every word is repeated until it is heard."""
        working = asyncio.create_task(self._work(pod))
        gone = asyncio.create_task(leaving.wait())
        try:
            await asyncio.wait((working, gone), return_when=asyncio.FIRST_COMPLETED)
            await gone
            working.cancel()
            await self._say(pod, Health("Running"))
            await asyncio.sleep(min(DRAIN, float(pod["spec"].get("terminationGracePeriodSeconds", 30))))
            await self._remove(pod)
        finally:
            working.cancel()
            gone.cancel()

    async def _work(self, pod: Manifest) -> None:
        target = {"apiVersion": "v1", "kind": "Node", "name": NODE}
        key = key_of(pod)
        binding = {"apiVersion": "v1", "kind": "Binding", "metadata": {"name": key.name, "namespace": key.namespace}, "target": target}
        await self._client.create(one(PODS, key) + "/binding", binding)
        await asyncio.sleep(PULL)
        ends = pod["spec"].get("restartPolicy", "Always") != "Always"
        behaviour = self._behaviour(pod, ends=ends)
        if behaviour is None:
            await self._say(pod, Health("Pending", waiting="ImagePullBackOff"))
        elif ends:
            await self._end(pod, behaviour)
        elif behaviour.crash:
            await self._crash(pod)
        else:
            await self._serve(pod, behaviour)

    def _behaviour(self, pod: Manifest, *, ends: bool) -> Behaviour | None:
        """What the first image that the table knows does; None for a server of which no image is known."""
        known = [self._behaviours[c["image"]] for c in pod["spec"]["containers"] if c["image"] in self._behaviours]
        return known[0] if known else Behaviour("job", exits=0) if ends else None

    async def _serve(self, pod: Manifest, behaviour: Behaviour) -> None:
        await asyncio.sleep(START)
        await self._say(pod, Health("Running"))
        await asyncio.sleep(behaviour.ready_after)
        await self._say(pod, Health("Running", ready=True))

    async def _end(self, pod: Manifest, behaviour: Behaviour) -> None:
        await self._say(pod, Health("Running", ready=True))
        await asyncio.sleep(START + behaviour.latency)
        codes = [self._called(container) for container in pod["spec"]["containers"]]
        code = behaviour.exits or next((code for code in codes if code), 0)
        await self._say(pod, Health("Failed" if code else "Succeeded", exit_code=code))

    async def _crash(self, pod: Manifest) -> None:
        pause, restarts = FIRST_BACKOFF, 0
        while True:
            await asyncio.sleep(START)
            await self._say(pod, Health("Running", restarts=restarts, waiting="CrashLoopBackOff", exit_code=1))
            await asyncio.sleep(pause)
            pause, restarts = min(pause * 2, LONGEST_BACKOFF), restarts + 1

    async def _say(self, pod: Manifest, health: Health) -> None:
        current = await self._client.get(one(PODS, key_of(pod)))
        if current is None or uid_of(current) != uid_of(pod):
            return
        status = status_of_health(current, health)
        try:
            await self._client.patch(one(PODS, key_of(pod)) + "/status", {"status": status}, style="strategic")
        except ApiError as error:
            if error.status != 404:
                raise

    async def _remove(self, pod: Manifest) -> None:
        try:
            await self._client.delete(one(PODS, key_of(pod)), gracePeriodSeconds=0, preconditions={"uid": uid_of(pod)})
        except ApiError as error:
            if error.status not in (404, 409):
                raise


def status_of_health(pod: Manifest, health: Health) -> Manifest:
    """The status as a strategic merge patch."""
    moment = timestamp(now())
    address = f"10.{uid_number(pod) >> 16 & 255}.{uid_number(pod) >> 8 & 255}.{uid_number(pod) & 255}"
    started = (pod.get("status") or {}).get("startTime") or moment
    flags = (("PodScheduled", True), ("Initialized", True), ("ContainersReady", health.ready), ("Ready", health.ready))
    return {
        "phase": health.phase,
        "podIP": address,
        "podIPs": [{"ip": address}],
        "startTime": started,
        "conditions": [_condition(pod, kind, moment, holds=holds) for kind, holds in flags],
        "containerStatuses": [_container(container, health, moment) for container in pod["spec"]["containers"]],
    }


def uid_number(pod: Manifest) -> int:
    """A number that stays with a pod."""
    return int(uid_of(pod).replace("-", "")[:8], 16)


def _condition(pod: Manifest, kind: str, moment: str, *, holds: bool) -> Manifest:
    known, status = condition_of(pod, kind), "True" if holds else "False"
    since = known["lastTransitionTime"] if known is not None and known["status"] == status else moment
    return {"type": kind, "status": status, "lastProbeTime": None, "lastTransitionTime": since}


def _container(container: Manifest, health: Health, moment: str) -> Manifest:
    ended = {
        "exitCode": health.exit_code,
        "reason": "Error" if health.exit_code else "Completed",
        "startedAt": moment,
        "finishedAt": moment,
    }
    if health.waiting:
        state: Manifest = {"waiting": {"reason": health.waiting}}
    elif health.exit_code is not None:
        state = {"terminated": ended}
    else:
        state = {"running": {"startedAt": moment}}
    return {
        "name": container["name"],
        "image": container["image"],
        "imageID": "",
        "ready": health.ready,
        "started": health.ready,
        "restartCount": health.restarts,
        "state": state,
        "lastState": {"terminated": ended} if health.waiting and health.exit_code is not None else {},
    }
