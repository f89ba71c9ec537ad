"""What we ask of a place where Git is hosted: whose pull request it was, tell the outcome, propose a change."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, runtime_checkable


class PullState(StrEnum):
    """Where a pull request stands."""

    OPEN = "open"
    MERGED = "merged"
    CLOSED = "closed"


class CommitState(StrEnum):
    """The state of a commit status."""

    SUCCESS = "success"
    FAILURE = "failure"
    PENDING = "pending"
    ERROR = "error"


@dataclass(frozen=True, slots=True, kw_only=True)
class PullRequest:
    """One pull request; `merge_commit` is set once it is merged."""

    number: int
    url: str
    title: str
    author: str
    state: PullState
    merge_commit: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Announcement:
    """What to tell about a commit: a status, and the living comment of its pull request if it has one.

    `marker` is the hidden first line of the comment (`markdown.marker`), one per pull request and environment; `body` is what follows.
    """

    commit: str
    marker: str
    body: str
    status: CommitState
    context: str
    description: str
    pull: int | None = None
    target_url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Announced:
    """What people see now; `changed` is False when everything already said so."""

    changed: bool
    comment_url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A change on the branch `head`, already pushed, that should reach `base`."""

    head: str
    base: str
    title: str
    body: str
    labels: tuple[str, ...] = ()


class Forge(Protocol):
    """One repository on one forge. All methods may be repeated; they raise Transient or Terminal."""

    async def pull_of(self, commit: str) -> PullRequest | None:
        """The pull request that brought a commit, merged before open; None if there is none."""
        ...

    async def announce(self, announcement: Announcement) -> Announced:
        """Set the commit's status and bring the living comment up to date; what is already said is not said again."""
        ...

    async def propose(self, proposal: Proposal) -> PullRequest | None:
        """Open the pull request of a branch, or find the open one; None where there are no pull requests."""
        ...


@runtime_checkable
class Withdrawing(Protocol):
    """What a forge may also do: close the open pull request of one of our branches."""

    async def withdraw(self, head: str, base: str, words: str) -> None:
        """Close it with these words as its last comment; nothing where it is closed or was never there."""
        ...
