"""What a rule says about an object, and the same said about a line of a file."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum


class Severity(StrEnum):
    """Errors fail a lint; warnings are about what works and does not do what it is there for; notes tell what could not be looked at."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Remark:
    """One rule's word about a field of an object."""

    field: str
    message: str
    severity: Severity = Severity.ERROR
    suggestion: str = ""
    unknown: bool = False
    """It is about a field that there is not."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A remark with its place; `object` is `Kind namespace/name`, empty when the file itself is meant.

    `suggestion` is what to write instead, where that can be known.
    """

    severity: Severity
    file: str
    line: int
    object: str
    field: str
    message: str
    column: int = 0
    suggestion: str = ""

    def __str__(self) -> str:
        place = ":".join(str(part) for part in (self.file, self.line, self.column) if part)
        said = [part for part in (self.object, self.field, self.message) if part]
        hint = f"; {self.suggestion}" if self.suggestion else ""
        return f"{place}: {self.severity}: {': '.join(said)}{hint}"


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """The nearest of the known words as a question; empty where none is near."""
    near = get_close_matches(word, list(known), n=1, cutoff=0.7)
    return f"did you mean {near[0]}?" if near else ""


Remarks = Iterator[Remark]
