"""The hooks of one synced revision, on record before any of them starts: what a new life of the daemon goes on from."""

import hashlib
from dataclasses import dataclass
from enum import StrEnum

from reconciler.sources.hooks import HookPhase

HookPlace = tuple[str, str, str, str]
"""(apiVersion, kind, namespace, name)"""


class HookState(StrEnum):
    """How far one hook is."""

    WAITING = "waiting"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"

    @property
    def ended(self) -> bool:
        return self in (HookState.SUCCEEDED, HookState.FAILED)


@dataclass(frozen=True, slots=True, kw_only=True)
class HookRecord:
    """One hook in one phase of one run."""

    hook: str
    """Names the manifest in Git, wherever it stands."""
    phase: HookPhase
    place: HookPlace
    """The object that it becomes; its name is known before it is made."""
    state: HookState = HookState.WAITING
    why: str = ""


@dataclass(frozen=True, slots=True)
class Leftover:
    """The object of a hook that a newer run took over: it is removed, or only let go where it had `ended`."""

    place: HookPlace
    mark: str
    ended: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncRun:
    """All hooks of one revision. `number` counts the runs of a source, so that a revision which comes back runs again."""

    revision: str
    """Of what the source holds, hooks included."""
    commit: str
    """The commit at which it began: after a failure another commit tries again."""
    number: int = 1
    hooks: tuple[HookRecord, ...] = ()
    leftovers: tuple[Leftover, ...] = ()

    @property
    def id(self) -> str:
        """Stands on every object of this run, and in the names of those that get one."""
        return run_id(self.number, self.commit, self.revision)

    @property
    def failed(self) -> bool:
        return any(record.state is HookState.FAILED for record in self.hooks if record.phase is not HookPhase.SYNC_FAIL)

    @property
    def over(self) -> bool:
        """True once no hook of it runs or will run."""
        if any(record.state is HookState.RUNNING for record in self.hooks):
            return False
        due = [record for record in self.hooks if (record.phase is HookPhase.SYNC_FAIL) == self.failed]
        return all(record.state.ended for record in due)


def run_id(number: int, commit: str, revision: str) -> str:
    """The same for the same run, in every life of the daemon."""
    return hashlib.sha256(f"{number}/{commit}/{revision}".encode()).hexdigest()[:12]


def mark_of(run: SyncRun, record: HookRecord) -> str:
    """What tells the object of a hook from those of other runs and phases."""
    return f"{run.id}/{record.phase}/{record.hook}"
