"""A clone on this disk as a source: its commits are read where they lie, and nothing is written into it."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx

from reconciler.app.wiring import render_options, siblings
from reconciler.git.command import GitCall, Runner
from reconciler.git.environment import remote_of
from reconciler.git.mirror import Mirror
from reconciler.git.objects import Oid
from reconciler.git.refs import RemoteRefs
from reconciler.kernel.errors import Terminal
from reconciler.renderers.registry import renderer
from reconciler.sources.follow import GitSource
from reconciler.sources.settings import SourceSettings

UPSTREAM = "origin/HEAD"
FETCH = "fetch it first (in a pipeline: the whole history, such as `fetch-depth: 0`)"


class Clone:
    """One repository on this disk, and a mirror beside it that borrows its objects."""

    def __init__(self, top: Path, mirror: Mirror, own: Runner) -> None:
        self.top = top
        self._mirror = mirror
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

    def source(self, settings: SourceSettings, others: Iterable[SourceSettings], http: httpx.AsyncClient) -> GitSource:
        """A source of this repository as the daemon would follow it."""
        refs, found = RemoteRefs(http, self._mirror.runner), renderer(settings.renderer, render_options(settings))
        return GitSource(settings, self._mirror, refs, found, siblings(settings, others))

    async def _commit(self, name: str) -> Oid:
        finished = await self._own.run(GitCall(("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")))
        if finished.status:
            remedy = "name a range, such as main...HEAD" if name.removesuffix("^") == UPSTREAM else FETCH
            raise Terminal(f"{name}: no such commit in {self.top}: {remedy}")
        return finished.stdout.decode().strip()

    async def _fork(self, base: Oid, head: Oid) -> Oid:
        finished = await self._own.run(GitCall(("merge-base", base, head)))
        if finished.status:
            raise Terminal(f"{base[:12]} and {head[:12]} have no common commit in {self.top}: {FETCH}")
        return finished.stdout.decode().split()[0]


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
            yield Clone(top, mirror, own)
        finally:
            mirror.close()
            own.close()
