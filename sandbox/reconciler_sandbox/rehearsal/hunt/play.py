"""Plays a tale in a world of its own under virtual time, and judges it by the laws."""

import asyncio
import heapq
import shutil
import tempfile
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import count
from pathlib import Path

from reconciler.kernel.resources import ROLLOUTS
from reconciler.kube.client import path_of
from reconciler.runtime.journal import Journal, Silence
from reconciler_sandbox.controllers.objects import timestamp
from reconciler_sandbox.rehearsal.hunt.committers import Committers
from reconciler_sandbox.rehearsal.hunt.laws import TALE_REST, TALE_STEPS, differences, waived
from reconciler_sandbox.rehearsal.hunt.misfortunes import Misfortunes
from reconciler_sandbox.rehearsal.hunt.people import Visitors
from reconciler_sandbox.rehearsal.hunt.plots import NAME, NAMESPACE, SECRET, ground_of
from reconciler_sandbox.rehearsal.hunt.tale import TICK, Deed, Happening, Tale
from reconciler_sandbox.rehearsal.virtual.laws import Law, Manifest
from reconciler_sandbox.rehearsal.virtual.loop import Standstill, run_virtually, virtual_now
from reconciler_sandbox.rehearsal.virtual.simulate import waits_for_a_person
from reconciler_sandbox.rehearsal.virtual.witness import Moment, Witness, heard_by
from reconciler_sandbox.rehearsal.virtual.world import Ground, World

SILENCE = Silence()
INSTALL, LIMIT = 300.0, 3 * 3600.0
LOOK, AGAIN = 5.0, 60.0
"""Seconds between two looks, and that a new daemon is watched."""
FROZEN = "what is frozen is not written"
"""A law about a span of time, which is looked at when the freeze ends."""
HEARD = 25.0
"""Seconds until a daemon that hears of nothing has read for itself that it is frozen, and what was on its way has arrived."""
HURTING = frozenset({Deed.DELETE, Deed.EDIT, Deed.LOSE_NODE, Deed.APPLY})
AHEAD = "75"
EVERY = 5
"""Of so many brief tales one ends with a new daemon."""
UNEXPLAINED = "no reason is recorded"
WATCHED = ("rollouts", "replicasets", "releases", "virtualservices", "destinationrules", "services", "analysisruns")


@dataclass(frozen=True, slots=True)
class Waits:
    """Seconds of a tale: without a change until it is at rest; until a person comes; until what people broke by hand has to be whole."""

    quiet: float = 300.0
    patience: float = 60.0
    recovery: float = 240.0


LONG, BRIEF = Waits(), Waits(quiet=150.0, patience=20.0, recovery=120.0)


@dataclass(slots=True)
class Ending:
    """How a tale ended: its transcript, and what did not hold."""

    tale: Tale
    moments: list[Moment] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    @property
    def laws(self) -> list[str]:
        """The names of the laws that were broken."""
        return list(dict.fromkeys(wrong.partition(":")[0] for wrong in self.wrong))


Part = Callable[[Tale], bool]
"""Asked where a tale parts from others that began as it did: True where it is to go on in this process."""


def play(tale: Tale, journal: Journal = SILENCE) -> Ending:
    """Play it. The same tale gives the same transcript; a journal hears what the daemons decided."""
    return play_parting((tale,), lambda _: True, journal)


def play_parting(tales: Sequence[Tale], part: Part, journal: Journal = SILENCE) -> Ending:
    """Play the first of the tales that `part` lets go on; all of them are alike until their second happening. With none, until there."""
    tale = tales[0]
    ending = Ending(tale)
    with tempfile.TemporaryDirectory(prefix="hunt-") as place:
        folder = Path(place)
        try:
            run_virtually(
                Performance(tales, ending, _on_a_disk_of_its_own(part, folder)).run(replace(ground_of(tale, folder), journal=journal))
            )
        except Standstill as error:
            ending.wrong.append(f"time goes on: {error}")
        except ExceptionGroup as error:
            ending.wrong.append(f"the daemon lives on: {_innermost(error)!r}")
    return ending


def _on_a_disk_of_its_own(part: Part, folder: Path) -> Part:
    """A child process copies memory and shares the disk: what it wrote or removed there, its end included, is undone for the next one."""

    def parted(tale: Tale) -> bool:
        there = {path: path.read_bytes() if path.is_file() else None for path in sorted(folder.rglob("*"))}
        if part(tale):
            return True
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        for path, content in there.items():
            path.mkdir() if content is None else path.write_bytes(content)
        return False

    return parted


def _innermost(error: BaseException) -> BaseException:
    return _innermost(error.exceptions[0]) if isinstance(error, BaseExceptionGroup) else error


class Performance:
    """One tale in one world."""

    def __init__(self, tales: Sequence[Tale], ending: Ending, part: Part) -> None:
        self._tale = tale = tales[0]
        self._tales = sorted(tales, key=lambda one: one.parts_at)
        self._part = part
        self._waits = BRIEF if tale.brief else LONG
        self._ending = ending
        self._agenda: list[tuple[float, int, Callable[[], Awaitable[None]]]] = []
        self._order = count()
        self._waiting_since: float | None = None
        self._pushes = 0
        self._frozen_by: Happening | None = None

    async def run(self, ground: Ground) -> None:
        """From the installation to the rest after the last deed."""
        async with World(ground) as world:
            self._world, self._witness = world, Witness(world, self._laws(TALE_STEPS), self._laws(TALE_REST))
            self._committers, self._visitors = Committers(world, self._tale), Visitors(world)
            self._misfortunes = Misfortunes(world, self._tell)
            self._witness.driven = self._misfortunes.drives
            with heard_by(self._witness):
                try:
                    await self._play()
                finally:
                    await self._misfortunes.close()
                    self._ending.moments = self._witness.moments
                    self._ending.wrong = [*self._witness.wrong, *self._ending.wrong]

    def _laws(self, laws: Sequence[Law]) -> Sequence[Law]:
        """Without those that people's own deeds make untrue."""
        deeds = frozenset(happening.deed for happening in self._tale.happenings)
        return tuple(law for law in laws if not waived(law, deeds))

    async def _play(self) -> None:
        token: Manifest = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "token"}, "stringData": {"token": SECRET}}
        await self._world.api.create(f"/api/v1/namespaces/{NAMESPACE}/secrets", token)
        await self._misfortunes.begin()
        if not await self._rests(INSTALL, quiet=30.0):
            self._ending.wrong.append("every story comes to rest: the first version is not installed")
            return
        self._witness.served = True
        begun = self._time()
        if self._tale.brief and not await self._parted(begun):
            return
        for happening in self._tale.happenings[int(self._tale.opens) :]:
            self._plan(begun + happening.at, self._doing(happening))
        while self._agenda and not self._witness.wrong:  # a law that is broken is a tale's end: it may never come to rest
            moment, _, deed = heapq.heappop(self._agenda)
            await self._misfortunes.until(moment)
            await deed()
        await self._misfortunes.end_all()
        if not await self._rests(LIMIT, quiet=self._waits.quiet + put_off(self._tale)):
            if self._witness.wrong:
                return
            self._ending.wrong.append(f"every story comes to rest: not within {LIMIT / 3600:.0f} h")
            return
        self._witness.at_rest()
        await self._explained()
        if not self._tale.brief or self._tale.seed % EVERY == 0:
            await self._begin_again()

    async def _parted(self, begun: float) -> bool:
        """What brief tales share is done, tick by tick as each would do it alone; False when none of them goes on here."""
        if self._tale.opens:
            await self._doing(self._tale.happenings[0])()
        ticks = 0
        for tale in self._tales:
            while ticks * TICK < tale.parts_at:
                ticks += 1
                await self._misfortunes.until(begun + ticks * TICK)
            if self._part(tale):
                self._tale = self._ending.tale = tale
                self._misfortunes.reseed(tale.seed)
                self._witness.hear(self._laws(TALE_STEPS), self._laws(TALE_REST))
                return True
        return False

    def _time(self) -> float:
        return asyncio.get_running_loop().time()

    def _tell(self, words: str) -> None:
        self._witness.moments.append(Moment(self._time(), "tale", words))

    def _plan(self, moment: float, deed: Callable[[], Awaitable[None]]) -> None:
        heapq.heappush(self._agenda, (moment, next(self._order), deed))

    def _doing(self, happening: Happening) -> Callable[[], Awaitable[None]]:
        async def do() -> None:
            deed = happening.deed
            if deed in HURTING:
                self._witness.served = False
                self._plan(self._time() + self._waits.recovery, self._heal(self._time()))
            if deed is Deed.FREEZE:
                self._frozen_by = happening
                self._plan(self._time() + HEARD, self._note_pushes)
            if self._committers.does(deed):
                said = self._committers.do(happening)
            elif self._visitors.does(deed):
                said = await self._visitors.do(happening)
            else:
                said = await self._misfortunes.do(happening)
            self._tell(f"{deed} {happening.what}{': ' if said else ''}{said}".strip())
            if happening.lasting:
                self._plan(self._time() + happening.lasting, self._mending(happening))

        return do

    def _mending(self, happening: Happening) -> Callable[[], Awaitable[None]]:
        async def mend() -> None:
            if self._committers.does(happening.deed):
                said = self._committers.mend(happening.deed)
            elif happening.deed is Deed.SUSPEND:
                said = await self._visitors.resume()
            elif happening.deed is Deed.FREEZE:
                said = await self._unfreeze(happening)
            else:
                said = await self._misfortunes.mend(happening)
            self._tell(f"end of {happening.deed}{': ' if said else ''}{said}")

        return mend

    async def _unfreeze(self, happening: Happening) -> str:
        """A person lets it go on; until then nothing was written, but for what was on its way when the daemon heard of it.

        A later freeze has taken the place of this one: the person who ends this one leaves it alone.
        """
        if happening is not self._frozen_by:
            return "another freeze has begun"
        heard = self._time() - happening.lasting + HEARD
        if happening.what != "git" and self._misfortunes.wrote_after(heard):
            self._ending.wrong.append(f"{FROZEN}: the cluster was, {self._time() - heard:.0f} s after the daemon knew")
        if happening.what != "cluster" and happening.lasting > HEARD and self._world.remote.pushes > self._pushes:
            self._ending.wrong.append(f"{FROZEN}: something was pushed")
        return await self._visitors.freeze(None)

    async def _note_pushes(self) -> None:
        self._pushes = self._world.remote.pushes

    def _heal(self, since: float) -> Callable[[], Awaitable[None]]:
        """What was broken by hand is whole again, unless something else was broken since."""
        self._hurt = since

        async def heal() -> None:
            if self._hurt == since:
                self._witness.served = True

        return heal

    async def _rests(self, limit: float, *, quiet: float) -> bool:
        """True once nothing has changed for a while; people do what they are waited for."""
        begun = self._time()
        while self._time() < begun + limit and not self._witness.wrong:
            await self._misfortunes.until(self._time() + LOOK)
            rollout = await self._world.api.get(path_of(ROLLOUTS, NAMESPACE, NAME))
            if rollout is not None and await self._helped(rollout):
                continue
            if self._time() - max(self._witness.stirred, begun) > quiet:
                return True
        return False

    async def _helped(self, rollout: Manifest) -> bool:
        """A person comes to what waits for one, or for hours by a clock that was wrong: promotes, or aborts what was not measured."""
        status = rollout.get("status") or {}
        reasons = {condition.get("reason") for condition in status.get("pauseConditions") or ()}
        inconclusive = "InconclusiveAnalysisRun" in reasons
        if not (inconclusive or waits_for_a_person(rollout) or rollout["spec"].get("paused") or paused_ahead(status)):
            self._waiting_since = None
            return False
        self._waiting_since = self._time() if self._waiting_since is None else self._waiting_since
        if self._time() - self._waiting_since < self._waits.patience:
            return True
        self._waiting_since = None
        deed = Deed.ABORT if inconclusive and self._tale.seed % 2 else Deed.PROMOTE
        said = await self._visitors.do(Happening(0.0, deed))
        self._tell(f"a person comes: {deed}{': ' if said else ''}{said}")
        return True

    async def _explained(self) -> None:
        """At rest `explain` has a reason for whatever it is asked about."""
        said = await self._visitors.explained()
        if UNEXPLAINED in said:
            self._ending.wrong.append(f"explain has a reason: {said}")

    async def _begin_again(self) -> None:
        """At rest another daemon, which finds an empty disk, changes nothing."""
        before = await self._all()
        await self._misfortunes.replace()
        self._tell("another daemon begins, with an empty disk")
        await self._misfortunes.until(self._time() + AGAIN)
        for wrong in differences(before, await self._all()):
            self._ending.wrong.append(f"a daemon that begins anew changes nothing: {wrong}")

    async def _all(self) -> dict[str, Manifest]:
        collections = self._world.server.store.collections.items()
        entries = [(name, entry.manifest) for (_, name), one in collections if name in WATCHED for entry in one.entries.values()]
        found = {f"{name} {manifest['metadata']['name']}": comparable(manifest) for name, manifest in entries}
        return {**found, "Git": {"head": self._world.remote.head()}}


def put_off(tale: Tale) -> float:
    """Seconds by which deadlines come later where a clock was somewhat ahead when they began: nothing happens meanwhile."""
    return float(AHEAD) if any(one.deed is Deed.CLOCK and one.what == AHEAD for one in tale.happenings) else 0.0


def paused_ahead(status: Manifest) -> bool:
    """True for a pause that begins in the future: a clock that was wrong has written it."""
    latest = timestamp(virtual_now() + timedelta(minutes=10))
    return any(str(condition.get("startTime", "")) > latest for condition in status.get("pauseConditions") or ())


def comparable(manifest: Manifest) -> Manifest:
    """Without the note of what was announced, which an attempt that is over catches up with when its pull request has news."""
    status = {name: value for name, value in (manifest.get("status") or {}).items() if name != "announced"}
    metadata = {name: value for name, value in manifest["metadata"].items() if name not in ("resourceVersion", "managedFields")}
    return {**manifest, "status": status, "metadata": metadata}
