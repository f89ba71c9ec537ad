"""Commits as releases: each is one, until the next comes; one that a later commit took back was bad. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from reconciler.views.measuring.backtests import KnownOutcome, ReleaseWindow

TAKEN_BACK = re.compile(r"^(?:This reverts commit |Reconciler-Restores: )([0-9a-f]{40,64})\b", re.MULTILINE)
"""What git says of a revert, and our own restore of the commit that it takes back."""
SHORT = 12


@dataclass(frozen=True, slots=True)
class PastCommit:
    """One commit: when it came, and its whole message."""

    sha: str
    time: datetime
    text: str


def windows_of_commits(commits: Sequence[PastCommit], length: timedelta) -> tuple[ReleaseWindow, ...]:
    """The releases among commits, oldest first; a commit that only takes others back is none. Each is measured for `length` at most."""
    taken = {sha for commit in commits for sha in TAKEN_BACK.findall(commit.text)}
    found = []
    for place, commit in enumerate(commits):
        if TAKEN_BACK.search(commit.text):
            continue
        later = [other.time for other in commits[place + 1 :] if other.time > commit.time]
        end = min([commit.time + length, *later[:1]])
        outcome = KnownOutcome.BAD if commit.sha in taken else KnownOutcome.GOOD
        name = commit.sha[:SHORT]
        words = {"commit": commit.sha, "release": name}
        found.append(ReleaseWindow(name=name, start=commit.time, end=end, outcome=outcome, words=words))
    return tuple(found)
