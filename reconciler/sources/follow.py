"""A source followed through a mirror: one ls-refs a look, and a fetch only when the branch has moved."""

import asyncio
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import assert_never

from reconciler.git.errors import BranchGone, redact
from reconciler.git.history import commit_facts
from reconciler.git.mirror import Mirror
from reconciler.git.names import argument, bytes_of
from reconciler.git.objects import CommitFacts, Snapshot
from reconciler.git.refs import RemoteRefs
from reconciler.git.tree import folders_with, snapshot, with_files
from reconciler.sources.documents import Parsed
from reconciler.sources.edits import Outcome, PreviousManifest, restore_edits
from reconciler.sources.model import Commit, WorkloadId, commit_of
from reconciler.sources.renderer import Neighbours, Renderer
from reconciler.sources.rewrites import Affected, Questions, Rendering, moved_objects, rewrites
from reconciler.sources.settings import SourceSettings
from reconciler.sources.source_port import SourcePort, Tip

REMEMBERED = 16
DEEPEST = 50
"""How many times files may name further files."""
MOST_NEIGHBOURS = 300
LONGEST_UNSEEN = 180.0
"""Seconds after which the branch is looked at although no news is expected."""


async def way_back(source: SourcePort, good: Parsed | PreviousManifest, versions: tuple[Parsed | None, Parsed], id: WorkloadId) -> Outcome:
    """The edit that leads one workload back to `good`; `versions` are the rejected one, None where it is gone, and the tip."""
    bad, tip = versions
    if not tip.inputs:
        return restore_edits(good, bad, tip, id)
    return await source.answered(rewrites(good, bad, tip, id), tip)


class GitSource:
    """One branch and folder of a mirrored repository. Unchanged files are neither read nor parsed again."""

    def __init__(
        self, settings: SourceSettings, mirror: Mirror, refs: RemoteRefs, renderer: Renderer, siblings: Mapping[str, Renderer]
    ) -> None:
        """`siblings` render the other sources of the same branch, by name: a file may be shared with them."""
        self.settings = settings
        self.mirror = mirror
        self.refs = refs
        self._renderer = renderer
        self._siblings = siblings
        self._looking = asyncio.Lock()
        self._tip: Tip | None = None
        self._expecting = True
        self._looked = float("-inf")
        self._snapshot: Snapshot | None = None
        self._earlier: OrderedDict[str, Parsed] = OrderedDict()
        self._facts: OrderedDict[str, CommitFacts] = OrderedDict()

    def expect_news(self) -> None:
        """A poll is due, or a hint says that the branch has moved."""
        self._expecting = True

    @property
    def news_expected(self) -> bool:
        """True when `latest` would look."""
        return self._tip is None or self._expecting or asyncio.get_running_loop().time() - self._looked > LONGEST_UNSEEN

    async def latest(self) -> Tip:
        """The head of the branch as it was at the last look, unless news are expected: looks are for polls, not for every pass."""
        known = self._tip
        return await self.tip() if known is None or self.news_expected else known

    async def tip(self) -> Tip:
        """The head of the branch as it is now, parsed."""
        async with self._looking:
            self._expecting, seen = False, False
            try:
                found = await self._look()
                self._looked, seen = asyncio.get_running_loop().time(), True
                return found
            finally:
                self._expecting = self._expecting or not seen

    async def _look(self) -> Tip:
        head = await self.refs.head_of(self.mirror.remote, self.settings.branch)
        if head is None:
            url, branch = redact(self.mirror.remote.url), self.settings.branch
            raise BranchGone(f"{url} has no branch {branch!r}; nothing is applied or pruned until it is back")
        if self._tip is not None and self._tip.sha == head and not self._tip.parsed.unsettled:
            return self._tip
        return await self._advance(head)

    async def parsed_at(self, sha: str) -> Parsed | None:
        """The source as it was at a commit; None when that commit can no longer be had."""
        if self._tip is not None and self._tip.sha == sha:
            return self._tip.parsed
        if sha not in self._earlier:
            if not sha or not await self.mirror.keep(sha):
                return None
            found = await snapshot(self.mirror.runner, sha, self.settings.path, self._snapshot)
            parsed = await self._rendered(found)
            if parsed.unsettled:
                return parsed
            self._earlier[sha] = parsed
            while len(self._earlier) > REMEMBERED:
                self._earlier.popitem(last=False)
        return self._earlier[sha]

    async def answered(self, questions: Questions, tip: Parsed) -> Outcome:
        """The outcome of a way back through rendered files, with every question that it asks about the tip answered."""
        try:
            question = next(questions)
            while True:
                match question:
                    case Rendering(files):
                        question = questions.send(await self._rendered_with(self._renderer, tip, files))
                    case Affected(files):
                        question = questions.send(await self._affected(tip, files))
                    case _:
                        assert_never(question)
        except StopIteration as end:
            outcome: Outcome = end.value
            return outcome

    async def _rendered(self, found: Snapshot) -> Parsed:
        complete = await self._completed(self._renderer, found)
        return await self._renderer.render(complete, self._tip.parsed if self._tip else None)

    async def _rendered_with(self, renderer: Renderer, tip: Parsed, files: Mapping[str, bytes]) -> Parsed:
        """What a folder renders to with other bytes in some files of a tip."""
        return await renderer.render(await self._completed(renderer, Snapshot(tip.commit, "", {**tip.inputs, **files})), tip)

    async def _completed(self, renderer: Renderer, found: Snapshot) -> Snapshot:
        """The snapshot with every file that rendering it needs, as far as its commit has them."""
        for _ in range(DEEPEST):
            names = renderer.missing(found)
            if not names:
                break
            found = await with_files(self.mirror.runner, found, names)
        return found

    async def _affected(self, tip: Parsed, files: Mapping[str, bytes]) -> tuple[str, ...]:
        """What else in the repository would ask for something else with these files, each with what would move."""
        found: list[str] = []
        for name, sibling in self._siblings.items():
            found += await self._moved_in(sibling, f"the source {name}", (tip.commit, files))
        if isinstance(self._renderer, Neighbours):
            found += await self._moved_beside(self._renderer, tip, files)
        return tuple(dict.fromkeys(found))

    async def _moved_beside(self, renderer: Neighbours, tip: Parsed, files: Mapping[str, bytes]) -> list[str]:
        """The same of other folders, and of other ways in which this one is rendered."""
        known = Snapshot(tip.commit, "", tip.inputs)
        own = renderer.folders(known)
        others = [folder for folder in await folders_with(self.mirror.runner, tip.commit, renderer.markers) if folder not in own]
        if len(others) > MOST_NEIGHBOURS:
            return [f"some of {len(others)} other folders, too many to look at"]
        found: list[str] = []
        for name, variant in (*renderer.variants(known).items(), *((folder or ".", renderer.at(folder)) for folder in others)):
            found += await self._moved_in(variant, name, (tip.commit, files))
        return found

    async def _moved_in(self, renderer: Renderer, place: str, at: tuple[str, Mapping[str, bytes]]) -> list[str]:
        commit, files = at
        complete = await self._completed(renderer, Snapshot(commit, "", {}))
        if complete.files.keys().isdisjoint(files):
            return []
        before = await renderer.render(complete)
        after = await renderer.render(await self._completed(renderer, replace(complete, files={**complete.files, **files})))
        return [f"{name} in {place}" for name in moved_objects(before, after)]

    async def origin(self, files: Sequence[str], tip: str) -> Commit:
        """The commit that last touched any of these files, seen from the tip; the tip itself when history is too short to say."""
        newest = await self._facts_of(tip)
        if not set(files).isdisjoint(newest.files):
            return commit_of(newest)
        names = map(argument, (await bytes_of(self.mirror.runner, tip, files)).values())
        found = await self.mirror.runner.git("--literal-pathspecs", "log", "-1", "--format=%H", tip, "--", *names)
        return commit_of(await self._facts_of(found or tip))

    async def _facts_of(self, sha: str) -> CommitFacts:
        """A commit never changes, and a push of many workloads asks of few commits."""
        if sha not in self._facts:
            self._facts[sha] = await commit_facts(self.mirror.runner, sha)
            while len(self._facts) > REMEMBERED:
                self._facts.popitem(last=False)
        return self._facts[sha]

    async def _advance(self, head: str) -> Tip:
        fetched = await self.mirror.fetch(self.settings.branch, head)
        await self.mirror.verify(fetched.new, self.settings.trusted_keys)
        found = await snapshot(self.mirror.runner, fetched.new, self.settings.path, self._snapshot)
        parsed = await self._rendered(found)
        self._snapshot, self._tip = found, Tip(fetched.new, parsed, fetched.rewritten)
        return self._tip
