"""What a source has applied and asks for, kept in one ConfigMap: the only thing a sync must remember (docs/configuration.md, terms)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

from reconciler.kernel.identity import Manifest

DATA_KEY = "inventory"
PROBLEMS_SHOWN = 50


Place = tuple[str, str, str, str]
"""(apiVersion, kind, namespace, name)"""


@dataclass(frozen=True, slots=True)
class InventoryEntry:
    """One object of the inventory: where it is and its uid when we wrote it."""

    place: Place
    uid: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Inventory:
    """One source at one commit: its objects with their uids, the identity each workload asks for, and what is wrong with it."""

    commit: str = ""
    entries: tuple[InventoryEntry, ...] = ()
    workloads: Mapping[str, str] = field(default_factory=dict)
    problems: tuple[str, ...] = ()


def config_map_name(source: str) -> str:
    return f"reconciler-source-{source}"


def workload_key(namespace: str, kind: str, name: str) -> str:
    return f"{kind}/{namespace}/{name}"


def parse_inventory(manifest: Manifest | None) -> Inventory:
    """The inventory of a ConfigMap; an empty one when there is none or a person has broken it."""
    text = ((manifest or {}).get("data") or {}).get(DATA_KEY)
    if not text:
        return Inventory()
    try:
        return msgspec.json.decode(text, type=Inventory)
    except msgspec.DecodeError:
        return Inventory()


def render_inventory(source: str, namespace: str, inventory: Inventory) -> Manifest:
    """The ConfigMap to write."""
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": config_map_name(source), "namespace": namespace, "labels": {"reconciler.dev/source": source}},
        "data": {
            "commit": inventory.commit,
            "problems": "\n".join(inventory.problems),
            DATA_KEY: msgspec.json.encode(inventory).decode(),
        },
    }


def next_entries(
    before: Sequence[InventoryEntry], seen: Mapping[Place, str], removed: Sequence[InventoryEntry]
) -> tuple[InventoryEntry, ...]:
    """Entries after a pass: everything seen with its present uid, and what was there before and is not yet removed."""
    gone = {entry.place for entry in removed}
    kept = {entry.place: entry.uid for entry in before if entry.place not in gone}
    kept.update({place: uid for place, uid in seen.items() if uid})
    return tuple(InventoryEntry(place, uid) for place, uid in sorted(kept.items()))
