"""How server-side apply sees a field: a map merged per key, an atom, a list of keyed items, or a set of values.

Built-in kinds go by field name, custom resources by their schema.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol

from reconciler_sandbox.apiserver.schemas import Schema
from reconciler_sandbox.apiserver.strategic import MERGE_KEYS

ATOMIC_MAPS = frozenset(
    {
        "selector",
        "labelSelector",
        "podSelector",
        "namespaceSelector",
        "objectSelector",
        "nodeSelector",
        "configMapKeyRef",
        "secretKeyRef",
        "fieldRef",
        "resourceFieldRef",
        "configMapRef",
        "secretRef",
        "involvedObject",
        "targetRef",
        "roleRef",
    }
)
SETS = frozenset({"finalizers"})
APPLY_KEYS: Mapping[str, tuple[str, ...]] = {name: (key,) for name, key in MERGE_KEYS.items()}
NEVER_KEYED = frozenset({"secrets"})


class Shape(Protocol):
    """One field's shape."""

    def field(self, name: str) -> "Shape": ...

    def item(self) -> "Shape": ...

    def keys(self, items: list[Any]) -> tuple[str, ...]: ...

    @property
    def atomic(self) -> bool: ...

    @property
    def is_set(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class NamedShape:
    """The shape of a field of a built-in kind, from its name."""

    name: str = ""

    def field(self, name: str) -> "NamedShape":
        """The shape of a field inside; labels and the like hold names, not fields."""
        return _named("" if self.name in ("labels", "annotations", "data", "binaryData", "stringData") else name)

    def item(self) -> "NamedShape":
        """The shape of the items of a list."""
        return NamedShape()

    def keys(self, items: list[Any]) -> tuple[str, ...]:
        """The fields that tell the items of a list apart; none for an atomic list."""
        if self.name in NEVER_KEYED:
            return ()
        if self.name == "ports":
            return (
                ("containerPort", "protocol")
                if any("containerPort" in one for one in items if isinstance(one, dict))
                else ("port", "protocol")
            )
        return APPLY_KEYS.get(self.name, ())

    @property
    def atomic(self) -> bool:
        """Whether a map is replaced as a whole."""
        return self.name in ATOMIC_MAPS

    @property
    def is_set(self) -> bool:
        """Whether a list is a set of values."""
        return self.name in SETS


@lru_cache(1024)
def _named(name: str) -> NamedShape:
    return NamedShape(name)


@dataclass(frozen=True, slots=True)
class SchemaShape:
    """The shape of a field of a custom resource; what its schema does not describe is merged per key."""

    schema: Schema | None

    def field(self, name: str) -> Shape:
        """The shape of a field inside."""
        return SchemaShape(self.schema.child(name) if self.schema else None)

    def item(self) -> Shape:
        """The shape of the items of a list."""
        return SchemaShape(self.schema.item if self.schema else None)

    def keys(self, items: list[Any]) -> tuple[str, ...]:
        """The fields that tell the items of a list apart; none for an atomic list."""
        raw = self._raw()
        return tuple(raw.get("x-kubernetes-list-map-keys") or ()) if raw.get("x-kubernetes-list-type") == "map" else ()

    @property
    def atomic(self) -> bool:
        """Whether a map is replaced as a whole."""
        return self._raw().get("x-kubernetes-map-type") == "atomic"

    @property
    def is_set(self) -> bool:
        """Whether a list is a set of values."""
        return self._raw().get("x-kubernetes-list-type") == "set"

    def _raw(self) -> Mapping[str, Any]:
        return self.schema.raw if self.schema else {}


@dataclass(frozen=True, slots=True)
class ObjectShape:
    """The shape of a whole custom resource: metadata is built in."""

    schema: Schema

    def field(self, name: str) -> Shape:
        """The shape of a top-level field."""
        return NamedShape(name) if name == "metadata" else SchemaShape(self.schema.child(name))

    def item(self) -> Shape:
        """An object has no items."""
        return NamedShape()

    def keys(self, items: list[Any]) -> tuple[str, ...]:
        """An object has no items."""
        return ()

    @property
    def atomic(self) -> bool:
        """An object is merged per field."""
        return False

    @property
    def is_set(self) -> bool:
        """An object is no set."""
        return False


def shape_of(schema: Schema | None) -> Shape:
    """The shape of a kind's objects."""
    return NamedShape() if schema is None else ObjectShape(schema)
