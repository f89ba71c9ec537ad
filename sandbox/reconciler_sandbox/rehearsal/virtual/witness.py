"""Looks at a world after every change: writes the timeline down, and checks the laws."""

import asyncio
from collections import deque
from collections.abc import Callable, Iterator, MutableMapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import orjson
import structlog

from reconciler_sandbox.apiserver.store import Collection, Entry
from reconciler_sandbox.rehearsal.virtual.laws import REST, STEPS, Law, Manifest, Memory, Sight, broken
from reconciler_sandbox.rehearsal.virtual.loop import virtual_now
from reconciler_sandbox.rehearsal.virtual.world import World

SEEN = ("rollouts", "replicasets", "analysisruns", "releases")
MINUTE = 60.0
STIRRING = frozenset({*SEEN, "virtualservices", "services", "pods"})


@dataclass(frozen=True, slots=True)
class Moment:
    """One line of the timeline."""

    at: float
    subject: str
    text: str

    def __str__(self) -> str:
        hours, rest = divmod(int(self.at), 3600)
        return f"{hours}:{rest // 60:02}:{rest % 60:02}  {self.subject:<24} {self.text}"


class Witness:
    """Enter it to hear the daemon's log, too: errors in it are bugs."""

    def __init__(self, world: World, steps: Sequence[Law] = STEPS, rest: Sequence[Law] = REST) -> None:
        self._steps, self._rest = steps, rest
        self._ever: dict[str, Manifest] = {}
        self._said: list[str] = []
        self.moments: list[Moment] = []
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
        self._last: dict[str, str] = {}
        self._waiting = False
        world.server.store.observers.append(self._hear)

    def _hear(self, collection: Collection, kind: str, entry: Entry) -> None:
        if collection.plural not in STIRRING:
            return
        loop = asyncio.get_running_loop()
        if collection.plural != "pods":  # one that crashes for ever is no news
            self.stirred = loop.time()
        self._beat(f"{collection.plural} {entry.manifest['metadata']['name']}", loop.time())
        if collection.plural in ("analysisruns", "releases"):
            self._ever[entry.manifest["metadata"]["uid"]] = entry.manifest
        if collection.plural in WORDS:
            self._tell(collection.plural, entry.manifest, gone=kind == "DELETED")
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
        for hashed, rate in sorted(sight.shares.items()):
            self._note("users", f"{rate:.1f}/s on {hashed or 'no pod'}", key=f"users {hashed}")
        for known in [key for key in self._last if key.startswith("users ") and key.removeprefix("users ") not in sight.shares]:
            self._note("users", f"none on {known.removeprefix('users ')}", key=known)
        self._judge(broken(self._steps, sight, self._memory))

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
        known = (virtual_now(), objects, shares, remote, self.served, tuple(self._bugs), testers, self._ever, self._words)
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

    def _tell(self, plural: str, manifest: Manifest, *, gone: bool) -> None:
        name = manifest["metadata"]["name"]
        text = "is gone" if gone else WORDS[plural](manifest)
        self._note(name, text, key=f"{plural} {name}")

    def _note(self, subject: str, text: str, *, key: str) -> None:
        if text and self._last.get(key) != text:
            self._last[key] = text
            self.moments.append(Moment(asyncio.get_running_loop().time(), subject, text))

    def log(self, _logger: Any, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        """A processor of the daemon's log."""
        self._said.append(repr(event))
        if method in ("error", "critical"):
            self._bugs.append(f"{event.get('event')}: {event.get('exc_info')!r}")
        raise structlog.DropEvent


def _of_rollout(manifest: Manifest) -> str:
    status = manifest.get("status") or {}
    step = status.get("currentStepIndex")
    parts = [str(status.get("phase", "")), f"step {step}" if step is not None else "", str(status.get("message") or "")]
    return " · ".join(part for part in parts if part)


def _of_replica_set(manifest: Manifest) -> str:
    status = manifest.get("status") or {}
    return f"{status.get('availableReplicas', 0)} of {manifest['spec'].get('replicas', 0)} pods available"


def _of_run(manifest: Manifest) -> str:
    status = manifest.get("status") or {}
    results = status.get("metricResults") or ()
    values = [f"{r.get('name')}={m.get('value', m.get('message', ''))}" for r in results for m in (r.get("measurements") or ())[-1:]]
    return " ".join((str(status.get("phase") or "Pending"), *values))


def _of_release(manifest: Manifest) -> str:
    status = manifest.get("status") or {}
    restore = status.get("restore") or {}
    way = f"Git: {restore.get('state')}" if restore else ""
    parts = (status.get("phase"), status.get("verdict"), status.get("reason"), way, restore.get("message"))
    return " · ".join(str(part) for part in parts if part)


WORDS = {"rollouts": _of_rollout, "replicasets": _of_replica_set, "analysisruns": _of_run, "releases": _of_release}


@contextmanager
def heard_by(witness: Witness) -> Iterator[None]:
    """The daemon's log goes to a witness."""
    before = structlog.get_config()
    structlog.configure(processors=[witness.log], cache_logger_on_first_use=False)
    try:
        yield
    finally:
        structlog.configure(**before)
