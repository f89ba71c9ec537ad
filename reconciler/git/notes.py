"""Git notes under a ref of their own: fetched, read, written on top of what is there, pushed without force. A note that is there stays."""

import re
from collections.abc import Mapping

from reconciler.git.command import GitCall, Runner
from reconciler.git.environment import Remote
from reconciler.git.errors import BranchGone
from reconciler.git.mirror import Mirror
from reconciler.git.objects import Committer, Oid
from reconciler.git.push import Outcome, Permit, Unclear, classify
from reconciler.kernel.errors import Terminal, Transient

REF = re.compile(r"refs/notes/[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)*")
SECONDS = 90.0
QUIET = ("--quiet", "--no-tags", "--no-write-fetch-head", "--no-auto-maintenance", "--no-recurse-submodules")


class Notes:
    """The notes of one ref in one mirror."""

    def __init__(self, mirror: Mirror, ref: str) -> None:
        """Raises Terminal for a name that is no ref of notes."""
        if not REF.fullmatch(ref) or ".." in ref or ref.endswith((".", ".lock")):
            raise Terminal(f"{ref!r} is no name of notes")
        self._mirror = mirror
        self._runner = mirror.runner
        self.ref = ref

    async def fetch(self) -> None:
        """Brings the notes here as the remote has them; where it has none, there are none here either."""
        call = GitCall(("fetch", *QUIET, "--", self._mirror.remote.url, f"+{self.ref}:{self.ref}"), remote=self._mirror.remote)
        try:
            await self._runner.output(call)
        except BranchGone:
            await self._runner.output(GitCall(("update-ref", "-d", self.ref)))

    async def read(self) -> dict[Oid, str]:
        """The notes that are here, by the commit that they are about."""
        return await read_notes(self._runner, self.ref)

    async def write(self, notes: Mapping[Oid, str], author: Committer) -> tuple[Oid, ...]:
        """Put notes in place of those that are here. Answers the commits that are not here, and so got none."""
        missing = []
        who = {f"GIT_{role}_{part}": word for role in ("AUTHOR", "COMMITTER") for part, word in _person(author).items()}
        for commit, text in sorted(notes.items()):
            if not await self._mirror.keep(commit):
                missing.append(commit)
                continue
            await self._runner.output(GitCall(("notes", f"--ref={self.ref}", "add", "-f", "-F", "-", commit), text.encode(), variables=who))
        return tuple(missing)

    async def push(self, remote: Remote, permit: Permit) -> Outcome:
        """Give the remote what is here. Asks for the permit first and raises what it raises."""
        oid = (await self._runner.git("rev-parse", "--verify", self.ref)).strip()
        permit()
        words = ("push", "--porcelain", "--no-verify", "--recurse-submodules=no", "--", remote.url, f"{oid}:{self.ref}")
        try:
            return classify(await self._runner.run(GitCall(words, remote=remote, seconds=SECONDS)), oid)
        except Transient as error:
            return Unclear(str(error))


async def read_notes(runner: Runner, ref: str) -> dict[Oid, str]:
    """The notes of one ref in a repository, by the commit that they are about; none where there is no such ref."""
    listed = await runner.run(GitCall(("notes", f"--ref={ref}", "list")))
    pairs = [line.split() for line in listed.stdout.decode().splitlines()]
    blobs = await runner.read([pair[0] for pair in pairs]) if pairs else []
    return {pair[1]: blob.decode(errors="replace") for pair, blob in zip(pairs, blobs, strict=True)}


async def notes_history(runner: Runner, ref: str) -> list[tuple[int, tuple[str, ...]]]:
    """When each commit of notes says that it was made, in seconds since 1970, and the lines that it added; the newest first.

    What was merged counts as added by the merge. No line can be taken for a commit: in git's answer each begins with a plus sign.
    """
    words = ("--first-parent", "-m", "--patch", "--unified=0", "--find-renames", "--text", "--no-ext-diff", "--no-textconv", "--no-color")
    told = await runner.run(GitCall(("log", *words, "--format=%x00%ct", ref, "--")))
    found: list[tuple[int, list[str]]] = []
    for line in told.stdout.decode(errors="replace").split("\n"):
        if line.startswith("\0"):
            found.append((int(line[1:]), []))
        elif line.startswith("+") and found:
            found[-1][1].append(line[1:])
    return [(made, tuple(lines)) for made, lines in found]


def _person(author: Committer) -> dict[str, str]:
    return {"NAME": author.name, "EMAIL": author.email}
