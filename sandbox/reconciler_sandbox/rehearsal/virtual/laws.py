"""What must hold in every story, however it goes: checked after every change of the cluster, and once more at rest.

Each law is a function from what is seen to what is wrong with it, and its name is what a failure is called by.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from reconciler_sandbox.rehearsal.virtual.forge import MemoryForge
from reconciler_sandbox.rehearsal.virtual.inbox import MemoryInbox
from reconciler_sandbox.rehearsal.virtual.remote import MemoryRemote

Manifest = dict[str, Any]
HOME = timedelta(seconds=90)
"""So long traffic may take to leave a rejected version."""
EMPTY = timedelta(seconds=5)
MOST_AN_HOUR = 2
MOST_A_MINUTE = 120
MOST = {"releases": 40, "analysisruns": 60, "replicasets": 30}
REJECTED = ("failed", "aborted", "held")


@dataclass(frozen=True, slots=True)
class Sight:
    """What is there at one moment: objects by resource, users' requests by pod hash, Git, and the words of the log."""

    at: datetime
    objects: Mapping[str, Sequence[Manifest]]
    shares: Mapping[str, float]
    remote: MemoryRemote
    served: bool
    """True once users were served, by a version that can serve them."""
    bugs: Sequence[str]
    testers: Mapping[str, float] = field(default_factory=dict)
    """Testers' requests a second by pod hash."""
    ever: Mapping[str, Manifest] = field(default_factory=dict)
    """Every AnalysisRun and Release that was there once, as it was last, by UID."""
    words: Callable[[], str] = str
    """Everything that was said: objects, commits and log as one text."""
    beats: Mapping[str, int] = field(default_factory=dict)
    """How often each object was written within the last minute."""
    driven: bool = True
    """False while no daemon runs that could do anything about it."""
    told: tuple[MemoryForge, MemoryInbox] | None = None
    """Where people read; None where nobody is told."""


@dataclass(slots=True)
class Memory:
    """What laws about spans of time have to remember: since when something is so."""

    since: dict[str, datetime] = field(default_factory=dict)

    def lasts(self, what: str, at: datetime, *, holds: bool) -> timedelta:
        """How long it has been so by now."""
        if not holds:
            self.since.pop(what, None)
            return timedelta()
        return at - self.since.setdefault(what, at)


Law = Callable[[Sight, Memory], Iterator[str]]


def users_meet_a_pod(sight: Sight, memory: Memory) -> Iterator[str]:
    """Capacity: while a version that serves is there, no share of the users is sent to where no pod is ready."""
    lost = sight.shares.get("", 0.0)
    if memory.lasts("lost users", sight.at, holds=sight.served and lost > 0) > EMPTY:
        yield f"{lost:.1f} requests a second meet no ready pod"


def a_rejected_version_meets_no_users(sight: Sight, memory: Memory) -> Iterator[str]:
    """A held version gets no user traffic until it is lifted."""
    for release in sight.objects.get("releases", ()):
        status = release.get("status") or {}
        pods = str(status.get("podHash", ""))
        wrong = bool(status.get("held")) and status.get("verdict") in REJECTED and sight.shares.get(pods, 0.0) > 0
        if memory.lasts(f"held {release['metadata']['name']}", sight.at, holds=wrong) > HOME:
            yield f"{release['metadata']['name']} is held, and {sight.shares[pods]:.1f} users a second are on {pods}"


def git_is_restored_within_its_budget(sight: Sight, _: Memory) -> Iterator[str]:
    """One restore at most for each release, and two an hour for a workload."""
    by_release: dict[str, int] = {}
    for _commit, text in sight.remote.restoring():
        words = text.message.decode(errors="replace").splitlines()
        trailer = next((line for line in words if line.startswith("Reconciler-Release: ")), "")
        by_release[trailer] = by_release.get(trailer, 0) + 1
    yield from (f"{count} restore commits say {trailer}" for trailer, count in by_release.items() if count > 1)
    moments = [int(text.author.split()[-2]) for _commit, text in sight.remote.restoring()]  # of the verdicts
    for third, first in zip(moments[MOST_AN_HOUR:], moments, strict=False):
        if third - first < 3600:
            yield f"more than {MOST_AN_HOUR} restore commits within {third - first} seconds"


def a_restore_changes_nothing_but_its_scalars(sight: Sight, _: Memory) -> Iterator[str]:
    """Every line of a file that a restore leaves alone is the same as before, and no line is added or removed."""
    store = sight.remote.store
    for commit, text in (*sight.remote.restoring(), *sight.remote.proposals()):
        for name, (_mode, old), (_new_mode, new) in store.changed(text.parents[0], commit):
            before, after = store.blobs.get(old, b"").splitlines(), store.blobs.get(new, b"").splitlines()
            changed = [pair for pair in zip(before, after, strict=False) if pair[0] != pair[1]]
            if len(before) != len(after) or any(left.partition(b":")[0] != right.partition(b":")[0] for left, right in changed):
                yield f"{commit[:7]} changes more of {name.decode()} than a value"


def no_pass_ends_in_a_bug(sight: Sight, _: Memory) -> Iterator[str]:
    """An error that nobody has named is a bug."""
    yield from dict.fromkeys(sight.bugs)


def objects_stay_bounded(sight: Sight, _: Memory) -> Iterator[str]:
    """No story makes objects without end."""
    for plural, most in MOST.items():
        count = len(sight.objects.get(plural, ()))
        if count > most:
            yield f"{count} {plural}"


def nothing_is_written_without_end(sight: Sight, _: Memory) -> Iterator[str]:
    """An object is written when something happens, and not again and again because it was written."""
    often = [name for name, count in sight.beats.items() if count > MOST_A_MINUTE]
    yield from (f"{name} was written more than {MOST_A_MINUTE} times within a minute" for name in often)


def what_waits_says_why(sight: Sight, _: Memory) -> Iterator[str]:
    """At rest, every state that is not the end has a reason of its own."""
    for rollout in sight.objects.get("rollouts", ()):
        status = rollout.get("status") or {}
        if status.get("phase") in ("Paused", "Degraded", "Progressing") and not (status.get("message") or status.get("pauseConditions")):
            yield f"Rollout {rollout['metadata']['name']} is {status['phase']}, and does not say why"
    for release in sight.objects.get("releases", ()):
        status = release.get("status") or {}
        restore = status.get("restore") or {}
        if status.get("phase") != "Closed" and not (status.get("reason") or restore.get("message") or status.get("unjudged")):
            yield f"Release {release['metadata']['name']} is {status.get('phase')}, and does not say why"


STEPS: Sequence[Law] = (users_meet_a_pod, a_rejected_version_meets_no_users, no_pass_ends_in_a_bug, nothing_is_written_without_end)
REST: Sequence[Law] = (
    *STEPS,
    git_is_restored_within_its_budget,
    a_restore_changes_nothing_but_its_scalars,
    objects_stay_bounded,
    what_waits_says_why,
)


def broken(laws: Sequence[Law], sight: Sight, memory: Memory) -> list[str]:
    """Every law that does not hold, by name, with what is wrong."""
    return [f"{law.__name__.replace('_', ' ')}: {wrong}" for law in laws for wrong in law(sight, memory)]
