"""What left Git and may be removed: only what this source applied, never too much at once (ADR 0019)."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from reconciler.kernel.identity import Manifest, annotations_of, namespace_of
from reconciler.kernel.well_known import suspended
from reconciler.sources.inventory import InventoryEntry, Place, digest_of
from reconciler.sources.kinds import kind_key
from reconciler.sources.permission import SOURCE
from reconciler.sources.settings import PruneLimit
from reconciler.sync.facts import SourceFacts

NEVER = {"Namespace", "CustomResourceDefinition", "PersistentVolumeClaim", "PersistentVolume"}
FEW = 2
"""So many removals never wait for a person, however small the source is."""


@dataclass(frozen=True, slots=True)
class Removals:
    """What to remove now; `blocked` says why nothing is, when too much would be, `waiting` what exactly waits."""

    entries: tuple[InventoryEntry, ...] = ()
    blocked: str | None = None
    waiting: tuple[InventoryEntry, ...] = ()


def removals(left: Sequence[InventoryEntry], whole: int, limit: PruneLimit, confirmed: str) -> Removals:
    """What of the objects that left Git goes now; `whole` counts all that the source has applied, 0 stands for an emptied folder."""
    if not left or digest_of(left) == confirmed:
        return Removals(tuple(left))
    if not whole:
        words = f"the folder holds no manifest any more: none of its {len(left)} objects is removed"
        return Removals(blocked=words, waiting=tuple(left))
    if len(left) > limit.objects or (len(left) > FEW and len(left) * 100 > limit.percent * whole):
        names = ", ".join(f"{e.place[1]} {e.place[3]}" for e in left[:3])
        counted = f"{len(left)} of {whole} objects left Git at once ({names}, …)"
        return Removals(blocked=f"{counted}: more than pruneLimit", waiting=tuple(left))
    return Removals(tuple(left))


@dataclass(frozen=True, slots=True)
class LeftGit:
    """The entries that Git no longer holds: those to remove, and those that are gone or belong to another owner by now."""

    ours: tuple[InventoryEntry, ...]
    gone: tuple[Place, ...]


def left_git(facts: SourceFacts, desired: Collection[Place], uids: Collection[str]) -> LeftGit:
    """What left Git. The same object under another apiVersion has moved in Git, and what a person suspended stays."""
    ours, gone = [], []
    for entry in facts.inventory.entries:
        if entry.place in desired or not _is_known(facts, entry.place):
            continue
        live = facts.live.get(entry.place)
        if live is None or entry.uid in uids or annotations_of(live).get(SOURCE) != facts.settings.name:
            gone.append(entry.place)
        elif _removable(facts, entry, live):
            ours.append(entry)
    return LeftGit(tuple(ours), tuple(gone))


def _is_known(facts: SourceFacts, place: Place) -> bool:
    """True when the cluster could be asked for it: what cannot be read is not gone."""
    return place[:2] in facts.resources and place[:3] not in facts.unread


def _removable(facts: SourceFacts, entry: InventoryEntry, live: Manifest) -> bool:
    namespace = facts.namespaces.get(namespace_of(live))
    if kind_key(live) in NEVER or suspended(live) or (namespace is not None and suspended(namespace)):
        return False
    if _named(live) in facts.used:
        return False
    return not behind(entry, facts.tip.parsed.withheld)


def _named(live: Manifest) -> tuple[str, str, str]:
    return kind_key(live), namespace_of(live), str(live["metadata"].get("name"))


def behind(entry: InventoryEntry, withheld: Iterable[str]) -> bool:
    """True when an object may still stand in a file whose present content is unknown."""
    return any(not entry.file or entry.file == name or entry.file.startswith(f"{name}/") for name in withheld)
