"""One pod on this node: runs its containers, publishes its status, and leaves in order.

A deleted pod is out of the Endpoints before it stops: it keeps serving for its grace, lets requests in flight end, and only then is gone.
"""

import asyncio
import logging
from collections import Counter

from reconciler.sandbox.client import ApiError
from reconciler.sandbox.controllers.objects import Manifest, is_deleting, key_of, now, one, uid_of
from reconciler.sandbox.node.container import Container, Tools
from reconciler.sandbox.node.server import Served
from reconciler.sandbox.node.status import Vitals, is_initialised, status_of

PODS = "v1/pods"
CALL_TIMEOUT = 30.0
RETRY_PAUSE = 0.1

log = logging.getLogger(__name__)


class Pod:
    """Lives from binding to removal. `observe` tells it what the API says about it now."""

    def __init__(self, manifest: Manifest, address: str, tools: Tools) -> None:
        self.address = address
        self._manifest = manifest
        self._tools = tools
        self._dirty = asyncio.Event()
        self._leaving = asyncio.Event()
        self._published: Manifest = {}
        self._first = [self._container(spec) for spec in manifest["spec"].get("initContainers") or ()]
        self._containers = [self._container(spec) for spec in manifest["spec"]["containers"]]

    @property
    def served(self) -> Counter[Served]:
        """What its containers served, together."""
        return sum((container.served for container in self._containers), Counter())

    @property
    def is_leaving(self) -> bool:
        """Whether somebody asked for its deletion."""
        return self._leaving.is_set()

    def logs(self, container: str = "") -> str:
        """What a container printed; the first one if none is named. Raises KeyError for an unknown name."""
        if not container:
            return self._containers[0].log
        return {known.name: known.log for known in (*self._first, *self._containers)}[container]

    def observe(self, manifest: Manifest) -> None:
        """Take note of the object as it is now."""
        self._manifest = manifest
        if is_deleting(manifest):
            self._leaving.set()
        if manifest["spec"].get("readinessGates"):
            self._dirty.set()

    async def run(self) -> None:
        """Live until deleted; when cancelled, everything is stopped too."""
        publishing = asyncio.create_task(self._publish())
        working = asyncio.create_task(self._work())
        working.add_done_callback(self._report)
        try:
            await self._leaving.wait()
            self._dirty.set()
            await self._keep_serving()
            await _cancelled(working)
            await _cancelled(publishing)
            await self._remove()
        finally:
            await _cancelled(working)
            await _cancelled(publishing)

    def _report(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and task.exception() is not None:
            log.error("the containers of %s/%s failed", *key_of(self._manifest), exc_info=task.exception())

    async def _keep_serving(self) -> None:
        if not any(container.is_serving for container in self._containers):
            return
        asked = self._manifest["metadata"].get("deletionGracePeriodSeconds", 30)
        await asyncio.sleep(min(float(asked), self._tools.pace.drain))

    async def _work(self) -> None:
        policy = self._manifest["spec"].get("restartPolicy", "Always")
        for container in self._first:
            await container.run("Never" if policy == "Never" else "OnFailure")
        if not is_initialised(self._first):
            return
        async with asyncio.TaskGroup() as group:
            for container in self._containers:
                group.create_task(container.run(policy))

    async def _publish(self) -> None:
        while True:
            self._dirty.clear()
            try:
                async with asyncio.timeout(CALL_TIMEOUT):
                    await self._write_status()
            except (ApiError, TimeoutError) as error:
                if isinstance(error, ApiError) and error.status == 404:
                    return
                log.debug("status of %s/%s: %s", *key_of(self._manifest), error)
                await asyncio.sleep(RETRY_PAUSE)
                continue
            await self._dirty.wait()

    async def _write_status(self) -> None:
        known = {**self._manifest, "status": self._published or self._manifest.get("status") or {}}
        if self._manifest["spec"].get("readinessGates"):
            known = self._manifest
        status = status_of(Vitals(known, self._containers, self._first, self.address, self._leaving.is_set()), now())
        if status == self._published:
            return
        await self._tools.client.patch(one(PODS, key_of(self._manifest)) + "/status", {"status": status}, style="strategic")
        self._published = status

    async def _remove(self) -> None:
        try:
            async with asyncio.timeout(CALL_TIMEOUT):
                await self._tools.client.delete(
                    one(PODS, key_of(self._manifest)), gracePeriodSeconds=0, preconditions={"uid": uid_of(self._manifest)}
                )
        except (ApiError, TimeoutError) as error:
            log.warning("pod %s/%s could not be removed: %s", *key_of(self._manifest), error)

    def _container(self, spec: Manifest) -> Container:
        return Container(spec, self._manifest, self.address, self._tools, self._dirty.set)


async def _cancelled(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
