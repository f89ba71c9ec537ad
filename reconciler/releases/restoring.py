"""The way back in Git: the rejected values of one workload, compared and set at the branch tip, pushed or proposed (DESIGN 4).

Repeatable at any cut: before anything is built, the branch is asked whether our commit is already on it.
"""

import random
from asyncio import sleep
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from reconciler.git.commit import Draft, Message, build
from reconciler.git.proposals import ProposalBranches
from reconciler.git.push import AlreadyThere, Outcome, Pushed, Pusher, Refusal, Refused, Unclear
from reconciler.kernel.errors import Transient
from reconciler.kube.cache import Cache
from reconciler.releases.asking import source_id
from reconciler.releases.forge import Forge
from reconciler.releases.forge import Proposal as PullRequest
from reconciler.releases.message import TRAILER, proposal_body, restore_commit
from reconciler.releases.model import EPOCH, Release, Restore, RestoreState
from reconciler.releases.observe_history import history
from reconciler.sources.edits import Direct, Edit, Impossible, Obstacle, Proposal, Superseded, Waiting, restore_edits, words
from reconciler.sources.edits import Outcome as Edits
from reconciler.sources.follow import GitSource
from reconciler.sources.source_port import Tip

TRIES = 12
FIRST_PAUSE = 0.05
RECENT = timedelta(hours=1)
RESTORES_AN_HOUR = 2
DENIED_PAUSE = 30.0
WAITING_PAUSE = 30.0


@dataclass(frozen=True, slots=True)
class Hands:
    """What restoring one source needs: its branch, its forge, and the permit that is asked before each push."""

    source: GitSource
    forge: Forge
    permit: Callable[[], None]


class Restoration:
    """Restores releases of all sources by name."""

    def __init__(self, hands: Mapping[str, Hands], cache: Cache) -> None:
        self._hands = hands
        self._cache = cache

    async def restore(self, release: Release) -> Restore:
        """One attempt, with as many tries as races need. Raises Transient when Git cannot say yes or no."""
        hands = self._hands.get(release.spec.source)
        attempts = (release.status.restore.attempts if release.status.restore else 0) + 1
        if hands is None:
            return Restore(
                state=RestoreState.IMPOSSIBLE, attempts=attempts, message=f"source {release.spec.source} is not followed any more"
            )
        for attempt in range(TRIES):
            outcome = await self._try(hands, release, attempts)
            if outcome is not None:
                return outcome
            await sleep(random.uniform(0, FIRST_PAUSE * 2**attempt))
        raise Transient(f"release {release.name}: {TRIES} pushes in a row were overtaken")

    async def _try(self, hands: Hands, release: Release, attempts: int) -> Restore | None:
        """None when somebody pushed first."""
        tip = await hands.source.tip()
        ours = await self._our_commit(hands, release, tip)
        if ours:
            return Restore(state=RestoreState.PUSHED, sha=ours, attempts=attempts)
        edits = await self._edits(hands, release, tip)
        match edits:
            case Superseded():
                return Restore(state=RestoreState.SUPERSEDED, attempts=attempts, message=words(edits))
            case Impossible():
                return Restore(state=RestoreState.IMPOSSIBLE, attempts=attempts, message=words(edits))
            case Waiting():
                raise Transient(f"release {release.name}: the branch cannot be read: {words(edits)}", WAITING_PAUSE)
            case Direct(edit) | Proposal(edit):
                reason = self._why_propose(release, edits)
                if reason:
                    return await self._propose(hands, release, (tip, edit, reason), attempts)
                return await self._push(hands, release, (tip, edit), attempts)

    async def _edits(self, hands: Hands, release: Release, tip: Tip) -> Edits:
        proven_sha = release.spec.proven.sha if release.spec.proven else ""
        good = await hands.source.parsed_at(proven_sha) if proven_sha else None
        bad = await hands.source.parsed_at(release.spec.commit.sha)
        if good is None or bad is None:
            obstacle, which = (Obstacle.NO_PREVIOUS, "proven") if good is None else (Obstacle.NO_REJECTED, "rejected")
            return Impossible(obstacle, f"no {which} commit is known in Git")
        id = source_id(bad, release.namespace, release.spec.workload.name)
        return restore_edits(good, bad, tip.parsed, id)

    async def _push(self, hands: Hands, release: Release, work: tuple[Tip, Edit], attempts: int) -> Restore | None:
        tip, edits = work
        sha = await build(hands.source.mirror.runner, self._draft(hands, release, tip, edits))
        outcome = await self._pusher(hands).push(hands.source.settings.branch, sha)
        match outcome:
            case Pushed() | AlreadyThere():
                return Restore(state=RestoreState.PUSHED, sha=sha, attempts=attempts)
            case Refused(Refusal.MOVED):
                return None
            case Refused(kind) if kind.asks_for_proposal:
                return await self._propose(hands, release, (tip, edits, outcome.reason), attempts)
            case Refused() | Unclear():
                raise Transient(f"release {release.name}: the restore commit was not taken: {outcome.reason}", DENIED_PAUSE)

    async def _propose(self, hands: Hands, release: Release, work: tuple[Tip, Edit, str], attempts: int) -> Restore:
        """Our own branch, once; then the pull request, found again if it is already open."""
        tip, edits, reason = work
        settings = hands.source.settings
        branch = f"reconciler/restore/{settings.environment}/{release.name}"
        remembered = {release.status.restore.sha} if release.status.restore else set()
        branches = ProposalBranches(hands.source.mirror, hands.source.refs, self._pusher(hands))
        placed = await branches.place(branch, self._draft(hands, release, tip, edits), remembered)
        if placed is None:
            raise Transient(f"release {release.name}: every branch named {branch} is somebody else's; remove one", DENIED_PAUSE)
        _expect_pushed(release, placed.outcome)
        branch, sha = placed.branch, placed.oid
        text = restore_commit(release, _fields(edits))
        proposal = PullRequest(head=branch, base=settings.branch, title=text.subject, body=proposal_body(text, reason))
        pull = await hands.forge.propose(proposal)
        where = pull.url if pull else f"branch {branch}"
        return Restore(state=RestoreState.PROPOSED, sha=sha, pull=where, attempts=attempts, message=reason)

    def _draft(self, hands: Hands, release: Release, tip: Tip, edits: Edit) -> Draft:
        """The same release on the same tip is the same commit: its date is that of the verdict."""
        text = restore_commit(release, _fields(edits))
        return Draft(
            parent=tip.sha,
            files=edits.files,
            message=Message(text.subject, text.body, text.trailers),
            author=hands.source.settings.committer,
            time=release.status.decided_at or EPOCH,
        )

    async def _our_commit(self, hands: Hands, release: Release, tip: Tip) -> str:
        """Our restore commit for this release on the branch, if an earlier attempt got that far."""
        trailer = f"^{TRAILER}: {release.namespace}/{release.name}$".replace(".", "\\.")  # a whole line: attempt 2 is not attempt 20
        span = f"{release.spec.commit.sha}..{tip.sha}"
        runner = hands.source.mirror.runner
        if not await hands.source.mirror.has(release.spec.commit.sha):
            return ""
        found = await runner.git("log", "--format=%H", f"--grep={trailer}", "-1", span)
        return found

    def _why_propose(self, release: Release, edits: Direct | Proposal) -> str:
        if release.status.restore is not None and release.status.restore.message == "propose":
            return "the policy asks for a proposal"
        if isinstance(edits, Proposal):
            return words(edits)
        if self._recent(release) >= RESTORES_AN_HOUR:
            return f"this workload was restored {RESTORES_AN_HOUR} times within the hour already: somebody else keeps writing the value"
        return ""

    def _recent(self, release: Release) -> int:
        releases = history(self._cache, release.namespace, release.spec.workload.name)
        since = (release.status.decided_at or EPOCH) - RECENT
        pushed = [r for r in releases if r.status.restore is not None and r.status.restore.state is RestoreState.PUSHED]
        same = [r for r in pushed if r.spec.identity == release.spec.identity]
        return sum(1 for r in same if (r.status.decided_at or EPOCH) > since)

    def _pusher(self, hands: Hands) -> Pusher:
        mirror = hands.source.mirror
        return Pusher(mirror.runner, mirror.remote, hands.source.refs, hands.permit)


def _fields(edits: Edit) -> Sequence[str]:
    return [f"{field.location}: {field.old} -> {field.new}" for field in edits.fields]


def _expect_pushed(release: Release, outcome: Outcome) -> None:
    if not isinstance(outcome, Pushed | AlreadyThere):
        raise Transient(f"release {release.name}: the branch of the proposal was not taken: {outcome.reason}", DENIED_PAUSE)
