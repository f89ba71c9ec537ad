"""One stored object under two names: a kind of another group that shows and takes the objects of the first one, renamed.

Field names of `managedFields` are renamed with the fields they are about, so that an owner by one face owns by the other one, too.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Manifest = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Face:
    """How a kind shows objects that are kept as another version: `renamed` is its field → the stored field.

    `always` are fields that it shows even if they are empty, with what they are then; others are left out while empty.
    """

    version: str
    stored_version: str
    stored_group: str
    renamed: Mapping[str, str]
    always: Mapping[str, Any]

    def shown(self, manifest: Manifest) -> Manifest:
        """A stored object in this face."""
        back = {stored: own for own, stored in self.renamed.items()}
        fields = {back.get(name, name): value for name, value in manifest.items()}
        full = {name: value for name, value in fields.items() if value not in ("", 0, None, {}, [])}
        metadata = _entries_renamed(manifest["metadata"], self.stored_version, self.version, back)
        head = {"apiVersion": self.version, "kind": manifest["kind"], "metadata": metadata}
        return {**head, **self.always, **full, **head}

    def stored(self, manifest: Manifest) -> Manifest:
        """An object that came in this face, as it is stored; a field under its stored name is none of this face."""
        fields = {self.renamed.get(name, name): value for name, value in manifest.items() if name not in self.renamed.values()}
        metadata = _entries_renamed(manifest["metadata"], self.version, self.stored_version, self.renamed)
        return {**fields, "apiVersion": self.stored_version, "metadata": metadata}

    def path(self, path: str) -> str:
        """The stored path of a dotted path in this face."""
        first, dot, rest = path.partition(".")
        return self.renamed.get(first, first) + dot + rest


def _entries_renamed(metadata: Manifest, before: str, after: str, names: Mapping[str, str]) -> Manifest:
    entries = metadata.get("managedFields")
    if not isinstance(entries, list):
        return metadata
    return {**metadata, "managedFields": [_entry_renamed(entry, before, after, names) for entry in entries]}


def _entry_renamed(entry: Any, before: str, after: str, names: Mapping[str, str]) -> Any:
    if not isinstance(entry, dict) or entry.get("apiVersion") != before or not isinstance(entry.get("fieldsV1"), dict):
        return entry
    renamed = {f"f:{own}": f"f:{other}" for own, other in names.items()}
    fields = {renamed.get(name, name): inner for name, inner in entry["fieldsV1"].items()}
    return {**entry, "apiVersion": after, "fieldsV1": fields}
