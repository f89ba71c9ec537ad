"""A release: one change of one workload that Git asked for, with verdict, evidence and commits (docs/configuration.md, `Release`).

These structs are the JSON of our own kind, so they also say how it is written: camelCase, absent when empty.
"""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import msgspec

from reconciler.kernel.struct import Moment, Struct
from reconciler.releases.comparison.record import Comparison
from reconciler.releases.preview.record import PreviewRecord
from reconciler.releases.share.record import ObservedShare
from reconciler.sources.model import Commit, Pull

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Verdict(StrEnum):
    """How a release ended (ADR 0011, a closed list)."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_ENOUGH_EVIDENCE = "not enough evidence"
    COULD_NOT_MEASURE = "could not measure"
    ABORTED = "aborted"
    SUPERSEDED = "superseded"
    HELD = "held"


REJECTIONS = frozenset({Verdict.FAILED, Verdict.ABORTED, Verdict.HELD})


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
    MERGED = "merged"
    """It was proposed, and Git does not ask for the rejected version any more."""
    WITHDRAWN = "withdrawn"
    """The version is tried again, or was proven then: there is nothing to take back."""
    SUPERSEDED = "superseded"
    IMPOSSIBLE = "impossible"


class RestoreMode(StrEnum):
    """How Git may be brought back: what the policy of the verdict said when it was reached (ADR 0012)."""

    PUSH = "push"
    PROPOSE = "propose"


class Cause(StrEnum):
    """Why an attempt began."""

    PUSHED = "pushed"
    """Git asks for another version."""
    PUSHED_AGAIN = "pushed again"
    """Git asks again for a version that is held: neither deployed nor judged, but answered and restored."""
    LIFTED = "lifted"
    """A person lets a rejected version be tried again."""
    RETRIED = "retried"
    """The rollout goes on with a version that had come home."""
    FOUND = "found running"
    """Nothing is on record, and this version serves: the baseline."""


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


class Content(Struct, frozen=True, kw_only=True):
    """What a version is made of: its pod template as Git has it, and the ConfigMaps of the same source that it refers to.

    Values of Secrets are never kept: `secrets` holds a hash for each, to tell whether one has changed.
    """

    template: dict[str, Any] = msgspec.field(default_factory=dict)
    config: tuple[dict[str, Any], ...] = ()
    secrets: dict[str, str] = msgspec.field(default_factory=dict)
    cut: bool = False
    """True when the whole was too large to be kept."""


class Previous(Struct, frozen=True, kw_only=True):
    """What served when this release opened, and what the way back leads to. `sha` is empty where no commit is known to ask for it."""

    release: str = ""
    sha: str = ""
    identity: str = ""
    images: dict[str, str] = msgspec.field(default_factory=dict)
    pod_hash: str = ""
    proven: bool = False
    content: Content = Content()


class ReleaseSpec(Struct, frozen=True, kw_only=True):
    workload: Named
    template: Named
    source: str
    environment: str
    identity: str
    commit: Commit
    pull: Pull | None = None
    pull_unknown: bool = False
    """True when the forge gave no answer at the opening: it is asked again."""
    images: dict[str, str] = msgspec.field(default_factory=dict)
    changes: tuple[Change, ...] = ()
    content: Content = Content()
    """What this release asks to run, so that it is recognised no matter who applies it."""
    previous: Previous | None = None
    """None for the first version here: there is nothing to go back to."""
    revert: str = "manual"
    """How Git could be brought back: direct, proposal or manual, found out before the release starts."""
    revert_reason: str = ""
    number: int = 0
    """Counts the releases of one workload: creation times are whole seconds, too coarse to say which came first."""
    attempt: int = 1
    """Counts the attempts of one identity."""
    cause: Cause = Cause.PUSHED
    serving: str = ""
    """The pod template hash that served when a baseline was found running."""
    earlier_runs: tuple[str, ...] = ()
    """UIDs of the AnalysisRuns that belong to earlier attempts: nothing of theirs is evidence here."""
    earlier_abort: str = ""
    """`status.abortedAt` of the Rollout when this attempt began: that abort ended an earlier one."""
    companion: bool = False
    """True when another tool applies what Git holds: we judge, restore and tell, and change no template."""
    config_mark: str = ""
    """The annotation that its pod template bears besides what Git says, so that a change of config alone makes new pods (ADR 0039)."""

    @property
    def baseline(self) -> bool:
        """True when this is the first version on record here: it is taken as it is, for there is nothing to go back to."""
        return self.previous is None


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
    founded: int = 0
    """Measurements that passed or failed, and held data."""
    passed: int = 0
    """Those of them that passed."""
    failed_on_data: bool = False
    """True when one of the failed measurements held data."""
    thin: int = 0
    """Measurements that say nothing because fewer requests came in their window than the policy asks for (`minimumRequestsPerWindow`)."""
    limit: str = ""
    message: str = ""


class RunRecord(Struct, frozen=True, kw_only=True):
    """One AnalysisRun of this attempt that has ended, put on record before it is cleaned up."""

    uid: str
    name: str
    kind: str
    phase: str
    step: int | None = None
    cut_short: bool = False
    """True when it was told to end before it was done."""
    analysis: str = ""
    """Which analysis of an experiment it is."""


class Verb(Struct, frozen=True, kw_only=True):
    """What we did to a workload, recorded before it was done."""

    verb: str
    at: Moment
    reason: str
    generation: str = ""
    """Of the object it was pressed on, where pressing it again on the same generation is the same press."""


class Press(Struct, frozen=True, kw_only=True):
    """A verb that a person pressed on a page, recorded before it was done."""

    verb: str
    at: Moment
    by: str
    seen: str = ""
    """What was on their screen."""
    reason: str = ""
    refused: str = ""
    """Why it was not done after all."""
    open: bool = False
    """True until it is known how it ended; where it stays so, what pressed it was cut off in between."""


class Restore(Struct, frozen=True, kw_only=True):
    """The way back in Git."""

    state: RestoreState
    mode: RestoreMode = RestoreMode.PUSH
    push_until: Moment | None = None
    """After this time it is proposed, not pushed: a verdict that old is for a person to confirm."""
    sha: str = ""
    branch: str = ""
    """The branch of the proposal."""
    pull: str = ""
    attempts: int = 0
    pushed_at: Moment | None = None
    changes: tuple[Change, ...] = ()
    """What the commit or the proposal changes, as it was written; the first of them."""
    message: str = ""
    """Why it stands as it does: what is waited for, or what the server said."""


class Told(Struct, frozen=True, kw_only=True):
    """What one notifier was told last: a hash of it, and its handle for the next time."""

    said: str = ""
    handle: str = ""


class Accepted(Struct, frozen=True, kw_only=True):
    """A person calls this version proven."""

    by: str
    at: Moment
    reason: str = ""


class PairRefusal(Struct, frozen=True, kw_only=True):
    """What the server said to a write for the baseline pair, and when; it is tried again."""

    at: Moment
    reason: str


class Reverified(Struct, frozen=True, kw_only=True):
    """The newest check of a proven version that serves."""

    number: int
    at: Moment
    run: str
    phase: str


class Lost(Struct, frozen=True, kw_only=True):
    """A version that was proven and is not any more: who or what said so, and what was measured."""

    by: str
    at: Moment
    reason: str = ""
    evidence: tuple[Evidence, ...] = ()


class ReleaseStatus(Struct, frozen=True, kw_only=True):
    phase: ReleasePhase = ReleasePhase.PENDING
    verdict: Verdict | None = None
    reason: str = ""
    decided_at: Moment | None = None
    pod_hash: str = ""
    held: bool = False
    holds_images: bool = False
    """True when the rejection holds every template with these images: they were rejected before with another one."""
    keep_until: Moment | None = None
    promoted_at: Moment | None = None
    evidence: tuple[Evidence, ...] = ()
    runs: tuple[RunRecord, ...] = ()
    seen_runs: tuple[str, ...] = ()
    """UIDs of the AnalysisRuns of its pods at the verdict; they are no evidence of a later attempt."""
    comparison: Comparison | None = None
    """The canary beside its baseline, where the policy compares them."""
    pair_refused: PairRefusal | None = None
    """The server does not let us make the baseline that a policy wants beside the canary, or remove it."""
    share: ObservedShare | None = None
    """The share of requests that the canary serves, where the policy observes it."""
    preview: PreviewRecord | None = None
    """How testers reach it before users do; None while that was never possible."""
    verbs: tuple[Verb, ...] = ()
    presses: tuple[Press, ...] = ()
    """What people pressed on pages, oldest first."""
    restore: Restore | None = None
    pull: Pull | None = None
    """The pull request, where it was not known at the opening."""
    pull_known: bool = False
    """True once the forge has answered after the opening, whether it knows one or not."""
    announced: str = ""
    told: dict[str, Told] = msgspec.field(default_factory=dict)
    """By notifier."""
    unmeasured: bool = False
    unjudged: str = ""
    """Why it cannot be judged now: policies contradict each other, or the Rollout; empty when it can."""
    accepted: Accepted | None = None
    reverified: Reverified | None = None
    lost: Lost | None = None
    """Why the version is not proven any more; None where nothing speaks against it."""
    held_elsewhere: bool = False
    """True when it is held because its images lost their proof in another environment."""


class Release(Struct, frozen=True, kw_only=True):
    """One Release object: where it is kept, what was asked, how it stands."""

    name: str
    namespace: str
    uid: str = ""
    version: str = ""
    created: Moment | None = None
    spec: ReleaseSpec
    status: ReleaseStatus = ReleaseStatus()

    @property
    def decided(self) -> bool:
        return self.status.verdict is not None

    @property
    def proven(self) -> bool:
        """True when it passed, or a person has called it proven, and nothing that was found later took that away."""
        return self.status.lost is None and (self.status.verdict is Verdict.PASSED or self.status.accepted is not None)

    @property
    def served(self) -> bool:
        """True when it ended with all users on it, proven or not."""
        return self.decided and self.status.promoted_at is not None and self.status.verdict not in REJECTIONS

    @property
    def pull(self) -> Pull | None:
        """The pull request that brought it, as far as it is known."""
        return self.spec.pull or self.status.pull

    @property
    def age(self) -> tuple[datetime, int, str]:
        """What releases of one workload are sorted by, oldest first."""
        return self.created or EPOCH, self.spec.number, self.name

    @property
    def key(self) -> tuple[str, str, str]:
        """The workload it is about: namespace, kind, name."""
        return self.namespace, self.spec.workload.kind, self.spec.workload.name
