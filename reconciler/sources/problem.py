"""What a source could not do, on record: what, where, why in the words of who refused, who can mend it, and what to do."""

from dataclasses import dataclass
from enum import StrEnum


class Reason(StrEnum):
    """Why something was not done."""

    UNREACHABLE = "unreachable"
    RENDERER_GONE = "renderer gone"
    REPORTING = "reporting"
    UNUSABLE_FILE = "unusable file"
    CONTESTED = "contested"
    NOT_ALLOWED = "not allowed"
    MISNAMED = "misnamed"
    NO_NAMESPACE = "no namespace"
    NAMESPACE_MISSING = "namespace missing"
    NOT_SERVED = "not served"
    UNREADABLE = "unreadable"
    OTHER_DRIVER = "other driver"
    OTHER_SOURCE = "other source"
    MISSHAPEN = "misshapen"
    NOT_ADOPTED = "not adopted"
    UNJUDGED = "unjudged"
    UNOPENED = "release not opened"
    REFUSED = "refused by the server"
    CONFLICT = "conflict"
    NO_ANSWER = "no answer"
    NOT_REMOVED = "not removed"
    PRUNE_BLOCKED = "prune blocked"
    CONFIG_WAITS = "config waits"
    WAVE_WAITS = "wave waits"
    HOOK_WAITS = "hook waits"
    HOOK_FAILED = "hook failed"
    IN_THE_WAY = "in the way"
    DRIFTED = "drifted"
    FOUGHT_OVER = "fought over"


class Mender(StrEnum):
    """Who can do something about it."""

    AUTHOR = "author"
    """Whoever writes the manifests."""
    OPERATOR = "operator"
    """Whoever runs the daemon and the cluster."""
    NOBODY = "nobody"
    """It mends itself: it is tried again."""


@dataclass(frozen=True, slots=True)
class Objection:
    """Why one object is left alone, and what would change that."""

    reason: Reason
    message: str
    remedy: str
    mender: Mender = Mender.AUTHOR

    def __str__(self) -> str:
        return f"{self.message}; {self.remedy}"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedProblem:
    """One thing that is not done, where it stands in Git, and what is to be done about it."""

    reason: Reason
    file: str = ""
    line: int = 0
    object: str = ""
    """`Kind namespace/name`; empty where a file or the whole source is meant."""
    message: str = ""
    """What is wrong; where the server refused, its own words."""
    remedy: str = ""
    mender: Mender = Mender.AUTHOR
    retried: bool = False
    """True when the same thing is tried again by itself, after longer and longer pauses."""

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        named = not self.object or self.message.startswith(f"{self.object.partition(' ')[0]} ")
        words = self.message if named else f"{self.object}: {self.message}"
        again = " (tried again with growing pauses)" if self.retried else ""
        return f"{f'{place}: ' if place else ''}{words}{f'; {self.remedy}' if self.remedy else ''}{again}"
