"""Time as a dependency: what tells the time, so that rehearsals may jump it."""

import asyncio
import random
import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Tells the time twice: for people and objects (aware, UTC), and for measuring spans (seconds, never set back)."""

    def now(self) -> datetime: ...

    def monotonic(self) -> float: ...


class Timers(Protocol):
    """Lets time pass, and rolls dice: `random` answers a number from 0 up to 1."""

    async def sleep(self, seconds: float) -> None: ...

    def random(self) -> float: ...


class SystemClock:
    """The machine's own time and dice."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    def random(self) -> float:
        return random.random()
