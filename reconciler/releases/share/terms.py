"""How a policy has the share of requests observed that a canary serves (docs/configuration.md, `observedShare`)."""

import hashlib
from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class ShareTerms:
    """How the share is observed: `requests` selects the counter of one side, `slack` is tolerated on top, in percentage points."""

    requests: str
    slack: float = 2.0
    every: timedelta = timedelta(minutes=1)
    minimum_requests: int = 500
    address: str = ""

    @property
    def digest(self) -> str:
        return hashlib.sha256(repr(self).encode()).hexdigest()[:16]
