"""What a rule says about an object, and the same said about a line of a file."""

from collections.abc import Iterator
from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class Finding:
    """A remark with its place; `object` is `Kind namespace/name`, empty when the file itself is meant."""

    severity: Severity
    file: str
    line: int
    object: str
    field: str
    message: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        said = [part for part in (self.object, self.field, self.message) if part]
        return f"{place}: {self.severity}: {': '.join(said)}"


Remarks = Iterator[Remark]
