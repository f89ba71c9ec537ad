"""The brake a person can pull from any laptop: an annotation on our own namespace, looked at before every write (ADR 0021)."""

import asyncio
from collections.abc import Callable

import structlog

from reconciler.kernel.errors import Transient
from reconciler.kernel.frozen import FREEZE, scopes_of, word_of
from reconciler.kernel.identity import Manifest, annotations_of
from reconciler.kernel.resources import NAMESPACES
from reconciler.kube.client import Client, ListSelection
from reconciler.kube.errors import ApiError
from reconciler.kube.fence import Gate

LOOK_EVERY = 15
"""Seconds after which the annotation is read although no watch told of a change: a watch may be deaf, and this is the brake."""
PAUSE = 2.0
"""Seconds between looks while the namespace cannot be watched."""
log = structlog.get_logger()


class Freeze:
    """Follows the annotation. Whenever it cannot be read, what was last read counts; nothing starts before `known`."""

    def __init__(self, client: Client, namespace: str) -> None:
        self._client = client
        self._namespace = namespace
        self.scope = ""
        self.known = asyncio.Event()
        """Set once the annotation, or its absence, has been read."""

    async def run(self) -> None:
        """Read it, and be told of changes, for ever."""
        while True:
            begun, version = asyncio.get_running_loop().time(), await self.look()
            told = bool(version) and await self._told(version)
            if not told or asyncio.get_running_loop().time() - begun < PAUSE:  # something on the way may end every watch at once
                await asyncio.sleep(PAUSE)

    async def look(self) -> str:
        """One look; what cannot be read stays as it was. Answers the version that was read, empty when there is none."""
        try:
            namespace = await self._client.find(NAMESPACES, "", self._namespace)
        except (ApiError, Transient) as error:
            if not self.known.is_set():
                log.warning("freeze unknown, nothing starts", namespace=self._namespace, reason=str(error))
            return ""
        self._take(namespace)
        return str(namespace["metadata"].get("resourceVersion", "")) if namespace else ""

    async def _told(self, version: str) -> bool:
        """Take every change after a version until it is time to look again. False when the namespace cannot be watched."""
        only = f"metadata.name={self._namespace}"
        try:
            async with asyncio.timeout(LOOK_EVERY + PAUSE):
                async for event in self._client.watch(NAMESPACES, version, seconds=LOOK_EVERY, only=ListSelection(fields=only)):
                    if event.type in ("ADDED", "MODIFIED"):
                        self._take(event.object)
        except TimeoutError:
            return True
        except (ApiError, Transient):
            return False
        return True

    def _take(self, namespace: Manifest | None) -> None:
        scope = word_of(scopes_of(annotations_of(namespace).get(FREEZE, "") if namespace else "")) or ""
        if scope != self.scope:
            log.warning("freeze changed", scope=scope or "none", before=self.scope or "none")
        self.scope = scope
        self.known.set()

    def gate(self, *scopes: str) -> Gate:
        """Withholds writes while a person has frozen one of these scopes."""
        return Gate(self._shut(scopes))

    def _shut(self, scopes: tuple[str, ...]) -> Callable[[], str | None]:
        return lambda: f"frozen ({self.scope}) by annotation {FREEZE} on namespace {self._namespace}" if self.scope in scopes else None
