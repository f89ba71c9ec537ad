"""What is on record of the share of requests that a canary really served. A part of the JSON of a Release; bounded."""

from reconciler.kernel.struct import Moment, Struct

BATCHES = 30


class ShareFinding(Struct, frozen=True, kw_only=True):
    """One judged batch of requests. Shares are in percent."""

    configured: float
    served: float
    tolerated: float
    """So many percentage points apart is chance, or within the policy's slack."""
    requests: float
    until: Moment
    mismatch: bool = False


class ObservedShare(Struct, frozen=True, kw_only=True):
    """Requests of both sides while one weight is in force; every window counts once, because `until` moves with the counts."""

    digest: str
    """Of what is asked: other questions begin anew."""
    weight: int
    total: int
    """`weight` of so many."""
    until: Moment
    """The end of the last window that was looked at."""
    canary: float = 0.0
    stable: float = 0.0
    problem: str = ""
    """Why the last window could not be measured; empty when it was."""
    found: ShareFinding | None = None
    """The last batch that was large enough to judge at this weight."""
    batches: tuple[ShareFinding, ...] = ()
    """The last ones that were judged, of earlier weights too, oldest first; at most `BATCHES`."""
