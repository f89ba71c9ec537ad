"""Phases and waves: what of a source goes ahead now, and what waits until everything before it has arrived (docs/sources.md)."""

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from reconciler.kernel.identity import Manifest
from reconciler.kernel.well_known import suspended
from reconciler.sources.hooks import HookPhase
from reconciler.sources.inventory import WaitedFor, WaveWait
from reconciler.sources.problem import Reason, RecordedProblem
from reconciler.sources.syncrun import HookState
from reconciler.sync.facts import SourceFacts
from reconciler.sync.health import Health, HealthStatus, health_of
from reconciler.sync.hooks import STAGES, Hooks, HookView, Stage
from reconciler.sync.wish import LOOK_AGAIN, Wish

SELDOM = timedelta(seconds=15)
"""How often a wave that has been on its way for a while is looked at."""
WRITTEN = "it was just written"
SYNC = STAGES[HookPhase.SYNC]
NOWHERE = (STAGES[HookPhase.PRE_SYNC] - 1, 0)


@dataclass(frozen=True, slots=True)
class Pending:
    """One object that has not arrived; `patient` when it may take as long as it needs."""

    object: str
    why: str
    patient: bool = False
    over: bool = False
    """True when it will not become otherwise by itself."""


@dataclass(frozen=True, slots=True)
class Waves:
    """What is carried out now and what waits for it; `wait` is what is put on record about that."""

    open: tuple[Wish, ...]
    held: tuple[Wish, ...] = ()
    wait: WaveWait | None = None
    wake_at: datetime | None = None
    reached: Stage | None = None
    """The phase and wave that is on its way; None once all have arrived."""

    @property
    def shut(self) -> bool:
        """True while some object is not written yet, or not there: nothing is taken away."""
        return self.reached is not None and self.reached[0] <= SYNC

    @property
    def problems(self) -> tuple[RecordedProblem, ...]:
        """What people are told once the deadline is over."""
        if self.wait is None or not self.wait.told:
            return ()
        remedy = "see why it does not become healthy; an object that need not wait belongs into the same wave"
        return (RecordedProblem(reason=Reason.WAVE_WAITS, message=str(self.wait), remedy=remedy, retried=True),)


def in_waves(facts: SourceFacts, wishes: Sequence[Wish], hooks: Hooks, now: datetime) -> Waves:
    """What goes ahead: every phase and wave up to the first that has not arrived. Where nothing is due behind it, nothing is waited for."""
    if hooks.blocked:
        return Waves((), tuple(wishes), reached=NOWHERE)
    unsettled = [view for view in hooks.due if not view.succeeded]
    due = sorted([*((SYNC, found.wave) for found in wishes if _due(found)), *(view.stage for view in unsettled)])
    last = _last(wishes)
    for stage, there in sorted(_by_stage(wishes, unsettled).items()) if due else ():
        if stage >= due[-1]:
            break
        pending = [*_hooks_at(unsettled, stage), *(one for found in there for one in _pending(facts, found))]
        if stage == last:
            pending += [Pending(_name(found), "it cannot be written") for found in wishes if found.problem and not found.waiting]
        if pending:
            wait = _wait(facts, (stage, len(due) - bisect_right(due, stage)), pending, now)
            wake_at = None if all(one.over for one in pending) else now + min(max((now - wait.since) / 4, LOOK_AGAIN), SELDOM)
            open_now, held = ([found for found in wishes if ((SYNC, found.wave) > stage) is later] for later in (False, True))
            return Waves(tuple(open_now), tuple(held), wait, wake_at, stage)
    return Waves(tuple(wishes))


def _by_stage(wishes: Sequence[Wish], unsettled: Sequence[HookView]) -> Mapping[Stage, list[Wish]]:
    found: dict[Stage, list[Wish]] = {view.stage: [] for view in unsettled}
    for one in wishes:
        found.setdefault((SYNC, one.wave), []).append(one)
    return found


def _last(wishes: Sequence[Wish]) -> Stage | None:
    """The last wave of all objects: only hooks that follow all of them come behind it, so what cannot be written counts there as well."""
    return (SYNC, max(found.wave for found in wishes)) if wishes else None


def _hooks_at(unsettled: Sequence[HookView], stage: Stage) -> Iterator[Pending]:
    for view in unsettled:
        if view.stage == stage:
            failed = view.record.state is HookState.FAILED  # which is a problem of its own
            yield Pending(view.name, f"it is {view.record.state}", patient=failed, over=failed)


def _name(found: Wish) -> str:
    return f"{found.place[1]} {'/'.join(filter(None, found.place[2:]))}"


def _due(found: Wish) -> bool:
    return bool(found.writes or found.waiting or found.override_end is not None)


def _pending(facts: SourceFacts, found: Wish) -> Iterator[Pending]:
    """What is not in place of one wish. What this source may not write is not waited for: that is a problem of its own."""
    name = _name(found)
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
            if not (condition := health_of(live, facts.settings.health)).well:
                yield Pending(name, condition.words, _is_patient(live, condition))


def _is_patient(live: Manifest, condition: HealthStatus) -> bool:
    """A release may take hours, and has deadlines of its own."""
    return str(live["kind"]) == "Rollout" and condition.health is not Health.DEGRADED


def _wait(facts: SourceFacts, place: tuple[Stage, int], pending: Sequence[Pending], now: datetime) -> WaveWait:
    """What is put on record: since when, and beyond the deadline why, as it was then, so that it is told once."""
    (order, wave), behind = place
    phase, known = tuple(STAGES)[order], facts.inventory.wave
    before = known if known is not None and (known.phase, known.wave) == (phase, wave) else None
    since = before.since if before is not None else now
    told = now - since >= facts.settings.wave_deadline and not all(one.patient for one in pending)
    reasons = _reasons(before)
    objects = tuple(WaitedFor(one.object, reasons.get(one.object, one.why) if told else "") for one in pending)
    return WaveWait(wave=wave, phase=phase, since=since, behind=behind, objects=objects, told=told)


def _reasons(before: WaveWait | None) -> Mapping[str, str]:
    return {one.object: one.why for one in before.objects} if before is not None and before.told else {}
