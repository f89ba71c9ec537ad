"""Which versions of a workload are proven, served or held, read off its Release objects: the only memory there is. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from reconciler.releases.model import EPOCH, REJECTIONS, Cause, Release, ReleasePhase, Verdict

TRIED_AGAIN = frozenset({Cause.LIFTED, Cause.RETRIED})


def of_workload(releases: Iterable[Release], key: tuple[str, str, str]) -> list[Release]:
    """The releases of one workload, oldest first."""
    return sorted((r for r in releases if r.key == key), key=lambda r: r.age)


def proven(releases: Iterable[Release]) -> Release | None:
    """The newest release that is proven; None before the first."""
    return max((r for r in releases if r.proven), key=lambda r: r.status.decided_at or EPOCH, default=None)


def serving(releases: Sequence[Release], stable: str) -> Release | None:
    """The release whose version serves: the newest that brought all users onto the stable pods; else the newest proven one.

    Where users are on a rejected version it is what served before that one.
    """
    there = [r for r in releases if stable and r.status.pod_hash == stable and (r.served or r.proven)]
    if there:
        return there[-1]
    rejected = rejected_that_serves(releases, stable)
    before = rejected.spec.previous.release if rejected is not None and rejected.spec.previous is not None else ""
    return next((r for r in releases if before and r.name == before), None) or proven(releases)


def rejected_that_serves(releases: Sequence[Release], stable: str) -> Release | None:
    """The release of the stable pods, where its version was rejected and is held; None while users are on another one.

    So it is where the pods of the version before it were deleted, and where a person promoted it in full.
    """
    newest = next((r for r in reversed(releases) if stable and r.status.pod_hash == stable), None)
    return newest if newest is not None and newest.status.held and newest.status.verdict in REJECTIONS else None


def holder(releases: Sequence[Release], identity: str, images: Mapping[str, str], elsewhere: Sequence[Release] = ()) -> Release | None:
    """The release whose rejection holds this version back; None when it may be deployed.

    A rejection holds its identity, and all templates with its images once the same images were rejected twice. A proof that was lost
    `elsewhere` holds the images in an environment that is new to them. An attempt that a person asked for after it, by lifting or by a
    retry, ends the hold.
    """
    rejections = [r for r in releases if _rejects(r) and not _tried_again(releases, r)]
    held = [r for r in rejections if r.spec.identity == identity or (r.status.holds_images and r.spec.images == images)]
    lost = [r for r in elsewhere if r.status.lost is not None and r.spec.images == images and not _tried_again(releases, r)]
    return max((*held, *lost), key=lambda r: r.status.decided_at or EPOCH, default=None)


def _rejects(release: Release) -> bool:
    """True for a rejection; an answer to what was held before is none, unless the rejection was in another environment."""
    return release.status.held and (release.status.verdict is not Verdict.HELD or release.status.held_elsewhere)


def _tried_again(releases: Sequence[Release], rejection: Release) -> bool:
    later = [r for r in releases if r.age > rejection.age and r.spec.cause in TRIED_AGAIN]
    return any(r.spec.identity == rejection.spec.identity or r.spec.images == rejection.spec.images for r in later)


def rejections(releases: Sequence[Release], release: Release, window: timedelta, now: datetime) -> int:
    """How often another template with the images of this release was rejected within the window."""
    others = [r for r in releases if r.spec.images == release.spec.images and r.spec.identity != release.spec.identity]
    rejected = [r for r in others if r.status.held and r.status.verdict is not Verdict.HELD]
    return sum(1 for r in rejected if (r.status.decided_at or EPOCH) > now - window)


def keeping(releases: Iterable[Release], now: datetime) -> datetime | None:
    """Until when a rejected version stays live for inspection; None when none does (ADR 0014)."""
    ends = [r.status.keep_until for r in releases if r.status.held and r.status.keep_until and r.status.keep_until > now]
    return max(ends, default=None)


def expired(releases: Sequence[Release], limit: int) -> list[Release]:
    """Closed releases beyond the history limit, oldest first. The proven one stays, and as many rejections that hold as the limit says."""
    keep = proven(releases)
    closed = [r for r in releases if r.status.phase is ReleasePhase.CLOSED and r is not keep]
    holding = [r for r in closed if r.status.held and r.status.verdict is not Verdict.HELD]
    others = [r for r in closed if r not in holding]
    return [*others[: max(0, len(others) - limit)], *holding[: max(0, len(holding) - limit)]]
