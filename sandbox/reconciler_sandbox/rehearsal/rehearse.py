"""Plays releases of a person's own folder in real time: real git, a real Envoy, the daemon as a process of its own."""

import asyncio
import json
import logging
import time
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import structlog

from reconciler.kernel.errors import Terminal
from reconciler.kernel.identity import Manifest, namespace_of
from reconciler.kernel.resources import GATEWAYS
from reconciler_sandbox.apiserver.store import Collection, Entry
from reconciler_sandbox.githost.command import git
from reconciler_sandbox.rehearsal.attendant import MOVING, Attendant, expectations_missed, git_words
from reconciler_sandbox.rehearsal.callers import MESH_PORT, flows_of, missing_gateways
from reconciler_sandbox.rehearsal.chronicle import Chronicle, Moment
from reconciler_sandbox.rehearsal.fittings import REPOSITORY
from reconciler_sandbox.rehearsal.folder_stage import FolderStage
from reconciler_sandbox.rehearsal.played import GitCommit, Played
from reconciler_sandbox.rehearsal.record import Shares
from reconciler_sandbox.rehearsal.stage import GATEWAY_PORTS
from reconciler_sandbox.rehearsal.story import Edit, Push
from reconciler_sandbox.rehearsal.users import UserGroups
from reconciler_sandbox.rehearsal.virtual.folder import ManifestFolder, Workload, load_folder
from reconciler_sandbox.rehearsal.virtual.laws import (
    Law,
    Memory,
    Sight,
    a_rejected_version_meets_no_users,
    broken,
    no_pass_ends_in_a_bug,
    nothing_is_written_without_end,
    objects_stay_bounded,
    users_meet_a_pod,
    what_waits_says_why,
)
from reconciler_sandbox.rehearsal.virtual.remote import MemoryRemote
from reconciler_sandbox.rehearsal.virtual.script import TAG, VERSIONS, Script
from reconciler_sandbox.rehearsal.virtual.simulate import Order, chosen_releases

LOOK, QUIET, UNSEEN = 1.0, 5.0, 60.0
"""Seconds between two looks, without a change after which a story is at rest, and until which a push must have become a release."""
INSTALL = timedelta(minutes=5)
MINUTE = 60.0
BEFORE = "stable"
SEEN = ("rollouts", "replicasets", "analysisruns", "releases")
STIRRING = frozenset({*SEEN, "virtualservices", "services"})
STEPS: Sequence[Law] = (users_meet_a_pod, a_rejected_version_meets_no_users, nothing_is_written_without_end)
REST: Sequence[Law] = (*STEPS, no_pass_ends_in_a_bug, objects_stay_bounded, what_waits_says_why)
Told = Callable[[str, Moment], None]


def rehearse(order: Order, told: Told) -> list[Played]:
    """Each release of the story, or of the defaults, one after the other; `told` hears of each moment as it comes.

    Raises Terminal for a folder or a story that cannot be used, and where a part of the stage cannot run here.
    """
    folder = load_folder(order.folder, order.namespace, order.sources)
    chosen = chosen_releases(folder, order)
    with _quiet():
        return [asyncio.run(Rehearsal(folder, workload, script, told).play()) for workload, script in chosen]


@contextmanager
def _quiet() -> Iterator[None]:
    """The sandbox's own words are no part of a rehearsal: its output is the timeline's, or JSON's."""
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL), cache_logger_on_first_use=False)
    try:
        yield
    finally:
        structlog.configure(**before)


class Rehearsal:
    """One release on one stage."""

    def __init__(self, folder: ManifestFolder, workload: Workload, script: Script, told: Told) -> None:
        self._folder = folder
        self._workload = workload
        self._script = script
        self._told = told
        self._began = time.time()
        self._memory = Memory()
        self._beats: dict[str, deque[float]] = {}
        self._stirred = 0.0
        self._served = False
        self.played = Played(f"{workload.namespace}/{workload.name}", script.version, None, chronicle=Chronicle(self._clock))
        self.played.expected = script.verdict
        self.played.laws = tuple(law.__name__.replace("_", " ") for law in REST)

    async def play(self) -> Played:
        """From an empty cluster to rest. Raises Terminal where the stage cannot be built or the daemon ends."""
        images = {image: replace(VERSIONS[self._script.before], version=BEFORE) for image in self._folder.images}
        images[self._workload.new_image] = VERSIONS[self._script.version]
        manifests = [_placed(located.manifest, self._folder.namespace) for located in self._folder.parsed.manifests]
        gateways = missing_gateways(manifests)
        async with AsyncExitStack() as stack:
            stage = await stack.enter_async_context(FolderStage(self._folder, images, tuple(map(namespace_of, gateways))))
            self._began = stage.began
            stage.server.store.observers.append(self._hear)
            users = await stack.enter_async_context(
                UserGroups(lambda port: stage.mesh.mesh_address if port == MESH_PORT else stage.mesh.gateway_address(port))
            )
            for gateway in gateways:
                await stage.api.create(f"{GATEWAYS.path}/namespaces/{namespace_of(gateway)}/{GATEWAYS.plural}", gateway)
            await stage.daemon.start()
            ready = await stage.daemon.ready()
            if ready != "ready":
                raise Terminal(f"the daemon does not come up: {ready}")
            flows = flows_of(manifests, self._script.users, tuple(GATEWAY_PORTS))
            await self._play(stage, users, lambda: users.change(flows))
        return self.played

    async def _play(self, stage: FolderStage, users: UserGroups, call: Callable[[], Awaitable[None]]) -> None:
        played, attendant = self.played, Attendant(stage.server.store, stage.api, self._workload, self._script)
        if not await self._until_rest(stage, users, attendant, (self._workload.image, INSTALL)):
            played.wrong.append(f"the manifests do not come to rest within {INSTALL}")
        await stage.mesh.settled()
        await call()
        await asyncio.sleep(LOOK)
        self._served = not self._shares(users).get("", 0.0)
        before = await _tip(stage)
        played.begun = self._clock()
        self._say(Moment(played.begun, "git", f"push: {self._workload.image} -> {self._workload.new_image}"))
        edits = tuple(Edit(file=name, content=content.decode()) for name, content in self._workload.released.items())
        await stage.people.push(Push(message=f"{self._workload.name} {self._script.version}", edits=edits))
        if not await self._until_rest(stage, users, attendant, (self._workload.new_image, self._script.within)):
            played.wrong.append(f"every story comes to rest: not within {self._script.within}")
        played.seconds = max(self._stirred - played.begun, 0.0)
        self._judge(broken(REST, self._sight(stage, users), self._memory))
        played.commits = await _commits(stage, before)
        played.verdict, way_back = attendant.outcome()
        tip = {name: await stage.host.read(REPOSITORY, name, "refs/heads/main") for name in self._workload.released}
        played.git = git_words(self._workload, way_back, asked=any(tip[n] == c for n, c in self._workload.released.items()))
        played.wrong += expectations_missed(self._script, played.verdict)

    async def _until_rest(self, stage: FolderStage, users: UserGroups, attendant: Attendant, wait: tuple[str, timedelta]) -> bool:
        """True once nothing has changed for a while; people do what they are waited for. Raises Terminal when waiting is in vain."""
        begun, (image, limit) = self._clock(), wait
        while self._clock() < begun + limit.total_seconds():
            await asyncio.sleep(LOOK)
            if stage.failure:
                raise Terminal(f"the rehearsal cannot go on: {stage.failure}")
            await attendant.promote()
            self._judge(broken(STEPS, self._sight(stage, users), self._memory))
            unseen = image not in attendant.released() and self._clock() < begun + UNSEEN
            if self._clock() - max(self._stirred, begun) > QUIET and not unseen and not attendant.goes_on(MOVING):
                return True
        return False

    def _judge(self, found: Sequence[str]) -> None:
        self.played.wrong += [wrong for wrong in found if wrong not in self.played.wrong]

    # -- what is seen -------------------------------------------------------------------------------------------------

    def _clock(self) -> float:
        return time.time() - self._began

    def _say(self, moment: Moment) -> None:
        self.played.chronicle.moments.append(moment)
        self._told(self.played.name, moment)

    def _hear(self, collection: Collection, kind: str, entry: Entry) -> None:
        if collection.plural not in STIRRING:
            return
        now, chronicle = self._clock(), self.played.chronicle
        self._stirred = now
        beats = self._beats.setdefault(f"{collection.plural} {entry.manifest['metadata']['name']}", deque())
        beats.append(now)
        while beats[0] < now - MINUTE:
            beats.popleft()
        known = len(chronicle.moments)
        chronicle.hear(collection, kind, entry)
        for moment in chronicle.moments[known:]:
            self._told(self.played.name, moment)

    def _shares(self, users: UserGroups) -> dict[str, float]:
        """Requests a second by pod hash within the last whole second; under "" those that met no ready pod."""
        hashes = {image: version for version, image in self.played.chronicle.images.items()}
        versions = {TAG: hashes.get(self._workload.new_image, TAG), BEFORE: hashes.get(self._workload.image, BEFORE)}
        since, answered = time.time() - LOOK, Counter[str]()
        for sample in users.samples():
            if sample.time < since:
                continue
            if sample.version or sample.status == NO_POD:
                answered[versions.get(sample.version, sample.version)] += 1
        return {version: count / LOOK for version, count in answered.items()}

    def _sight(self, stage: FolderStage, users: UserGroups) -> Sight:
        shares, recorded = self._shares(users), self.played.shares
        if not recorded or recorded[-1].rates != shares:
            recorded.append(Shares(self._clock(), shares))
        objects = {name: [e.manifest for e in c.sorted(None)] for (_, name), c in stage.server.store.collections.items() if name in SEEN}
        beats = {name: len(found) for name, found in self._beats.items()}
        return Sight(datetime.now(UTC), objects, shares, MemoryRemote(), self._served, bugs_in(stage.daemon.log), beats=beats)


NO_POD = 503
"""What Envoy answers for a Service without a ready pod; what a pod answers carries its version."""


def bugs_in(log: Path) -> tuple[str, ...]:
    """The errors in the daemon's log, which is JSON lines: what nobody has named is a bug."""
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines() if log.exists() else []
    parsed = (_document(line) for line in lines if '"level": "error"' in line or '"level":"error"' in line)
    return tuple(
        dict.fromkeys(f"{found.get('event')}: {str(found.get('exception', '')).strip().rpartition(chr(10))[2]}" for found in parsed)
    )


def _document(line: str) -> dict[str, object]:
    try:
        found = json.loads(line)
    except ValueError:
        return {"event": line}
    return found if isinstance(found, dict) else {"event": line}


def _placed(manifest: Manifest, namespace: str) -> Manifest:
    """The manifest with the namespace that it is applied in."""
    return {**manifest, "metadata": {"namespace": namespace, **manifest.get("metadata", {})}}


async def _tip(stage: FolderStage) -> str:
    return (await stage.host.log(REPOSITORY))[0].sha


async def _commits(stage: FolderStage, before: str) -> list[GitCommit]:
    """The commits of main after this one, oldest first."""
    folder, found = stage.host.repository(REPOSITORY).folder, []
    for commit in await stage.host.log(REPOSITORY):
        if commit.sha == before:
            break
        diff = (await git(folder, "show", "--format=", commit.sha)).text
        found.append(GitCommit(commit.sha[:7], commit.message.strip(), commit.author_name, diff))
    return found[::-1]
