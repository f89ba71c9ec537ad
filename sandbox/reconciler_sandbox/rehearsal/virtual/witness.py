"""Looks at a world after every change: writes the timeline down, and checks the laws."""

import asyncio
from collections import deque
from collections.abc import Callable, Iterator, MutableMapping, Sequence
from contextlib import contextmanager
from typing import Any

import orjson
import structlog

from reconciler_sandbox.apiserver.store import Collection, Entry
from reconciler_sandbox.rehearsal.chronicle import Chronicle
from reconciler_sandbox.rehearsal.chronicle import Moment as Moment
from reconciler_sandbox.rehearsal.record import Shares
from reconciler_sandbox.rehearsal.virtual.laws import REST, STEPS, Law, Memory, Sight, broken
from reconciler_sandbox.rehearsal.virtual.loop import virtual_now
from reconciler_sandbox.rehearsal.virtual.world import World

SEEN = ("rollouts", "replicasets", "analysisruns", "releases")
MINUTE = 60.0
STIRRING = frozenset({*SEEN, "virtualservices", "services", "pods"})


class Witness:
    """Enter it to hear the daemon's log, too: errors in it are bugs."""

    def __init__(self, world: World, steps: Sequence[Law] = STEPS, rest: Sequence[Law] = REST) -> None:
        self._steps, self._rest = steps, rest
        self.chronicle = Chronicle(lambda: asyncio.get_running_loop().time())
        self.shares: list[Shares] = []
        """Users' requests a second by pod hash, from each change on."""
        self._said: list[str] = []
        self.wrong: list[str] = []
        self.stirred = 0.0
        """When something that matters has changed last."""
        self.served = False
        self.driven: Callable[[], bool] = lambda: True
        """Asked whether a daemon runs that could do anything."""
        self._world = world
        self._memory = Memory()
        self._bugs: list[str] = []
        self._beats: dict[str, deque[float]] = {}
        self._waiting = False
        world.server.store.observers.append(self._hear)

    @property
    def moments(self) -> list[Moment]:
        """The timeline so far."""
        return self.chronicle.moments

    def _hear(self, collection: Collection, kind: str, entry: Entry) -> None:
        if collection.plural not in STIRRING:
            return
        loop = asyncio.get_running_loop()
        if collection.plural != "pods":  # one that crashes for ever is no news
            self.stirred = loop.time()
        self._beat(f"{collection.plural} {entry.manifest['metadata']['name']}", loop.time())
        self.chronicle.hear(collection, kind, entry)
        if not self._waiting:
            self._waiting = True
            loop.call_soon(self._look)

    def _beat(self, name: str, moment: float) -> None:
        beats = self._beats.setdefault(name, deque())
        beats.append(moment)
        while beats[0] < moment - MINUTE:
            beats.popleft()

    def _look(self) -> None:
        self._waiting = False
        sight = self.sight()
        if not self.shares or self.shares[-1].rates != sight.shares:
            self.shares.append(Shares(asyncio.get_running_loop().time(), dict(sight.shares)))
        note, last = self.chronicle.note, self.chronicle.last
        for hashed, rate in sorted(sight.shares.items()):
            note("users", f"{rate:.1f}/s on {hashed or 'no pod'}", key=f"users {hashed}")
        for known in [key for key in last if key.startswith("users ") and key.removeprefix("users ") not in sight.shares]:
            note("users", f"none on {known.removeprefix('users ')}", key=known)
        self._judge(broken(self._steps, sight, self._memory))

    def hear(self, steps: Sequence[Law], rest: Sequence[Law]) -> None:
        """From now on these laws are asked."""
        self._steps, self._rest = steps, rest

    def at_rest(self) -> None:
        """The story is over: every law is asked."""
        self._judge(broken(self._rest, self.sight(), self._memory))

    def _judge(self, found: Sequence[str]) -> None:
        self.wrong += [wrong for wrong in found if wrong not in self.wrong]

    def sight(self) -> Sight:
        """What is there now."""
        collections = self._world.server.store.collections
        objects = {name: [e.manifest for e in c.sorted(None)] for (_, name), c in collections.items() if name in SEEN}
        shares = self._world.traffic.shares()
        remote = self._world.remote
        testers = self._world.traffic.testers()
        known = (virtual_now(), objects, shares, remote, self.served, tuple(self._bugs), testers, self.chronicle.ever, self._words)
        told = (self._world.forge, self._world.inbox) if self._world.ground.told else None
        return Sight(*known, driven=self.driven(), told=told, beats={name: len(beats) for name, beats in self._beats.items()})

    def _words(self) -> str:
        """Everything that a reader of objects, commits and log can see; Secrets are no part of it."""
        collections = self._world.server.store.collections
        shown = [e.manifest for (_, name), c in collections.items() if name != "secrets" for e in c.entries.values()]
        messages = [text.message.decode(errors="replace") for text in self._world.remote.store.commits.values()]
        forge, inbox = self._world.forge, self._world.inbox
        told = [*(c.body for c in forge.comments), *(s.description for s in forge.statuses), *(p.title for p in forge.pulls)]
        return "\n".join((orjson.dumps(shown).decode(), orjson.dumps(inbox.told).decode(), *messages, *told, *self._said))

    def log(self, _logger: Any, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        """A processor of the daemon's log."""
        self._said.append(repr(event))
        if method in ("error", "critical"):
            self._bugs.append(f"{event.get('event')}: {event.get('exc_info')!r}")
        raise structlog.DropEvent


@contextmanager
def heard_by(witness: Witness) -> Iterator[None]:
    """The daemon's log goes to a witness."""
    before = structlog.get_config()
    structlog.configure(processors=[witness.log], cache_logger_on_first_use=False)
    try:
        yield
    finally:
        structlog.configure(**before)
