"""What a Git host remembers beside the repository: pull requests, comments, statuses and labels, each a frozen record."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count

STATUSES_PER_CONTEXT = 1000


def timestamp() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pull:
    """One pull request; `commits` are those of its branch, kept as they were when it was closed."""

    number: int
    title: str
    body: str
    author: str
    head: str
    base: str
    head_sha: str
    state: str = "open"
    merge_commit: str = ""
    merged_by: str = ""
    commits: tuple[str, ...] = ()
    draft: bool = False
    created_at: str = field(default_factory=timestamp)
    updated_at: str = field(default_factory=timestamp)
    closed_at: str = ""

    @property
    def merged(self) -> bool:
        return bool(self.merge_commit)


@dataclass(frozen=True, slots=True, kw_only=True)
class Comment:
    """One comment in a conversation."""

    id: int
    number: int
    author: str
    body: str
    created_at: str = field(default_factory=timestamp)
    updated_at: str = field(default_factory=timestamp)


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """One commit status: the newest of a context counts."""

    id: int
    sha: str
    state: str
    context: str
    description: str
    target_url: str
    author: str
    created_at: str = field(default_factory=timestamp)


@dataclass(slots=True)
class Book:
    """The records of one repository; ids are never used twice."""

    pulls: dict[int, Pull] = field(default_factory=dict)
    comments: dict[int, Comment] = field(default_factory=dict)
    statuses: dict[str, list[Status]] = field(default_factory=dict)
    labels: dict[int, tuple[str, ...]] = field(default_factory=dict)
    numbers: Iterator[int] = field(default_factory=lambda: count(1))
    ids: Iterator[int] = field(default_factory=lambda: count(1001))

    def conversation(self, number: int) -> list[Comment]:
        """The comments of one pull request, oldest first."""
        return [comment for comment in self.comments.values() if comment.number == number]

    def open_pull(self, head: str, base: str) -> Pull | None:
        matching = (p for p in self.pulls.values() if p.state == "open" and (p.head, p.base) == (head, base))
        return next(matching, None)

    def full(self, sha: str, context: str) -> bool:
        """Whether a commit has as many statuses of this context as GitHub keeps."""
        return sum(s.context == context for s in self.statuses.get(sha, ())) >= STATUSES_PER_CONTEXT

    def newest(self, sha: str) -> list[Status]:
        """The newest status of each context of a commit, newest first."""
        latest = {status.context: status for status in self.statuses.get(sha, ())}
        return sorted(latest.values(), key=lambda status: -status.id)
