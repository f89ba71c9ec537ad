"""What goes wrong around the daemon in a tale: its death, another leader, bad weather, sick providers, Git away, wrong clocks."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import timedelta

from reconciler.git.errors import Unreachable
from reconciler_sandbox.rehearsal.hunt.tale import Deed, Happening
from reconciler_sandbox.rehearsal.virtual.faults import Weather
from reconciler_sandbox.rehearsal.virtual.forge import FORGE
from reconciler_sandbox.rehearsal.virtual.http import Illness
from reconciler_sandbox.rehearsal.virtual.inbox import INBOX
from reconciler_sandbox.rehearsal.virtual.life import Life
from reconciler_sandbox.rehearsal.virtual.world import World

STORM = Weather(refused=0.15, lost=0.1, conflicting=0.15, slow=0.1)
FAIR = Weather()


class Misfortunes:
    """Owns the daemons' lives. `tell` writes a line of the transcript."""

    def __init__(self, world: World, tell: Callable[[str], None]) -> None:
        self._world = world
        self._tell = tell
        self._life: Life | None = None
        self._deposed: list[Life] = []
        self._weather = FAIR
        self._wrong_by = timedelta()
        self._down_until = 0.0
        self._deeds: Mapping[Deed, Callable[[str], Awaitable[str]]] = {
            Deed.STORM: self._storm,
            Deed.DEAF: self._cut,
            Deed.ILL: self._sicken,
            Deed.GIT_AWAY: self._take_git,
            Deed.GIT_SILENT: self._silence_git,
            Deed.CLOCK: self._set_clock,
            Deed.CRASH: self._crash,
            Deed.DEPOSED: self._depose,
            Deed.FORGE_ILL: lambda what: self._sicken_server(FORGE, what),
            Deed.INBOX_ILL: lambda what: self._sicken_server(INBOX, what),
        }

    async def do(self, happening: Happening) -> str:
        """Let it happen."""
        if happening.deed is Deed.CRASH:
            self._down_until = asyncio.get_running_loop().time() + happening.lasting
        return await self._deeds[happening.deed](happening.what)

    async def mend(self, happening: Happening) -> str:
        """It is over."""
        match happening.deed:
            case Deed.STORM:
                self._weather = FAIR
                self._equip()
            case Deed.ILL:
                self._world.http.illness = Illness.NONE
            case Deed.FORGE_ILL:
                self._world.servers[FORGE].illness = Illness.NONE
            case Deed.INBOX_ILL:
                self._world.servers[INBOX].illness = Illness.NONE
            case Deed.GIT_AWAY:
                self._world.remote.away = ""
            case Deed.CLOCK:
                self._wrong_by = timedelta()
                self._equip()
            case Deed.DEPOSED:
                await self._end_deposed()
        return ""

    async def begin(self, *, forgetful: bool = False) -> None:
        """A daemon starts."""
        self._life = self._world.begin_life(forgetful=forgetful)
        self._equip()

    def reseed(self, seed: int) -> None:
        """What comes by chance from now on is another seed's, in a world that others share until here."""
        self._world.ground = replace(self._world.ground, seed=seed)
        if self._life is not None:
            self._life.clock.reseed(seed)
            self._life.way.reseed(seed)

    async def until(self, moment: float) -> None:
        """Let time pass; a daemon that dies meanwhile is buried, and another one starts when it is time."""
        loop = asyncio.get_running_loop()
        while loop.time() < moment:
            if self._life is None:
                await asyncio.sleep(max(min(moment, self._down_until) - loop.time(), 0.001))
                if loop.time() >= self._down_until:
                    await self.begin()
                    self._tell("the daemon begins again")
                continue
            await self._lives_until(moment, self._life)

    async def _lives_until(self, moment: float, life: Life) -> None:
        try:
            async with asyncio.timeout(moment - asyncio.get_running_loop().time()):
                await life.way.died.wait()
        except TimeoutError:
            if life.failure is not None:
                raise life.failure from None
            return
        await self._bury()
        self._tell("the daemon is dead")

    async def _bury(self) -> None:
        life, self._life = self._life, None
        if life is not None:
            await life.end()

    async def replace(self) -> None:
        """Another daemon in place of this one, on an empty disk."""
        await self._bury()
        await self.begin(forgetful=True)

    async def end_all(self) -> None:
        """Everything is mended, and a daemon runs."""
        self._weather, self._wrong_by = FAIR, timedelta()
        self._world.http.illness, self._world.remote.away = Illness.NONE, ""
        for server in self._world.servers.values():
            server.illness = Illness.NONE
        self._world.remote.before_push, self._world.remote.loses_answers = None, 0
        await self._end_deposed()
        if self._life is None:
            await self.begin()
        self._equip()

    def drives(self) -> bool:
        """True while a daemon runs."""
        return self._life is not None and not self._life.way.cut

    def wrote_after(self, moment: float) -> bool:
        """True when the daemon that runs has written to the cluster since."""
        return self._life is not None and self._life.way.wrote_at > moment

    async def close(self) -> None:
        """No daemon runs any more."""
        await self._bury()
        await self._end_deposed()

    def _equip(self) -> None:
        if self._life is not None:
            self._life.way.weather = self._weather
            self._life.way.dies_after = 0
            self._life.clock.wrong_by = self._wrong_by

    async def _storm(self, _: str) -> str:
        self._weather = STORM
        self._equip()
        return ""

    async def _cut(self, _: str) -> str:
        self._world.server.cut_watches()
        return ""

    async def _sicken(self, what: str) -> str:
        self._world.http.illness = Illness(what)
        return ""

    async def _sicken_server(self, address: str, what: str) -> str:
        self._world.servers[address].illness = Illness(what)
        return ""

    async def _take_git(self, _: str) -> str:
        self._world.remote.away = "Could not resolve host"
        return ""

    async def _silence_git(self, _: str) -> str:
        self._world.remote.loses_answers = 1
        return ""

    async def _set_clock(self, what: str) -> str:
        self._wrong_by = timedelta(seconds=int(what))
        self._equip()
        return ""

    async def _crash(self, what: str) -> str:
        life = self._life
        if life is None:
            return "it is dead"
        if what == "now":
            await self._bury()
        elif what.startswith("call"):
            life.way.dies_after = int(what.split()[1])
        else:
            self._world.remote.before_push = lambda: _dies_pushing(life, arrives=what == "after push")
        return ""

    async def _depose(self, _: str) -> str:
        """Another daemon takes the lease; this one goes on looking for a while."""
        life = self._life
        if life is None:
            return "it is dead"
        life.leads = False
        self._deposed.append(life)
        await self.begin(forgetful=True)
        return ""

    async def _end_deposed(self) -> None:
        while self._deposed:
            await self._deposed.pop().end()


def _dies_pushing(life: Life, *, arrives: bool) -> None:
    life.way.die()
    if not arrives:
        raise Unreachable("git push: the connection was reset")
