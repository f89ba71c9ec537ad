"""How the way back in Git stands, asked at each pass (ADR 0012). Pure.

It is wanted for as long as a cleanly read tip asks for the rejected version and no later attempt tries that version again.
"""

from collections.abc import Sequence
from enum import StrEnum

from reconciler.releases.holds import TRIED_AGAIN
from reconciler.releases.model import Release, RestoreState

LEFT = ""
"""Asked for where Git asks for nothing: the workload is gone from it, and from the cluster."""
OPEN = frozenset({RestoreState.WANTED, RestoreState.PROPOSED})


class Standing(StrEnum):
    """What is to be done about the way back now."""

    NOTHING = "nothing"
    RESTORE = "restore"
    WAIT = "wait"
    """It is proposed: a person decides."""
    WITHDRAW = "withdraw"
    """The version is tried again, or proven by now: an open proposal is closed with a sentence."""
    HANDED_ON = "handed on"
    """A later attempt of the same version has a way back of its own."""
    MERGED = "merged"


def standing(release: Release, history: Sequence[Release], asked: str | None) -> Standing:
    """How the way back of a release stands. `history` are the workload's releases; `asked` is what Git asks for, if known, or LEFT."""
    restore = release.status.restore
    if restore is None or restore.state not in OPEN:
        return Standing.NOTHING
    later = [r for r in history if r.age > release.age and r.spec.identity == release.spec.identity]
    if any(r.status.restore is not None for r in later):
        return Standing.HANDED_ON
    if asked == LEFT:
        return Standing.MERGED
    if restore.state is RestoreState.WANTED:
        return Standing.WITHDRAW if any(r.spec.cause in TRIED_AGAIN for r in later) else Standing.RESTORE
    if any(r.proven for r in later):
        return Standing.WITHDRAW
    return Standing.MERGED if asked is not None and asked != release.spec.identity else Standing.WAIT


def shares_branch(release: Release, history: Sequence[Release]) -> bool:
    """True when the proposal on its branch is that of a later release by now."""
    own = release.status.restore.branch if release.status.restore is not None else ""
    later = [r.status.restore for r in history if r.age > release.age and r.status.restore is not None]
    return any(restore.branch == own and restore.state is RestoreState.PROPOSED for restore in later)
