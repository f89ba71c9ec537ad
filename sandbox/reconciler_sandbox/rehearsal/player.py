"""Plays stories on a stage: step by step, lanes side by side, and tells each thing that happens to whoever listens."""

import asyncio
import time
from collections.abc import Callable, Sequence

import httpx

from reconciler.kernel.errors import Terminal, Transient
from reconciler_sandbox.client import ApiError
from reconciler_sandbox.githost.command import GitFailed
from reconciler_sandbox.rehearsal.actions import Hands
from reconciler_sandbox.rehearsal.expecting import wait_for
from reconciler_sandbox.rehearsal.looks import look, looks_once
from reconciler_sandbox.rehearsal.record import Entry, Outcome
from reconciler_sandbox.rehearsal.stage import Stage
from reconciler_sandbox.rehearsal.story import Expect, Expectation, Step, Story, Together
from reconciler_sandbox.rehearsal.words import describe, expected

TROUBLE = (ApiError, GitFailed, Terminal, Transient, httpx.HTTPError, OSError, TimeoutError)
Narrate = Callable[[Entry], None]


class Player:
    """Plays on one stage; a lane ends with the first step whose expectations do not all hold."""

    def __init__(self, stage: Stage, hands: Hands, narrate: Narrate) -> None:
        self._stage = stage
        self._hands = hands
        self._narrate = narrate

    async def play(self, stories: Sequence[Story]) -> bool:
        """All stories side by side; whether every expectation held."""
        return all(await asyncio.gather(*(self._play(story) for story in stories)))

    async def _play(self, story: Story) -> bool:
        self._tell(story.lane, "title", story.title)
        if story.say:
            self._tell(story.lane, "say", story.say)
        self._stage.behaviours.update(story.images)
        await self._stage.users.change(story.traffic)
        return await self._steps(story.lane, story.steps)

    async def _steps(self, lane: str, steps: Sequence[Step]) -> bool:
        for number, step in enumerate(steps):
            if not await self._step(lane, step):
                left = len(steps) - number - 1
                if left:
                    self._tell(lane, "note", f"{left} further {'step is' if left == 1 else 'steps are'} not played")
                return False
        return True

    async def _step(self, lane: str, step: Step) -> bool:
        words = step.name or describe(step.action)
        if words:
            self._tell(lane, "step", words)
        if step.say:
            self._tell(lane, "say", step.say)
        match step.action:
            case Expect(expectations):
                return all(await asyncio.gather(*(self._expect(lane, step, expectation) for expectation in expectations)))
            case Together(lanes):
                return all(await asyncio.gather(*(self._steps(f"{lane}/{name}", steps) for name, steps in lanes.items())))
            case _:
                return await self._carry_out(lane, step)

    async def _carry_out(self, lane: str, step: Step) -> bool:
        assert not isinstance(step.action, Expect | Together)
        began = time.monotonic()
        try:
            done = await self._hands.carry_out(step.action)
        except TROUBLE as error:
            claim = (describe(step.action), "the step can be done", f"{type(error).__name__}: {error}", False)
            return self._claim(lane, step, claim, began)
        if done.text:
            self._tell(lane, "note", done.text)
        held = [self._claim(lane, step, claim, began) for claim in done.claims]
        return all(held)

    async def _expect(self, lane: str, step: Step, expectation: Expectation) -> bool:
        began = time.monotonic()
        subject = expectation.subject
        try:
            waited = await wait_for(expectation, lambda: look(self._stage, subject), lambda: self._stage.failure, once=looks_once(subject))
        except TROUBLE as error:
            return self._claim(lane, step, (expectation.what, expected(subject), f"{type(error).__name__}: {error}", False), began)
        claim = (expectation.what, _claimed(expectation), waited.sight.observed, waited.sight.held)
        return self._claim(lane, step, claim, began)

    def _claim(self, lane: str, step: Step, claim: tuple[str, str, str, bool], began: float) -> bool:
        what, wanted, observed, held = claim
        seconds = round(time.monotonic() - began, 2)
        outcome = Outcome(lane=lane, what=what, expected=wanted, observed=observed, held=held, seconds=seconds, place=step.place)
        self._tell(lane, "outcome", what, outcome)
        return held

    def _tell(self, lane: str, kind: str, text: str, outcome: Outcome | None = None) -> None:
        self._narrate(Entry(at=time.time() - self._stage.began, lane=lane, kind=kind, text=text, outcome=outcome))


def _claimed(expectation: Expectation) -> str:
    stays = f", for {expectation.stays:g} s" if expectation.stays else ""
    return f"{expected(expectation.subject)} (within {expectation.within:g} s{stays})"
