"""The rows of docs/compatibility.md as data: what differs, which fields it is about, and under which condition (rows.toml)."""

import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import Any

from reconciler.analysis.model import PLUGIN
from reconciler.providers.registry import installed
from reconciler.rollouts.traffic.router import PLUGINS, SETTINGS
from reconciler.routers.registry import ROUTERS
from reconciler.stepplugins.registry import found

Path = tuple[str | int, ...]
PAGE = "docs/compatibility.md"
LINK = re.compile(r"\[([^\]]*)\]\([^)]*\)")
SUBSCRIPTION = "notifications.argoproj.io/"
GROUPS: Mapping[str, frozenset[str]] = {"Analysis": frozenset({"AnalysisTemplate", "ClusterAnalysisTemplate", "AnalysisRun"})}
"""Words for several kinds."""


class Likeness(StrEnum):
    """How something is here, beside the reference."""

    SAME = "same"
    STRICTER = "stricter"
    BETTER = "better"
    UNSUPPORTED = "unsupported"


@dataclass(frozen=True, slots=True)
class Member:
    """One field of a manifest: its path, its value, and whether the controller refuses the object because of it or of a field below it."""

    path: Path
    value: Any
    refused: bool = False

    @property
    def name(self) -> str:
        return str(self.path[-1])


def _number(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _at_least(member: Member, limit: str) -> bool:
    number = _number(member.value)
    return number is not None and number >= int(limit)


def _equals(member: Member, text: str) -> bool:
    return not isinstance(member.value, bool) and str(member.value) == text


def _is(member: Member, word: str) -> bool:
    return STATES[word](member)


def _is_unserved(member: Member) -> bool:
    """A router or a provider by its key; of plug-ins each is looked at by itself."""
    name, outer = member.name, member.path[-2]
    if member.value is None or name in (*SETTINGS, PLUGINS, PLUGIN.strip()):
        return False
    if outer == "provider":
        return name not in installed()
    return (f"{PLUGINS}.{name}" if outer == PLUGINS else name) not in ROUTERS


def _is_not_installed(member: Member) -> bool:
    """A plug-in of a step by its name, one of a metric by its key."""
    if isinstance(member.value, dict) and member.name == "plugin":
        return str(member.value.get("name")) not in {plugin.name for plugin in found() if not plugin.reason}
    return f"{PLUGIN}{member.name}" not in installed()


STATES: Mapping[str, Callable[[Member], bool]] = {
    "empty": lambda member: not member.value,
    "true": lambda member: member.value is True,
    "refused": lambda member: member.refused,
    "unserved": _is_unserved,
    "not installed": _is_not_installed,
    "a subscription": lambda member: member.name.startswith(SUBSCRIPTION),
}
CONDITIONS: Mapping[str, Callable[[Member, str], bool]] = {">=": _at_least, "=": _equals, "is": _is}


@dataclass(frozen=True, slots=True)
class At:
    """Fields that a row is about: kinds, a path (`steps[]` is every step, `*` every member), a condition on the value."""

    kinds: frozenset[str]
    path: tuple[str, ...]
    operator: str = ""
    operand: str = ""

    def holds(self, kind: str, member: Member) -> bool:
        """True when the row speaks of this field of an object of this kind."""
        if kind not in self.kinds or len(member.path) != len(self.path):
            return False
        fits = all(
            part == "*" or part == (found if isinstance(found, str) else "[]") for part, found in zip(self.path, member.path, strict=True)
        )
        return fits and (not self.operator or CONDITIONS[self.operator](member, self.operand))


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownDifference:
    """One difference. `contract` is the section and what of it; empty for what is not served at all."""

    id: str
    likeness: Likeness
    contract: str
    reference: str
    here: str
    at: tuple[At, ...]

    @property
    def link(self) -> str:
        return f"{PAGE}#{self.id}"

    @property
    def why(self) -> str:
        """The row in one line."""
        text = f"contract {self.contract}: there {self.reference}; here {self.here}" if self.contract else f"{self.reference}: {self.here}"
        return LINK.sub(r"\1", text)


@cache
def rows() -> tuple[KnownDifference, ...]:
    """All rows, in the order of the page."""
    document = tomllib.loads((files("reconciler.app.compat") / "rows.toml").read_text(encoding="utf-8"))
    return tuple(_row(row) for row in document["row"])


def _row(row: Mapping[str, Any]) -> KnownDifference:
    return KnownDifference(
        id=row["id"],
        likeness=Likeness(row["is"]),
        contract=row.get("contract", ""),
        reference=row["reference"],
        here=row["here"],
        at=tuple(_at(text) for text in row.get("at", ())),
    )


def _at(text: str) -> At:
    kind, path, *condition = text.split(" ", 3)
    operator, operand = (condition[0], condition[1]) if condition else ("", "")
    parts = tuple(part for word in path.split(".") for part in ((word[:-2], "[]") if word.endswith("[]") else (word,)))
    return At(GROUPS.get(kind, frozenset({kind})), parts, operator, operand)
