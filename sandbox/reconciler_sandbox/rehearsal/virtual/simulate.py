"""Plays releases of a person's own folder under virtual time: hours in a second, and the same at every run of a seed."""

import asyncio
import random
import re
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

from reconciler.kernel.errors import Terminal
from reconciler.runtime.journal import FileJournal, Journal, Silence
from reconciler.sources.settings import SourceSettings
from reconciler_sandbox.rehearsal.attendant import Attendant, expectations_missed, git_words
from reconciler_sandbox.rehearsal.attendant import waits_for_a_person as waits_for_a_person
from reconciler_sandbox.rehearsal.chronicle import Moment
from reconciler_sandbox.rehearsal.hunt.shrink import shortest
from reconciler_sandbox.rehearsal.played import Played
from reconciler_sandbox.rehearsal.virtual.diffs import commits_since
from reconciler_sandbox.rehearsal.virtual.faults import FAULTS, Weather
from reconciler_sandbox.rehearsal.virtual.folder import ManifestFolder, Workload, load_folder
from reconciler_sandbox.rehearsal.virtual.laws import REST as LAWS
from reconciler_sandbox.rehearsal.virtual.life import Life
from reconciler_sandbox.rehearsal.virtual.loop import run_virtually
from reconciler_sandbox.rehearsal.virtual.script import DEFAULTS, VERSIONS, Script, load_scripts
from reconciler_sandbox.rehearsal.virtual.witness import Witness, heard_by
from reconciler_sandbox.rehearsal.virtual.world import Ground, World

LOOK = 5.0
REST, INSTALLED = 600.0, 60.0
"""Seconds without a change after which a story is at rest, and after which what was installed is."""
INSTALL, POLL = timedelta(hours=1), timedelta(minutes=10)
"""How long manifests may take to be installed, and how often Git is asked without being told of a push."""
JOURNAL, SILENCE = 256 << 20, Silence()
Release = tuple[Workload, Script]
Faults = tuple[str, ...] | None


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
    faults: tuple[str, ...] | None = None
    """Of the faults that a seed has only these; None: all."""


def simulate(order: Order) -> list[Played]:
    """Every release of the story, or the defaults: a good version and one that answers half of its requests with errors.

    Raises Terminal for a folder or a story that cannot be used.
    """
    folder = load_folder(order.folder, order.namespace, order.sources)
    chosen = chosen_releases(folder, order)
    again: set[tuple[str, str, frozenset[str]]] = set()
    made: list[Played] = []
    for seed in range(order.seed, order.seed + order.runs):
        for release in chosen:
            one = _played(folder, release, seed, order.faults)
            made.append(one)
            told = (one.workload, one.version, _laws(one))
            if one.wrong and told not in again:
                again.add(told)
                _shrink(folder, release, one, order.faults)
            if one.wrong and order.journals is not None:
                _keep(folder, release, one, order)
    return made


def _laws(played: Played) -> frozenset[str]:
    """What did not hold, by name: the details differ from play to play."""
    return frozenset(wrong.partition(":")[0] for wrong in played.wrong)


def _shrink(folder: ManifestFolder, release: Release, played: Played, faults: Faults) -> None:
    """Find the fewest kinds of faults with which one of the same laws breaks; in good weather there is nothing to leave out."""
    seed = played.seed or 0
    present = [name for name in FAULTS if getattr(weather_of(seed, faults), name)]
    if not seed:
        return

    def breaks(places: Sequence[int]) -> bool:
        return bool(_laws(_played(folder, release, seed, tuple(present[place] for place in places))) & _laws(played))

    played.faults = tuple(present[place] for place in shortest(range(len(present)), breaks))


def chosen_releases(folder: ManifestFolder, order: Order) -> list[tuple[Workload, Script]]:
    """Which workload is released with what. Raises Terminal for a folder without one, or a story that names another."""
    workloads = list(folder.workloads())
    if not workloads:
        raise Terminal(f"{order.folder}: holds no Rollout with an image; name the folder that a source follows")
    scripts = load_scripts(order.story) if order.story else DEFAULTS
    known = {workload.name for workload in workloads}
    for script in scripts:
        if script.workload and script.workload not in known:
            raise Terminal(f"{order.story}: there is no Rollout {script.workload!r}; there are {', '.join(sorted(known))}")
    return [(w, s) for s in scripts for w in workloads if s.workload in ("", w.name)]


def _keep(folder: ManifestFolder, release: Release, played: Played, order: Order) -> None:
    """The same release once more, with the fewest faults that are known, and everything that was decided in it."""
    place = order.journals or Path()
    name = re.sub(r"[^\w.-]+", "-", played.name)
    journal = FileJournal(place / f"{name}.jsonl", JOURNAL)
    _played(folder, release, played.seed or 0, order.faults if played.faults is None else played.faults, journal)
    journal.close()
    played.journal = str(place / f"{name}.jsonl")


def _played(folder: ManifestFolder, release: Release, seed: int, faults: Faults, journal: Journal = SILENCE) -> Played:
    workload, script = release
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
            weather=weather_of(seed, faults),
            renderer=folder.renderer,
            options=folder.options,
            journal=journal,
            interval=POLL,
        )
        played = Played(f"{workload.namespace}/{workload.name}", script.version, seed)
        run_virtually(Play(workload, script, played).run(ground))
        return played


def weather_of(seed: int, faults: Faults = None) -> Weather:
    """Seed 0 has good weather; every other seed has its own, of which `faults` are the kinds that count (None: all)."""
    dice = random.Random(seed)
    if not seed:
        return Weather()
    shares = [dice.choice((0.0, 0.0, worst)) for worst in (0.05, 0.03, 0.1, 0.02)]
    return Weather(*(share if faults is None or name in faults else 0.0 for name, share in zip(FAULTS, shares, strict=True)))


class Play:
    """One release: install, push, look until it is at rest, and judge."""

    def __init__(self, workload: Workload, script: Script, played: Played) -> None:
        self._workload = workload
        self._script = script
        self._played = played

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
        attendant = Attendant(world.server.store, world.api, self._workload, self._script)
        if not await _until_rest(attendant, witness, INSTALL, quiet=INSTALLED):
            self._played.wrong.append(f"the manifests do not come to rest within {INSTALL}")
        if life.failure is not None:
            raise life.failure
        witness.served = world.traffic.shares().get("", 0.0) == 0
        begun = self._played.begun = asyncio.get_running_loop().time()
        before = world.remote.head()
        witness.moments.append(Moment(begun, "git", f"push: {self._workload.image} -> {self._workload.new_image}"))
        world.remote.commit(dict(self._workload.released), f"{self._workload.name} {self._script.version}\n", at=world.now)
        life.hear_of_push()
        rested = await _until_rest(attendant, witness, self._script.within, quiet=REST)
        self._played.seconds = witness.stirred - begun
        if life.failure is not None:
            raise life.failure
        if not rested:
            self._played.wrong.append(f"every story comes to rest: not within {self._script.within}")
        witness.at_rest()
        self._played.commits = commits_since(world.remote, before)
        self._judge(world, attendant)

    def _judge(self, world: World, attendant: Attendant) -> None:
        self._played.verdict, way_back = attendant.outcome()
        asked = any(world.remote.read(name) == content for name, content in self._workload.released.items())
        self._played.git = git_words(self._workload, way_back, asked=asked)
        self._played.wrong += expectations_missed(self._script, self._played.verdict)


async def _until_rest(attendant: Attendant, witness: Witness, limit: timedelta, *, quiet: float) -> bool:
    """True once nothing has changed for a while; people do what they are waited for."""
    loop = asyncio.get_running_loop()
    begun, last = loop.time(), loop.time() + limit.total_seconds()
    while loop.time() < last:
        await asyncio.sleep(LOOK)
        await attendant.promote()
        if loop.time() - max(witness.stirred, begun) > quiet and not attendant.goes_on():
            return True
    return False
