"""Plays the demo's stories under virtual time, side by side in one world: pushes, verbs and waits as they are written.

What only real requests can show (shares, tagged requests, counts of users) and what is told on a forge is not judged here:
the model of traffic stands in for the users, and real time judges both.
"""

import asyncio
import logging
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import structlog

from reconciler.app.settings.reading import settings_of
from reconciler.kernel.errors import Terminal
from reconciler.kube.client import path_of
from reconciler.rollouts import verbs
from reconciler_sandbox.githost.command import GitFailed
from reconciler_sandbox.node.behaviour import Behaviour
from reconciler_sandbox.rehearsal.fittings import FOLLOWED, KINDS, NAMESPACES, followed, settings, with_sources
from reconciler_sandbox.rehearsal.fittings import REPOSITORY as STAGED
from reconciler_sandbox.rehearsal.looks import look
from reconciler_sandbox.rehearsal.sequences import Held, Sequences, commits
from reconciler_sandbox.rehearsal.stage import Stage
from reconciler_sandbox.rehearsal.story import (
    BehaviourChange,
    Commits,
    Edit,
    Expect,
    Expectation,
    GitFile,
    ObjectField,
    Push,
    Replicas,
    Step,
    Story,
    Together,
    Verb,
)
from reconciler_sandbox.rehearsal.virtual.forge import FORGE
from reconciler_sandbox.rehearsal.virtual.forge import REPOSITORY as PULLS
from reconciler_sandbox.rehearsal.virtual.http import PROMETHEUS
from reconciler_sandbox.rehearsal.virtual.life import Life
from reconciler_sandbox.rehearsal.virtual.loop import run_virtually
from reconciler_sandbox.rehearsal.virtual.objects import subject_of
from reconciler_sandbox.rehearsal.virtual.world import REPOSITORY, Ground, World

LOOK, UNSEEN = 0.1, 2.0
"""Seconds between two looks, and what an expectation takes that is not judged here."""
ENDING = 5.0
"""Seconds that are played on after the last step."""
LONGER = 4
"""An expectation may take so many times what its story says: the story's patience is for a machine that is awaited, not for this one."""


@dataclass(slots=True)
class Staged:
    """What came of a play: the sequences of all objects, and the expectations that did not come true."""

    sequences: Mapping[str, Sequence[Held]] = field(default_factory=dict)
    missed: list[str] = field(default_factory=list)


def play_stories(stories: Sequence[Story], sample: Path, images: Mapping[str, Behaviour]) -> Staged:
    """Play them on the sample repository, whose `images` behave so. Raises Terminal for a step that cannot be done under virtual time."""
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL), cache_logger_on_first_use=False)
    try:
        with tempfile.TemporaryDirectory(prefix="staged-") as place:
            return run_virtually(_play(stories, _ground(sample, images, Path(place))))
    finally:
        structlog.configure(**before)


def _ground(sample: Path, images: Mapping[str, Behaviour], place: Path) -> Ground:
    files = {path.relative_to(sample).as_posix(): path.read_bytes() for path in sorted(sample.rglob("*")) if path.is_file()}
    written = settings(repository=REPOSITORY, forge=FORGE, prometheus=PROMETHEUS, listen="", token_file=Path("/dev/null"))
    text = with_sources(written.replace(STAGED, PULLS), followed(sample, FOLLOWED))
    return Ground(
        files=files,
        behaviours=images,
        namespaces=NAMESPACES,
        kinds=KINDS,
        folder=place,
        settings=settings_of(text, "the demo's settings"),
        told=True,
    )


async def _play(stories: Sequence[Story], ground: Ground) -> Staged:
    async with World(ground) as world:
        sequences = Sequences(asyncio.get_running_loop().time)
        world.server.store.observers.append(sequences.hear)
        life = world.begin_life()
        try:
            players = [StoryPlay(world, life) for _ in stories]
            await asyncio.gather(*(player.steps(story.steps) for player, story in zip(players, stories, strict=True)))
            await asyncio.sleep(ENDING)
        finally:
            await life.end()
        if life.failure is not None:
            raise life.failure
        subjects = [subject_of(text.message) for _, text in reversed(world.remote.history())]
        held = {**sequences.held(), **commits(subjects, [story.lane for story in stories])}
        return Staged(held, [missed for player in players for missed in player.missed])


class StoryPlay:
    """One story; it ends with the first step whose expectations do not come true."""

    def __init__(self, world: World, life: Life) -> None:
        self._world = world
        self._life = life
        self.missed: list[str] = []

    async def steps(self, steps: Sequence[Step]) -> None:
        """One after the other."""
        for step in steps:
            await self._step(step)
            if self.missed:
                return

    async def _step(self, step: Step) -> None:
        match step.action:
            case Expect(expectations):
                await asyncio.gather(*(self._expect(step, expectation) for expectation in expectations))
            case Together(lanes):
                await asyncio.gather(*(self.steps(inner) for inner in lanes.values()))
            case Push():
                self._push(step.action)
            case Verb(words):
                await self._press(words)
            case BehaviourChange(images):
                self._world.behave(images)

    async def _expect(self, step: Step, expectation: Expectation) -> None:
        if not isinstance(expectation.subject, ObjectField | Replicas | GitFile | Commits):
            await asyncio.sleep(UNSEEN)
            return
        loop, stage = asyncio.get_running_loop(), cast(Stage, Place(self._world))  # as far as these subjects look at it
        deadline = loop.time() + expectation.within * LONGER
        while not (sight := await look(stage, expectation.subject)).held:
            if loop.time() > deadline:
                self.missed.append(f"{step.place}: {expectation.what}: {sight.observed}")
                return
            await asyncio.sleep(LOOK)
        await asyncio.sleep(expectation.stays)

    def _push(self, push: Push) -> None:
        """A pull request that is merged is a commit of main here."""
        remote = self._world.remote
        files = {edit.file: _edited(remote.read(edit.file), edit) for edit in push.edits}
        made = remote.commit(files, push.message, at=self._world.now, person=push.author)
        if push.pull is not None:
            self._world.forge.merged(made, push.pull.title)
        self._life.hear_of_push()

    async def _press(self, words: tuple[str, ...]) -> None:
        """`reconciler promote NAME -n NAMESPACE`. Raises Terminal for any other command."""
        if len(words) != 5 or (words[1], words[3]) != ("promote", "-n"):
            raise Terminal(f"{' '.join(words)}: is not played under virtual time")
        rollout = await self._world.api.read(f"/apis/argoproj.io/v1alpha1/namespaces/{words[4]}/rollouts/{words[2]}")
        for patch in verbs.promote(rollout, full=False):
            path = path_of(patch.ref.resource, patch.ref.namespace, patch.ref.name, patch.subresource)
            await self._world.api.patch(path, patch.body)


def _edited(content: bytes | None, edit: Edit) -> bytes | None:
    if edit.remove:
        return None
    if edit.content is not None:
        return edit.content.encode()
    text = (content or b"").decode()
    for old, new in edit.replace.items():
        if old not in text:
            raise Terminal(f"{edit.file}: {old!r} is not there to be replaced")
        text = text.replace(old, new)
    return text.encode()


class Place:
    """Where looks look: the cluster's API, and Git as a host tells of it."""

    def __init__(self, world: World) -> None:
        self.api = world.api
        self.host = self
        self._remote = world.remote

    async def log(self, _repository: str, branch: str = "main") -> list[Any]:
        """The commits of a branch, newest first."""
        return [_Commit(name, text.message.decode(errors="replace")) for name, text in self._remote.history(branch)]

    async def read(self, _repository: str, path: str, revision: str) -> bytes:
        """A file at a branch. Raises GitFailed where there is none."""
        content = self._remote.read(path, revision.removeprefix("refs/heads/"))
        if content is None:
            raise GitFailed(f"{path} is not there")
        return content


@dataclass(frozen=True, slots=True)
class _Commit:
    sha: str
    message: str
