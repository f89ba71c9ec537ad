"""Carries out a source's plan: in waves, many objects at a time, with a result for each; one that fails costs only itself."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby

import structlog

from reconciler.kernel.clock import Clock
from reconciler.kernel.errors import Terminal, Transient
from reconciler.kernel.identity import Manifest, uid_of
from reconciler.kernel.plan import Emit, Patch, Plan, Remove, Replace
from reconciler.kernel.resources import ROLLOUTS
from reconciler.kube.client import Client
from reconciler.kube.errors import ApiError, Refused
from reconciler.kube.fence import Fenced
from reconciler.releases.override import OVERRIDE, in_force, overridden
from reconciler.runtime.apply import Apply
from reconciler.sources.inventory import Place
from reconciler.sources.problem import Mender, Reason, RecordedProblem
from reconciler.sync.facts import Failure
from reconciler.sync.failing import failure_of
from reconciler.sync.plan import Removal, SourcePlan
from reconciler.sync.template_gate import OverrideEnd
from reconciler.sync.writes import HookStep, Write

WRITERS = 16
UNPROCESSABLE = 422
Result = Manifest | Exception
log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a pass has done: objects in place with uid and file, failures by object, what is gone, and what could not be removed."""

    uids: Mapping[Place, tuple[str, str]] = field(default_factory=dict)
    failures: Mapping[Place, Failure] = field(default_factory=dict)
    gone: tuple[Place, ...] = ()
    problems: tuple[RecordedProblem, ...] = ()
    hooks: Mapping[Place, Failure] = field(default_factory=dict)
    """Hooks about which something could not be done."""
    stopped: bool = False
    """True when a write failed and a later sync wave was not begun."""
    unfinished: str = ""
    """A small step that raced with a person and is to be looked at again soon; empty when all are done."""


class SourceApply:
    """Server-side apply with the version it was derived from, so that runtime's own writes are never undone (ADR 0017)."""

    def __init__(self, client: Client, apply: Apply, clock: Clock) -> None:
        self._client = client
        self._apply = apply
        self._clock = clock

    async def carry_out(self, plan: SourcePlan, before: Mapping[Place, Failure]) -> Outcome:
        """Every wave after the one before; then what left Git and what is handed back, as far as nothing failed that it concerns."""
        begun = await self._hooks([step for step in plan.hooks if not step.after_writes], before)
        done = await self.write(plan.waves, before)
        if not done.failures:
            begun |= await self._hooks([step for step in plan.hooks if step.after_writes], before)
        done = replace(done, hooks=begun)
        missed = {write.place for wave in plan.waves for write in wave} - done.uids.keys()
        ends = [override_end for place, override_end in plan.override_ends if place not in missed]
        unfinished = "; ".join(filter(None, [await self._end(override_end) for override_end in ends]))
        if done.stopped:
            return replace(done, unfinished=unfinished)
        troubled = {place[2] for place in done.failures if place in plan.serving}
        gone, problems = await self._remove([prune for prune in plan.prunes if prune.place[2] not in troubled])
        if not done.failures and not problems:
            problems = await self._hand_back(plan)
        return replace(done, gone=gone, problems=problems, unfinished=unfinished)

    async def write(self, waves: Iterable[Sequence[Write]], before: Mapping[Place, Failure]) -> Outcome:
        """Some waves, one after the other; after a failure no later sync wave. Raises Fenced when writing is withheld."""
        uids: dict[Place, tuple[str, str]] = {}
        failures: dict[Place, Failure] = {}
        slots = asyncio.Semaphore(WRITERS)
        failed_in: int | None = None
        for wave in waves:
            if failed_in is not None and wave[0].wave > failed_in:
                return Outcome(uids=uids, failures=failures, stopped=True)
            possible = [write for write in wave if not write.needs & failures.keys()]
            results = await asyncio.gather(*(self._one(write, slots) for write in possible))
            for write, result in zip(possible, results, strict=True):
                if isinstance(result, Fenced):
                    raise result
                if isinstance(result, Exception):
                    failures[write.place] = failure_of(write, result, before.get(write.place), self._clock.now())
                    failed_in = write.wave
                elif write.in_git:
                    uids[write.place] = (uid_of(result), write.file)
        return Outcome(uids=uids, failures=failures)

    async def _hooks(self, steps: Sequence[HookStep], before: Mapping[Place, Failure]) -> dict[Place, Failure]:
        """What is due about hooks, one after the other, in the order in which they are made."""
        failures = {}
        for step in steps:
            try:
                await self._apply(Plan(step.actions))
                log.info(str(step), object=str(step.ref))
            except Fenced:
                raise
            except (Transient, Terminal, ApiError) as error:
                failures[step.place] = failure_of(step, error, before.get(step.place), self._clock.now())
        return failures

    async def _one(self, write: Write, slots: asyncio.Semaphore) -> Result:
        async with slots:
            try:
                return await self._written(write)
            except (Transient, Terminal, ApiError) as error:
                return error

    async def _written(self, write: Write) -> Manifest:
        """Write one object, whole or field by field; where that is refused and Git said so, it goes, and is made anew by the next pass."""
        patch = write.patch
        try:
            if write.replaced:
                assert isinstance(patch.body, dict), "an object is written whole"
                return await self._apply.replace(Replace(patch.ref.resource, patch.body))
            if write.takeover is not None:
                patch = _after(patch, await self._apply.patch(write.takeover))
            return await self._apply.patch(patch)
        except Refused as error:
            if not write.forced or error.status != UNPROCESSABLE:
                raise
            await self._apply(Plan((Remove(patch.ref, write.forced),)))
            raise Transient(f"{patch.ref}: removed, because Git says Force=true and it cannot be changed; it is made anew") from error

    async def _remove(self, prunes: Sequence[Removal]) -> tuple[tuple[Place, ...], tuple[RecordedProblem, ...]]:
        """By uid, so that an object made anew stays; what was written in a later sync wave goes before the others, or nothing more does."""
        slots = asyncio.Semaphore(WRITERS)
        gone: list[Place] = []
        for _wave, group in groupby(prunes, key=lambda prune: prune.wave):
            together = tuple(group)
            results = await asyncio.gather(*(self._remove_one(prune, slots) for prune in together))
            gone += (prune.place for prune, error in zip(together, results, strict=True) if error is None)
            problems = tuple(_not_removed(prune, error) for prune, error in zip(together, results, strict=True) if error is not None)
            if problems:
                return tuple(gone), problems
        return tuple(gone), ()

    async def _remove_one(self, prune: Removal, slots: asyncio.Semaphore) -> Exception | None:
        async with slots:
            try:
                await self._apply(Plan((prune.action,)))
            except Fenced:
                raise
            except (Transient, Terminal, ApiError) as error:
                return error
            return None

    async def _hand_back(self, plan: SourcePlan) -> tuple[RecordedProblem, ...]:
        problems = []
        for action in plan.hand_backs:
            try:
                await self._apply(Plan((action,)))
            except Fenced:
                raise
            except (Transient, Terminal, ApiError) as error:
                words = f"a workload could not be handed back: {error}"
                problems.append(RecordedProblem(reason=Reason.REFUSED, message=words, mender=Mender.OPERATOR, retried=True))
        return tuple(problems)

    async def _end(self, override_end: OverrideEnd) -> str:
        """Git has the last word: the mark of a person's override goes, unless they overrode that word too. Answers what stopped it."""
        try:
            live = await self._client.find(ROLLOUTS, override_end.rollout.namespace, override_end.rollout.name)
            if live is None or not overridden(live) or in_force(live, override_end.identity):
                return ""
            body = {"metadata": {"annotations": {OVERRIDE: None}, "resourceVersion": live["metadata"]["resourceVersion"]}}
            words = "a person's override is over: Git asks for another version by now"
            await self._apply(Plan((Patch(override_end.rollout, body), Emit(live, "OverrideEnded", words))))
            log.info(words, rollout=str(override_end.rollout))
        except Fenced:
            raise
        except (Transient, Terminal, ApiError) as error:
            return f"the override of {override_end.rollout} is not ended yet: {error}"
        return ""


def _after(patch: Patch, live: Manifest) -> Patch:
    """The same write, derived from the answer of the one before."""
    assert isinstance(patch.body, dict), "an apply is one object"
    metadata = {**patch.body["metadata"], "resourceVersion": live["metadata"]["resourceVersion"]}
    return replace(patch, body={**patch.body, "metadata": metadata})


def _not_removed(prune: Removal, error: Exception) -> RecordedProblem:
    return RecordedProblem(
        reason=Reason.NOT_REMOVED,
        object=str(prune.action.ref),
        message=f"left Git and could not be removed: {error}",
        remedy="remove it by hand, or give the daemon the right to",
        mender=Mender.OPERATOR,
        retried=True,
    )
