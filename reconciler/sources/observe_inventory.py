"""What each source asks for and has applied, as its inventory ConfigMap says; an answer serves many releases for a moment."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from reconciler.kernel.identity import Manifest
from reconciler.kernel.resources import CONFIGMAPS
from reconciler.kube.client import Client
from reconciler.sources.inventory import Inventory, config_map_name, parse_inventory

MOMENT = 1.0
"""Seconds for which a release may take what was read or written here before; a source's own pass always reads."""


@dataclass(frozen=True, slots=True)
class Counted:
    """How many problems a source has on record, and how many objects that others have changed."""

    problems: int
    drifted: int


class Inventories:
    """The inventories in one namespace. `monotonic` tells seconds of real time."""

    def __init__(self, client: Client, namespace: str, monotonic: Callable[[], float]) -> None:
        self.namespace = namespace
        self._client = client
        self._monotonic = monotonic
        self._known: dict[str, tuple[float, Mapping[str, str] | None]] = {}
        self.counted: dict[str, Counted] = {}
        """What was last read or written of each source, in numbers."""
        self._reading = asyncio.Lock()

    async def read(self, source: str) -> tuple[Manifest | None, Inventory]:
        """As it is now: the ConfigMap, None before the first pass, and what it says."""
        stored = await self._client.find(CONFIGMAPS, self.namespace, config_map_name(source))
        inventory = parse_inventory(stored)
        self.written(source, inventory)
        return stored, inventory

    def written(self, source: str, inventory: Inventory) -> None:
        """The source's own pass has just stored this."""
        self._known[source] = (self._monotonic(), _asked(inventory))
        self.counted[source] = Counted(len(inventory.problems), inventory.drifted)

    async def workloads(self, source: str) -> Mapping[str, str] | None:
        """The identity that the source asks for by workload key, not older than a moment; None before its first pass."""
        async with self._reading:
            known = self._known.get(source)
            if known is not None and self._monotonic() - known[0] < MOMENT:
                return known[1]
            return _asked((await self.read(source))[1])


def _asked(inventory: Inventory) -> Mapping[str, str] | None:
    return inventory.workloads if inventory.commit else None
