"""What goes wrong between the daemon and its API server, by a seeded dice: refusals, lost answers, latency, broken watches."""

import asyncio
import random
from dataclasses import dataclass, fields

import orjson

from reconciler_sandbox.client import Answer, Call, Caller

WRITES = frozenset({"POST", "PUT", "PATCH", "DELETE"})
REFUSALS = ((429, "TooManyRequests"), (500, "InternalError"), (503, "ServiceUnavailable"), (504, "Timeout"))
LATENCY = 0.004
"""Seconds a call takes when nothing is wrong."""


@dataclass(slots=True)
class Weather:
    """Shares of calls that are refused, lost after they were done, and slow; 0 of each is good weather."""

    refused: float = 0.0
    lost: float = 0.0
    conflicting: float = 0.0
    slow: float = 0.0


FAULTS = tuple(field.name for field in fields(Weather))
"""The kinds of faults by name."""


class FaultyWay:
    """The way to one API server. Every call is a moment at which other things may happen."""

    def __init__(self, call: Caller, seed: int) -> None:
        self._call = call
        self._dice = random.Random(seed)
        self.weather = Weather()
        self.cut = False
        """True once the daemon at this end is dead: nothing of it arrives any more, and it hears of nothing."""
        self.dies_after = 0
        """After so many more calls it dies: the last one arrives, and nobody hears its answer. 0 for never."""
        self.died = asyncio.Event()
        self.writes = 0
        """How many writes were sent."""
        self.wrote_at = 0.0
        """When the last write was sent."""

    def reseed(self, seed: int) -> None:
        """From now on another dice is rolled."""
        self._dice = random.Random(seed)

    async def call(self, call: Call) -> Answer:
        """One call. Raises ConnectionResetError where a connection would have broken."""
        await self._wait(call)
        dice, weather = self._dice.random(), self.weather
        writes = call.method in WRITES
        if writes:
            self.writes += 1
            self.wrote_at = asyncio.get_running_loop().time()
        if dice < weather.refused:
            return _refusal(*self._dice.choice(REFUSALS))
        if writes and call.method != "POST" and dice < weather.refused + weather.conflicting:
            return _refusal(409, "Conflict")
        answer = await self._call(call)
        if self.dies_after:
            self.dies_after -= 1
            if not self.dies_after:
                self.die()
        if self.cut:
            await asyncio.Event().wait()
        if writes and self._dice.random() < weather.lost:
            raise ConnectionResetError("the answer was lost")
        return answer

    def die(self) -> None:
        """From now on the daemon at this end reaches nothing."""
        self.cut = True
        self.died.set()

    async def _wait(self, call: Call) -> None:
        if self.cut:
            await asyncio.Event().wait()
        seconds = LATENCY * (0.5 + self._dice.random())
        if self.weather.slow and self._dice.random() < self.weather.slow:
            seconds += self._dice.random() * 10
        await asyncio.sleep(seconds)
        if self.cut:
            await asyncio.Event().wait()


def _refusal(code: int, reason: str) -> Answer:
    document = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "reason": reason, "message": f"simulated {reason}"}
    return Answer(code, {"content-type": "application/json"}, orjson.dumps(document))
