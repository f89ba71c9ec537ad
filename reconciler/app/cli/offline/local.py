"""A clone on this disk as a source: its commits are read where they lie; only `write` changes files, those of its worktree."""

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx

from reconciler.app.wiring import siblings
from reconciler.git.command import GitCall, Runner
from reconciler.git.environment import remote_of
from reconciler.git.mirror import Mirror
from reconciler.git.notes import notes_history, read_notes
from reconciler.git.objects import Oid
from reconciler.git.refs import RemoteRefs
from reconciler.kernel.clock import SystemClock
from reconciler.kernel.errors import Terminal
from reconciler.renderers.chart_archives import HttpCharts, KeptCharts
from reconciler.renderers.registry import renderer
from reconciler.sources.follow import GitSource
from reconciler.sources.renderer import render_options
from reconciler.sources.settings import SourceSettings

UPSTREAM = "origin/HEAD"
NOBODY = {f"GIT_{who}_{what}": "nobody" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
FETCH = "fetch it first (in a pipeline: the whole history, such as `fetch-depth: 0`)"


class Clone:
    """One repository on this disk, and a mirror beside it, in `home`, that borrows its objects."""

    def __init__(self, top: Path, mirror: Mirror, own: Runner, home: Path) -> None:
        self.top = top
        self._mirror = mirror
        self._home = home
        self._own = own

    async def ends(self, words: str) -> tuple[Oid, Oid]:
        """The two commits of a range: `A..B`, `A...B` (from where B left A), one commit against its parent; none: `origin/HEAD...HEAD`.

        Raises Terminal for commits that are not here.
        """
        if "..." in (words or f"{UPSTREAM}...HEAD"):
            left, _, right = (words or f"{UPSTREAM}...HEAD").partition("...")
            base, head = await self._commit(left or "HEAD"), await self._commit(right or "HEAD")
            return await self._fork(base, head), head
        if ".." in words:
            left, _, right = words.partition("..")
            return await self._commit(left or "HEAD"), await self._commit(right or "HEAD")
        return await self._commit(f"{words}^"), await self._commit(words)

    async def worktree(self) -> tuple[Oid, Oid]:
        """HEAD, and a commit on it of everything that is not committed yet, but for what `.gitignore` names; only the mirror has it.

        Raises Terminal for a clone without a commit, and what git's words name.
        """
        head, runner = await self._commit("HEAD"), self._mirror.runner
        # The mirror's own configuration counts: what the clone's names as filters or monitors would be run.
        there = {"GIT_DIR": str(self._home), "GIT_WORK_TREE": str(self.top), "GIT_INDEX_FILE": str(self._home / "index-of-worktree")}
        for words in (("read-tree", head), ("add", "--all", "--", str(self.top))):
            await runner.output(GitCall(words, variables=there))
        tree = await runner.output(GitCall(("write-tree",), variables=there))
        call = GitCall(("commit-tree", tree.decode().strip(), "-p", head, "-m", "not committed yet"), variables={**there, **NOBODY})
        return head, (await runner.output(call)).decode().strip()

    async def head(self) -> Oid:
        """The commit that is checked out. Raises Terminal for a clone without one."""
        return await self._commit("HEAD")

    async def notes(self, ref: str) -> dict[Oid, str]:
        """The notes that this clone has under a ref."""
        return await read_notes(self._own, ref)

    async def notes_history(self, ref: str) -> list[tuple[int, tuple[str, ...]]]:
        """When the lines of those notes came, the newest first."""
        return await notes_history(self._own, ref)

    async def write(self, files: Mapping[str, bytes]) -> None:
        """Change files of the worktree. Raises Terminal, and writes nothing, where one is a link or differs from HEAD."""
        for name in files:
            path = self.top / name
            whole = GitCall(("cat-file", "blob", f"{await self.head()}:{name}"))
            if path.resolve() != self.top.resolve() / name or not path.is_file():
                raise Terminal(f"{name}: is no plain file in {self.top}; it is edited by hand only")
            if path.read_bytes() != await self._mirror.runner.output(whole):
                raise Terminal(f"{name}: has changes that are not committed; commit them or put them aside first")
        for name, content in files.items():
            (self.top / name).write_bytes(content)

    async def names_no_commit(self, words: str) -> bool:
        """True for words that stand for no commit here."""
        return bool((await self._own.run(_verified(words))).status)

    def source(self, settings: SourceSettings, others: Iterable[SourceSettings], http: httpx.AsyncClient) -> GitSource:
        """A source of this repository as the daemon would follow it."""
        charts = HttpCharts(http, SystemClock(), KeptCharts(self._home.parent / "charts"))
        refs, found = RemoteRefs(http, self._mirror.runner), renderer(settings.renderer, render_options(settings, charts))
        return GitSource(settings, self._mirror, refs, found, siblings(settings, others, charts))

    async def _commit(self, name: str) -> Oid:
        finished = await self._own.run(_verified(name))
        if finished.status:
            remedy = "name a range, such as main...HEAD" if name.removesuffix("^") == UPSTREAM else FETCH
            raise Terminal(f"{name}: no such commit in {self.top}: {remedy}")
        return finished.stdout.decode().strip()

    async def _fork(self, base: Oid, head: Oid) -> Oid:
        finished = await self._own.run(GitCall(("merge-base", base, head)))
        if finished.status:
            raise Terminal(f"{base[:12]} and {head[:12]} have no common commit in {self.top}: {FETCH}")
        return finished.stdout.decode().split()[0]


def _verified(name: str) -> GitCall:
    return GitCall(("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}"))


@asynccontextmanager
async def clone_at(place: Path) -> AsyncIterator[Clone]:
    """The repository that a folder is in. Raises Terminal where there is none."""
    with TemporaryDirectory(prefix="reconciler-plan-") as folder:
        home = Path(folder)
        own = Runner(place, home / "home")
        found = await own.run(GitCall(("rev-parse", "--show-toplevel", "--git-path", "objects")))
        if found.status:
            raise Terminal(f"{place}: in no clone of a Git repository; change to one, or name it with -C")
        top, objects = (place / line for line in found.stdout.decode().splitlines())
        mirror = Mirror(home / "mirror.git", remote_of(str(top)), home / "home")
        try:
            await mirror.borrow(objects)
            yield Clone(top, mirror, own, home / "mirror.git")
        finally:
            mirror.close()
            own.close()
