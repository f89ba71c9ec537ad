"""Random bad commits by seed, in repositories as teams have them: one restoring commit of exactly what made the difference, also when cut.

Each restore is played to its end, then again from the same tip with its process killed at one of its effects and a new one on what is
left; those of `IN_TURN` at several, one after another. `WAYS_BACK=1000` plays so many in all, each of them cut at every
effect in turn (`WAYS_BACK_FROM` is the first seed); charts by helm itself in `make real`.
"""

import os
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import httpx
import pytest
from msgspec.structs import replace as changed

from reconciler.git.environment import remote_of
from reconciler.git.mirror import Mirror
from reconciler.git.refs import RemoteRefs
from reconciler.kernel.clock import SystemClock
from reconciler.releases.announce.forge import Proposal
from reconciler.releases.identity import identity_hash
from reconciler.releases.model import Previous, Release, ReleaseStatus, Restore, RestoreState, Verdict
from reconciler.releases.restore.restoring import Hands, Restoration
from reconciler.sources.documents import Parsed
from reconciler.sources.follow import GitSource
from reconciler.sources.model import WorkloadId
from reconciler.sources.rewrites import moved_objects
from reconciler.sources.templates import workloads
from tests.kit.cut_restores import RECORD, CutForge, CutRunner, Killed
from tests.kit.jsonnet import WITH_JSONNET
from tests.kit.killing import Cut, Fate
from tests.kit.releases import NOW
from tests.kit.releases import release as a_release
from tests.kit.repositories import Origin, git
from tests.kit.ways_back import SHAPES, Shape

ALL = int(os.environ.get("WAYS_BACK", "0"))
WEB = WorkloadId("Rollout", "shop", "web")
SEEDS = {"plain": range(4), "kustomize": (0, 2), "application": (0,), "jsonnet": (0,), "library helm": (0,), "helm": range(4)}
IN_TURN = {("plain", 0): "", ("kustomize", 2): "propose"}
"""A push that is cut at every effect, and a proposal at those that a push does not have."""
MARKS = {"helm": [pytest.mark.real], "jsonnet": [WITH_JSONNET]}
PER_MILLE = {"plain": 400, "kustomize": 200, "application": 100, "jsonnet": 100, "library helm": 200}
FIRST = int(os.environ.get("WAYS_BACK_FROM", "0"))
MANY = {name: range(FIRST, FIRST + ALL * part // 1000) for name, part in PER_MILLE.items()} if ALL else {}
KNOWN = sorted((seed, name) for name, seeds in {**SEEDS, **MANY}.items() for seed in seeds)
CASES = [pytest.param(name, seed, marks=MARKS.get(name, []), id=f"{name} {seed}") for seed, name in KNOWN]


@dataclass(frozen=True)
class Story:
    """A repository with a version that served, one that failed, and what was pushed since; `expected` is how it should be left."""

    folder: Path
    origin: Origin
    shape: Shape
    tip: str
    release: Release
    expected: dict[str, str]
    proposed: bool
    pulls: dict[str, Proposal] = field(default_factory=dict)


@asynccontextmanager
async def source_of(shape: Shape, origin: Origin, mirror: Path, fate: Fate) -> AsyncIterator[GitSource]:
    """One life of a source, whose hand at git may be cut off; what the same bytes were rendered to is no memory of a life."""
    settings = replace(shape.settings, repository=origin.url)
    known = Mirror(mirror, remote_of(origin.url), mirror.parent / "home", runners=lambda place, home: CutRunner(place, home, fate))
    try:
        async with httpx.AsyncClient(trust_env=False) as http:
            yield GitSource(settings, known, RemoteRefs(http, known.runner), shape.renderer, {})
    finally:
        known.close()


async def restored(story: Story, source: GitSource, fate: Fate) -> Restore:
    """One life's restore, its record included."""
    hands = Hands(source, CutForge(fate, story.pulls), lambda: None, source.mirror.remote)
    record = await Restoration({"shop": hands}, SystemClock(), SystemClock()).restore(story.release, [])
    if fate.strikes_before(RECORD):
        raise Killed
    return record


async def pushed(source: GitSource, origin: Origin, files: dict[str, str]) -> Parsed:
    origin.commit(files)
    parsed = (await source.tip()).parsed
    assert not parsed.problems
    return parsed


@pytest.mark.parametrize(("name", "seed"), CASES)
async def test_one_commit_takes_back_exactly_what_made_the_difference(tmp_path: Path, name: str, seed: int) -> None:
    chance, origin, shape, fate = random.Random(seed), Origin(tmp_path / "origin.git"), SHAPES[name](tmp_path), Fate()
    async with source_of(shape, origin, tmp_path / "mirror", Fate()) as source:
        story, good, bad, tip = await played(tmp_path, (origin, shape, source), chance)
        async with source_of(shape, origin, tmp_path / "mirror", fate) as anew:
            record = await restored(story, anew, fate)
        branch = judged(story, record)
        if not story.proposed:
            after = (await source.tip()).parsed
            assert asked(after) == asked(good) != asked(bad)
            assert set(moved_objects(tip, after)) <= {"Rollout shop/web", "ConfigMap shop/settings"}
    cuts = [Cut(write, after) for write in fate.writes for after in (False, True) if not (after and write.label == RECORD)]
    assert {"git fetch", "git push", RECORD} < {cut.write.label for cut in cuts}
    label = "" if ALL else IN_TURN.get((name, seed))
    taken = [cut for cut in cuts if label in ("", cut.write.label)] or [cuts[seed % len(cuts)]]
    assert len(taken) == {None: 1, "": len(cuts), "propose": 2}[label]
    for cut in taken:
        await again(story, cut, (branch, record))


async def played(folder: Path, place: tuple[Origin, Shape, GitSource], chance: random.Random) -> tuple[Story, Parsed, Parsed, Parsed]:
    """Push a version, a bad one with whatever else its commit moves, and what others push afterwards."""
    origin, shape, source = place
    first = {value: str(chance.randint(100, 999)) for value in shape.names}
    own = chance.sample(shape.own, chance.randint(1, min(3, len(shape.own))))
    shared = [value for value in shape.shared if chance.random() < 0.3]
    others = chance.sample(shape.others, chance.randint(1, len(shape.others)))
    moved = {value: str(chance.randint(1000, 9999)) for value in (*own, *shared, *others)}
    later = {"api": str(chance.randint(10000, 99999)), **({"comment": "later"} if chance.random() < 0.5 else {})}
    good = await pushed(source, origin, shape.files(first))
    bad = await pushed(source, origin, shape.files({**first, **moved}))
    tip = await pushed(source, origin, shape.files({**first, **moved, **later}))
    back = {value: first[value] for value in (*own, *shared)}
    story = Story(
        folder=folder,
        origin=origin,
        shape=shape,
        tip=tip.commit,
        release=rejected(good, bad),
        expected=shape.files({**first, **moved, **later, **back}),
        proposed=bool(shared),
    )
    return story, good, bad, tip


def rejected(good: Parsed, bad: Parsed) -> Release:
    """The release of the bad version, with its verdict."""
    previous = Previous(release="web-good", sha=good.commit, identity=asked(good), proven=True)
    found = a_release(sha=bad.commit, identity=asked(bad), previous=previous)
    status = ReleaseStatus(verdict=Verdict.FAILED, decided_at=NOW, restore=Restore(state=RestoreState.WANTED))
    return changed(found, status=status)


def asked(parsed: Parsed) -> str:
    return identity_hash(parsed, workloads(parsed)[WEB])


def judged(story: Story, record: Restore) -> str:
    """Look at the repository after a restore; the branch that it was written to."""
    state = RestoreState.PROPOSED if story.proposed else RestoreState.PUSHED
    assert record.state is state, record
    branch, origin = record.branch or "main", story.origin
    assert branches(origin) == sorted({"main", branch})
    assert (origin.head() == story.tip) is story.proposed
    assert origin.log("%H", branch)[:2] == [record.sha, story.tip], "one commit on the tip"
    assert {name: origin.read(name, branch).decode() for name in story.expected} == story.expected
    assert set(files_at(origin, branch)) == set(story.expected)
    if story.proposed:
        assert set(story.pulls) == {branch} and "stage" in record.message
    return branch


async def again(story: Story, cut: Cut, before: tuple[str, Restore]) -> None:
    """The same restore from the same tip, killed once; a life that was cut after an effect comes back with an empty disk."""
    empty = story.folder / f"empty after {cut}"
    branch, record = before
    story.origin.force(story.tip)
    if branch != "main":
        story.origin.remove(branch)
    story.pulls.clear()
    first, second = Fate(), Fate()
    async with source_of(story.shape, story.origin, story.folder / "mirror", first) as source:
        first.seal(cut)
        with pytest.raises(Killed):
            await restored(story, source, first)
    async with source_of(story.shape, story.origin, empty if cut.after else story.folder / "mirror", second) as source:
        found = await restored(story, source, second)
    assert judged(story, found) == branch, cut
    assert found.sha == record.sha, f"killed {cut}: another commit"


def branches(origin: Origin) -> list[str]:
    return sorted(git(origin.path, "for-each-ref", "--format=%(refname:lstrip=2)", "refs/heads").decode().splitlines())


def files_at(origin: Origin, branch: str) -> list[str]:
    return git(origin.path, "ls-tree", "-r", "--name-only", f"refs/heads/{branch}").decode().splitlines()
