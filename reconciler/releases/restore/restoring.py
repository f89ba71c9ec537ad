"""The way back in Git: the rejected values of one workload, compared and set at the branch tip, pushed or proposed (ADR 0012).

Repeatable at any cut, and content decides: each try looks at the tip first, and a tip that asks for the previous version needs nothing.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from msgspec.structs import replace

from reconciler.git.commit import Draft, Message, build
from reconciler.git.environment import Remote
from reconciler.git.errors import Unverified
from reconciler.git.proposals import ProposalBranches
from reconciler.git.push import AlreadyThere, Pushed, Pusher, PushRefused, Refusal, Unclear
from reconciler.kernel.clock import Clock, Timers
from reconciler.kernel.errors import Transient
from reconciler.kernel.identity import name_of
from reconciler.releases.announce.forge import Forge, Proposal, Withdrawing
from reconciler.releases.announce.message import TRAILER, proposal_body, release_trailer, restore_commit, withdrawal
from reconciler.releases.identity import identity_hash
from reconciler.releases.model import EPOCH, Change, Content, Release, Restore, RestoreMode, RestoreState
from reconciler.releases.opening.asking import SHOWN, kept_change, source_id
from reconciler.releases.restore.as_written import as_written
from reconciler.releases.restore.restoring_together import BranchLine, WantedRestore
from reconciler.sources.documents import Parsed
from reconciler.sources.edits import (
    Direct,
    Edit,
    Impossible,
    Obstacle,
    Outcome,
    Overtaken,
    PreviousManifest,
    ProposedEdit,
    Superseded,
    Waiting,
    words,
)
from reconciler.sources.follow import GitSource, way_back
from reconciler.sources.source_port import Tip
from reconciler.sources.templates import CONFIG_PARTS, workloads

IN_NO_FILE = "what made the difference stands in no file: it is in the settings of the source, or in what renders it"
TRIES = 12
FIRST_PAUSE = 0.05
RECENT = timedelta(hours=1)
RESTORES_AN_HOUR = 2


@dataclass(frozen=True, slots=True)
class Hands:
    """What restoring one source needs: its branch, its forge, the permit that is asked before each push, and where pushes go."""

    source: GitSource
    forge: Forge
    permit: Callable[[], None]
    remote: Remote


@dataclass(frozen=True, slots=True)
class Work:
    """One edit at one tip, for one release."""

    hands: Hands
    release: Release
    tip: Tip
    edit: Edit
    before: Restore
    history: Sequence[Release]
    now: datetime
    caution: str = ""
    """Why the edit itself may not be pushed without review; empty when it may."""

    @property
    def fields(self) -> Sequence[str]:
        return [f"{field.location}: {field.old} -> {field.new}" for field in self.edit.fields]

    @property
    def changes(self) -> tuple[Change, ...]:
        return tuple(kept_change(field) for field in self.edit.fields[:SHOWN])


class Restoration:
    """Restores releases of all sources by name."""

    def __init__(self, hands: Mapping[str, Hands], clock: Clock, timers: Timers) -> None:
        self._hands = hands
        self._clock = clock
        self._timers = timers
        self._lines: dict[tuple[str, str], BranchLine] = {}

    async def restore(self, release: Release, history: Sequence[Release]) -> Restore:
        """One attempt, with as many tries as races need; what is known if nothing new came of it. Raises Transient without an answer."""
        hands, known = self._hands.get(release.spec.source), release.status.restore or Restore(state=RestoreState.WANTED)
        before = replace(known, attempts=known.attempts + 1)
        if hands is None:  # it may be followed again, and Git may still ask for the rejected version then
            waiting = replace(known, message=f"source {release.spec.source} is not followed: follow it again, or revert by hand")
            return known if known.message == waiting.message else waiting
        line = self._lines.setdefault((hands.remote.url, hands.source.settings.branch), BranchLine())
        outcome = await line.restore(WantedRestore(release, history, before), self._together, self._alone)
        # A count alone is no news: written, it would wake this release again, which would try and count again, without a pause.
        return known if outcome == replace(known, attempts=outcome.attempts) else outcome

    async def _alone(self, wanted: WantedRestore) -> Restore:
        hands = self._hands[wanted.release.spec.source]
        for attempt in range(TRIES):
            outcome = await self._try(hands, wanted.release, wanted.before, wanted.history)
            if outcome is not None:
                return outcome
            await self._timers.sleep(self._timers.random() * FIRST_PAUSE * 2**attempt)
        raise Transient(f"release {wanted.release.name}: {TRIES} pushes in a row were overtaken")

    async def _together(self, wanted: Sequence[WantedRestore]) -> None:
        """A commit for each release that may be pushed, one on the other, in one push; a server that refuses it is asked for each alone."""
        first = self._hands[wanted[0].release.spec.source]
        tip, built = await first.source.tip(), list[tuple[WantedRestore, Restore]]()
        for one in wanted:
            record = await self._built_on(tip.sha if not built else built[-1][1].sha, one, first)
            built += [(one, record)] if record is not None else []
        if len(built) < 2:
            return
        outcome = await _pusher(first).push(first.source.settings.branch, built[-1][1].sha)
        if not isinstance(outcome, Pushed | AlreadyThere):
            return
        first.source.expect_news()
        for one, record in built:
            one.answer.set_result(record)

    async def _built_on(self, parent: str, wanted: WantedRestore, first: Hands) -> Restore | None:
        """A release's record once a commit on top of another one is pushed; None where it is no plain push with the same credential."""
        hands = self._hands[wanted.release.spec.source]
        parsed = await hands.source.parsed_at(parent) if _same_way(hands, first) else None
        if parsed is None:
            return None
        tip = Tip(parent, parsed)
        outcome = await self._edit(hands, wanted.release, tip)
        if not isinstance(outcome, Direct):
            return None
        work = Work(hands, wanted.release, tip, outcome.edit, wanted.before, wanted.history, self._clock.now(), words(outcome))
        if self._why_propose(work):
            return None
        try:
            return _pushed(work, await _built(work))
        except Unverified:
            return None

    async def withdraw(self, release: Release) -> None:
        """Close the proposal of a release whose version is proven by now, with a sentence."""
        hands, restore = self._hands.get(release.spec.source), release.status.restore
        if hands is None or restore is None or not restore.branch or not isinstance(hands.forge, Withdrawing):
            return
        await hands.forge.withdraw(restore.branch, hands.source.settings.branch, withdrawal(release))

    async def _try(self, hands: Hands, release: Release, before: Restore, history: Sequence[Release]) -> Restore | None:
        """One look at the tip and one write at most; None when another push came first."""
        tip = await hands.source.tip()
        outcome = await self._edit(hands, release, tip)
        match outcome:
            case Superseded(how):
                ours = await _our_commit(hands, release, tip) if how is Overtaken.RESTORED else ""
                state = RestoreState.PUSHED if ours else RestoreState.SUPERSEDED
                return replace(before, state=state, sha=ours, message="" if ours else words(outcome))
            case Waiting():
                return replace(before, message=f"the branch cannot be read: {words(outcome)}")
            case Impossible():
                return replace(before, state=RestoreState.IMPOSSIBLE, message=words(outcome))
            case Direct(edit) | ProposedEdit(edit):
                work = Work(hands, release, tip, edit, before, history, self._clock.now(), words(outcome))
        reason = self._why_propose(work)
        return await _propose(work, reason) if reason else await _push(work)

    async def _edit(self, hands: Hands, release: Release, tip: Tip) -> Outcome:
        """The edit by the two commits; by the manifest that travels with the release where a commit is gone from history."""
        previous = release.spec.previous
        if previous is None:
            return Impossible(Obstacle.NO_PREVIOUS)
        good: Parsed | PreviousManifest | None = await hands.source.parsed_at(previous.sha) if previous.sha else None
        if good is None:
            good = _manifest(previous.content if previous.sha else _in_words_of_git(previous.content, release.spec.content))
        bad = await hands.source.parsed_at(release.spec.commit.sha)
        if good is None:
            return Impossible(Obstacle.NO_PREVIOUS, "its commit is gone, and it was too large to be kept")
        id = source_id(bad or tip.parsed, release.namespace, release.spec.workload.name)
        outcome = await way_back(hands.source, good, (bad, tip.parsed), id)
        return Impossible(Obstacle.UNWRITABLE, IN_NO_FILE) if tip.parsed.inputs and _in_no_file(release, tip, outcome) else outcome

    def _why_propose(self, work: Work) -> str:
        """Why this edit may not be pushed; empty when it may. Every way to Git obeys the policy of the verdict it serves."""
        restore, now = work.before, work.now
        if restore.mode is RestoreMode.PROPOSE:
            return "the policy asks for a proposal"
        if work.caution:
            return work.caution
        if restore.push_until is not None and now > restore.push_until:
            return f"the verdict is of {work.release.status.decided_at}: too old to push without asking"
        if recent_pushes(work.history, now) >= RESTORES_AN_HOUR:
            return f"this workload was restored {RESTORES_AN_HOUR} times within the hour already: somebody else keeps writing the value"
        return ""


def _same_way(hands: Hands, first: Hands) -> bool:
    """True when what one of them pushes the other may push: the same mirror and the same credential."""
    one, other = hands.source, first.source
    same = (one.settings.write_credentials or one.settings.credentials) == (other.settings.write_credentials or other.settings.credentials)
    return same and one.mirror is other.mirror


async def _built(work: Work) -> str:
    """The commit, not pushed yet. Raises Unverified for one of which its own source would take nothing."""
    source = work.hands.source
    sha = await build(source.mirror.runner, _draft(work))
    await source.mirror.verify(sha, source.settings.trusted_keys)
    return sha


def _pushed(work: Work, sha: str) -> Restore:
    return replace(work.before, state=RestoreState.PUSHED, sha=sha, pushed_at=work.now, changes=work.changes, message="")


async def _push(work: Work) -> Restore | None:
    source = work.hands.source
    try:
        sha = await _built(work)
    except Unverified as error:
        return await _propose(work, f"our own signature is not trusted: {error}")
    outcome = await _pusher(work.hands).push(source.settings.branch, sha)
    match outcome:
        case Pushed() | AlreadyThere():
            source.expect_news()
            return _pushed(work, sha)
        case PushRefused(Refusal.MOVED):
            return None
        case PushRefused(kind) if kind.asks_for_proposal:
            return await _propose(work, outcome.reason)
        case PushRefused() | Unclear():
            return replace(work.before, message=f"the restore commit was not taken: {outcome.reason}")


async def _propose(work: Work, reason: str) -> Restore:
    """One branch and one pull request for a workload, brought up to date; found again if they are there already."""
    source, name = work.hands.source, proposal_branch(work.release)
    ours = {r.status.restore.sha for r in (*work.history, work.release) if r.status.restore is not None and r.status.restore.branch}
    placed = await ProposalBranches(source.mirror, source.refs, _pusher(work.hands)).place(name, _draft(work), ours)
    if placed is None:
        return replace(work.before, message=f"{reason}; every branch named {name} is somebody else's: remove one")
    if not isinstance(placed.outcome, Pushed | AlreadyThere):
        return replace(work.before, message=f"{reason}; the branch of a proposal was refused too: {placed.outcome.reason}")
    text, base = restore_commit(work.release, work.fields, source.settings.committer.subject), source.settings.branch
    pull = await work.hands.forge.propose(Proposal(head=placed.branch, base=base, title=text.subject, body=proposal_body(text, reason)))
    where = pull.url if pull else f"branch {placed.branch}"
    placed_at = replace(work.before, state=RestoreState.PROPOSED, sha=placed.oid, branch=placed.branch, pull=where)
    return replace(placed_at, changes=work.changes, message=reason)


def proposal_branch(release: Release) -> str:
    """The branch of a workload's proposals, unique in the world."""
    spec = release.spec
    return f"reconciler/restore/{spec.source}/{spec.environment}/{release.namespace}/{spec.workload.name}"


def recent_pushes(history: Sequence[Release], now: datetime) -> int:
    """How often Git was restored for this workload within the hour, whatever the version."""
    restores = [r.status.restore for r in history if r.status.restore is not None]
    pushed = [restore.pushed_at for restore in restores if restore.state is RestoreState.PUSHED and restore.pushed_at is not None]
    return sum(1 for at in pushed if now - at < RECENT)


def _in_no_file(release: Release, tip: Tip, outcome: Outcome) -> bool:
    """True when both versions render alike and yet the rejected one is asked for: then what made them differ was never in Git."""
    asked = workloads(tip.parsed).get(source_id(tip.parsed, release.namespace, release.spec.workload.name))
    restored = isinstance(outcome, Superseded) and outcome.how is Overtaken.RESTORED
    return restored and asked is not None and identity_hash(tip.parsed, asked) == release.spec.identity


def _in_words_of_git(live: Content, asked: Content) -> Content:
    """What no commit ever asked for was read from the cluster: without what the API server filled in there."""
    return replace(live, template=as_written(live.template, asked.template)) if live.template and asked.template else live


def _manifest(content: Content) -> PreviousManifest | None:
    if not content.template:
        return None
    config = {("ConfigMap", name_of(kept)): {part: kept[part] for part in CONFIG_PARTS if part in kept} for kept in content.config}
    return PreviousManifest(content.template, config)


def _draft(work: Work) -> Draft:
    """The same release on the same tip is the same commit: its date is that of the verdict."""
    text = restore_commit(work.release, work.fields, work.hands.source.settings.committer.subject)
    return Draft(
        parent=work.tip.sha,
        files=work.edit.files,
        message=Message(text.subject, text.body, text.trailers),
        author=work.hands.source.settings.committer,
        time=work.release.status.decided_at or EPOCH,
    )


async def _our_commit(hands: Hands, release: Release, tip: Tip) -> str:
    """Our restore commit for this release on the branch, for words only: that Git is restored was seen by its content."""
    trailer = f"^{TRAILER}: {release_trailer(release)}$".replace(".", "\\.")  # a whole line: attempt 2 is not attempt 20
    if not await hands.source.mirror.has(release.spec.commit.sha):
        return ""
    return await hands.source.mirror.runner.git("log", "--format=%H", f"--grep={trailer}", "-1", f"{release.spec.commit.sha}..{tip.sha}")


def _pusher(hands: Hands) -> Pusher:
    mirror = hands.source.mirror
    return Pusher(mirror.runner, hands.remote, hands.source.refs, hands.permit)
