"""Our bare clone of one repository: every watched branch, no tags, no worktree. It is disposable; repair is making it again."""

import asyncio
import contextlib
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

from reconciler.git.command import GitCall, Runner, Runners
from reconciler.git.environment import Remote
from reconciler.git.errors import BranchGone, Damaged, Failed, redact
from reconciler.git.objects import Oid, TrustedKeys
from reconciler.git.refs import ref_of
from reconciler.git.signatures import verify
from reconciler.kernel.errors import Transient
from reconciler.kernel.unusable import reason_of

FETCHES_BETWEEN_CLEANINGS = 500
CLEANING_SECONDS = 600.0
LIVE_SECONDS = 60.0
LEFT_BEHIND = ("**/*.lock", "objects/pack/tmp_*", "objects/**/tmp_obj_*")


@dataclass(frozen=True, slots=True)
class FetchedHead:
    """What one fetch found: the branch before (None the first time) and now; `rewritten` when the old commit is no ancestor."""

    old: Oid | None
    new: Oid
    rewritten: bool

    @property
    def moved(self) -> bool:
        return self.old != self.new


class Mirror:
    """One repository on our disk. One fetch at a time; reading needs no lock."""

    def __init__(self, directory: Path, remote: Remote, home: Path, *, runners: Runners = Runner) -> None:
        self.runner = runners(directory, home)
        self.remote = remote
        self._home = home
        self._directory = directory
        self._fetching = asyncio.Lock()
        self._ready = False
        self._started = False
        self._fetches = 0

    async def fetch(self, branch: str, wanted: Oid = "") -> FetchedHead:
        """Brings one branch here. Raises BranchGone, and what `git.errors` names; a damaged mirror is made again, once.

        Where `wanted` is here already the server is not asked: another source of the same repository has brought it.
        """
        ref = ref_of(branch)
        async with self._fetching:
            try:
                if wanted and self._ready and await self._head(ref) == wanted:
                    return FetchedHead(wanted, wanted, rewritten=False)
                return await self._fetch(ref)
            except Damaged:
                await self._discard()
                return await self._fetch(ref)
            except Transient:
                # A fetch that was ended on the way leaves locks: the next one looks for them again.
                self._ready = False
                raise

    async def keep(self, oid: Oid) -> bool:
        """True when a commit is here; one that a rewritten branch left behind is asked for by its name."""
        if await self.has(oid):
            return True
        async with self._fetching:
            await self._prepare()
            call = GitCall(("fetch", *_QUIET, "--", self.remote.url, f"{oid}:refs/kept/{oid}"), remote=self.remote)
            return (await self.runner.run(call)).status == 0

    async def has(self, oid: Oid) -> bool:
        """True when a commit is here."""
        if not (self._directory / "HEAD").exists():
            return False
        return (await self.runner.run(GitCall(("cat-file", "-e", f"{oid}^{{commit}}")))).status == 0

    async def is_ancestor(self, old: Oid, new: Oid) -> bool:
        """True when `new` was built on `old`; a commit that is not here is the ancestor of none."""
        return (await self.runner.run(GitCall(("merge-base", "--is-ancestor", old, new)))).status == 0

    async def verify(self, oid: Oid, keys: TrustedKeys) -> None:
        """Returns for a commit that one of these keys has signed, and for every commit where none are named. Raises Unverified."""
        if keys:
            await verify(self.runner, oid, keys, self._home)

    async def borrow(self, objects: Path) -> None:
        """Counts the objects of another repository on this disk as its own: nothing is copied, and nothing is written there."""
        await self._prepare()
        alternates = self._directory / "objects" / "info" / "alternates"
        await asyncio.to_thread(alternates.parent.mkdir, exist_ok=True)
        await asyncio.to_thread(alternates.write_text, f"{objects}\n", encoding="utf-8")

    async def clean(self) -> None:
        """Packs what many fetches left loose. Unreachable commits stay: a proven version may be among them."""
        await self.runner.output(GitCall(("gc", "--quiet", "--prune=never"), seconds=CLEANING_SECONDS))

    def close(self) -> None:
        self.runner.close()

    async def _fetch(self, ref: str) -> FetchedHead:
        await self._prepare()
        old = await self._head(ref)
        call = GitCall(("fetch", *_QUIET, "--", self.remote.url, f"+{ref}:{ref}"), remote=self.remote)
        try:
            await self.runner.output(call)
        except BranchGone as error:
            branch = ref.removeprefix("refs/heads/")
            raise BranchGone(
                f"{redact(self.remote.url)} has no branch {branch!r}; nothing is applied or pruned until it is back"
            ) from error
        new = await self._head(ref)
        if new is None:
            raise Damaged(f"{ref} is not in the mirror after a fetch")
        await self._count(old != new)
        return FetchedHead(old, new, old is not None and old != new and not await self.is_ancestor(old, new))

    async def _head(self, ref: str) -> Oid | None:
        """The commit of a branch. The held process knows it at once; where it does not, git says why."""
        try:
            return (await self.runner.look([f"{ref}^{{commit}}"]))[0].oid
        except Damaged:
            return await self._head_or_why(ref)

    async def _head_or_why(self, ref: str) -> Oid | None:
        finished = await self.runner.run(GitCall(("rev-parse", "--verify", "--quiet", f"{ref}^{{commit}}")))
        if finished.status == 0:
            return finished.stdout.decode().strip()
        if finished.status == 1 and not finished.stderr:
            return None
        raise Damaged(f"{ref} in the mirror cannot be read: {finished.stderr[:200]}")

    async def _prepare(self) -> None:
        if not self._ready:
            await asyncio.to_thread(_remove_left_behind, self._directory, LIVE_SECONDS if self._started else 0.0)
            self._started = True
            self._directory.mkdir(parents=True, exist_ok=True, mode=0o700)
            await self.runner.output(GitCall(("init", "--bare", "--quiet", "--template=", str(self._directory))))
            self._ready = True

    async def _count(self, moved: bool) -> None:
        self._fetches += moved
        if self._fetches >= FETCHES_BETWEEN_CLEANINGS:
            self._fetches = 0
            await self.clean()

    async def _discard(self) -> None:
        self.runner.close()
        self._ready = False
        try:
            await asyncio.to_thread(shutil.rmtree, self._directory)
        except OSError as error:
            raise Failed(f"the damaged mirror {self._directory} cannot be removed: {reason_of(error)}; remove it") from error


_QUIET = ("--quiet", "--no-tags", "--no-write-fetch-head", "--no-auto-maintenance", "--no-recurse-submodules")


def _remove_left_behind(directory: Path, live_seconds: float) -> None:
    """Locks and half-written packs of processes that were killed. Younger ones may belong to a commit being built right now."""
    newest = time.time() - live_seconds
    for pattern in LEFT_BEHIND:
        for path in directory.glob(pattern):
            with contextlib.suppress(FileNotFoundError):
                if path.is_file() and path.stat().st_mtime <= newest:
                    path.unlink()
