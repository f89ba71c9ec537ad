"""What a source has applied and asks for, kept in one ConfigMap: the only thing a sync must remember (docs/configuration.md, terms)."""

import base64
import binascii
import hashlib
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import msgspec

from reconciler.kernel.identity import Manifest, annotations_of
from reconciler.kernel.moment import parse_moment, render_moment
from reconciler.sources.drift import Drift, Healing
from reconciler.sources.hooks import HookPhase
from reconciler.sources.problem import RecordedProblem
from reconciler.sources.syncrun import SyncRun

DATA_KEY = "inventory"
OPENED = "reconciler.dev/open-until"
"""Until when a person lets the source be written whatever its windows say, on the inventory itself."""
CONFIRMED = "reconciler.dev/confirmed-prune"
"""The digest of the removals that a person has confirmed, on the inventory itself."""
WHOLE = 200_000
"""Characters beyond which the inventory is packed: a ConfigMap holds 1 MiB, and a source may have thousands of objects."""
SHOWN = 50
NAMED = 5


Place = tuple[str, str, str, str]
"""(apiVersion, kind, namespace, name)"""


@dataclass(frozen=True, slots=True)
class InventoryEntry:
    """One object of the inventory: where it is, its uid when we wrote it, and the file it stood in."""

    place: Place
    uid: str
    file: str = ""


@dataclass(frozen=True, slots=True)
class BlockedPrune:
    """Removals that wait for a person: exactly these objects, by the digest that confirms them."""

    digest: str
    objects: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class WaitedFor:
    """One object that a sync wave waits for; `why` as it was when people were told."""

    object: str
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class WaveWait:
    """A sync wave that is on its way, and how much waits behind it."""

    wave: int
    since: datetime
    behind: int
    phase: HookPhase = HookPhase.SYNC
    objects: tuple[WaitedFor, ...] = ()
    told: bool = False
    """True once it took longer than the source's `waveDeadline`."""

    def __str__(self) -> str:
        names = [f"{one.object}{f' ({one.why})' if one.why else ''}" for one in self.objects[:NAMED]]
        more = [f"… and {len(self.objects) - NAMED} more"] if len(self.objects) > NAMED else []
        stage = f"sync wave {self.wave}" if self.phase is HookPhase.SYNC else f"wave {self.wave} of {self.phase}"
        return f"{stage} waits for {', '.join((*names, *more))}; {self.behind} objects wait behind it"


@dataclass(frozen=True, slots=True)
class ClosedWindow:
    """Why a source is not written now, and until when."""

    by: str
    until: datetime | None = None

    def __str__(self) -> str:
        until = f"until {render_moment(self.until)}" if self.until is not None else "with no opening in sight"
        return f"closed by its sync window {until} ({self.by}); to open it: reconciler source open"


@dataclass(frozen=True, slots=True, kw_only=True)
class Inventory:
    """One source at one commit: its objects with their uids, the identity each workload asks for, and what is wrong with it."""

    commit: str = ""
    renderer: str = ""
    """What made the manifests at that commit; empty where they stood in the files themselves."""
    entries: tuple[InventoryEntry, ...] = ()
    workloads: Mapping[str, str] = field(default_factory=dict)
    problems: tuple[RecordedProblem | str, ...] = ()
    """As text where an earlier version wrote them."""
    ignored: tuple[str, ...] = ()
    """Files that hold no manifest, each with the reason."""
    notes: tuple[str, ...] = ()
    """What Git asks for and means nothing here, and what left Git and stays."""
    planned: tuple[str, ...] = ()
    """What would be done, where the source only reports."""
    blocked: BlockedPrune | None = None
    wave: WaveWait | None = None
    """The sync wave that later ones wait for."""
    closed: ClosedWindow | None = None
    """The sync window that keeps it from being written."""
    drifts: tuple[Drift, ...] = ()
    """Objects of which another manager has changed a field, as far as they are named."""
    drifted: int = 0
    """All of them."""
    healings: tuple[Healing, ...] = ()
    """What was brought back lately, and how often."""
    run: SyncRun | None = None
    """The hooks of the revision that is asked for; None where Git holds none."""


def config_map_name(source: str) -> str:
    return f"reconciler-source-{source}"


def workload_key(namespace: str, kind: str, name: str) -> str:
    return f"{kind}/{namespace}/{name}"


def digest_of(entries: Sequence[InventoryEntry]) -> str:
    """Names one exact set of objects: the same set has the same digest, any other one another."""
    text = "\n".join(sorted("|".join((*entry.place, entry.uid)) for entry in entries))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def confirmed_digest(manifest: Manifest | None) -> str:
    """Which removals a person has confirmed; empty for none."""
    return annotations_of(manifest).get(CONFIRMED, "") if manifest is not None else ""


def opened_until(manifest: Manifest | None) -> datetime | None:
    """Until when a person has opened the source; None where no moment is written."""
    try:
        return parse_moment(annotations_of(manifest)[OPENED]) if manifest is not None else None
    except (KeyError, ValueError):
        return None


def parse_inventory(manifest: Manifest | None) -> Inventory:
    """The inventory of a ConfigMap; an empty one when there is none or a person has broken it."""
    try:
        text = _text(manifest or {})
        return msgspec.json.decode(text, type=Inventory) if text else Inventory()
    except (msgspec.DecodeError, zlib.error, binascii.Error, ValueError):
        return Inventory()


def _text(manifest: Manifest) -> str | bytes:
    packed = (manifest.get("binaryData") or {}).get(DATA_KEY)
    return zlib.decompress(base64.b64decode(packed)) if packed else str((manifest.get("data") or {}).get(DATA_KEY) or "")


def render_inventory(source: str, namespace: str, inventory: Inventory) -> Manifest:
    """The ConfigMap to write: beside what we read again, what is wrong, ignored and planned, in lines for people."""
    encoded = msgspec.json.encode(inventory)
    packed = {DATA_KEY: base64.b64encode(zlib.compress(encoded)).decode()} if len(encoded) > WHOLE else None
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": config_map_name(source), "namespace": namespace, "labels": {"reconciler.dev/source": source}},
        "data": {
            "commit": inventory.commit,
            "problems": _lines([str(problem) for problem in inventory.problems]),
            "ignored": _lines(inventory.ignored),
            "notes": _lines(inventory.notes),
            "plan": _lines(inventory.planned),
            "waiting": str(inventory.wave or ""),
            "window": str(inventory.closed or ""),
            **({} if packed else {DATA_KEY: encoded.decode()}),
        },
        **({"binaryData": packed} if packed else {}),
    }


def replacing(fresh: Manifest) -> Manifest:
    """The patch that makes the stored ConfigMap this one, whichever of the two forms it had."""
    packed = fresh.get("binaryData")
    return {"data": {DATA_KEY: None, **fresh["data"]}, "binaryData": packed if packed else {DATA_KEY: None}}


def _lines(texts: Sequence[str]) -> str:
    more = [f"… and {len(texts) - SHOWN} more"] if len(texts) > SHOWN else []
    return "\n".join((*texts[:SHOWN], *more))


def next_entries(
    before: Sequence[InventoryEntry], seen: Mapping[Place, tuple[str, str]], removed: Sequence[Place]
) -> tuple[InventoryEntry, ...]:
    """Entries after a pass: everything seen with its present uid and file, and what was there before and is not yet removed."""
    gone = set(removed)
    kept = {entry.place: entry for entry in before if entry.place not in gone}
    kept.update({place: InventoryEntry(place, uid, file) for place, (uid, file) in seen.items() if uid})
    return tuple(kept[place] for place in sorted(kept))
