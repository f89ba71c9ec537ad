"""A release: one change of one workload that Git asked for, with verdict, evidence and commits (docs/configuration.md, `Release`).

These structs are the JSON of our own kind, so they also say how it is written: camelCase, absent when empty.
"""

from datetime import UTC, datetime
from enum import StrEnum

import msgspec

from reconciler.kernel.struct import Struct
from reconciler.sources.model import Commit, Pull

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Verdict(StrEnum):
    """How a release ended (DESIGN 4, a closed list)."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_ENOUGH_EVIDENCE = "not enough evidence"
    COULD_NOT_MEASURE = "could not measure"
    ABORTED = "aborted"
    SUPERSEDED = "superseded"
    HELD = "held"


class ReleasePhase(StrEnum):
    """Where a release stands."""

    PENDING = "Pending"
    PROGRESSING = "Progressing"
    WATCHING = "Watching"
    RESTORING = "Restoring"
    CLOSED = "Closed"


class RestoreState(StrEnum):
    """How far the way back in Git is."""

    WANTED = "wanted"
    PUSHED = "pushed"
    PROPOSED = "proposed"
    SUPERSEDED = "superseded"
    IMPOSSIBLE = "impossible"


class Named(Struct, frozen=True, kw_only=True):
    kind: str
    name: str


class Change(Struct, frozen=True, kw_only=True):
    """One scalar that moved: where Git sets it, and its text before and after ("" for absent)."""

    file: str
    line: int
    field: str
    old: str = ""
    new: str = ""


class Proven(Struct, frozen=True, kw_only=True):
    """What this release comes from and would go back to."""

    release: str
    sha: str
    images: dict[str, str] = msgspec.field(default_factory=dict)
    pod_hash: str = ""


class ReleaseSpec(Struct, frozen=True, kw_only=True):
    workload: Named
    template: Named
    source: str
    environment: str
    identity: str
    commit: Commit
    pull: Pull | None = None
    images: dict[str, str] = msgspec.field(default_factory=dict)
    changes: tuple[Change, ...] = ()
    proven: Proven | None = None
    revert: str = "manual"
    baseline: bool = False
    running: bool = False
    """A baseline for the version that was found running while Git asked for another one already."""
    number: int = 0
    """Counts the releases of one workload: creation times are whole seconds, too coarse to say which came first."""


class Evidence(Struct, frozen=True, kw_only=True):
    """One metric of one AnalysisRun: what was asked, what came, what the limit was."""

    run: str
    metric: str
    phase: str
    condition: str = ""
    query: str = ""
    values: tuple[str, ...] = ()
    successful: int = 0
    failed: int = 0
    inconclusive: int = 0
    error: int = 0
    unfounded: int = 0
    limit: str = ""
    message: str = ""


class Verb(Struct, frozen=True, kw_only=True):
    """What we did to a workload, recorded before it was done."""

    verb: str
    at: datetime
    reason: str


class Restore(Struct, frozen=True, kw_only=True):
    state: RestoreState
    sha: str = ""
    pull: str = ""
    attempts: int = 0
    message: str = ""


class ReleaseStatus(Struct, frozen=True, kw_only=True):
    phase: ReleasePhase = ReleasePhase.PENDING
    verdict: Verdict | None = None
    reason: str = ""
    decided_at: datetime | None = None
    pod_hash: str = ""
    held: bool = False
    keep_until: datetime | None = None
    promoted_at: datetime | None = None
    evidence: tuple[Evidence, ...] = ()
    verbs: tuple[Verb, ...] = ()
    restore: Restore | None = None
    announced: str = ""
    unmeasured: bool = False


class Release(Struct, frozen=True, kw_only=True):
    """One Release object: where it is kept, what was asked, how it stands."""

    name: str
    namespace: str
    uid: str = ""
    version: str = ""
    created: datetime | None = None
    spec: ReleaseSpec
    status: ReleaseStatus = ReleaseStatus()

    @property
    def decided(self) -> bool:
        return self.status.verdict is not None

    @property
    def age(self) -> tuple[datetime, int, str]:
        """What releases of one workload are sorted by, oldest first."""
        return self.created or EPOCH, self.spec.number, self.name

    @property
    def key(self) -> tuple[str, str, str]:
        """The workload it is about: namespace, kind, name."""
        return self.namespace, self.spec.workload.kind, self.spec.workload.name
