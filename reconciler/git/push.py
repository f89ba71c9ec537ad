"""Puts one commit on a branch, never by force: a plain push already is compare-and-swap. The answer is a value, not an exception."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from reconciler.git.command import Finished, GitCall, Runner
from reconciler.git.environment import Remote
from reconciler.git.errors import redact
from reconciler.git.objects import Oid
from reconciler.git.refs import RemoteRefs, ref_of
from reconciler.kernel.errors import Terminal, Transient

SECONDS = 90.0
LONGEST_REASON = 1500


@dataclass(frozen=True, slots=True)
class Pushed:
    """The branch now points to our commit. `note` is what the server said, such as that a protection was bypassed."""

    oid: Oid
    note: str = ""


@dataclass(frozen=True, slots=True)
class AlreadyThere:
    """The branch pointed to our commit before."""

    oid: Oid


@dataclass(frozen=True, slots=True)
class Race:
    """Somebody pushed first: fetch, derive the edit again, try again."""

    reason: str


@dataclass(frozen=True, slots=True)
class NeedsProposal:
    """The server takes changes to this branch only through a pull request, or refuses for a reason that we do not know."""

    reason: str


@dataclass(frozen=True, slots=True)
class Denied:
    """The server will not take this from us: credential, rights, or a rule that a proposal would break as well."""

    reason: str


@dataclass(frozen=True, slots=True)
class Unclear:
    """No answer came and the branch does not show our commit: look again before the next try."""

    reason: str


Outcome = Pushed | AlreadyThere | Race | NeedsProposal | Denied | Unclear
Permit = Callable[[], None]
"""Raises when we must not write now: frozen, or no longer the leader."""

RACE = re.compile(
    r"fetch first|non-fast-forward|stale info|failed to update ref|cannot lock ref|incorrect old value provided|"
    r"reference already exists|failed to lock|atomic push failed",
    re.IGNORECASE,
)
# GH013 also covers secret scanning and signature rules: those bind a proposal too, so they are looked at first.
FORBIDDEN = re.compile(
    r"GH00[139]\b|secret|commits must have verified signatures|permission denied for writing|TF401027|read.?only|archived", re.IGNORECASE
)
PROTECTED = re.compile(
    r"GH006|GH013|TF402455|protected branch|pull request|merge request|not permitted|push declined due to repository rule", re.IGNORECASE
)
CREDENTIAL = re.compile(
    r"authentication failed|could not read (username|password)|error: 40[13]\b|denied to|not authori[sz]ed|permission .*denied",
    re.IGNORECASE,
)
GONE = re.compile(r"not found|does not appear to be a git repository", re.IGNORECASE)
REFUSALS: tuple[tuple[re.Pattern[str], type[Race] | type[NeedsProposal] | type[Denied]], ...] = (
    (FORBIDDEN, Denied),
    (PROTECTED, NeedsProposal),
    (RACE, Race),
)


class Pusher:
    """Pushes from one mirror to its remote."""

    def __init__(self, runner: Runner, remote: Remote, refs: RemoteRefs, permit: Permit) -> None:
        self._runner = runner
        self._remote = remote
        self._refs = refs
        self._permit = permit

    async def push(self, branch: str, oid: Oid) -> Outcome:
        """Moves a branch to a commit built on its tip, or creates it. Asks for the permit first and raises what it raises."""
        ref = ref_of(branch)
        self._permit()
        arguments = ("push", "--porcelain", "--no-verify", "--recurse-submodules=no", "--", self._remote.url, f"{oid}:{ref}")
        try:
            finished = await self._runner.run(GitCall(arguments, remote=self._remote, seconds=SECONDS))
        except Transient as error:
            return await self._look(branch, oid, Unclear(str(error)))
        outcome = classify(finished, oid)
        if isinstance(outcome, Unclear | NeedsProposal | Denied):
            return await self._look(branch, oid, outcome)
        return outcome

    async def _look(self, branch: str, oid: Oid, outcome: NeedsProposal | Denied | Unclear) -> Outcome:
        """Decides by what the branch shows: words differ between servers, and an answer may have been lost."""
        try:
            head = await self._refs.head_of(self._remote, branch)
        except (Transient, Terminal):
            return outcome
        if head == oid:
            return Pushed(oid, outcome.reason)
        if isinstance(outcome, NeedsProposal) and not PROTECTED.search(outcome.reason) and head not in (None, await self._parent(oid)):
            return Race(outcome.reason)
        return outcome

    async def _parent(self, oid: Oid) -> Oid:
        return (await self._runner.run(GitCall(("rev-parse", "--verify", "--quiet", f"{oid}^")))).stdout.decode().strip()


def classify(finished: Finished, oid: Oid) -> Outcome:
    """What one `git push --porcelain` of one ref says. Unknown refusals need a proposal."""
    said = _said(finished.stderr)
    for line in finished.stdout.decode(errors="replace").splitlines():
        flag, _, rest = line.partition("\t")
        if "\t" not in rest:
            continue
        if flag == "=":
            return AlreadyThere(oid)
        if flag in (" ", "*") and finished.status == 0:
            return Pushed(oid, said)
        if flag == "!":
            return _refusal(rest.rpartition("\t")[2], said)
    return _failure(finished.stderr, said)


def _refusal(summary: str, said: str) -> Outcome:
    reason = redact(f"{summary}: {said}" if said else summary)[:LONGEST_REASON]
    if RACE.search(summary):
        return Race(reason)
    if "remote failure" in summary or "no match" in summary:
        return Unclear(reason)
    kind = next((kind for pattern, kind in REFUSALS if pattern.search(reason)), NeedsProposal)
    return kind(reason)


def _failure(stderr: str, said: str) -> Outcome:
    reason = (said or " / ".join(stderr.split("\n")))[:LONGEST_REASON].strip() or "git push said nothing"
    if CREDENTIAL.search(stderr):
        return Denied(f"the credential may not push: {reason}")
    if GONE.search(stderr):
        return Denied(f"no such repository, or no access to it: {reason}")
    return Unclear(reason)


def _said(stderr: str) -> str:
    """What the server itself told us, without decoration."""
    lines = (line.removeprefix("remote:").strip() for line in stderr.splitlines() if line.startswith("remote:"))
    return " / ".join(line for line in lines if line)
