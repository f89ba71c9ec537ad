"""What left Git and may be removed: only what this source applied, never too much at once (ADR 0019)."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from reconciler.sources.inventory import InventoryEntry, Place
from reconciler.sources.settings import PruneLimit

NEVER = {"Namespace", "CustomResourceDefinition", "PersistentVolumeClaim", "PersistentVolume"}


@dataclass(frozen=True, slots=True)
class Removals:
    """What to remove now; `blocked` says why nothing is, when too much would be."""

    entries: tuple[InventoryEntry, ...] = ()
    blocked: str | None = None


def removals(inventory: Sequence[InventoryEntry], desired: Collection[Place], limit: PruneLimit) -> Removals:
    """The objects of the inventory that Git no longer holds. An emptied folder or a large cut waits for a person."""
    left = tuple(e for e in inventory if e.place not in desired and e.place[1] not in NEVER)
    if not left:
        return Removals()
    if not desired:
        return Removals(blocked=f"the folder holds no manifest any more: none of its {len(left)} objects is removed")
    if len(left) > limit.objects or (len(left) * 100 > limit.percent * len(inventory) > 0 and len(left) > 1):
        names = ", ".join(f"{e.place[1]} {e.place[3]}" for e in left[:3])
        counted = f"{len(left)} of {len(inventory)} objects left Git at once ({names}, …)"
        return Removals(blocked=f"{counted}: more than pruneLimit; remove them by hand or raise it")
    return Removals(left)
