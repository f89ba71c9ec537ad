"""Plays releases of a person's own folder under virtual time: hours in a second, and the same at every run of a seed."""

import asyncio
import random
import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

from reconciler.kernel.errors import Terminal
from reconciler.kernel.plan import Patch
from reconciler.kube.client import path_of
from reconciler.rollouts import verbs
from reconciler.runtime.journal import FileJournal, Journal, Silence
from reconciler.sources.settings import SourceSettings
from reconciler_sandbox.rehearsal.chronicle import Moment
from reconciler_sandbox.rehearsal.played import Played
from reconciler_sandbox.rehearsal.virtual.diffs import commits_since
from reconciler_sandbox.rehearsal.virtual.faults import Weather
from reconciler_sandbox.rehearsal.virtual.folder import ManifestFolder, Workload, load_folder
from reconciler_sandbox.rehearsal.virtual.laws import REST as LAWS
from reconciler_sandbox.rehearsal.virtual.laws import Manifest
from reconciler_sandbox.rehearsal.virtual.life import Life
from reconciler_sandbox.rehearsal.virtual.loop import run_virtually
from reconciler_sandbox.rehearsal.virtual.script import DEFAULTS, VERSIONS, Script, load_scripts
from reconciler_sandbox.rehearsal.virtual.witness import Witness, heard_by
from reconciler_sandbox.rehearsal.virtual.world import Ground, World

LOOK = 5.0
REST, INSTALLED = 600.0, 60.0
"""Seconds without a change after which a story is at rest, and after which what was installed is."""
INSTALL, POLL = timedelta(hours=1), timedelta(minutes=2)
"""How long manifests may take to be installed, and how often Git is asked without being told of a push."""
JOURNAL, SILENCE = 256 << 20, Silence()


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What the command line asks for."""

    folder: Path
    story: Path | None = None
    seed: int = 0
    runs: int = 1
    namespace: str = "default"
    journals: Path | None = None
    """A folder: of each release in which something did not hold, the passes are kept there."""
    sources: tuple[SourceSettings, ...] = ()
    """One of them follows the folder and says how it is rendered; none: the folder itself does."""


def simulate(order: Order) -> list[Played]:
    """Every release of the story, or the defaults: a good version and one that answers half of its requests with errors.

    Raises Terminal for a folder or a story that cannot be used.
    """
    folder = load_folder(order.folder, order.namespace, order.sources)
    workloads = list(folder.workloads())
    if not workloads:
        raise Terminal(f"{order.folder}: holds no Rollout with an image; name the folder that a source follows")
    scripts = load_scripts(order.story) if order.story else DEFAULTS
    known = {workload.name for workload in workloads}
    for script in scripts:
        if script.workload and script.workload not in known:
            raise Terminal(f"{order.story}: there is no Rollout {script.workload!r}; there are {', '.join(sorted(known))}")
    chosen = [(w, s) for s in scripts for w in workloads if s.workload in ("", w.name)]
    made = [_played(folder, w, s, seed) for seed in range(order.seed, order.seed + order.runs) for w, s in chosen]
    if order.journals is not None:
        for place, one in enumerate(made):
            if one.wrong:
                _keep(folder, chosen[place % len(chosen)], one, order.journals)
    return made


def _keep(folder: ManifestFolder, chosen: tuple[Workload, Script], played: Played, place: Path) -> None:
    """The same release once more, with everything that was decided in it."""
    name = re.sub(r"[^\w.-]+", "-", played.name)
    journal = FileJournal(place / f"{name}.jsonl", JOURNAL)
    _played(folder, *chosen, played.seed, journal)
    journal.close()
    played.journal = str(place / f"{name}.jsonl")


def _played(folder: ManifestFolder, workload: Workload, script: Script, seed: int, journal: Journal = SILENCE) -> Played:
    with tempfile.TemporaryDirectory(prefix="simulate-") as place:
        behaviours = {image: replace(VERSIONS[script.before], version="stable") for image in folder.images}
        behaviours[workload.new_image] = VERSIONS[script.version]
        ground = Ground(
            files=folder.files,
            behaviours=behaviours,
            namespaces=folder.namespaces,
            kinds=folder.kinds,
            folder=Path(place),
            seed=seed,
            users=script.users,
            namespace=folder.namespace,
            weather=weather_of(seed),
            renderer=folder.renderer,
            options=folder.options,
            journal=journal,
            interval=POLL,
        )
        played = Played(f"{workload.namespace}/{workload.name}", script.version, seed)
        run_virtually(Play(workload, script, played).run(ground))
        return played


def weather_of(seed: int) -> Weather:
    """Seed 0 has good weather; every other seed has its own."""
    dice = random.Random(seed)
    if not seed:
        return Weather()
    return Weather(*(dice.choice((0.0, 0.0, worst)) for worst in (0.05, 0.03, 0.1, 0.02)))


class Play:
    """One release: install, push, look until it is at rest, and judge."""

    def __init__(self, workload: Workload, script: Script, played: Played) -> None:
        self._workload = workload
        self._script = script
        self._played = played
        self._paused = 0.0

    async def run(self, ground: Ground) -> None:
        """Play it in a world of its own."""
        async with World(ground) as world:
            witness = Witness(world)
            with heard_by(witness):
                life = world.begin_life()
                try:
                    await self._play(world, witness, life)
                finally:
                    await life.end()
            self._played.chronicle, self._played.shares = witness.chronicle, witness.shares
            self._played.laws = tuple(law.__name__.replace("_", " ") for law in LAWS)
            self._played.expected = self._script.verdict
            self._played.wrong += witness.wrong

    async def _play(self, world: World, witness: Witness, life: Life) -> None:
        if not await self._until_rest(world, witness, INSTALL, quiet=INSTALLED):
            self._played.wrong.append(f"the manifests do not come to rest within {INSTALL}")
        if life.failure is not None:
            raise life.failure
        witness.served = world.traffic.shares().get("", 0.0) == 0
        begun = self._played.begun = asyncio.get_running_loop().time()
        before = world.remote.head()
        witness.moments.append(Moment(begun, "git", f"push: {self._workload.image} -> {self._workload.new_image}"))
        world.remote.commit(dict(self._workload.released), f"{self._workload.name} {self._script.version}\n", at=world.now)
        life.hear_of_push()
        rested = await self._until_rest(world, witness, self._script.within, quiet=REST)
        self._played.seconds = witness.stirred - begun
        if life.failure is not None:
            raise life.failure
        if not rested:
            self._played.wrong.append(f"every story comes to rest: not within {self._script.within}")
        witness.at_rest()
        self._played.commits = commits_since(world.remote, before)
        self._judge(world)

    async def _until_rest(self, world: World, witness: Witness, limit: timedelta, *, quiet: float) -> bool:
        """True once nothing has changed for a while; people do what they are waited for."""
        loop = asyncio.get_running_loop()
        begun, last = loop.time(), loop.time() + limit.total_seconds()
        while loop.time() < last:
            await asyncio.sleep(LOOK)
            await self._promote(world)
            if loop.time() - max(witness.stirred, begun) > quiet and not self._goes_on(world):
                return True
        return False

    def _goes_on(self, world: World) -> bool:
        """True while a release is under way, or a pause that ends by itself."""
        rollout = self._rollout(world) or {}
        status = rollout.get("status") or {}
        if any(condition.get("reason") == "InconclusiveAnalysisRun" for condition in status.get("pauseConditions") or ()):
            return False  # only a person can say what an answer without data means
        releases = self._releases(world)
        moving = any((r.get("status") or {}).get("phase") in ("Progressing", "Watching", "Pending") for r in releases)
        return moving or status.get("phase") in ("Progressing", "Paused")

    def _rollout(self, world: World) -> Manifest | None:
        return world.found("argoproj.io", "rollouts", self._workload.namespace, self._workload.name)

    def _releases(self, world: World) -> list[Manifest]:
        listed = world.listed("reconciler.dev", "releases", self._workload.namespace)
        return [r for r in listed if r["spec"]["workload"]["name"] == self._workload.name]

    async def _promote(self, world: World) -> None:
        """A pause without an end waits for a person, who comes after a while."""
        rollout = self._rollout(world)
        if rollout is None or not waits_for_a_person(rollout):
            self._paused = asyncio.get_running_loop().time()
            return
        if asyncio.get_running_loop().time() - self._paused >= self._script.promote_after.total_seconds():
            for patch in verbs.promote(rollout, full=False):
                await _send(world, patch)

    def _judge(self, world: World) -> None:
        mine = [r for r in self._releases(world) if self._workload.new_image in r["spec"]["images"].values()]
        status = (mine[-1].get("status") or {}) if mine else {}
        restore = status.get("restore") or {}
        self._played.verdict = str(status.get("verdict", "none"))
        asked = any(world.remote.read(name) == content for name, content in self._workload.released.items())
        asks = self._workload.new_image if asked else self._workload.image
        self._played.git = f"asks for {asks}" + (f"; way back: {restore.get('state')}" if restore else "")
        for fault in expectations_missed(self._script, self._played.verdict):
            self._played.wrong.append(fault)


def expectations_missed(script: Script, verdict: str) -> Iterator[str]:
    """What the script expected and did not get."""
    fits = script.verdict == "any" or verdict == script.verdict or (script.verdict == "not passed" and verdict != "passed")
    if not fits:
        yield f"expected the verdict {script.verdict!r}, and it is {verdict!r}"


def waits_for_a_person(rollout: Manifest) -> bool:
    """True for a pause that has no end of its own."""
    spec, status = rollout["spec"], rollout.get("status") or {}
    reasons = {condition.get("reason") for condition in status.get("pauseConditions") or ()}
    if "InconclusiveAnalysisRun" in reasons or not reasons:
        return False
    if "BlueGreenPause" in reasons:
        return not ((spec.get("strategy") or {}).get("blueGreen") or {}).get("autoPromotionSeconds")
    steps = ((spec.get("strategy") or {}).get("canary") or {}).get("steps") or []
    index = int(status.get("currentStepIndex") or 0)
    return index < len(steps) and "pause" in steps[index] and not (steps[index]["pause"] or {}).get("duration")


async def _send(world: World, patch: Patch) -> None:
    path = path_of(patch.ref.resource, patch.ref.namespace, patch.ref.name, patch.subresource)
    await world.api.patch(path, patch.body)
