"""Which pull request brought a release: asked at the opening, and once more where that found none. Pure."""

from datetime import datetime, timedelta

from reconciler.releases.model import Release

LATELY = timedelta(minutes=10)
"""How long after the verdict a forge may still learn which pull request a commit belongs to."""


def misses_pull(release: Release, now: datetime) -> bool:
    """True when the forge is to be asked: it gave no answer at the opening, or knew none then and the verdict has just been reached."""
    if release.pull is not None or release.status.pull_known or release.spec.baseline:
        return False
    decided = release.status.decided_at
    return release.spec.pull_unknown or (decided is not None and now - decided < LATELY)
