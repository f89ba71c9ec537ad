"""One pass over a source: what Git holds now becomes releases and writes, or a report; never less than Git, never more than allowed.

Order: what is asked for is put on record (inventory) → namespaces and kinds → releases are opened → everything else in waves → prunes.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import groupby

import structlog

from reconciler.kernel.clock import Clock
from reconciler.kernel.errors import Terminal, Transient
from reconciler.kernel.identity import Key, Manifest, ObjectRef, Resource, labels_of, name_of
from reconciler.kernel.plan import Create, Emit, Patch, Plan
from reconciler.kernel.resources import (
    CLUSTER_RELEASE_POLICIES,
    CONFIGMAPS,
    DEPLOYMENTS,
    NAMESPACES,
    RELEASE_POLICIES,
    RELEASES,
    REPLICA_SETS,
    ROLLOUTS,
)
from reconciler.releases.opening.apply_opener import ReleaseOpener
from reconciler.releases.opening.asking import identities
from reconciler.rollouts.traffic.router import Routers
from reconciler.runtime.apply import Apply
from reconciler.runtime.journal import Journal
from reconciler.sources.inventory import CONFIRMED, Inventory, Place, confirmed_digest, next_entries, render_inventory, replacing
from reconciler.sources.observe_inventory import Inventories
from reconciler.sources.problem import Mender, Reason, RecordedProblem
from reconciler.sources.settings import SourceSettings
from reconciler.sources.source_port import SourcePort, Tip
from reconciler.sync.apply import Outcome
from reconciler.sync.apply_tenant import SourceHands
from reconciler.sync.facts import Failure, SourceFacts
from reconciler.sync.hooks import next_run
from reconciler.sync.plan import SourcePlan, file_problem, foundations, plan, ready, release_problems
from reconciler.sync.resting import Resting, Sight, at_rest, sight_of
from reconciler.sync.unread_config import settled
from reconciler.sync.writes import Write

RESYNC = timedelta(minutes=3)
ROUNDS = 4
"""How often a plan may ask for more before it is carried out with what is known."""
REST, LONGEST_REST = 4.0, 5.0
"""How many times as long as the work of the pass before took, and how many seconds at most, a pass without news waits: many releases in
motion may not fill a core with passes."""
log = structlog.get_logger()
Failures = Mapping[Place, Failure]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """Who reads and who writes for a pass. With `reporting` nothing is written: what would be is said."""

    hands: Mapping[str, SourceHands]
    """By source."""
    opener: ReleaseOpener
    apply: Apply
    inventories: Inventories
    routers: Routers
    journal: Journal
    reporting: bool = False


@dataclass(frozen=True, slots=True)
class StoredSource:
    """What stands in the cluster of a source: its ConfigMap, None before the first pass, and what that says."""

    stored: Manifest | None
    inventory: Inventory


class SourceController:
    """One worker per source. Polls, webhooks and changed releases only say "look again"; a look without news writes nothing."""

    name = "source"
    watches = (RELEASES, ROLLOUTS, DEPLOYMENTS, REPLICA_SETS, RELEASE_POLICIES, CLUSTER_RELEASE_POLICIES, NAMESPACES)
    unhurried = True
    """A pass takes as long as the API server needs for its objects: it is never cut."""

    def __init__(self, clock: Clock, sources: Mapping[str, SourcePort], parts: Parts) -> None:
        self._clock = clock
        self._sources = sources
        self._parts = parts
        self._opener = parts.opener
        self._rested: dict[str, float] = {}
        self._failures: dict[str, Failures] = {}
        self._reported: dict[str, tuple[str, ...]] = {}
        self._resting: dict[str, Resting] = {}

    def keys_for(self, resource: Resource, manifest: Manifest) -> Iterable[Key]:
        """A release that changed (held, lifted, decided) may let a template through; a changed policy may adopt or hand back."""
        source = labels_of(manifest).get("reconciler.dev/source")
        if resource is RELEASES and source is not None and source in self._sources:
            return [Key(self.name, "", source)]
        if resource in (RELEASE_POLICIES, CLUSTER_RELEASE_POLICIES):
            return [Key(self.name, "", name) for name in self._sources]
        if resource is NAMESPACES:
            return [Key(self.name, "", s.settings.name) for s in self._sources.values() if name_of(manifest) in s.settings.allow.namespaces]
        return []

    async def reconcile(self, key: Key) -> datetime | None:
        source = self._sources.get(key.name)
        if source is None:
            return None
        rest = self._rested.pop(key.name, 0.0) - self._clock.monotonic()
        if rest > 0 and not source.news_expected:
            self._rested[key.name] = self._clock.monotonic() + rest
            return self._clock.now() + timedelta(seconds=rest)
        return await self._pass(key.name, source)

    async def _pass(self, name: str, source: SourcePort) -> datetime | None:
        record = StoredSource(*await self._parts.inventories.read(name))
        try:
            tip = await source.latest()
        except (Transient, Terminal) as error:
            problem = RecordedProblem(reason=Reason.UNREACHABLE, message=f"cannot be read: {error}", mender=Mender.OPERATOR, retried=True)
            await self._store(name, record, replace(record.inventory, problems=(problem,)))
            raise
        tip = settled(tip, record.inventory, self._opener)
        gone = renderer_gone(source.settings, record.inventory, tip)
        if gone is not None:
            await self._store(name, record, replace(record.inventory, problems=(gone,)))
            return self._clock.now() + RESYNC
        if source.settings.companion and not self._parts.reporting:
            return await self._accompany(name, source, record, tip)
        hands = self._parts.hands[name]
        began, watched = self._clock.monotonic(), hands.observation.watched(self.watches)
        asked = replace(_asked_by(tip, record.inventory), run=next_run(source.settings, tip, record.inventory.run))
        facts = await hands.observation.facts((source.settings, tip), record.stored, asked)
        facts = replace(facts, routers=self._parts.routers)
        if self._parts.reporting or not source.settings.apply:
            await self._report(name, record, facts)
            return None
        sight, rest = sight_of(facts, record.stored, watched), self._resting.pop(name, None)
        # One that lasts longer than any was begun by a clock that was ahead, and has been set since.
        if rest is not None and rest.sight == sight and timedelta() < rest.until - self._clock.now() <= RESYNC:
            self._resting[name] = rest
            return rest.until
        wake_at = await self._deliver(name, source, record, (facts, sight))
        ended = self._clock.monotonic()
        self._rested[name] = ended + min(REST * (ended - began), LONGEST_REST)
        return min(filter(None, (wake_at, self._clock.now() + RESYNC)))

    async def _accompany(self, name: str, source: SourcePort, record: StoredSource, tip: Tip) -> datetime | None:
        """Another tool applies: releases are opened for what Git asks for, and nothing else is read or written."""
        files = tuple(file_problem(problem) for problem in tip.parsed.problems)
        asked = _asked_by(tip, record.inventory)
        record = await self._store(name, record, asked)
        opened = await self._opener.open(source, tip)
        await self._store(name, record, replace(asked, problems=(*files, *release_problems(opened.unjudged, opened.failure))))
        return self._clock.now() + (timedelta(seconds=5) if opened.failure else RESYNC)

    async def _deliver(self, name: str, source: SourcePort, record: StoredSource, seen: tuple[SourceFacts, Sight]) -> datetime | None:
        """Carry out what is due, and put on record what came of it."""
        facts, sight = seen
        tip, failures, asked = facts.tip, self._failures.get(name, {}), facts.inventory
        record = await self._store(name, record, asked)
        facts, founded = await self._found(facts, failures)
        opened = await self._opener.open(source, replace(tip, parsed=ready(facts)))
        facts = replace(facts, unjudged=opened.unjudged, unopened=opened.failure)
        thought, facts = await self._thought(facts, {**failures, **founded.failures})
        if thought.healed:  # counted before it is done: who is killed in between has one try less, never one more
            asked = replace(asked, healings=thought.healings)
            record = await self._store(name, record, replace(record.inventory, healings=thought.healings))
        done = await self._parts.hands[name].source_apply.carry_out(thought, failures)
        self._failures[name] = remaining(thought, facts, (founded, done))
        record = await self._store(name, record, _recorded(asked, thought, (founded, done)))
        await self._tell_healed(name, record, thought, done)
        if done.unfinished:
            raise Transient(done.unfinished)
        retries = [failure.retry_at for failure in self._failures[name].values()]
        unopened = self._clock.now() + timedelta(seconds=5) if opened.failure else None
        wake_at = min(filter(None, (thought.wake_at, unopened, *retries)), default=None)
        if at_rest(thought, facts) and not founded.uids and not founded.failures and not done.problems:
            until = min(filter(None, (wake_at, self._clock.now() + RESYNC)))
            self._resting[name] = Resting(sight, seen[0].tip.parsed, until)
        return wake_at

    async def _found(self, facts: SourceFacts, failures: Failures) -> tuple[SourceFacts, Outcome]:
        """Make namespaces, kinds and policies first; what stands on them is looked up once they are there."""
        done, hands = Outcome(), self._parts.hands[facts.settings.name]
        for _ in range(ROUNDS):
            facts = replace(facts, failures={**failures, **done.failures})
            due = foundations(facts, self._clock.now())
            if not due:
                break
            more = await hands.source_apply.write(_by_rank(due), failures)
            done = replace(done, uids={**done.uids, **more.uids}, failures={**done.failures, **more.failures})
            facts = await hands.observation.again(facts)
        return facts, done

    async def _thought(self, facts: SourceFacts, failures: Failures) -> tuple[SourcePlan, SourceFacts]:
        """The plan, once all its questions are answered."""
        observation = self._parts.hands[facts.settings.name].observation
        facts = observation.judged(facts, failures)
        now = self._clock.now()
        thought = plan(facts, now)
        for _ in range(ROUNDS):
            if not thought.questions - facts.autoscalers.keys():
                break
            facts = await observation.answered(facts, thought.questions)
            now = self._clock.now()
            thought = plan(facts, now)
        self._parts.journal.keep(self.name, facts.settings.name, (facts, now), thought)
        return thought, facts

    async def _report(self, name: str, record: StoredSource, facts: SourceFacts) -> None:
        """Say what would be done, write nothing else; where not even that may be written, the log says it, once a change."""
        thought, facts = await self._thought(facts, {})
        commit, why = facts.tip.sha, "run --read-only" if self._parts.reporting else "set apply: true to do it"
        counted = f"reporting only: {len(facts.tip.parsed.manifests)} objects at {commit[:12]} would be applied; {why}"
        problems = (RecordedProblem(reason=Reason.REPORTING, message=counted, mender=Mender.OPERATOR), *thought.problems)
        if not self._parts.reporting:
            after = replace(record.inventory, commit=commit, problems=problems, ignored=thought.ignored, notes=thought.notes)
            after = replace(after, planned=thought.steps)
            await self._store(name, record, after)
            return
        said = (*thought.steps, *map(str, problems))
        if self._reported.get(name) != said:
            self._reported[name] = said
            log.info("would be done", source=name, commit=commit[:12], plan=list(thought.steps), problems=list(map(str, problems)))

    async def _store(self, name: str, record: StoredSource, after: Inventory) -> StoredSource:
        before = record.inventory
        done = after.blocked is None and bool(confirmed_digest(record.stored))
        if self._parts.reporting or (record.stored is not None and before == after and not done):
            return record
        fresh = render_inventory(name, self._parts.inventories.namespace, after)
        if record.stored is None:
            await self._parts.apply(Plan((Create(CONFIGMAPS, fresh),)))
        else:
            place = ObjectRef(CONFIGMAPS, self._parts.inventories.namespace, name_of(fresh))
            mark = {"metadata": {"annotations": {CONFIRMED: None}}} if done else {}
            await self._parts.apply(Plan((Patch(place, {**replacing(fresh), **mark}),)))
        self._parts.inventories.written(name, after)
        await self._tell(name, fresh, before, after)
        return StoredSource(fresh, after)

    async def _tell(self, name: str, about: Manifest, before: Inventory, after: Inventory) -> None:
        """One event and one log line per new problem; one line for files that are left alone."""
        known = set(map(str, before.problems))
        for problem in after.problems:
            if str(problem) not in known:
                log.warning("source problem", source=name, problem=str(problem))
                await self._parts.apply(Plan((Emit(about, "SourceProblem", str(problem), warning=True),)))
        ignored = [file for file in after.ignored if file not in before.ignored]
        if ignored:
            log.info("files are left alone", source=name, files=ignored)
        for note in after.notes:
            if note not in before.notes:
                log.info("not done here", source=name, note=note)

    async def _tell_healed(self, name: str, record: StoredSource, thought: SourcePlan, done: Outcome) -> None:
        """One event and one log line for each object that is as Git has it again."""
        for place, drift in thought.healed:
            if place in done.uids and record.stored is not None:
                words = f"{drift.object} is as Git has it again: {', '.join(map(str, drift.fields))}"
                log.info("drift healed", source=name, object=drift.object, fields=[one.field for one in drift.fields])
                await self._parts.apply(Plan((Emit(record.stored, "DriftHealed", words),)))


def _asked_by(tip: Tip, before: Inventory) -> Inventory:
    """What a tip asks for, on record before anything of it is done."""
    return replace(before, commit=tip.sha, renderer=tip.parsed.renderer, workloads=identities(tip.parsed))


def renderer_gone(settings: SourceSettings, before: Inventory, tip: Tip) -> RecordedProblem | None:
    """Why a folder that was rendered until now is not read as plain files: its patches and bases look like manifests."""
    if settings.renderer or not before.renderer or tip.parsed.renderer:
        return None
    words = f"was rendered by {before.renderer} until commit {before.commit[:12]}, and what says so is gone: nothing of it is applied"
    remedy = "put it back; if the files are plain manifests by now, set renderer: plain on the source"
    return RecordedProblem(reason=Reason.RENDERER_GONE, file=settings.path, message=words, remedy=remedy)


def _by_rank(writes: Sequence[Write]) -> list[list[Write]]:
    return [list(wave) for _rank, wave in groupby(writes, key=lambda write: write.rank)]


def remaining(thought: SourcePlan, facts: SourceFacts, outcomes: tuple[Outcome, Outcome]) -> Failures:
    """What failed and is still wished: what was written, or is asked for otherwise, is forgotten."""
    tried = {write.place for wave in thought.waves for write in wave} | {step.place for step in thought.hooks}
    waiting = {place: failure for place, failure in facts.failures.items() if place not in tried and place in thought.waiting}
    return {**waiting, **outcomes[0].failures, **outcomes[1].failures, **outcomes[1].hooks}


def _recorded(asked: Inventory, thought: SourcePlan, outcomes: tuple[Outcome, Outcome]) -> Inventory:
    """The inventory after a pass."""
    seen = {place: (uid, file) for place, uid, file in thought.seen}
    for outcome in outcomes:
        seen.update(outcome.uids)
    gone = (*thought.gone, *outcomes[1].gone)
    failed = [f.problem for o in outcomes for f in (*o.failures.values(), *o.hooks.values()) if not f.quiet]
    known = dict.fromkeys((*thought.problems, *failed, *outcomes[1].problems))
    return replace(
        asked,
        entries=next_entries(asked.entries, seen, gone),
        problems=tuple(known),
        ignored=thought.ignored,
        notes=thought.notes,
        planned=(),
        blocked=thought.blocked,
        wave=thought.wave,
        closed=thought.closed,
        run=thought.run,
        drifts=thought.drifts,
        drifted=thought.drifted,
        healings=thought.healings,
    )
