"""Sync waves: what of a source is written now, and what waits until the wave before it has arrived (docs/sources.md)."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from reconciler.kernel.identity import Manifest
from reconciler.kernel.well_known import suspended
from reconciler.sources.inventory import WaitedFor, WaveWait
from reconciler.sources.problem import Reason, RecordedProblem
from reconciler.sync.facts import SourceFacts
from reconciler.sync.health import Health, HealthStatus, health_of
from reconciler.sync.wish import LOOK_AGAIN, Wish

SELDOM = timedelta(seconds=15)
"""How often a wave that has been on its way for a while is looked at."""
WRITTEN = "it was just written"


@dataclass(frozen=True, slots=True)
class Pending:
    """One object that has not arrived; `patient` when it may take as long as it needs."""

    object: str
    why: str
    patient: bool = False


@dataclass(frozen=True, slots=True)
class Waves:
    """What is carried out now and what waits for it; `wait` is what is put on record about that."""

    open: tuple[Wish, ...]
    held: tuple[Wish, ...] = ()
    wait: WaveWait | None = None
    wake_at: datetime | None = None

    @property
    def problems(self) -> tuple[RecordedProblem, ...]:
        """What people are told once the deadline is over."""
        if self.wait is None or not self.wait.told:
            return ()
        remedy = "see why it does not become healthy; an object that need not wait belongs into the same wave"
        return (RecordedProblem(reason=Reason.WAVE_WAITS, message=str(self.wait), remedy=remedy, retried=True),)


def in_waves(facts: SourceFacts, wishes: Sequence[Wish], now: datetime) -> Waves:
    """The wishes of every wave up to the first that has not arrived. Where nothing is due behind it, nothing is waited for."""
    waves = sorted({found.wave for found in wishes})
    for wave in waves[:-1]:
        behind = [found for found in wishes if found.wave > wave and _due(found)]
        pending = [one for found in wishes if found.wave == wave for one in _pending(facts, found)] if behind else []
        if pending:
            held = tuple(found for found in wishes if found.wave > wave)
            wait = _wait(facts, (wave, len(behind)), pending, now)
            wake_at = now + min(max((now - wait.since) / 4, LOOK_AGAIN), SELDOM)
            return Waves(tuple(found for found in wishes if found.wave <= wave), held, wait, wake_at)
    return Waves(tuple(wishes))


def _due(found: Wish) -> bool:
    return bool(found.writes or found.waiting or found.override_end is not None)


def _pending(facts: SourceFacts, found: Wish) -> Iterator[Pending]:
    """What is not in place of one wish. What this source may not write is not waited for: that is a problem of its own."""
    name = f"{found.place[1]} {'/'.join(filter(None, found.place[2:]))}"
    if found.waiting:
        yield Pending(name, "it could not be written")
    elif found.writes:
        if found.tells:
            yield Pending(name, WRITTEN)
    elif found.live is None:
        if found.wake_at is not None or found.questions:
            yield Pending(name, "it cannot be made yet")
    elif found.uid and not suspended(found.live):
        rollout = facts.rollouts.get(found.adopts) if found.adopts is not None else None
        for live in filter(None, (found.live, rollout)):
            if not (condition := health_of(live)).well:
                yield Pending(name, condition.words, _is_patient(live, condition))


def _is_patient(live: Manifest, condition: HealthStatus) -> bool:
    """A release may take hours, and has deadlines of its own."""
    return str(live["kind"]) == "Rollout" and condition.health is not Health.DEGRADED


def _wait(facts: SourceFacts, place: tuple[int, int], pending: Sequence[Pending], now: datetime) -> WaveWait:
    """What is put on record: since when, and beyond the deadline why, as it was then, so that it is told once."""
    wave, behind = place
    before = facts.inventory.wave if facts.inventory.wave is not None and facts.inventory.wave.wave == wave else None
    since = before.since if before is not None else now
    told = now - since >= facts.settings.wave_deadline and not all(one.patient for one in pending)
    known = _reasons(before)
    objects = tuple(WaitedFor(one.object, known.get(one.object, one.why) if told else "") for one in pending)
    return WaveWait(wave=wave, since=since, behind=behind, objects=objects, told=told)


def _reasons(before: WaveWait | None) -> Mapping[str, str]:
    return {one.object: one.why for one in before.objects} if before is not None and before.told else {}
