"""Who met a version before its verdict, as far as its Release tells: how many, for how long, how many requests. Pure."""

from datetime import datetime

from reconciler.releases.model import Release, Verdict
from reconciler.views.measuring.spans import roughly


def impact_of(release: Release, now: datetime) -> str:
    """In words; empty where nothing of it is on record."""
    status = release.status
    if status.verdict is Verdict.HELD or (release.decided and not status.pod_hash):
        return "nobody: it was not deployed"
    end = status.decided_at or now
    if status.promoted_at is not None and status.promoted_at <= end:
        met = f"everybody for {roughly((end - status.promoted_at).total_seconds())}"
        return met + (" so far" if status.decided_at is None else " before the verdict")
    if release.created is None:
        return ""
    span = roughly((end - release.created).total_seconds())
    met = f"a part of users, for {span}{' so far' if status.decided_at is None else ' at most'}"
    return f"{met}, {_requests(release)}".removesuffix(", ")


def _requests(release: Release) -> str:
    """How many requests it was seen to serve, where the policy counts them; what was not counted is not guessed."""
    batches = release.status.share.batches if release.status.share is not None else ()
    served = sum(one.requests * one.served / 100 for one in batches)
    return f"{served:.0f} requests or more" if served >= 1 else ""
