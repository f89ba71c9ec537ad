"""One window of requests: of which two sides, of which time, and what came back. Pure."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ShareQuestion:
    """Pod template hashes of the two sides, and one window."""

    canary: str
    stable: str
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class ShareSample:
    """How many requests each side served in the window; or why that could not be measured."""

    question: ShareQuestion
    canary: float = 0.0
    stable: float = 0.0
    problem: str = ""
