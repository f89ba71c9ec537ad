"""Which identities of a workload are proven and which are held, read off its Release objects — the only memory there is."""

from collections.abc import Iterable
from datetime import datetime

from reconciler.releases.model import EPOCH, Release, ReleasePhase, Verdict


def of_workload(releases: Iterable[Release], key: tuple[str, str, str]) -> list[Release]:
    """The releases of one workload, oldest first."""
    return sorted((r for r in releases if r.key == key), key=lambda r: r.age)


def proven(releases: Iterable[Release]) -> Release | None:
    """The newest release that passed; None before the first."""
    passed = [r for r in releases if r.status.verdict is Verdict.PASSED]
    return max(passed, key=lambda r: r.status.decided_at or EPOCH, default=None)


def holder(releases: Iterable[Release], identity: str) -> Release | None:
    """The release whose rejection holds this identity back; None when it may be deployed."""
    held = [r for r in releases if r.spec.identity == identity and r.status.held and r.status.verdict is not Verdict.HELD]
    return max(held, key=lambda r: r.status.decided_at or EPOCH, default=None)


def keeping(releases: Iterable[Release], now: datetime) -> datetime | None:
    """Until when a rejected version stays live for inspection; None when none does (DESIGN 6)."""
    ends = [r.status.keep_until for r in releases if r.status.held and r.status.keep_until and r.status.keep_until > now]
    return max(ends, default=None)


def open_releases(releases: Iterable[Release]) -> list[Release]:
    """The releases that are not closed."""
    return [r for r in releases if r.status.phase is not ReleasePhase.CLOSED]


def expired(releases: list[Release], limit: int) -> list[Release]:
    """Closed releases beyond the history limit, oldest first; the proven one and holding ones stay."""
    keep = proven(releases)
    closed = [r for r in releases if r.status.phase is ReleasePhase.CLOSED and not r.status.held and r is not keep]
    return closed[: max(0, len(closed) - limit)]
