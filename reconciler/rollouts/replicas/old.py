"""Older ReplicaSets: when they shrink, and how long they stay warm for a quick way back (contract 2.8–2.10)."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from reconciler.kernel.moment import parse_moment, render_moment


@dataclass(frozen=True, slots=True)
class Old:
    """One ReplicaSet that is neither new nor stable.

    `deadline` is its `scale-down-deadline` annotation as written, empty when absent; `created` its creationTimestamp.
    """

    name: str
    hash: str
    spec: int
    available: int
    deadline: str = ""
    created: str = ""
    revision: int = 0


@dataclass(frozen=True, slots=True)
class OldSize:
    """What one older ReplicaSet shall become: its `spec.replicas` and its deadline annotation (empty: absent).

    `wake_at` is when to look again. Write only when `changed`.
    """

    old: Old
    replicas: int
    deadline: str = ""
    wake_at: datetime | None = None

    @property
    def changed(self) -> bool:
        return self.replicas != self.old.spec or self.deadline != self.old.deadline


@dataclass(frozen=True, slots=True, kw_only=True)
class OldTerms:
    """Under which rules older ReplicaSets stay.

    `seconds` is scaleDownDelaySeconds (already defaulted), `limit` scaleDownDelayRevisionLimit (None: no limit), `keep` the size
    while waiting (blue/green: all replicas; None: its own). `referenced` holds hashes that must not shrink (contract 10.7);
    `promoted`: fully promoted; `dynamic`: dynamicStableScale.
    """

    seconds: int
    limit: int | None = None
    keep: int | None = None
    referenced: frozenset[str] = field(default_factory=frozenset)
    promoted: bool = False
    dynamic: bool = False


def newest_first(olds: Iterable[Old]) -> list[Old]:
    return sorted(olds, key=lambda old: (old.revision, old.created, old.name), reverse=True)


def budget(available: int, replicas: int, unavailable: int) -> int:
    """How many pods may leave: all available pods of all ReplicaSets above the minimum (contract 2.8)."""
    return available - (replicas - unavailable)


def trim(olds: Sequence[Old]) -> tuple[OldSize, ...]:
    """Every older ReplicaSet cut to the pods that are available, referenced or not (contract 2.8 item 1)."""
    return tuple(_resized(old, old.available) for old in olds if old.spec > old.available)


def scale_down_basic(olds: Sequence[Old], allowance: int) -> tuple[OldSize, ...]:
    """Trimmed, then the newest first shrunk by what `allowance` (see `budget`) still permits (contract 2.8)."""
    decisions = []
    for old in newest_first(olds):
        size = min(old.spec, old.available)
        leaving = max(0, min(size, allowance))
        allowance -= leaving
        decisions.append(_resized(old, size - leaving))
    return tuple(decisions)


def scale_down_routed(olds: Sequence[Old], allowance: int, terms: OldTerms, now: datetime) -> tuple[OldSize, ...]:
    """Trimmed; referenced ones kept, former stables delayed, intermediate revisions sent to 0 at once (contract 2.8)."""
    decisions = []
    waiting = 0
    for old in newest_first(olds):
        size = min(old.spec, old.available)
        if allowance <= 0 or old.spec == 0 or old.hash in terms.referenced:
            decisions.append(_resized(old, size))
            continue
        decision = _routed(replace(old, spec=size), waiting, terms, now)
        waiting += _waits(decision, old)
        allowance -= size - decision.replicas
        decisions.append(replace(decision, old=old))
    return tuple(decisions)


def _routed(old: Old, waiting: int, terms: OldTerms, now: datetime) -> OldSize:
    former_stable = terms.promoted or old.deadline != ""
    if former_stable and not terms.dynamic:
        return delay(old, waiting, terms, now)
    return OldSize(old, 0)


def scale_down_bluegreen(olds: Sequence[Old], terms: OldTerms, now: datetime) -> tuple[OldSize, ...]:
    """All but the referenced go through the delay, kept at `terms.keep` meanwhile (contract 2.9).

    Not to be called while an inconclusive analysis pauses, nor while an unfinished post-promotion analysis keeps them.
    """
    return tuple(_delayed(newest_first(olds), terms, now))


def _delayed(olds: Sequence[Old], terms: OldTerms, now: datetime) -> Iterator[OldSize]:
    waiting = 0
    for old in olds:
        if old.hash in terms.referenced:
            continue
        decision = delay(old, waiting, terms, now)
        waiting += _waits(decision, old)
        yield decision


def _waits(decision: OldSize, old: Old) -> int:
    """1 for a ReplicaSet that counts against the revision limit: it carries a deadline, before or after the decision."""
    return int(bool(decision.deadline or old.deadline))


def delay(old: Old, waiting: int, terms: OldTerms, now: datetime) -> OldSize:
    """Keep, mark or empty one ReplicaSet; `waiting` newer ones wait already (contract 2.10).

    An explicit delay of zero scales down at once instead of keeping it for ever (13.31, the recommended way).
    """
    within = terms.limit is None or waiting < terms.limit
    if not within or (not old.deadline and terms.seconds == 0):
        return OldSize(old, 0)
    if not old.deadline:
        return _marked(old, terms.seconds, now)
    until = _expiry(old.deadline)
    if until is None or until <= now:
        return OldSize(old, 0)
    return OldSize(old, old.spec if terms.keep is None else terms.keep, old.deadline, until)


def _marked(old: Old, seconds: int, now: datetime) -> OldSize:
    if old.spec == 0:
        return OldSize(old, 0)
    until = now.replace(microsecond=0) + timedelta(seconds=seconds)
    return OldSize(old, old.spec, render_moment(until), until)


def _resized(old: Old, size: int) -> OldSize:
    """At zero the deadline goes too (contract 2.10)."""
    return OldSize(old, size, old.deadline if size > 0 else "")


def _expiry(deadline: str) -> datetime | None:
    """When a written deadline passes; None when it is no time, which counts as passed (contract 2.10)."""
    try:
        return parse_moment(deadline)
    except ValueError:
        return None
