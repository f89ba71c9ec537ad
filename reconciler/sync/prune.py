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
from reconciler.sync.hooks import hooks_in_git
from reconciler.sync.options import Pruning, options_of

NEVER = {"Namespace", "CustomResourceDefinition", "PersistentVolumeClaim", "PersistentVolume"}
SHOWN = 3
FEW = 2
"""So many removals never wait for a person, however small the source is."""


@dataclass(frozen=True, slots=True)
class Removals:
    """What to remove now; `blocked` says why nothing is, when too much would be, `waiting` what exactly waits."""

    entries: tuple[InventoryEntry, ...] = ()
    blocked: str | None = None
    waiting: tuple[InventoryEntry, ...] = ()
    limited: bool = False
    """True when another `pruneLimit` would let them go."""


@dataclass(frozen=True, slots=True)
class LeftGit:
    """The entries that Git no longer holds: those to remove, and those that are gone or belong to another owner by now.

    Of those to remove a person wants to be asked about some; what is `kept` stays because Git said so.
    """

    ours: tuple[InventoryEntry, ...] = ()
    gone: tuple[Place, ...] = ()
    asking: frozenset[Place] = frozenset()
    kept: tuple[Place, ...] = ()


def removals(left: LeftGit, whole: int, limit: PruneLimit, confirmed: str) -> Removals:
    """What of the objects that left Git goes now; `whole` counts all that the source has applied, 0 stands for an emptied folder."""
    found = _within(left.ours, whole, limit, confirmed)
    asking = tuple(entry for entry in found.entries if entry.place in left.asking)
    if not asking or confirmed in (digest_of(asking), digest_of(left.ours)):
        return found
    words = f"{len(asking)} objects left Git whose removal a person has to confirm ({_named(asking)}): Prune=confirm"
    return Removals(tuple(entry for entry in found.entries if entry not in asking), words, asking)


def _within(left: Sequence[InventoryEntry], whole: int, limit: PruneLimit, confirmed: str) -> Removals:
    """Everything, or nothing where that would be too much at once."""
    if not left or digest_of(left) == confirmed:
        return Removals(tuple(left))
    if not whole:
        words = f"the folder holds no manifest any more: none of its {len(left)} objects is removed"
        return Removals(blocked=words, waiting=tuple(left), limited=True)
    if len(left) > limit.objects or (len(left) > FEW and len(left) * 100 > limit.percent * whole):
        counted = f"{len(left)} of {whole} objects left Git at once ({_named(left)})"
        return Removals(blocked=f"{counted}: more than pruneLimit", waiting=tuple(left), limited=True)
    return Removals(tuple(left))


def _named(entries: Sequence[InventoryEntry]) -> str:
    names = [f"{entry.place[1]} {entry.place[3]}" for entry in entries[:SHOWN]]
    return ", ".join((*names, "…") if len(entries) > SHOWN else names)


def left_git(facts: SourceFacts, desired: Collection[Place], uids: Collection[str]) -> LeftGit:
    """What left Git. The same object under another apiVersion has moved in Git, and what a person suspended stays."""
    ours, gone, asking, kept = [], [], set(), []
    hooks, skipped = hooks_in_git(facts)
    for entry in facts.inventory.entries:
        if entry.place in desired or entry.place in skipped or not _is_known(facts, entry.place):
            continue
        if entry.place in hooks:
            gone.append(entry.place)
            continue
        live = facts.live.get(entry.place)
        if live is None or entry.uid in uids or annotations_of(live).get(SOURCE) != facts.settings.name:
            gone.append(entry.place)
        elif (pruning := options_of(live).pruning) is Pruning.KEPT:
            kept.append(entry.place)
        elif _removable(facts, entry, live):
            ours.append(entry)
            asking |= {entry.place} if pruning is Pruning.ASKED else set()
    return LeftGit(tuple(ours), tuple(gone), frozenset(asking), tuple(kept))


def _is_known(facts: SourceFacts, place: Place) -> bool:
    """True when the cluster could be asked for it: what cannot be read is not gone."""
    return place[:2] in facts.resources and place[:3] not in facts.unread


def _removable(facts: SourceFacts, entry: InventoryEntry, live: Manifest) -> bool:
    namespace = facts.namespaces.get(namespace_of(live))
    if kind_key(live) in NEVER or suspended(live) or (namespace is not None and suspended(namespace)):
        return False
    if _claim(live) in facts.used:
        return False
    return not behind(entry, facts.tip.parsed.withheld)


def _claim(live: Manifest) -> tuple[str, str, str]:
    return kind_key(live), namespace_of(live), str(live["metadata"].get("name"))


def behind(entry: InventoryEntry, withheld: Iterable[str]) -> bool:
    """True when an object may still stand in a file whose present content is unknown."""
    return any(not entry.file or entry.file == name or entry.file.startswith((f"{name}/", f"{name}#")) for name in withheld)
