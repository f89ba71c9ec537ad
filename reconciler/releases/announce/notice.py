"""What people are told of a release, as data: each notifier makes its own words, cards or JSON of it. Pure.

Texts in it are strangers' as they came: a notifier neutralises them for its own target.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import msgspec

from reconciler.kernel.struct import Struct


class NoticeCommit(Struct, frozen=True, kw_only=True):
    """The commit that asked for the release."""

    sha: str
    author: str = ""
    subject: str = ""


class NoticeEvidence(Struct, frozen=True, kw_only=True):
    """One metric: how it ended, how often it said what, its last values, and the rule it was held against."""

    metric: str
    ended: str
    passed: int = 0
    failed: int = 0
    without_data: int = 0
    values: tuple[str, ...] = ()
    rule: str = ""


class NextStep(Struct, frozen=True, kw_only=True):
    """What a person can do now, and the command for it if there is one."""

    text: str
    command: str = ""


class NoticeLink(Struct, frozen=True, kw_only=True):
    text: str
    url: str


class ReleaseMessage(Struct, frozen=True, kw_only=True):
    """How one attempt of a release stands; a later one about the same `key` takes its place."""

    environment: str
    source: str
    namespace: str
    workload: str
    release: str
    attempt: int = 1
    phase: str
    verdict: str = ""
    headline: str
    reason: str = ""
    needs_person: bool = False
    commit: NoticeCommit | None = None
    pull: str = ""
    evidence: tuple[NoticeEvidence, ...] = ()
    next_steps: tuple[NextStep, ...] = ()
    links: tuple[NoticeLink, ...] = ()
    decided_at: datetime | None = None

    @property
    def key(self) -> str:
        """What it is about, unique in the world: environment and source are part of it."""
        return "/".join((self.environment, self.source, self.namespace, self.workload, self.release, str(self.attempt)))


class NoticeLimits(Struct, frozen=True, kw_only=True):
    """What a service takes: bytes of one message."""

    size: int


class Notifier(Protocol):
    """One place where people read. May be repeated: the same message with the same handle is said once. Raises Transient or Terminal."""

    async def tell(self, message: ReleaseMessage, handle: str) -> str:
        """Say it, in place of what `handle` stands for (empty: nothing was said yet). Answers the handle to keep for the next time."""
        ...


@dataclass(frozen=True, slots=True)
class Subscription:
    """A notifier and the environments that it is told of; none named means all."""

    notifier: Notifier
    environments: frozenset[str] = frozenset()

    def includes(self, environment: str) -> bool:
        return not self.environments or environment in self.environments


def fitted(message: ReleaseMessage, limits: NoticeLimits) -> ReleaseMessage:
    """The message within the limits: evidence goes first, from its end, then links, then long texts."""
    while message.evidence and _size(message) > limits.size:
        message = msgspec.structs.replace(message, evidence=message.evidence[:-1])
    if _size(message) > limits.size:
        message = msgspec.structs.replace(message, links=())
    over = _size(message) - limits.size
    if over > 0:
        message = msgspec.structs.replace(message, reason=message.reason.encode()[: -over - 3].decode(errors="ignore") + "…")
    return message


def _size(message: ReleaseMessage) -> int:
    return len(msgspec.json.encode(message))
