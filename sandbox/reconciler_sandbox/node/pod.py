"""One pod on this node: runs its containers, publishes its status, and leaves in order.

A deleted pod is out of the Endpoints before it stops: it keeps serving for its grace, lets requests in flight end, and only then is gone.
"""

import asyncio
import logging
from collections import Counter
from contextlib import suppress
from typing import Any

from reconciler_sandbox.client import ApiClient, ApiError
from reconciler_sandbox.controllers.objects import Manifest, is_deleting, is_ready, key_of, now, one, uid_of
from reconciler_sandbox.node.container import Container, Tools
from reconciler_sandbox.node.log import Log
from reconciler_sandbox.node.server import Served
from reconciler_sandbox.node.status import Vitals, is_initialised, status_of

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
        self._over = False
        self._published: Manifest = {}
        self._in_doubt = False  # the API may hold another status than the published one
        self._first = [self._container(spec) for spec in manifest["spec"].get("initContainers") or ()]
        self._containers = [self._container(spec) for spec in manifest["spec"]["containers"]]

    @property
    def served(self) -> Counter[Served]:
        """What its containers served, together."""
        return sum((container.served for container in self._containers), Counter())

    def log(self, container: str = "") -> Log:
        """What a container prints; the first one if none is named. Raises KeyError for an unknown name."""
        if not container:
            return self._containers[0].log
        return {known.name: known.log for known in (*self._first, *self._containers)}[container]

    @property
    def failure(self) -> str:
        """Why this machine cannot run it; empty if it can."""
        return next((f"pod {key_of(self._manifest).name}: {c.failure}" for c in self._containers if c.failure), "")

    def observe(self, manifest: Manifest) -> None:
        """Take note of the object as it is now."""
        self._manifest = manifest
        if is_deleting(manifest):
            self._leaving.set()
        if manifest["spec"].get("readinessGates"):
            self._dirty.set()
        if self._published and is_ready(manifest) is not is_ready({"status": self._published}):
            # Who hears nothing of a node for a while writes over what it said; it has to say it again.
            self._in_doubt = True
            self._dirty.set()

    async def run(self) -> None:
        """Live until deleted or until the last container is done for good; when cancelled, everything is stopped too."""
        publishing = asyncio.create_task(self._publish())
        working = asyncio.create_task(self._work())
        leaving = asyncio.create_task(self._leaving.wait())
        working.add_done_callback(self._report)
        try:
            await asyncio.wait({working, leaving}, return_when=asyncio.FIRST_COMPLETED)
            if leaving.done():
                await self._leave(working)
                return
            # The last word counts: nobody publishes for this pod any more.
            self._over = True
            self._dirty.set()
            await publishing
        finally:
            for task in (leaving, working, publishing):
                await _cancelled(task)

    async def _leave(self, working: asyncio.Task[None]) -> None:
        self._dirty.set()
        await self._keep_serving()
        await _cancelled(working)
        await remove(self._tools.client, self._manifest)

    def _report(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and task.exception() is not None:
            log.error("the containers of %s/%s failed", *key_of(self._manifest), exc_info=task.exception())

    async def _keep_serving(self) -> None:
        if not any(container.is_serving for container in self._containers):
            return
        asked = float(self._manifest["metadata"].get("deletionGracePeriodSeconds", 30))
        begun = asyncio.get_running_loop().time()
        await asyncio.sleep(min(asked, self._tools.pace.drain))
        # A machine under load takes longer to tell who sends traffic: a pod stops when it is known, not at an instant.
        with suppress(TimeoutError):
            async with asyncio.timeout(max(asked - (asyncio.get_running_loop().time() - begun), 0.0)):
                await self._tools.routed()

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
            if self._over and not self._dirty.is_set():
                return
            await self._dirty.wait()

    async def _write_status(self) -> None:
        known = {**self._manifest, "status": self._published or self._manifest.get("status") or {}}
        if self._manifest["spec"].get("readinessGates"):
            known = self._manifest
        address = self._tools.resolver.known_as(self.address)
        status = status_of(Vitals(known, self._containers, self._first, address, self._leaving.is_set()), now())
        if status == self._published and not self._in_doubt:
            return
        self._in_doubt = True  # until there is an answer: what has none may have been carried out
        await self._tools.client.patch(one(PODS, key_of(self._manifest)) + "/status", {"status": status}, style="strategic")
        self._published, self._in_doubt = status, False

    def _container(self, spec: Manifest) -> Container:
        return Container(spec, self._manifest, self.address, self._tools, self._dirty.set)


async def remove(client: ApiClient, manifest: Manifest) -> None:
    """Tell the API that nothing of this pod runs any more, so that the object goes too; again for as long as it is away."""
    while True:
        try:
            async with asyncio.timeout(CALL_TIMEOUT):
                await client.delete(one(PODS, key_of(manifest)), gracePeriodSeconds=0, preconditions={"uid": uid_of(manifest)})
            return
        except (ApiError, TimeoutError) as error:
            if isinstance(error, ApiError) and not error.is_passing:
                log.warning("pod %s/%s could not be removed: %s", *key_of(manifest), error)
                return
        await asyncio.sleep(RETRY_PAUSE)


async def _cancelled(task: asyncio.Task[Any]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
