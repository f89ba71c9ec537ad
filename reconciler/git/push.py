"""Puts one commit on a branch, never by force: a plain push already is compare-and-swap. The answer is a value, not an exception."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum

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


class Refusal(StrEnum):
    """Why a server did not take a commit."""

    MOVED = "somebody pushed first"
    PROTECTED = "the branch takes changes only through a pull request"
    HOOK = "a rule of the repository declined it"
    PERMISSION = "the credential may not push"
    UNKNOWN = "the server declined it"

    @property
    def asks_for_proposal(self) -> bool:
        """True when the same change may pass on a branch of its own: a rule may bind that too, then it says so again."""
        return self in (Refusal.PROTECTED, Refusal.HOOK, Refusal.UNKNOWN)


@dataclass(frozen=True, slots=True)
class PushRefused:
    """The server's no: its kind, what git says of it, and the server's own words, line by line, without secrets."""

    kind: Refusal
    summary: str
    said: str = ""

    @property
    def reason(self) -> str:
        """All of it on one line."""
        words = " / ".join(line.strip() for line in self.said.splitlines() if line.strip())
        return (f"{self.summary}: {words}" if words and self.summary else words or self.summary)[:LONGEST_REASON]


@dataclass(frozen=True, slots=True)
class Unclear:
    """No answer came and the branch does not show our commit: look again before the next try."""

    reason: str


Outcome = Pushed | AlreadyThere | PushRefused | Unclear
Permit = Callable[[], None]
"""Raises when we must not write now: frozen, or no longer the leader."""

COLOUR = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
RACE = re.compile(
    r"fetch first|non-fast-forward|stale info|failed to update ref|cannot lock ref|incorrect old value provided|"
    r"reference already exists|failed to lock|atomic push failed",
    re.IGNORECASE,
)
PROTECTED = re.compile(r"GH006|GH013|TF402455|protected branch|repository rule|not permitted", re.IGNORECASE)
FORBIDDEN = re.compile(r"permission denied for writing|TF401027", re.IGNORECASE)
HOOK = re.compile(r"hook declined|GH00[139]\b", re.IGNORECASE)
BY_REQUEST = re.compile(r"pull request|merge request", re.IGNORECASE)
PERMISSION = re.compile(r"read.?only|archived|denied to|not authori[sz]ed|not allowed", re.IGNORECASE)
CREDENTIAL = re.compile(
    r"authentication failed|could not read (username|password)|error: 40[13]\b|denied to|not authori[sz]ed|permission .*denied",
    re.IGNORECASE,
)
GONE = re.compile(r"not found|does not appear to be a git repository", re.IGNORECASE)
# In this order. What a hook says may be anything, so only what servers themselves say is looked for in its words.
KINDS: tuple[tuple[re.Pattern[str], Refusal], ...] = (
    (PROTECTED, Refusal.PROTECTED),
    (FORBIDDEN, Refusal.PERMISSION),
    (HOOK, Refusal.HOOK),
    (BY_REQUEST, Refusal.PROTECTED),
    (PERMISSION, Refusal.PERMISSION),
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
        if isinstance(outcome, Unclear) or (isinstance(outcome, PushRefused) and outcome.kind is not Refusal.MOVED):
            return await self._look(branch, oid, outcome)
        return outcome

    async def _look(self, branch: str, oid: Oid, outcome: PushRefused | Unclear) -> Outcome:
        """Decides by what the branch shows: words differ between servers, and an answer may have been lost."""
        try:
            head = await self._refs.head_of(self._remote, branch)
        except (Transient, Terminal):
            return outcome
        if head == oid:
            return Pushed(oid, outcome.reason)
        if (
            isinstance(outcome, PushRefused)
            and outcome.kind in (Refusal.HOOK, Refusal.UNKNOWN)
            and head not in (None, await self._parent(oid))
        ):
            return replace(outcome, kind=Refusal.MOVED)
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
    summary = redact(summary)
    if RACE.search(summary):
        return PushRefused(Refusal.MOVED, summary, said)
    if "remote failure" in summary or "no match" in summary:
        return Unclear(PushRefused(Refusal.UNKNOWN, summary, said).reason)
    words = f"{summary}\n{said}"
    kind = next((kind for pattern, kind in KINDS if pattern.search(words)), None)
    return PushRefused(kind or (Refusal.MOVED if RACE.search(words) else Refusal.UNKNOWN), summary, said)


def _failure(stderr: str, said: str) -> Outcome:
    reason = (said or " / ".join(stderr.split("\n")))[:LONGEST_REASON].strip() or "git push said nothing"
    if CREDENTIAL.search(stderr):
        return PushRefused(Refusal.PERMISSION, "the credential may not push", reason)
    if GONE.search(stderr):
        return PushRefused(Refusal.PERMISSION, "no such repository, or no access to it", reason)
    return Unclear(reason)


def _said(stderr: str) -> str:
    """What the server itself told us, line by line, without decoration, secrets and invisible signs."""
    lines = (line.removeprefix("remote:").strip() for line in stderr.splitlines() if line.startswith("remote:"))
    seen = ("".join(sign for sign in COLOUR.sub("", line) if sign.isprintable()) for line in lines)
    return redact("\n".join(line for line in seen if line))[:LONGEST_REASON]
