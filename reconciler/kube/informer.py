"""Keeps one resource of the cache equal to the API: list, then watch, and list again when history is gone."""

import asyncio
from collections.abc import Callable

import structlog

from reconciler.kernel.errors import Transient
from reconciler.kernel.identity import Manifest, Resource
from reconciler.kube.cache import Cache
from reconciler.kube.client import Client, Event
from reconciler.kube.errors import ApiError, Gone, NotServed

FIRST_PAUSE, LONGEST_PAUSE, RARELY = 0.2, 10.0, 60.0
SHORT = 1.0
"""Seconds within which a watch ends only if something is wrong; so long it then waits (client-go takes such a watch for a failed one)."""
PATIENCE = 30.0
"""Seconds for which a resource type must not be served before it counts as empty: a server that has just started serves some types late."""
Listener = Callable[[Resource, Manifest], None]
log = structlog.get_logger()


class Informer:
    """Watches one resource for ever; `listener` hears of every object that was added, changed or removed (its last state)."""

    def __init__(self, client: Client, cache: Cache, resource: Resource, listener: Listener, *, patience: float = PATIENCE) -> None:
        self._client = client
        self._cache = cache
        self._resource = resource
        self._listener = listener
        self._patience = patience
        self._unserved_since: float | None = None
        self._said = ""
        self.synced = asyncio.Event()

    async def run(self) -> None:
        """List and watch until cancelled. A resource type that goes on not being served counts as empty and is asked for again."""
        pause = FIRST_PAUSE
        while True:
            try:
                version = await self._list()
                pause = FIRST_PAUSE
                while True:
                    version = await self._watched(version)
            except Gone:
                continue
            except NotServed as error:
                self._say("not served", str(error))
                if self._is_gone():
                    self._forget_all()
            except (ApiError, Transient) as error:
                self._say("watch interrupted", str(error))
            await asyncio.sleep(pause)
            pause = min(pause * 2, RARELY if self._resource.optional and self._said else LONGEST_PAUSE)

    def _say(self, what: str, reason: str) -> None:
        """What need not be there is missed once, not for ever."""
        if not self._resource.optional:
            log.warning(what, resource=self._resource.plural, reason=reason)
        elif self._said != what:
            log.info(f"{what}: asked again now and then", resource=self._resource.plural, reason=reason)
        self._said = what

    async def _list(self) -> str:
        listing = await self._client.listing(self._resource)
        self._unserved_since, self._said = None, ""
        for manifest in (*self._cache.relist(self._resource, listing.items, listing.version), *listing.items):
            self._listener(self._resource, manifest)
        self.synced.set()
        return listing.version

    def _is_gone(self) -> bool:
        """True once the type was not served at any look for as long as we are patient; until then what was known stays known."""
        now = asyncio.get_running_loop().time()
        if self._unserved_since is None:
            self._unserved_since = now
        return now - self._unserved_since >= self._patience

    def _forget_all(self) -> None:
        """The resource type is not served (any more): nothing of it is left."""
        for manifest in self._cache.relist(self._resource, (), ""):
            self._listener(self._resource, manifest)
        self.synced.set()

    async def _watched(self, version: str) -> str:
        """One watch. One that ended at once without a word is not begun again at once: something on the way may end them all."""
        begun = asyncio.get_running_loop().time()
        reached = await self._watch(version)
        if reached == version and asyncio.get_running_loop().time() - begun < SHORT:
            await asyncio.sleep(SHORT)
        return reached

    async def _watch(self, version: str) -> str:
        async for event in self._client.watch(self._resource, version):
            version = str(event.object["metadata"].get("resourceVersion", version))
            self._take(event)
        return version

    def _take(self, event: Event) -> None:
        if event.type == "BOOKMARK":
            return
        if event.type == "DELETED":
            self._cache.remove(self._resource, event.object)
        else:
            self._cache.put(self._resource, event.object)
        self._listener(self._resource, event.object)
