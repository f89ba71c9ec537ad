"""Events for people: told in a queue of their own, so that no pass waits for them, and merged when they repeat (contract 3.9)."""

import asyncio
import hashlib
import zlib
from collections import Counter, OrderedDict, deque
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime

import structlog

from reconciler.kernel.clock import Clock
from reconciler.kernel.errors import Transient
from reconciler.kernel.identity import Manifest, ObjectRef, name_of, namespace_of, uid_of
from reconciler.kernel.plan import Emit
from reconciler.kernel.resources import EVENTS
from reconciler.kernel.text import event_text
from reconciler.kube.client import Client
from reconciler.kube.errors import AlreadyExists, ApiError, NotFound, Refused
from reconciler.kube.fence import Fenced

COMPONENT = "rollouts-controller"
LANES = 4
"""So many events are posted at the same time: one after another they fell behind 16 workers."""
WAITING, REMEMBERED = 10_000, 4_096
"""So many events wait at most, and so many are remembered so that repeats are counted on them (client-go remembers as many)."""
PAUSES = (0.5, 2.0, 8.0)
"""Seconds between the tries of one event while the server does not answer; then it is given up: nothing waits for an event."""
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class ToldEvent:
    """An event that was told at a time, not yet posted."""

    action: Emit
    at: datetime


@dataclass(frozen=True, slots=True)
class PostedEvent:
    """The Event object that stands for all repeats, and how often it was told."""

    name: str
    count: int


@dataclass(frozen=True, slots=True)
class EventLane:
    """Events that wait for each other; those of one object are always in one lane."""

    waiting: deque[ToldEvent] = field(default_factory=deque)
    news: asyncio.Event = field(default_factory=asyncio.Event)


class Recorder:
    """Takes events and posts those of one object in the order in which they were told. What a dead process had not posted is lost."""

    def __init__(self, client: Client, clock: Clock) -> None:
        self._client = client
        self._clock = clock
        self._lanes = tuple(EventLane() for _ in range(LANES))
        self._posted: OrderedDict[str, PostedEvent] = OrderedDict()
        self._overflowed = False
        self.told: Counter[tuple[str, str, str, str]] = Counter()
        """How often what was told about Rollouts: by namespace, name, type and reason (contract 11.5)."""

    def keep_counts(self, living: Collection[tuple[str, str]]) -> None:
        """Forget what was counted of Rollouts that are not among these (namespace, name)."""
        for key in [key for key in tuple(self.told) if key[:2] not in living]:
            del self.told[key]

    def record(self, action: Emit) -> None:
        """Tell people some time soon; never waits, never fails."""
        if action.about.get("kind") == "Rollout":
            kind = "Warning" if action.warning else "Normal"
            self.told[namespace_of(action.about), name_of(action.about), kind, action.reason] += 1
        if sum(len(lane.waiting) for lane in self._lanes) >= WAITING:
            self._say_overflow(action)
            return
        place = f"{namespace_of(action.about)}/{name_of(action.about)}"
        lane = self._lanes[zlib.crc32(place.encode()) % LANES]
        lane.waiting.append(ToldEvent(action, self._clock.now()))
        lane.news.set()

    async def run(self) -> None:
        """Post what is told, until cancelled."""
        async with asyncio.TaskGroup() as group:
            for lane in self._lanes:
                group.create_task(self._serve(lane))

    async def drain(self) -> None:
        """Post everything that waits now."""
        for lane in self._lanes:
            await self._drain(lane)

    async def _serve(self, lane: EventLane) -> None:
        while True:
            await lane.news.wait()
            lane.news.clear()
            await self._drain(lane)

    async def _drain(self, lane: EventLane) -> None:
        while lane.waiting:
            await self._post(lane.waiting[0])
            lane.waiting.popleft()  # only now: who is cancelled while posting finds it here again
        self._overflowed = False

    def _say_overflow(self, action: Emit) -> None:
        if not self._overflowed:
            log.warning("events are lost: more are told than the API server takes", waiting=WAITING, reason=action.reason)
        self._overflowed = True

    async def _post(self, told: ToldEvent) -> None:
        """One event, tried again while the server does not answer; what we may not write now is not asked for again."""
        for pause in (*PAUSES, None):
            try:
                await self._once(told)
            except Transient as error:
                if pause is not None and not isinstance(error, Fenced):
                    await asyncio.sleep(pause)
                    continue
                log.info("event not told", reason=told.action.reason, error=str(error))
            except ApiError as error:
                log.info("event not told", reason=told.action.reason, error=str(error))
            except Exception as error:
                log.error("a bug: event not told", reason=told.action.reason, exc_info=error)
            return

    async def _once(self, told: ToldEvent) -> None:
        key = _key(told.action)
        posted = self._posted.get(key)
        if posted is not None and await self._counted(told, posted):
            self._remember(key, PostedEvent(posted.name, posted.count + 1))
        else:
            self._remember(key, await self._created(told))

    def _remember(self, key: str, posted: PostedEvent) -> None:
        self._posted[key] = posted
        self._posted.move_to_end(key)
        while len(self._posted) > REMEMBERED:
            self._posted.popitem(last=False)

    async def _counted(self, told: ToldEvent, posted: PostedEvent) -> bool:
        """Count a repeat on the Event that is there; False when the server has forgotten it, or lets us only make new ones."""
        namespace = namespace_of(told.action.about) or "default"
        body = {"count": posted.count + 1, "lastTimestamp": _stamp(told.at)}
        try:
            await self._client.patch(ObjectRef(EVENTS, namespace, posted.name), body)
        except (NotFound, Refused):
            return False
        return True

    async def _created(self, told: ToldEvent) -> PostedEvent:
        manifest = event_manifest(told.action, told.at)
        with suppress(AlreadyExists):  # the answer to an earlier try was lost
            await self._client.create(EVENTS, manifest)
        return PostedEvent(name_of(manifest), 1)


def event_manifest(action: Emit, at: datetime) -> Manifest:
    """A core/v1 Event about an object, named after it and the moment (as client-go names events)."""
    about = action.about
    name = f"{name_of(about)[:220]}.{int(at.timestamp() * 1e6):x}{_key(action)[:6]}"
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": name, "namespace": namespace_of(about) or "default"},
        "involvedObject": {
            "apiVersion": about.get("apiVersion", ""),
            "kind": about.get("kind", ""),
            "name": name_of(about),
            "namespace": namespace_of(about),
            "uid": uid_of(about),
            "resourceVersion": about["metadata"].get("resourceVersion", ""),
        },
        "reason": action.reason,
        "message": event_text(action.message),
        "type": "Warning" if action.warning else "Normal",
        "count": 1,
        "firstTimestamp": _stamp(at),
        "lastTimestamp": _stamp(at),
        "source": {"component": COMPONENT},
        "reportingComponent": COMPONENT,
        "reportingInstance": COMPONENT,
    }


def _key(action: Emit) -> str:
    """What two events have in common that are one event twice."""
    about = action.about
    parts = (about.get("kind", ""), namespace_of(about), name_of(about), uid_of(about), action.reason, action.message, str(action.warning))
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _stamp(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")
