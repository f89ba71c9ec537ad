"""Drift: a field that Git sets and another manager has changed. What a source says about it, and what is on record (docs/sources.md)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from fnmatch import fnmatchcase

from reconciler.kernel.identity import Manifest, annotations_of, name_of, namespace_of
from reconciler.sources.kinds import group_of

IGNORED = "reconciler.dev/ignore-differences"
"""On an object in Git: JSON pointers, and `manager=NAME`, with commas between them."""
BY_MANAGER = "manager="


class DriftPolicy(StrEnum):
    """What becomes of a field that another manager has changed."""

    REPORT = "report"
    HEAL = "heal"


@dataclass(frozen=True, slots=True, kw_only=True)
class IgnoreRule:
    """One entry of `ignoreDifferences`, in the words of an Argo CD Application: group, kind and managers are globs."""

    group: str = ""
    kind: str
    name: str = ""
    namespace: str = ""
    pointers: tuple[tuple[str, ...], ...] = ()
    managers: tuple[str, ...] = ()

    def concerns(self, manifest: Manifest) -> bool:
        """True when it is about this object."""
        named = self.name in ("", name_of(manifest)) and self.namespace in ("", namespace_of(manifest))
        return named and fnmatchcase(group_of(manifest), self.group) and fnmatchcase(str(manifest["kind"]), self.kind)

    def covers(self, steps: tuple[str, ...], manager: str) -> bool:
        """True for a field at or below one of its pointers, or of one of its managers."""
        below = any(steps[: len(pointer)] == pointer for pointer in self.pointers)
        return below or any(fnmatchcase(manager.partition(" ")[0], glob) for glob in self.managers if manager)


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftSettings:
    """What a source does about drift, and which fields it leaves to others."""

    policy: DriftPolicy = DriftPolicy.REPORT
    ignored: tuple[IgnoreRule, ...] = ()


@dataclass(frozen=True, slots=True)
class DriftedField:
    """One field: as people read it, its JSON pointer, who changed it (empty: it was removed), and since when we know."""

    field: str
    pointer: str
    manager: str
    since: str

    def __str__(self) -> str:
        return f"{self.field} ({f'by {self.manager}' if self.manager else 'removed'}, since {self.since})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """One object with fields that Git sets and that live otherwise. No values: they are read by who asks, with their own rights."""

    object: str
    """`Kind namespace/name`."""
    fields: tuple[DriftedField, ...]
    more: int = 0
    """Fields beyond those that are named."""
    fought: bool = False
    """True once it was brought back too often: it stays until Git or a person decides."""

    @property
    def count(self) -> int:
        return len(self.fields) + self.more


@dataclass(frozen=True, slots=True)
class Healing:
    """How often one object was brought back lately; another wish (`digest`) begins anew."""

    place: tuple[str, str, str, str]
    digest: str
    moments: tuple[datetime, ...] = field(default=())


def pointer_of(text: str) -> tuple[str, ...]:
    """The steps of a JSON pointer. Raises ValueError for another text, and for what no rule may be about."""
    if not text.startswith("/") or text == "/":
        raise ValueError(f"{text!r} is no JSON pointer: write one like /spec/replicas")
    return tuple(step.replace("~1", "/").replace("~0", "~") for step in text[1:].split("/"))


def own_rule(manifest: Manifest) -> IgnoreRule | None:
    """What the object itself says in Git; words that are neither pointer nor manager say nothing."""
    words = _words(annotations_of(manifest))
    if not words:
        return None
    pointers, managers = [], []
    for word in words:
        if word.startswith(BY_MANAGER):
            managers.append(word.removeprefix(BY_MANAGER))
        elif not misread(word):
            pointers.append(pointer_of(word))
    return IgnoreRule(kind="*", group="*", pointers=tuple(pointers), managers=tuple(managers))


def unread(manifest: Manifest) -> Iterator[str]:
    """Why words of an object's annotation say nothing."""
    for word in _words(annotations_of(manifest)):
        if not word.startswith(BY_MANAGER) and (why := misread(word)):
            yield f"{IGNORED}: {why}"


def misread(word: str) -> str:
    """Why a text is no JSON pointer; empty for one that is."""
    try:
        pointer_of(word)
    except ValueError as error:
        return str(error)
    return ""


def _words(annotations: Mapping[str, str]) -> tuple[str, ...]:
    text = annotations.get(IGNORED)
    return tuple(word.strip() for word in str(text).split(",") if word.strip()) if text else ()
