"""The heart: informers fill the cache and the queue, workers empty it, until cancelled."""

import asyncio
from collections.abc import Sequence

import structlog

from reconciler.kernel.clock import Clock
from reconciler.kernel.identity import Key, Manifest, Resource
from reconciler.kube.cache import Cache
from reconciler.kube.client import Client
from reconciler.kube.informer import Informer
from reconciler.runtime.pass_times import PassTimes
from reconciler.runtime.queue import PER_CONTROLLER, Queue
from reconciler.runtime.worker import Controller, Worker

RESYNC = 15 * 60.0
"""Seconds after which every object is looked at again, event or none (contract 0.4, `--rollout-resync`)."""
SPREAD = 0.1
log = structlog.get_logger()


class Engine:
    """Runs a set of controllers over one client and cache. `ready` is set when every informer has listed once.

    It does not wait for a resource that not every cluster serves; that one is asked for again now and then.
    """

    def __init__(self, controllers: Sequence[Controller], client: Client, cache: Cache, clock: Clock, *, resync: float = RESYNC) -> None:
        self._controllers = {controller.name: controller for controller in controllers}
        self._resources = watched(controllers)
        self._client = client
        self._cache = cache
        self.queue = Queue(clock)
        self._clock = clock
        self._resync = resync
        self.ready = asyncio.Event()
        self.times = PassTimes(self._controllers)

    async def run(self) -> None:
        """Watch and work until cancelled."""
        informers = {resource: Informer(self._client, self._cache, resource, self._listen) for resource in self._resources}
        async with asyncio.TaskGroup() as group:
            for informer in informers.values():
                group.create_task(informer.run(), name=f"informer {informer}")
            for resource, informer in informers.items():
                if not resource.optional:
                    await informer.synced.wait()
            self.ready.set()
            group.create_task(self._look_again(), name="resync")
            for _ in range(PER_CONTROLLER * len(self._controllers)):
                group.create_task(Worker(self._controllers, self.queue, self._clock, self.times).run())

    def poke(self, key: Key) -> None:
        """Something outside the API says: look at this key."""
        self.queue.add(key)

    def hear_again(self, resource: Resource, seconds: float = 0.0) -> None:
        """Hand every cached object of a resource to the controllers once more, spread over so many seconds."""
        manifests = self._cache.list(resource) if resource in self._resources else ()
        for place, manifest in enumerate(manifests):
            for key in self._concerned(resource, manifest):
                self.queue.add_after(key, seconds * place / len(manifests))

    async def _look_again(self) -> None:
        """An event that was lost and a foreign write to what is not watched heal by themselves."""
        while True:
            await asyncio.sleep(self._resync)
            for resource in self._resources:
                self.hear_again(resource, self._resync * SPREAD)

    def _listen(self, resource: Resource, manifest: Manifest) -> None:
        for key in self._concerned(resource, manifest):
            self.queue.add(key)

    def _concerned(self, resource: Resource, manifest: Manifest) -> list[Key]:
        watching = [controller for controller in self._controllers.values() if resource in controller.watches]
        return [key for controller in watching for key in _keys(controller, resource, manifest)]


def _keys(controller: Controller, resource: Resource, manifest: Manifest) -> tuple[Key, ...]:
    """The keys of one event. An object that breaks a controller's reading of it must not end the watch of all others."""
    try:
        return tuple(controller.keys_for(resource, manifest))
    except Exception as error:
        log.error("a bug: event was not understood", controller=controller.name, resource=resource.plural, exc_info=error)
        return ()


def watched(controllers: Sequence[Controller]) -> tuple[Resource, ...]:
    """Every resource some controller watches, each once, in a stable order."""
    return tuple(dict.fromkeys(resource for controller in controllers for resource in controller.watches))
